use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ItemState, OrderState, ProductOrderItem};
use crate::document::{Node, Reference, extra_of};
use crate::ids::ProductOrderId;
use crate::shape::{Attribute, Kind, RELATED_PARTIES, Shape};
use crate::{Instant, Refusal};

/// Items that one order may have at the most.
const ITEMS_MAX: usize = 100;

/// A ProductOrder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductOrder {
    /// Its id, in its customer's slot.
    pub id: ProductOrderId,
    /// How far it has come.
    pub state: OrderState,
    /// When it was accepted.
    pub order_date: Instant,
    /// When it came to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_date: Option<Instant>,
    /// When it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancellation_date: Option<Instant>,
    /// Why it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancellation_reason: Option<String>,
    /// Who takes part; one of them is the customer.
    pub related_party: Vec<Reference>,
    /// The account that pays for items without an own one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_account: Option<Reference>,
    /// Its items.
    pub product_order_item: Vec<ProductOrderItem>,
    /// Why it, or an item, was not done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub product_order_error_message: Vec<OrderMessage>,
    /// What else was sent.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderMessage {
    /// A stable word.
    pub code: String,
    /// The reason in short.
    pub reason: String,
    /// The reason as a sentence.
    pub message: String,
    /// When.
    pub timestamp: Instant,
    /// The items that it is about; none: the order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order_item: Vec<Reference>,
}

/// An order as it is sent: its form is right, and it has no id yet.
#[derive(Debug, Clone, PartialEq)]
pub struct NewProductOrder {
    /// Who takes part.
    pub related_party: Vec<Reference>,
    /// The account of items without an own one.
    pub billing_account: Option<Reference>,
    /// Its items.
    pub product_order_item: Vec<ProductOrderItem>,
    /// What else was sent.
    pub extra: Map<String, Value>,
}

const TYPED: &[&str] = &[
    "relatedParty",
    "billingAccount",
    "productOrderItem",
    "href",
    "@type",
];
const READ_ONLY: &[&str] = &[
    "id",
    "state",
    "orderDate",
    "completionDate",
    "cancellationDate",
    "cancellationReason",
    "expectedCompletionDate",
    "productOrderErrorMessage",
];

impl NewProductOrder {
    /// Reads the body of a POST: its form alone is judged here, what it asks for is judged later.
    pub fn read(body: &Value) -> Result<Self, Refusal> {
        let root = Node::root(body)?;
        for name in READ_ONLY {
            if let Some(node) = root.get(name) {
                return Err(node.wrong("readOnly", "is read-only"));
            }
        }
        let items = root.require("productOrderItem")?;
        let product_order_item = items
            .items()?
            .iter()
            .map(ProductOrderItem::read)
            .collect::<Result<Vec<_>, _>>()?;
        if product_order_item.is_empty() || product_order_item.len() > ITEMS_MAX {
            return Err(Refusal::invalid(
                "itemCount",
                items.path(),
                product_order_item.len(),
                format!(
                    "productOrderItem has {} items: 1 to {ITEMS_MAX} are allowed",
                    product_order_item.len()
                ),
            ));
        }
        let mut ids = BTreeSet::new();
        for (index, item) in product_order_item.iter().enumerate() {
            if !ids.insert(item.id.as_str()) {
                let field = format!("productOrderItem[{index}].id");
                let message = format!("{field}: item {:?} stands there twice", item.id);
                return Err(Refusal::invalid("duplicateItem", field, &item.id, message));
            }
        }
        let related_party = root
            .list("relatedParty")?
            .iter()
            .map(Reference::read)
            .collect::<Result<Vec<_>, _>>()?;
        let order = Self {
            related_party,
            billing_account: root
                .get("billingAccount")
                .map(|node| Reference::read(&node))
                .transpose()?,
            product_order_item,
            extra: extra_of(body, TYPED),
        };
        order.customer()?;
        Ok(order)
    }

    /// The customer: the related party with that role.
    pub fn customer(&self) -> Result<&Reference, Refusal> {
        customer_of(&self.related_party).ok_or_else(|| {
            let message = "relatedParty needs one with the role customer, whose order it is".to_owned();
            Refusal {
                message,
                ..Refusal::missing("relatedParty[role=customer]")
            }
        })
    }

    /// The order, accepted.
    pub fn accept(self, id: ProductOrderId, now: Instant) -> ProductOrder {
        ProductOrder {
            id,
            state: OrderState::Acknowledged,
            order_date: now,
            completion_date: None,
            cancellation_date: None,
            cancellation_reason: None,
            related_party: self.related_party,
            billing_account: self.billing_account,
            product_order_item: self.product_order_item,
            product_order_error_message: Vec::new(),
            extra: self.extra,
        }
    }
}

/// The related party with the role `customer`.
fn customer_of(parties: &[Reference]) -> Option<&Reference> {
    parties.iter().find(|party| {
        party
            .attribute("role")
            .is_some_and(|role| role.eq_ignore_ascii_case("customer"))
            || party.attribute("@referredType") == Some("Customer")
    })
}

