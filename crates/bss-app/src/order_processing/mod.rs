//! From an accepted order to active products: look it up in the catalog, reserve, let the network work, settle.
//!
//! An order's rows are held (`FOR UPDATE`) while it is decided on, so that its items' outcomes come one after the
//! other, whichever worker brings them.

mod begin;
mod cancel;
mod change;
mod facts;
mod network_work;
mod settle;

pub use begin::begin;
pub use cancel::cancel;
pub(crate) use facts::facts;
pub use settle::{Outcome, retry_fallout, settle};

use bss_domain::ids::{BillingAccountId, CustomerId, ProductOrderId};
use bss_domain::product_order::{OrderState, ProductOrder};
use bss_domain::{Instant, TypedId};
use bss_events::{NewEvent, Topic};
use bss_store::UnitOfWork;
use bss_store::product_order::PRODUCT_ORDER;
use bss_store::resource::{self, Stored};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{App, AppError, RequestContext};

/// An order that is being decided on: held until the end of the transaction.
struct Held {
    stored: Stored,
    order: ProductOrder,
    customer: CustomerId,
    now: Instant,
}

impl Held {
    async fn load(app: &App, work: &UnitOfWork, id: ProductOrderId) -> Result<Self, AppError> {
        let stored = resource::get_for_update(work, &PRODUCT_ORDER, id.uuid())
            .await?
            .ok_or_else(|| AppError::not_found("ProductOrder", id))?;
        let order = crate::product_order::read(&stored)?;
        let customer = order
            .customer()
            .and_then(|party| party.id.parse().ok())
            .ok_or_else(|| AppError::internal(format!("order {id} has no customer")))?;
        Ok(Self {
            stored,
            order,
            customer,
            now: app.clock.now(),
        })
    }

    /// The account that pays for an item; it was checked when the order was accepted.
    fn account(&self, item: &str) -> Result<BillingAccountId, AppError> {
        let found = self.order.product_order_item.iter().find(|each| each.id == item);
        found
            .and_then(|item| self.order.account_of(item))
            .and_then(|account| account.id.parse().ok())
            .ok_or_else(|| AppError::internal(format!("order {} item {item} has no account", self.order.id)))
    }

    /// Writes the order back, with the event of its new state where that has changed.
    async fn save(self, app: &App, context: &RequestContext, work: &mut UnitOfWork) -> Result<(), AppError> {
        let id = self.order.id.uuid();
        let body = crate::product_order::document(&self.order)?;
        let before = self.stored.body["state"].clone();
        resource::update(work, &PRODUCT_ORDER, id, self.stored.revision, &body, self.now).await?;
        if before != body["state"] {
            let data = json!({ "state": body["state"], "was": before });
            work.emit(self.event(
                app,
                context,
                (Topic::Order, "ProductOrderStateChangeEvent"),
                id,
                data,
            ));
            if self.order.state == OrderState::Cancelled {
                cancel::finish_requests(app, context, &self, work).await?;
            }
        }
        Ok(())
    }

    fn event(
        &self,
        app: &App,
        context: &RequestContext,
        what: (Topic, &str),
        subject: Uuid,
        data: Value,
    ) -> NewEvent {
        app.event(context, self.now, what, (self.customer.uuid(), subject), data)
    }
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<Value, AppError> {
    serde_json::to_value(value).map_err(AppError::internal)
}

fn from_json<T: serde::de::DeserializeOwned>(stored: &Stored) -> Result<T, AppError> {
    serde_json::from_value(stored.body.clone()).map_err(AppError::internal)
}
