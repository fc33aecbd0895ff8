use bss_domain::document::Reference;
use bss_domain::fulfilment::{ItemStep, ItemWork, next_item_step};
use bss_domain::ids::{BillingAccountId, ProductId, ProductOrderId};
use bss_domain::product::{Characteristic, Product, ProductStatus};
use bss_domain::product_order::{ItemAction, ItemState};
use bss_domain::resource::QUARANTINE_DAYS;
use bss_domain::service::{Service, ServiceOrder, ServiceOrderState, ServiceState};
use bss_domain::{Instant, Refusal, TypedId};
use bss_events::Topic;
use bss_store::activation::{self, Activation, ActivationState, NetworkAction};
use bss_store::product::{self, NewAssignment, NewSegment, PRODUCT, SERVICE};
use bss_store::product_order::SERVICE_ORDER;
use bss_store::resource;
use bss_store::{UnitOfWork, resource_pool};
use jiff::ToSpan;
use serde_json::json;

use super::network_work::{count, request};
use super::{Held, change, from_json, to_json};
use crate::{App, AppError, RequestContext};

/// What became of one attempt at the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Where the work stands now.
    pub state: ActivationState,
    /// After which wait it is due again, milliseconds.
    pub wait_ms: u64,
    /// Why.
    pub reason: Option<String>,
}

/// Writes an attempt's outcome down and does what follows from it for its item and its order. An attempt that was
/// overtaken by a later one changes nothing.
pub async fn settle(
    app: &App,
    context: &RequestContext,
    work: &mut UnitOfWork,
    piece: &Activation,
    outcome: &Outcome,
) -> Result<(), AppError> {
    // The order first: whoever holds it has the right to its work.
    let final_state = !matches!(outcome.state, ActivationState::Due | ActivationState::Unknown);
    let held = if final_state {
        Some(Held::load(app, work, piece.order).await?)
    } else {
        None
    };
    let state = held
        .as_ref()
        .map_or(outcome.state, |held| state_of(held, piece, outcome));
    let wait = std::time::Duration::from_millis(outcome.wait_ms);
    if !activation::settle(work, piece, state, wait, outcome.reason.as_deref()).await? {
        return Ok(());
    }
    let Some(mut held) = held else {
        return Ok(());
    };
    if outcome.state == ActivationState::Confirmed {
        mark_service(app, context, &held, work, piece).await?;
    } else {
        let reason = outcome.reason.as_deref().unwrap_or("the network gave no reason");
        let code = if outcome.state == ActivationState::Refused {
            "networkRefused"
        } else {
            "networkSilent"
        };
        let now = held.now;
        held.order.note(code, reason, Some(&piece.item), now);
    }
    settle_item(app, context, &mut held, work, &piece.item).await?;
    held.save(app, context, work).await
}

/// A service that was activated for an item and that the network won't let go of still works: people have to look at
/// it, and what it holds stays held.
fn state_of(held: &Held, piece: &Activation, outcome: &Outcome) -> ActivationState {
    let mut items = held.order.product_order_item.iter();
    let undoing = piece.action == NetworkAction::Deactivate
        && items.any(|item| item.id == piece.item && item.action == ItemAction::Add);
    if undoing && outcome.state == ActivationState::Refused {
        ActivationState::Fallout
    } else {
        outcome.state
    }
}

/// People have mended what an order fell out for: its work is asked for again, and its items are being worked at.
pub async fn retry_fallout(
    app: &App,
    context: &RequestContext,
    work: &mut UnitOfWork,
    order: ProductOrderId,
) -> Result<(), AppError> {
    let mut held = Held::load(app, work, order).await?;
    let mut items = activation::retry_fallout(work, order).await?;
    if items.is_empty() {
        let message = format!("ProductOrder {order} has nothing in the fallout queue");
        return Err(Refusal::conflict("noFallout", message).into());
    }
    items.dedup();
    for item in &items {
        resume(&mut held, item)?;
    }
    held.save(app, context, work).await
}

/// Looks how an item stands and takes its next step.
pub(super) async fn settle_item(
    app: &App,
    context: &RequestContext,
    held: &mut Held,
    work: &mut UnitOfWork,
    item: &str,
) -> Result<(), AppError> {
    let action = held.order.item_mut(item).map(|item| item.action);
    let pieces = activation::of_order(work, held.order.id).await?;
    let own: Vec<&Activation> = pieces.iter().filter(|piece| piece.item == item).collect();
    if action != Some(ItemAction::Add) {
        return change::settle(app, context, held, work, item, &own).await;
    }
    let standing = ItemWork {
        unwanted: held.order.is_being_cancelled(),
        ..count(&own)
    };
    match next_item_step(standing) {
        ItemStep::Wait => resume(held, item),
        ItemStep::Hold => hold(held, item),
        ItemStep::Complete => complete_item(app, context, held, work, item).await,
        ItemStep::Fail => fail_item(app, context, held, work, item).await,
        ItemStep::Compensate => {
            let why = "not needed any more: another service was refused";
            compensate(app, context, held, work, (item, why), &own).await
        }
    }
}

