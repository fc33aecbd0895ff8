//! CancelProductOrder (TMF622): the task of cancelling an order.

use serde_json::Value;

use crate::document::Reference;
use crate::ids::{CancelProductOrderId, CustomerId, ProductOrderId};
use crate::shape::{Attribute, Kind, RELATED_PARTIES, Shape, check_new, text};
use crate::state::states;
use crate::{Instant, Refusal};

states! {
    /// The states of a task (TMF622 §TaskStateType).
    TaskState of "CancelProductOrder" {
        /// Asked for.
        Acknowledged = "acknowledged" => [InProgress, TerminatedWithError];
        /// The order is being undone.
        InProgress = "inProgress" => [Done, TerminatedWithError];
        /// The order is cancelled.
        Done = "done" => [];
        /// The order could not be cancelled.
        TerminatedWithError = "terminatedWithError" => [];
    }
}

/// Its typed attributes.
pub const SHAPE: &Shape = &[
    Attribute::required(
        "productOrder",
        Kind::Reference("ProductOrder"),
        "the order that is to be cancelled",
    ),
    Attribute::optional("cancellationReason", Kind::Text, "why, for people"),
    Attribute::optional(
        "requestedCancellationDate",
        Kind::Instant,
        "when the caller wants it; an order is cancelled at once, so it lies in no future",
    ),
    Attribute::read_only(
        "state",
        Kind::Word(&["acknowledged", "inProgress", "done", "terminatedWithError"]),
        "how far it has come",
    ),
    Attribute::read_only(
        "effectiveCancellationDate",
        Kind::Instant,
        "when the order was cancelled",
    ),
    Attribute::read_only(
        "relatedParty",
        RELATED_PARTIES,
        "the customer whose order it is, in the role customer",
    ),
];

/// A request to cancel an order whose form is right.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCancelProductOrder {
    /// The order.
    pub order: ProductOrderId,
    /// Why.
    pub reason: Option<String>,
    /// The body as it was sent.
    body: Value,
}

impl NewCancelProductOrder {
    /// Reads the body of a POST.
    pub fn read(body: &Value, now: Instant) -> Result<Self, Refusal> {
        check_new(SHAPE, body)?;
        let id = text(&body["productOrder"], "id").unwrap_or_default();
        let order = id.parse().map_err(|_| unknown_order(id))?;
        let wanted = text(body, "requestedCancellationDate").unwrap_or_default();
        if wanted.parse::<Instant>().is_ok_and(|wanted| wanted > now) {
            let message = "an order is cancelled at once: send this again when its time has come";
            return Err(Refusal::invalid(
                "notYet",
                "requestedCancellationDate",
                wanted,
                message,
            ));
        }
        Ok(Self {
            order,
            reason: text(body, "cancellationReason").map(str::to_owned),
            body: body.clone(),
        })
    }

    /// The task, begun.
    pub fn begin(self, id: CancelProductOrderId, customer: CustomerId) -> Result<Value, Refusal> {
        let state = TaskState::Acknowledged.to(TaskState::InProgress)?;
        let mut task = self.body;
        task["id"] = id.to_string().into();
        task["state"] = state.name().into();
        let party = Reference::to(customer, "Customer").with("role", "customer");
        task["relatedParty"] = serde_json::json!([party]);
        Ok(task)
    }
}

/// There is no such order, or it is somebody else's.
pub fn unknown_order(id: &str) -> Refusal {
    let message = format!("productOrder.id: there is no product order {id:?}");
    Refusal::invalid("unknownReference", "productOrder.id", id, message)
}

/// The order is cancelled: so is the task at its end.
pub fn finish(task: &mut Value, now: Instant) -> Result<(), Refusal> {
    let state: TaskState = text(task, "state").unwrap_or_default().parse()?;
    task["state"] = state.to(TaskState::Done)?.name().into();
    task["effectiveCancellationDate"] = now.to_string().into();
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Slot, TypedId};

    fn now() -> Instant {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_task_is_begun_and_finished_once() {
        let slot = Slot::new(3).unwrap();
        let order = ProductOrderId::at(1, slot, 1);
        let body = json!({ "productOrder": { "id": order }, "cancellationReason": "moved", "x": 1 });
        let new = NewCancelProductOrder::read(&body, now()).unwrap();
        assert_eq!((new.order, new.reason.as_deref()), (order, Some("moved")));
        let customer = CustomerId::at(1, slot, 2);
        let mut task = new.begin(CancelProductOrderId::at(1, slot, 3), customer).unwrap();
        assert_eq!((&task["state"], &task["x"]), (&json!("inProgress"), &json!(1)));
        finish(&mut task, now()).unwrap();
        assert_eq!(task["state"], "done");
        assert_eq!(finish(&mut task, now()).unwrap_err().code, "illegalTransition");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (body, code, field) in [
            (json!({}), "missing", "productOrder"),
            (
                json!({ "productOrder": { "id": "elsewhere" } }),
                "unknownReference",
                "productOrder.id",
            ),
            (
                json!({ "productOrder": { "id": "x" }, "state": "done" }),
                "readOnly",
                "state",
            ),
            (
                json!({ "productOrder": { "id": ProductOrderId::at(1, Slot::new(3).unwrap(), 1) },
                        "requestedCancellationDate": "2026-01-01T00:00:01Z" }),
                "notYet",
                "requestedCancellationDate",
            ),
        ] {
            let refusal = NewCancelProductOrder::read(&body, now()).unwrap_err();
            assert_eq!(
                (refusal.code, refusal.field.as_deref()),
                (code, Some(field)),
                "{body}"
            );
        }
    }
}
