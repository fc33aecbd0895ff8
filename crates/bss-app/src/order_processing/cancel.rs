//! Undoing an order that isn't wanted any more: what wasn't sent to the network is taken back, what works there is
//! deactivated, and what was held is released once nothing works any more.

use bss_domain::Refusal;
use bss_domain::ids::{ProductId, ProductOrderId};
use bss_domain::product::{Product, ProductStatus};
use bss_domain::product_order::{ItemAction, ItemState, OrderState, ProductOrderItem};
use bss_events::Topic;
use bss_store::UnitOfWork;
use bss_store::activation::{self, Activation, ActivationState};
use bss_store::cancel_product_order::{CANCEL_PRODUCT_ORDER, under_way};
use bss_store::resource;
use serde_json::json;

use super::settle::{compensate, save_product, settle_item};
use super::{Held, change, from_json};
use crate::{App, AppError, RequestContext};

const UNWANTED: &str = "not needed any more: the order is being cancelled";

/// Cancels an order, or begins to where the network has work to undo; refused past its point of no return.
pub async fn cancel(
    app: &App,
    context: &RequestContext,
    work: &mut UnitOfWork,
    id: ProductOrderId,
    reason: Option<&str>,
) -> Result<(), AppError> {
    let mut held = Held::load(app, work, id).await?;
    let pieces = activation::of_order(work, id).await?;
    let begun = |item: &ProductOrderItem| {
        let mut own = pieces.iter().filter(|piece| piece.item == item.id);
        own.any(|piece| piece.state != ActivationState::Due || piece.attempts > 0)
    };
    // What wasn't taken up yet has brought nothing about.
    let untouched = held.order.state == OrderState::Acknowledged;
    held.order.begin_cancellation(reason, begun)?;
    let items: Vec<(String, ItemAction)> = held
        .order
        .product_order_item
        .iter()
        .filter(|item| !item.state.is_terminal())
        .map(|item| (item.id.clone(), item.action))
        .collect();
    for (item, action) in items {
        let own: Vec<&Activation> = pieces.iter().filter(|piece| piece.item == item).collect();
        if untouched {
            held.order.settle_item(&item, ItemState::Cancelled, held.now)?;
        } else if action == ItemAction::Add {
            compensate(app, context, &mut held, work, (&item, UNWANTED), &own).await?;
            settle_item(app, context, &mut held, work, &item).await?;
        } else {
            keep_product(app, context, &mut held, work, &item, &own).await?;
        }
    }
    held.save(app, context, work).await
}

/// The product that was to end goes on: the network wasn't asked to end it yet.
async fn keep_product(
    app: &App,
    context: &RequestContext,
    held: &mut Held,
    work: &mut UnitOfWork,
    item: &str,
    pieces: &[&Activation],
) -> Result<(), AppError> {
    for piece in pieces {
        if !activation::withdraw(work, piece.id, UNWANTED).await? {
            let message = format!("the network was asked to end the product of item {item} at this moment");
            return Err(Refusal::conflict("pointOfNoReturn", message).into());
        }
    }
    let product = held.order.item_mut(item).and_then(|item| item.product_id());
    let product: Option<ProductId> = product.and_then(|id| id.parse().ok());
    if let Some(product) = product {
        let stored = change::load(work, product).await?;
        let mut product: Product = from_json(&stored)?;
        if product.status == ProductStatus::PendingTerminate {
            product.status = product.status.to(ProductStatus::Active)?;
            save_product(app, context, held, work, stored.revision, &product).await?;
        }
    }
    held.order.settle_item(item, ItemState::Cancelled, held.now)?;
    Ok(())
}

/// The order is cancelled: so are the requests to cancel it at their end.
pub(super) async fn finish_requests(
    app: &App,
    context: &RequestContext,
    held: &Held,
    work: &mut UnitOfWork,
) -> Result<(), AppError> {
    for stored in under_way(work, held.order.id).await? {
        let mut body = stored.body.clone();
        bss_domain::cancel_product_order::finish(&mut body, held.now)?;
        resource::update(
            work,
            &CANCEL_PRODUCT_ORDER,
            stored.id,
            stored.revision,
            &body,
            held.now,
        )
        .await?;
        let data = json!({ "state": body["state"], "productOrder": held.order.id });
        let what = (Topic::Order, "CancelProductOrderStateChangeEvent");
        work.emit(held.event(app, context, what, stored.id, data));
    }
    Ok(())
}
