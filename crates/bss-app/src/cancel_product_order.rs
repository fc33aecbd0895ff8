//! CancelProductOrder (TMF622): the request by which an order is cancelled.

use async_trait::async_trait;
use bss_domain::Refusal;
use bss_domain::TypedId;
use bss_domain::cancel_product_order::{NewCancelProductOrder, unknown_order};
use bss_domain::ids::{CancelProductOrderId, CustomerId};
use bss_events::Topic;
use bss_store::cancel_product_order::CANCEL_PRODUCT_ORDER;
use bss_store::product_order::PRODUCT_ORDER;
use bss_store::resource::{self, Stored};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::resource::ResourceUseCases;
use crate::{App, AppError, RequestContext, idempotency, order_processing, product_order};

/// Requests to cancel an order as the resource kit calls them.
pub struct CancelProductOrders;

#[async_trait]
impl ResourceUseCases for CancelProductOrders {
    /// Cancels the order: the request is `done` at once where the network has nothing to undo, and `inProgress` until
    /// it has. Past the order's point of no return nothing is created and the refusal says why.
    async fn create(&self, app: &App, context: &RequestContext, body: Value) -> Result<Stored, AppError> {
        let mut work = app.store.begin(context.scope()).await?;
        if let Some(answer) = idempotency::replay(&work, context).await? {
            work.rollback().await?;
            return Ok(answer);
        }
        let now = app.clock.now();
        let new = NewCancelProductOrder::read(&body, now)?;
        let (order, reason) = (new.order, new.reason.clone());
        let unknown = || unknown_order(&order.to_string());
        // Held before the request is written: whoever else decides on the order comes before or after this.
        let stored = resource::get_for_update(&work, &PRODUCT_ORDER, order.uuid())
            .await?
            .ok_or_else(unknown)?;
        let customer: CustomerId = product_order::read(&stored)?
            .customer()
            .and_then(|party| party.id.parse().ok())
            .ok_or_else(|| AppError::internal(format!("order {order} has no customer")))?;
        if context.caller.is_confined() && context.caller.customer != Some(customer) {
            return Err(unknown().into());
        }
        let id: CancelProductOrderId = app.ids.new_id(now, order.slot());
        let task = new.begin(id, customer)?;
        resource::insert(&work, &CANCEL_PRODUCT_ORDER, id.uuid(), &task, now).await?;
        work.emit(app.event(
            context,
            now,
            (Topic::Order, "CancelProductOrderCreateEvent"),
            (customer.uuid(), id.uuid()),
            json!({ "state": task["state"], "productOrder": order }),
        ));
        order_processing::cancel(app, context, &mut work, order, reason.as_deref()).await?;
        let stored = resource::get(&work, &CANCEL_PRODUCT_ORDER, id.uuid())
            .await?
            .ok_or_else(|| AppError::internal("a request that was just written is gone"))?;
        idempotency::keep(&work, context, 201, &stored).await?;
        work.commit().await?;
        Ok(stored)
    }

    async fn patch(
        &self,
        _app: &App,
        _context: &RequestContext,
        _id: Uuid,
        _patch: Value,
        _expected: Option<i64>,
    ) -> Result<Stored, AppError> {
        Err(Refusal::conflict("immutable", "a request to cancel an order never changes").into())
    }

    async fn delete(
        &self,
        _app: &App,
        _context: &RequestContext,
        _id: Uuid,
        _expected: Option<i64>,
    ) -> Result<(), AppError> {
        Err(Refusal::conflict("immutable", "a request to cancel an order is never removed").into())
    }
}