impl ProductOrder {
    /// The customer.
    pub fn customer(&self) -> Option<&Reference> {
        customer_of(&self.related_party)
    }

    /// The account that pays for an item.
    pub fn account_of<'a>(&'a self, item: &'a ProductOrderItem) -> Option<&'a Reference> {
        item.billing_account.as_ref().or(self.billing_account.as_ref())
    }

    /// The item with this id.
    pub fn item_mut(&mut self, id: &str) -> Option<&mut ProductOrderItem> {
        self.product_order_item.iter_mut().find(|item| item.id == id)
    }

    /// What it asks for can't be had: the order and every item are rejected.
    pub fn reject(&mut self, refusal: &Refusal, item: Option<&str>, now: Instant) -> Result<(), Refusal> {
        self.state = self.state.to(OrderState::Rejected)?;
        for each in &mut self.product_order_item {
            each.state = each.state.to(ItemState::Rejected)?;
        }
        self.completion_date = Some(now);
        self.note(refusal.code, &refusal.message, item, now);
        Ok(())
    }

    /// It is being fulfilled from now on.
    pub fn begin(&mut self) -> Result<(), Refusal> {
        self.state = self.state.to(OrderState::InProgress)?;
        for item in &mut self.product_order_item {
            item.state = item.state.to(ItemState::InProgress)?;
        }
        Ok(())
    }

    /// An item has come to another state; the order follows its items.
    pub fn settle_item(&mut self, id: &str, state: ItemState, now: Instant) -> Result<(), Refusal> {
        let item = self.item_mut(id).ok_or_else(|| {
            Refusal::invalid(
                "unknownItem",
                "productOrderItem.id",
                id,
                format!("the order has no item {id:?}"),
            )
        })?;
        item.state = item.state.to(state)?;
        self.roll_up(now)
    }

    /// Writes down why something was not done.
    pub fn note(&mut self, code: &str, message: &str, item: Option<&str>, now: Instant) {
        self.product_order_error_message.push(OrderMessage {
            code: code.to_owned(),
            reason: code.to_owned(),
            message: message.to_owned(),
            timestamp: now,
            order_item: item
                .map(|id| Reference::to(id, "ProductOrderItem"))
                .into_iter()
                .collect(),
        });
    }

    /// Items roll up: all completed → completed; all failed → failed; all at their end but mixed → partial; one
    /// held → held, and in progress again when none is.
    fn roll_up(&mut self, now: Instant) -> Result<(), Refusal> {
        if self.is_being_cancelled() {
            return self.roll_up_cancellation(now);
        }
        let states: Vec<ItemState> = self.product_order_item.iter().map(|item| item.state).collect();
        let all = |wanted: ItemState| states.iter().all(|state| *state == wanted);
        let next = if states.iter().any(|state| !state.is_terminal()) {
            if states.contains(&ItemState::Held) {
                OrderState::Held
            } else {
                OrderState::InProgress
            }
        } else if all(ItemState::Completed) {
            OrderState::Completed
        } else if all(ItemState::Failed) {
            OrderState::Failed
        } else {
            OrderState::Partial
        };
        if next == self.state {
            return Ok(());
        }
        if self.state == OrderState::Held && next.is_terminal() {
            self.state = self.state.to(OrderState::InProgress)?;
        }
        self.state = self.state.to(next)?;
        if next.is_terminal() {
            self.completion_date = Some(now);
        }
        Ok(())
    }
}

/// Its typed attributes.
pub const SHAPE: &Shape = &[
    Attribute::required(
        "relatedParty",
        RELATED_PARTIES,
        "the customer, in the role customer, and others",
    ),
    Attribute::required(
        "productOrderItem",
        Kind::List(&Kind::Object(ITEM)),
        "what is asked for",
    ),
    Attribute::optional(
        "billingAccount",
        ACCOUNT,
        "who pays for items without an own account",
    ),
    Attribute::optional("externalId", Kind::Text, "the caller's own number of the order"),
    Attribute::optional("description", Kind::Text, "what it is about, for people"),
    Attribute::optional("priority", Kind::Text, "how urgent it is"),
    Attribute::optional("note", Kind::List(&Kind::Any), "what people wrote about it"),
    Attribute::read_only("state", Kind::Text, "how far it has come"),
    Attribute::read_only("orderDate", Kind::Instant, "when it was accepted"),
    Attribute::read_only("completionDate", Kind::Instant, "when it came to its end"),
    Attribute::read_only("cancellationDate", Kind::Instant, "when it was cancelled"),
    Attribute::read_only("cancellationReason", Kind::Text, "why it was cancelled"),
    Attribute::read_only(
        "expectedCompletionDate",
        Kind::Instant,
        "when it will have come to its end",
    ),
    Attribute::read_only(
        "productOrderErrorMessage",
        Kind::List(&Kind::Any),
        "why something was not done",
    ),
];

/// Of an account's place, the reference.
const ACCOUNT: Kind = Kind::Reference("BillingAccount");