/// People have to look at the item.
pub(super) fn hold(held: &mut Held, item: &str) -> Result<(), AppError> {
    let state = held.order.item_mut(item).map(|item| item.state);
    if state == Some(ItemState::InProgress) {
        held.order.settle_item(item, ItemState::Held, held.now)?;
    }
    Ok(())
}

/// The item is being worked at again.
pub(super) fn resume(held: &mut Held, item: &str) -> Result<(), AppError> {
    let state = held.order.item_mut(item).map(|item| item.state);
    if state == Some(ItemState::Held) {
        held.order.settle_item(item, ItemState::InProgress, held.now)?;
    }
    Ok(())
}

/// What works already is deactivated, what the network doesn't have is taken back.
pub(super) async fn compensate(
    app: &App,
    context: &RequestContext,
    held: &mut Held,
    work: &mut UnitOfWork,
    (item, why): (&str, &str),
    pieces: &[&Activation],
) -> Result<(), AppError> {
    for piece in pieces
        .iter()
        .filter(|piece| piece.action == NetworkAction::Activate)
    {
        let undone = pieces
            .iter()
            .any(|other| other.service == piece.service && other.action == NetworkAction::Deactivate);
        match piece.state {
            ActivationState::Confirmed if !undone => {
                request(
                    app,
                    context,
                    held,
                    work,
                    item,
                    piece.service,
                    NetworkAction::Deactivate,
                )
                .await?;
            }
            ActivationState::Due => {
                activation::withdraw(work, piece.id, why).await?;
            }
            _ => {}
        }
    }
    resume(held, item)
}

/// Everything works: the item's products become active, with their price versions pinned and their numbers assigned.
async fn complete_item(
    app: &App,
    context: &RequestContext,
    held: &mut Held,
    work: &mut UnitOfWork,
    item: &str,
) -> Result<(), AppError> {
    let account = held.account(item)?;
    for stored in item_products(held, work, item).await? {
        let mut product: Product = from_json(&stored)?;
        product.status = product.status.to(ProductStatus::Active)?;
        product.start_date = Some(held.now);
        for service in product::services_of(work, product.id).await? {
            let service: Service = from_json(&service)?;
            product
                .product_characteristic
                .extend(service.service_characteristic.clone());
            assign_numbers(held, work, &product, account, &service).await?;
        }
        let segment = NewSegment {
            product: product.id,
            from: held.now,
            account,
            offering: parse(&product.product_offering)?,
            prices: product
                .product_price
                .iter()
                .map(|price| parse(&price.product_offering_price))
                .collect::<Result<_, _>>()?,
            quantity: product.quantity,
        };
        product::open_segment(work, &segment).await?;
        save_product(app, context, held, work, stored.revision, &product).await?;
    }
    finish_service_orders(app, context, held, work, item, ServiceOrderState::Completed).await?;
    held.order.settle_item(item, ItemState::Completed, held.now)?;
    Ok(())
}

/// Nothing of the item works: its resources go back, its products are aborted, or cancelled with their order.
pub(super) async fn fail_item(
    app: &App,
    context: &RequestContext,
    held: &mut Held,
    work: &mut UnitOfWork,
    item: &str,
) -> Result<(), AppError> {
    let (status, service_orders, state) = if held.order.is_being_cancelled() {
        (
            ProductStatus::Cancelled,
            ServiceOrderState::Cancelled,
            ItemState::Cancelled,
        )
    } else {
        (
            ProductStatus::Aborted,
            ServiceOrderState::Failed,
            ItemState::Failed,
        )
    };
    for stored in item_products(held, work, item).await? {
        let mut product: Product = from_json(&stored)?;
        end_services(held, work, product.id).await?;
        product.status = product.status.to(status)?;
        save_product(app, context, held, work, stored.revision, &product).await?;
    }
    for piece in activation::of_order(work, held.order.id)
        .await?
        .iter()
        .filter(|piece| piece.item == item)
    {
        activation::withdraw(work, piece.id, "not needed any more: its item came to nothing").await?;
    }
    finish_service_orders(app, context, held, work, item, service_orders).await?;
    held.order.settle_item(item, state, held.now)?;
    Ok(())
}

