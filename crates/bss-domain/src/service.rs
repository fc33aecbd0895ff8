//! Service (TMF638) and ServiceOrder (TMF641): what the network does for a product.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Instant;
use crate::document::Reference;
use crate::ids::{ProductOrderId, ServiceId, ServiceOrderId};
use crate::product::Characteristic;
use crate::shape::{Attribute, Kind, RELATED_PARTIES, Shape};
use crate::state::states;

states! {
    /// The states of a Service (TMF638 §ServiceStateType).
    ServiceState of "Service" {
        /// It can be done.
        FeasibilityChecked = "feasibilityChecked" => [Designed, Terminated];
        /// It is known how.
        Designed = "designed" => [Reserved, Terminated];
        /// Its resources are reserved.
        Reserved = "reserved" => [Inactive, Active, Terminated];
        /// It is there and doesn't work.
        Inactive = "inactive" => [Active, Terminated];
        /// It works.
        Active = "active" => [Inactive, Terminated];
        /// It is no more.
        Terminated = "terminated" => [];
    }
}

states! {
    /// The states of a ServiceOrder (TMF641 §ServiceOrderStateType).
    ServiceOrderState of "ServiceOrder" {
        /// Decomposed from a product order.
        Acknowledged = "acknowledged" => [Rejected, InProgress, Cancelled];
        /// It can't be done.
        Rejected = "rejected" => [];
        /// It waits for something outside.
        Pending = "pending" => [InProgress, Cancelled];
        /// Somebody has to decide.
        Held = "held" => [InProgress, Failed, Cancelled];
        /// The network is at it.
        InProgress = "inProgress" => [Pending, Held, Completed, Failed, Cancelled];
        /// It was undone.
        Cancelled = "cancelled" => [];
        /// It was done.
        Completed = "completed" => [];
        /// It could not be done.
        Failed = "failed" => [];
        /// Some of it was done.
        Partial = "partial" => [];
    }
}

/// A Service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Its id, in its customer's slot.
    pub id: ServiceId,
    /// Its specification's name.
    pub name: String,
    /// How far it has come.
    pub state: ServiceState,
    /// What it is.
    pub service_specification: Reference,
    /// The product that it carries, with the role `product`, and the customer.
    pub related_party: Vec<Reference>,
    /// The product.
    pub product: Reference,
    /// The numbers, cards and ports that it stands on.
    #[serde(default)]
    pub supporting_resource: Vec<Reference>,
    /// When it began to work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<Instant>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<Instant>,
    /// What the network needs to know.
    #[serde(default)]
    pub service_characteristic: Vec<Characteristic>,
    /// What else was sent.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A ServiceOrder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceOrder {
    /// Its id, in its customer's slot.
    pub id: ServiceOrderId,
    /// The product order.
    pub external_id: ProductOrderId,
    /// The product order's item.
    pub order_item_id: String,
    /// How far it has come.
    pub state: ServiceOrderState,
    /// When it was decomposed.
    pub order_date: Instant,
    /// When it came to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_date: Option<Instant>,
    /// The customer.
    pub related_party: Vec<Reference>,
    /// Its items: one a service.
    pub service_order_item: Vec<ServiceOrderItem>,
    /// How it went, step by step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub milestone: Vec<Milestone>,
    /// What else was sent.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One service that is to be activated or deactivated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceOrderItem {
    /// Its number.
    pub id: String,
    /// `add` or `delete`.
    pub action: String,
    /// How far it has come.
    pub state: ServiceOrderState,
    /// The service.
    pub service: Reference,
}

/// A step that was taken (TMF641 §Milestone).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Milestone {
    /// `reserved`, `activating`, `activated`, `compensated`, `parked`.
    pub name: String,
    /// `completed`, `working` or `failed`.
    pub status: String,
    /// When.
    pub milestone_date: Instant,
    /// What there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl ServiceOrder {
    /// Writes down a step.
    pub fn note(&mut self, name: &str, status: &str, message: Option<String>, now: Instant) {
        self.milestone.push(Milestone {
            name: name.to_owned(),
            status: status.to_owned(),
            milestone_date: now,
            message,
        });
    }

    /// Comes to an end, its items with it.
    pub fn finish(&mut self, state: ServiceOrderState, now: Instant) -> Result<(), crate::Refusal> {
        self.state = self.state.to(state)?;
        for item in &mut self.service_order_item {
            if item.state.to(state).is_ok() {
                item.state = state;
            }
        }
        self.completion_date = Some(now);
        Ok(())
    }
}

/// The typed attributes of a Service: orders alone write them.
pub const SERVICE_SHAPE: &Shape = &[
    Attribute::read_only("state", Kind::Text, "how far it has come"),
    Attribute::read_only("name", Kind::Text, "its specification's name"),
    Attribute::read_only(
        "serviceSpecification",
        Kind::Reference("ServiceSpecification"),
        "what it is",
    ),
    Attribute::read_only(
        "relatedParty",
        RELATED_PARTIES,
        "the customer, in the role customer",
    ),
    Attribute::read_only(
        "product",
        Kind::Reference("Product"),
        "the product that it carries",
    ),
    Attribute::read_only(
        "serviceOrder",
        Kind::Reference("ServiceOrder"),
        "the order that brought it about",
    ),
    Attribute::read_only(
        "supportingResource",
        Kind::List(&Kind::Any),
        "the number, card and port it stands on",
    ),
    Attribute::read_only(
        "serviceCharacteristic",
        Kind::List(&Kind::Any),
        "what the network needs to know",
    ),
    Attribute::read_only("startDate", Kind::Instant, "when it began to work"),
    Attribute::read_only("endDate", Kind::Instant, "when it ended"),
];

/// The typed attributes of a ServiceOrder: decomposition alone writes them.
pub const SERVICE_ORDER_SHAPE: &Shape = &[
    Attribute::read_only("state", Kind::Text, "how far it has come"),
    Attribute::read_only("externalId", Kind::Text, "the product order"),
    Attribute::read_only("orderItemId", Kind::Text, "the product order's item"),
    Attribute::read_only(
        "relatedParty",
        RELATED_PARTIES,
        "the customer, in the role customer",
    ),
    Attribute::read_only("serviceOrderItem", Kind::List(&Kind::Any), "one item a service"),
    Attribute::read_only("milestone", Kind::List(&Kind::Any), "how it went, step by step"),
    Attribute::read_only("orderDate", Kind::Instant, "when it was decomposed"),
    Attribute::read_only("completionDate", Kind::Instant, "when it came to its end"),
];