/// The typed attributes of an item.
const ITEM: &Shape = &[
    Attribute::required("id", Kind::Text, "the item's number, unique in its order"),
    Attribute::required("action", Kind::Word(&["add", "modify", "delete"]), "what it does"),
    Attribute::optional(
        "quantity",
        Kind::Whole {
            min: 1,
            max: 1_000_000,
        },
        "how many",
    ),
    // Judged after the order was accepted: an unknown offering rejects the order.
    Attribute::optional("productOffering", Kind::Any, "the offering, for add and modify"),
    Attribute::optional("product", Kind::Any, "the product, for modify and delete"),
    Attribute::optional("billingAccount", ACCOUNT, "who pays"),
    Attribute::read_only("state", Kind::Text, "how far it has come"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Slot, TypedId};
    use serde_json::json;

    fn body() -> Value {
        json!({
            "relatedParty": [{"id": "c1", "role": "customer", "@referredType": "Customer"}],
            "billingAccount": {"id": "a1"},
            "priority": "1",
            "productOrderItem": [
                {"id": "1", "action": "add", "productOffering": {"id": "o1"}, "shape": "round"},
                {"id": "2", "action": "add", "quantity": 2, "productOffering": {"id": "o2"}}
            ]
        })
    }

    fn accepted() -> ProductOrder {
        let id = ProductOrderId::at(1, Slot::new(5).unwrap(), 9);
        NewProductOrder::read(&body()).unwrap().accept(id, now())
    }

    fn now() -> Instant {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn unknown_attributes_are_kept() {
        let order = accepted();
        let text = serde_json::to_value(&order).unwrap();
        assert_eq!(text["priority"], "1");
        assert_eq!(text["productOrderItem"][0]["shape"], "round");
        assert_eq!(text["productOrderItem"][1]["quantity"], 2);
        assert_eq!(serde_json::from_value::<ProductOrder>(text).unwrap(), order);
    }

    #[test]
    fn a_wrong_form_is_refused_by_field() {
        let cases = [
            (json!({"state": "completed"}), "state"),
            (json!({"productOrderItem": []}), "productOrderItem"),
            (
                json!({"productOrderItem": [{"id": "1", "action": "add"}]}),
                "productOrderItem[0].productOffering",
            ),
            (
                json!({"productOrderItem": [{"id": "1", "action": "sell"}]}),
                "productOrderItem[0].action",
            ),
            (
                json!({"productOrderItem": [{"id": "1", "action": "delete"}]}),
                "productOrderItem[0].product.id",
            ),
            (
                json!({"relatedParty": [{"id": "c1", "role": "seller"}]}),
                "relatedParty[role=customer]",
            ),
            (
                json!({"productOrderItem": [
                    {"id": "1", "action": "add", "productOffering": {"id": "o"}},
                    {"id": "1", "action": "add", "productOffering": {"id": "o"}}]}),
                "productOrderItem[1].id",
            ),
            (
                json!({"productOrderItem": [
                    {"id": "1", "action": "add", "quantity": 0, "productOffering": {"id": "o"}}]}),
                "productOrderItem[0].quantity",
            ),
        ];
        for (change, field) in cases {
            let mut wrong = body();
            for (name, value) in change.as_object().unwrap() {
                wrong[name] = value.clone();
            }
            let refusal = NewProductOrder::read(&wrong).unwrap_err();
            assert_eq!(refusal.field.as_deref(), Some(field), "{refusal:?}");
        }
    }

    #[test]
    fn items_roll_up() {
        use ItemState::{Completed, Failed, Held, InProgress};
        let cases: &[(&[(&str, ItemState)], OrderState)] = &[
            (&[("1", Completed)], OrderState::InProgress),
            (&[("1", Completed), ("2", Completed)], OrderState::Completed),
            (&[("1", Completed), ("2", Failed)], OrderState::Partial),
            (&[("1", Failed), ("2", Failed)], OrderState::Failed),
            (&[("1", Held)], OrderState::Held),
            (&[("1", Held), ("2", Completed)], OrderState::Held),
            (
                &[("1", Held), ("2", Completed), ("1", Failed)],
                OrderState::Partial,
            ),
            (&[("1", Held), ("1", InProgress)], OrderState::InProgress),
        ];
        for (steps, expected) in cases {
            let mut order = accepted();
            order.begin().unwrap();
            for (item, state) in *steps {
                order.settle_item(item, *state, now()).unwrap();
            }
            assert_eq!(order.state, *expected, "{steps:?}");
            assert_eq!(order.completion_date.is_some(), expected.is_terminal());
        }
    }

    #[test]
    fn a_rejected_order_says_why() {
        let mut order = accepted();
        let refusal = Refusal::invalid(
            "unknownOffering",
            "productOrderItem[0].productOffering.id",
            "o1",
            "no such offering",
        );
        order.reject(&refusal, Some("1"), now()).unwrap();
        assert_eq!(order.state, OrderState::Rejected);
        assert_eq!(order.product_order_error_message[0].order_item[0].id, "1");
        assert!(order.begin().is_err());
    }
}