/// The services of a product are over: their resources go back, into quarantine where they were in use.
pub(super) async fn end_services(held: &Held, work: &UnitOfWork, product: ProductId) -> Result<(), AppError> {
    let until = held
        .now
        .checked_add((QUARANTINE_DAYS * 24).hours())
        .unwrap_or(Instant::MAX);
    for stored in product::services_of(work, product).await? {
        let mut service: Service = from_json(&stored)?;
        resource_pool::release(work, service.id, until, held.now).await?;
        service.state = service.state.to(ServiceState::Terminated)?;
        service.end_date = Some(held.now);
        let body = to_json(&service)?;
        resource::update(work, &SERVICE, stored.id, stored.revision, &body, held.now).await?;
    }
    Ok(())
}

async fn assign_numbers(
    held: &Held,
    work: &UnitOfWork,
    product: &Product,
    account: BillingAccountId,
    service: &Service,
) -> Result<(), AppError> {
    let customer = Reference::to(held.customer, "Customer");
    for Characteristic { name, value } in &service.service_characteristic {
        // Several services may stand on one number; it is assigned with the first.
        if name == "msisdn" {
            let new = NewAssignment {
                number: value,
                from: held.now,
                customer: &customer,
                account,
                product: product.id,
            };
            product::assign_number(work, &new).await?;
        }
    }
    Ok(())
}

/// A service works, or doesn't any more.
async fn mark_service(
    app: &App,
    context: &RequestContext,
    held: &Held,
    work: &mut UnitOfWork,
    piece: &Activation,
) -> Result<(), AppError> {
    let stored = resource::get_for_update(work, &SERVICE, piece.service.uuid())
        .await?
        .ok_or_else(|| AppError::not_found("Service", piece.service))?;
    let mut service: Service = from_json(&stored)?;
    match piece.action {
        NetworkAction::Activate => {
            service.state = service.state.to(ServiceState::Active)?;
            service.start_date = Some(held.now);
            resource_pool::put_to_use(work, piece.service, held.now).await?;
        }
        NetworkAction::Deactivate => service.state = service.state.to(ServiceState::Inactive)?,
    }
    resource::update(
        work,
        &SERVICE,
        stored.id,
        stored.revision,
        &to_json(&service)?,
        held.now,
    )
    .await?;
    let data = json!({ "state": service.state, "product": service.product.id });
    work.emit(held.event(
        app,
        context,
        (Topic::Provisioning, "ServiceStateChangeEvent"),
        stored.id,
        data,
    ));
    Ok(())
}

/// The products that an item brought about.
pub(super) async fn item_products(
    held: &Held,
    work: &UnitOfWork,
    item: &str,
) -> Result<Vec<resource::Stored>, AppError> {
    let mut products = product::of_order(work, held.order.id).await?;
    products.retain(|stored| stored.body["productOrderItem"][0]["orderItemId"].as_str() == Some(item));
    Ok(products)
}

pub(super) async fn save_product(
    app: &App,
    context: &RequestContext,
    held: &Held,
    work: &mut UnitOfWork,
    revision: i64,
    product: &Product,
) -> Result<(), AppError> {
    let id: ProductId = product.id;
    resource::update(work, &PRODUCT, id.uuid(), revision, &to_json(product)?, held.now).await?;
    let data = json!({ "status": product.status, "productOrder": held.order.id });
    work.emit(held.event(
        app,
        context,
        (Topic::Order, "ProductStateChangeEvent"),
        id.uuid(),
        data,
    ));
    Ok(())
}

async fn finish_service_orders(
    app: &App,
    context: &RequestContext,
    held: &Held,
    work: &mut UnitOfWork,
    item: &str,
    state: ServiceOrderState,
) -> Result<(), AppError> {
    for stored in bss_store::product_order::service_orders_of(work, held.order.id).await? {
        let mut order: ServiceOrder = from_json(&stored)?;
        if order.order_item_id != item || order.state.to(state).is_err() {
            continue;
        }
        let (name, status) = match state {
            ServiceOrderState::Completed => ("activated", "completed"),
            _ => ("compensated", "completed"),
        };
        order.note(name, status, None, held.now);
        order.finish(state, held.now)?;
        resource::update(
            work,
            &SERVICE_ORDER,
            stored.id,
            stored.revision,
            &to_json(&order)?,
            held.now,
        )
        .await?;
        let data = json!({ "state": order.state, "productOrder": held.order.id });
        let what = (Topic::Provisioning, "ServiceOrderStateChangeEvent");
        work.emit(held.event(app, context, what, stored.id, data));
    }
    Ok(())
}

/// The id of ours in a reference that we wrote ourselves.
pub(super) fn parse<I: TypedId>(reference: &Reference) -> Result<I, AppError> {
    let id: uuid::Uuid = reference.id.parse().map_err(AppError::internal)?;
    Ok(I::from(id))
}
