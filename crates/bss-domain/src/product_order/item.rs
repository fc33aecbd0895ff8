use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ItemState;
use crate::Refusal;
use crate::document::{Node, Reference, extra_of};

/// What an item does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ItemAction {
    /// A new product.
    Add,
    /// Another offering for a product that the customer has.
    Modify,
    /// The end of a product.
    Delete,
}

impl fmt::Display for ItemAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Add => "add",
            Self::Modify => "modify",
            Self::Delete => "delete",
        })
    }
}

impl std::str::FromStr for ItemAction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "add" => Ok(Self::Add),
            "modify" => Ok(Self::Modify),
            "delete" => Ok(Self::Delete),
            _ => Err(format!(
                "{text:?} is no action that is carried out: add, modify, delete"
            )),
        }
    }
}

/// One item of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductOrderItem {
    /// The customer's number of the item, unique in its order.
    pub id: String,
    /// What it does.
    pub action: ItemAction,
    /// How far it has come; read-only.
    pub state: ItemState,
    /// How many.
    pub quantity: i64,
    /// The offering, for `add` and `modify`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_offering: Option<Reference>,
    /// The account that pays; the order's where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_account: Option<Reference>,
    /// The product: given for `modify` and `delete`, filled in for `add`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<Value>,
    /// What else was sent.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

const TYPED: &[&str] = &[
    "id",
    "action",
    "state",
    "quantity",
    "productOffering",
    "billingAccount",
    "product",
    "productOrderItem",
];

impl ProductOrderItem {
    /// Reads an item of a new order.
    pub fn read(node: &Node<'_>) -> Result<Self, Refusal> {
        if node.get("state").is_some() {
            return Err(node.require("state")?.wrong("readOnly", "is read-only"));
        }
        if let Some(nested) = node.get("productOrderItem") {
            return Err(nested.wrong(
                "unsupported",
                "is not carried out: order a bundle by its own offering",
            ));
        }
        let item = Self {
            id: node.require("id")?.text()?.to_owned(),
            action: node.require("action")?.parse()?,
            state: ItemState::Acknowledged,
            quantity: node
                .get("quantity")
                .map_or(Ok(1), |quantity| quantity.integer())?,
            product_offering: node
                .get("productOffering")
                .map(|offering| Reference::read(&offering))
                .transpose()?,
            billing_account: node
                .get("billingAccount")
                .map(|account| Reference::read(&account))
                .transpose()?,
            product: node.get("product").map(|product| product.json().clone()),
            extra: extra_of(node.json(), TYPED),
        };
        if item.quantity < 1 {
            return Err(node.require("quantity")?.wrong("tooSmall", "has to be 1 or more"));
        }
        if item.action != ItemAction::Delete && item.product_offering.is_none() {
            return Err(Refusal::missing(node.path_of("productOffering")));
        }
        if item.action != ItemAction::Add && item.product_id().is_none() {
            return Err(Refusal::missing(node.path_of("product.id")));
        }
        Ok(item)
    }

    /// The id of its product, where there is one.
    pub fn product_id(&self) -> Option<&str> {
        self.product.as_ref()?.get("id")?.as_str()
    }

    /// Names the product that the item brought about.
    pub fn set_product(&mut self, id: impl ToString) {
        let product = self.product.get_or_insert_with(|| Value::Object(Map::new()));
        if let Some(object) = product.as_object_mut() {
            object.insert("id".to_owned(), Value::from(id.to_string()));
        }
    }
}
