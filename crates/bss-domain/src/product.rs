//! Product (TMF637): what a customer has, with its price versions pinned.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Instant;
use crate::document::Reference;
use crate::ids::{ProductId, ProductOfferingPriceId, ProductOrderId};
use crate::shape::{Attribute, Kind, RELATED_PARTIES, Shape};
use crate::state::states;

states! {
    /// The states of a Product (TMF637 §ProductStatusType).
    ProductStatus of "Product" {
        /// An order asks for it.
        Created = "created" => [PendingActive, Cancelled];
        /// Its services are being activated.
        PendingActive = "pendingActive" => [Active, Cancelled, Aborted];
        /// The customer has it.
        Active = "active" => [Suspended, PendingTerminate];
        /// The customer has it and can't use it.
        Suspended = "suspended" => [Active, PendingTerminate];
        /// Its services are being deactivated.
        PendingTerminate = "pendingTerminate" => [Terminated, Active, Suspended];
        /// The customer had it.
        Terminated = "terminated" => [];
        /// The order was cancelled.
        Cancelled = "cancelled" => [];
        /// It could not be activated.
        Aborted = "aborted" => [];
    }
}

impl ProductStatus {
    /// States in which it costs money.
    pub const BILLABLE: &'static [Self] = &[Self::Active, Self::Suspended, Self::PendingTerminate];
}

/// A Product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    /// Its id, in its customer's slot.
    pub id: ProductId,
    /// The offering's name when it was sold.
    pub name: String,
    /// How far it has come.
    pub status: ProductStatus,
    /// When it became active.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<Instant>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub termination_date: Option<Instant>,
    /// Its customer, with the role `customer`.
    pub related_party: Vec<Reference>,
    /// Who pays.
    pub billing_account: Reference,
    /// The offering that was sold.
    pub product_offering: Reference,
    /// The price versions that it was sold at.
    pub product_price: Vec<ProductPrice>,
    /// The order item that brought it about.
    pub product_order_item: Vec<OrderItemReference>,
    /// Its parent in a bundle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub product_relationship: Vec<ProductRelationship>,
    /// What it can be recognised by: its number and SIM card.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub product_characteristic: Vec<Characteristic>,
    /// How many.
    pub quantity: i64,
    /// What else was sent.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A pinned price version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductPrice {
    /// The version.
    pub product_offering_price: Reference,
}

impl ProductPrice {
    /// Pins a price version.
    pub fn pin(id: ProductOfferingPriceId) -> Self {
        Self {
            product_offering_price: Reference::to(id, "ProductOfferingPrice"),
        }
    }
}

/// Where an order asked for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderItemReference {
    /// The order.
    pub product_order_id: ProductOrderId,
    /// Its item.
    pub order_item_id: String,
    /// What the item did.
    pub order_item_action: String,
}

/// How it stands to another product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductRelationship {
    /// `bundles` or `isBundledBy`.
    pub relationship_type: String,
    /// The other one.
    pub product: Reference,
}

/// A named value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Characteristic {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// Its typed attributes: orders alone write them.
pub const SHAPE: &Shape = &[
    Attribute::read_only("status", Kind::Text, "how far it has come"),
    Attribute::read_only("name", Kind::Text, "the offering's name when it was sold"),
    Attribute::read_only("startDate", Kind::Instant, "when it became active"),
    Attribute::read_only("terminationDate", Kind::Instant, "when it ended"),
    Attribute::read_only(
        "relatedParty",
        RELATED_PARTIES,
        "the customer, in the role customer",
    ),
    Attribute::read_only("billingAccount", Kind::Reference("BillingAccount"), "who pays"),
    Attribute::read_only(
        "productOffering",
        Kind::Reference("ProductOffering"),
        "what was sold",
    ),
    Attribute::read_only(
        "productPrice",
        Kind::List(&Kind::Any),
        "the pinned price versions",
    ),
    Attribute::read_only(
        "productOrderItem",
        Kind::List(&Kind::Any),
        "the order items that made it what it is",
    ),
    Attribute::read_only("productRelationship", Kind::List(&Kind::Any), "its bundle"),
    Attribute::read_only(
        "productCharacteristic",
        Kind::List(&Kind::Any),
        "its number and its card",
    ),
    Attribute::read_only(
        "quantity",
        Kind::Whole {
            min: 1,
            max: 1_000_000,
        },
        "how many",
    ),
];
