//! Items that change a product which the customer has: another offering (`modify`), or its end (`delete`).

use bss_domain::document::Reference;
use bss_domain::fulfilment::{PlannedProduct, decompose};
use bss_domain::ids::ProductId;
use bss_domain::product::{OrderItemReference, Product, ProductPrice, ProductStatus};
use bss_domain::product_order::{ItemAction, ItemState, ProductOrderItem};
use bss_domain::service::{Service, ServiceState};
use bss_domain::{Refusal, TypedId};
use bss_store::UnitOfWork;
use bss_store::activation::{Activation, ActivationState, NetworkAction};
use bss_store::product::{self, NewSegment, PRODUCT};
use bss_store::resource::{self, Stored};
use uuid::Uuid;

use super::begin::currency_of;
use super::facts::facts;
use super::network_work::request;
use super::settle::{end_services, hold, parse, resume, save_product};
use super::{Held, from_json};
use crate::{App, AppError, RequestContext};

/// What a change is going to do.
pub(super) enum Plan {
    /// The product's offering becomes another one.
    Offering(ProductId, PlannedProduct),
    /// The product ends.
    End(ProductId),
}

/// Looks a change up: the product is the customer's and in a state that allows it, and the network has nothing else
/// to do for the new offering.
pub(super) async fn plan(
    held: &Held,
    work: &UnitOfWork,
    item: &ProductOrderItem,
    field: &str,
) -> Result<Plan, AppError> {
    let given = item.product_id().unwrap_or_default();
    let field_id = format!("{field}.product.id");
    let unknown = || {
        let message = format!("{field_id}: the customer has no product {given:?}");
        Refusal::invalid("unknownReference", field_id.clone(), given, message)
    };
    let id: Uuid = given.parse().map_err(|_| unknown())?;
    let stored = resource::get_for_update(work, &PRODUCT, id)
        .await?
        .ok_or_else(unknown)?;
    let product: Product = from_json(&stored)?;
    if product.related_party.first().map(|party| party.id.as_str())
        != Some(held.customer.to_string().as_str())
    {
        return Err(unknown().into());
    }
    if product.status != ProductStatus::Active {
        let message = format!("{field_id}: product {given} is {}, not active", product.status);
        return Err(Refusal::invalid("wrongState", field_id, given, message).into());
    }
    if item.action == ItemAction::Delete {
        return Ok(Plan::End(product.id));
    }
    let offering = item
        .product_offering
        .as_ref()
        .ok_or_else(|| Refusal::missing(format!("{field}.productOffering")))?;
    let wanted = facts(work, &offering.id, held.now, field).await?;
    let currency = currency_of(work, parse(&product.billing_account)?).await?;
    let mut plan = decompose(&wanted, currency, product.quantity, field)?;
    let mut names: Vec<String> = Vec::new();
    for service in product::services_of(work, product.id).await? {
        names.push(from_json::<Service>(&service)?.name);
    }
    let mut new_names: Vec<String> = plan[0]
        .services
        .iter()
        .map(|service| service.name.clone())
        .collect();
    names.sort_unstable();
    new_names.sort_unstable();
    if plan.len() > 1 || names != new_names {
        let message = format!(
            "{field}.productOffering: {} needs other services: end the product and order anew",
            offering.id
        );
        return Err(Refusal::invalid(
            "otherServices",
            format!("{field}.productOffering.id"),
            &offering.id,
            message,
        )
        .into());
    }
    Ok(Plan::Offering(product.id, plan.remove(0)))
}

/// Carries a planned change out as far as it goes without the network.
pub(super) async fn start(
    app: &App,
    context: &RequestContext,
    held: &Held,
    work: &mut UnitOfWork,
    item: &ProductOrderItem,
    plan: Plan,
) -> Result<Result<(), Refusal>, AppError> {
    match plan {
        Plan::Offering(id, planned) => switch(app, context, held, work, item, (id, planned)).await?,
        Plan::End(id) => {
            let stored = load(work, id).await?;
            let mut product: Product = from_json(&stored)?;
            product.status = product.status.to(ProductStatus::PendingTerminate)?;
            remember_item(held, item, &mut product);
            save_product(app, context, held, work, stored.revision, &product).await?;
            for service in product::services_of(work, id).await? {
                if from_json::<Service>(&service)?.state == ServiceState::Active {
                    request(
                        app,
                        context,
                        held,
                        work,
                        &item.id,
                        service.id.into(),
                        NetworkAction::Deactivate,
                    )
                    .await?;
                }
            }
        }
    }
    Ok(Ok(()))
}

/// One segment ends and the next begins at the same instant: the product has exactly one owner at every instant.
async fn switch(
    app: &App,
    context: &RequestContext,
    held: &Held,
    work: &mut UnitOfWork,
    item: &ProductOrderItem,
    (id, planned): (ProductId, PlannedProduct),
) -> Result<(), AppError> {
    let stored = load(work, id).await?;
    let mut product: Product = from_json(&stored)?;
    product.name.clone_from(&planned.name);
    product.product_offering = Reference::to(planned.offering, "ProductOffering").with("name", planned.name);
    product.product_price = planned.prices.iter().copied().map(ProductPrice::pin).collect();
    remember_item(held, item, &mut product);
    product::close_segment(work, id, held.now).await?;
    let segment = NewSegment {
        product: id,
        from: held.now,
        account: parse(&product.billing_account)?,
        offering: planned.offering,
        prices: planned.prices,
        quantity: product.quantity,
    };
    product::open_segment(work, &segment).await?;
    save_product(app, context, held, work, stored.revision, &product).await
}

/// A change's next step: done when the network has confirmed everything.
pub(super) async fn settle(
    app: &App,
    context: &RequestContext,
    held: &mut Held,
    work: &mut UnitOfWork,
    item: &str,
    pieces: &[&Activation],
) -> Result<(), AppError> {
    let any = |state: ActivationState| pieces.iter().any(|piece| piece.state == state);
    if any(ActivationState::Fallout) {
        return hold(held, item);
    }
    if any(ActivationState::Due) || any(ActivationState::Unknown) {
        return resume(held, item);
    }
    let own = held
        .order
        .item_mut(item)
        .map(|item| (item.action, item.product_id().map(str::to_owned)));
    let Some((action, Some(product))) = own else {
        return Ok(());
    };
    let refused = any(ActivationState::Refused);
    if action == ItemAction::Delete {
        let id: ProductId = product.parse().map_err(AppError::internal)?;
        end(app, context, held, work, id, refused).await?;
    }
    let state = if refused {
        ItemState::Failed
    } else {
        ItemState::Completed
    };
    held.order.settle_item(item, state, held.now)?;
    Ok(())
}

/// The product is over, or goes on where the network refused to let it end.
async fn end(
    app: &App,
    context: &RequestContext,
    held: &Held,
    work: &mut UnitOfWork,
    id: ProductId,
    refused: bool,
) -> Result<(), AppError> {
    let stored = load(work, id).await?;
    let mut product: Product = from_json(&stored)?;
    if refused {
        product.status = product.status.to(ProductStatus::Active)?;
        return save_product(app, context, held, work, stored.revision, &product).await;
    }
    end_services(held, work, id).await?;
    product::close_segment(work, id, held.now).await?;
    product::end_assignments(work, id, held.now).await?;
    product.status = product.status.to(ProductStatus::Terminated)?;
    product.termination_date = Some(held.now);
    save_product(app, context, held, work, stored.revision, &product).await
}

fn remember_item(held: &Held, item: &ProductOrderItem, product: &mut Product) {
    product.product_order_item.push(OrderItemReference {
        product_order_id: held.order.id,
        order_item_id: item.id.clone(),
        order_item_action: item.action.to_string(),
    });
}

pub(super) async fn load(work: &UnitOfWork, id: ProductId) -> Result<Stored, AppError> {
    resource::get_for_update(work, &PRODUCT, id.uuid())
        .await?
        .ok_or_else(|| AppError::not_found("Product", id))
}
