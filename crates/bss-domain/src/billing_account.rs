//! TMF666 BillingAccount: what is billed together, in which currency, zone and cycle.

mod balance;

pub use balance::{AccountMoney, PaymentStatus};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::ids::{BillingAccountId, CustomerId};
use crate::shape::{Attribute, Kind, RELATED_PARTIES, Shape, text};
use crate::state::states;
use crate::{Currency, Cycle, Refusal, Zone};

states! {
    /// The states of an account.
    BillingAccountState of "BillingAccount" {
        /// Billed.
        Active = "active" => [Suspended, Closed];
        /// Nothing new is sold to it.
        Suspended = "suspended" => [Active, Closed];
        /// Never billed again.
        Closed = "closed" => [];
    }
}

/// Its typed attributes.
pub const SHAPE: &Shape = &[
    Attribute::required("name", Kind::Text, "the account's name"),
    Attribute::required(
        "relatedParty",
        RELATED_PARTIES,
        "the customer, in the role customer, and others",
    ),
    Attribute::optional("description", Kind::Text, "what it is for, for people"),
    Attribute::optional("accountType", Kind::Text, "what kind of account"),
    Attribute::optional(
        "state",
        Kind::Word(&["active", "suspended", "closed"]),
        "where it stands",
    ),
    Attribute::required(
        "currency",
        Kind::Currency,
        "the currency of its bills; never changes",
    ),
    Attribute::required(
        "timeZone",
        Kind::Zone,
        "the IANA zone that its periods are cut in; never changes",
    ),
    Attribute::optional(
        "cycleDay",
        Kind::Whole { min: 1, max: 31 },
        "the day of the month that its periods begin at, 1 where none is sent; never changes",
    ),
    Attribute::optional("creditLimit", Kind::Money, "how much may be charged on it"),
    Attribute::read_only(
        "paymentStatus",
        Kind::Word(&["paid", "due", "in arrears"]),
        "whether something is open, and whether its day has passed; no list filters by it",
    ),
    Attribute::read_only(
        "accountBalance",
        Kind::List(&Kind::Object(BALANCE)),
        "what is open of its bills, what is left over, what is left of its prepaid credit; no list filters by it",
    ),
    Attribute::read_only("lastModified", Kind::Instant, "when it was last changed"),
];

/// What one kind of balance stands at.
const BALANCE: &Shape = &[
    Attribute::required(
        "balanceType",
        Kind::Word(&["receivable", "customerCredit", "prepaid"]),
        "which balance: open on bills, unallocated payments and credit notes, prepaid credit",
    ),
    Attribute::required("amount", Kind::Money, "what it stands at"),
    Attribute::optional("validFor", Kind::Period, "since when it is kept"),
];

/// The attributes that bills rest on: they never change.
const FIXED: &[&str] = &["currency", "timeZone", "cycleDay"];

/// One customer, whose account it stays; the state goes along an arrow.
pub fn decide(before: Option<&Value>, after: &mut Value) -> Result<(), Refusal> {
    if after.get("cycleDay").is_none_or(Value::is_null) {
        after["cycleDay"] = before
            .and_then(|before| before.get("cycleDay").cloned())
            .unwrap_or_else(|| 1.into());
    }
    let next: BillingAccountState = text(after, "state").unwrap_or("active").parse()?;
    after["state"] = next.name().into();
    let customer = customer_of(after)?;
    if let Some(limit) = after.get("creditLimit").filter(|limit| limit.is_object())
        && text(limit, "unit") != text(after, "currency")
    {
        return Err(Refusal::invalid(
            "wrongCurrency",
            "creditLimit.unit",
            text(limit, "unit").unwrap_or_default(),
            "the limit has to be in the account's currency",
        ));
    }
    let Some(before) = before else {
        return Ok(());
    };
    let state: BillingAccountState = text(before, "state").unwrap_or("active").parse()?;
    if state != next {
        state.to(next)?;
    }
    for name in FIXED {
        if before.get(*name) != after.get(*name) {
            let wanted = after.get(*name).map(ToString::to_string).unwrap_or_default();
            return Err(fixed(name, wanted.trim_matches('"')));
        }
    }
    if customer_of(before)? != customer {
        return Err(fixed("relatedParty", &customer.to_string()));
    }
    Ok(())
}

fn fixed(name: &str, wanted: &str) -> Refusal {
    Refusal {
        field: Some(name.to_owned()),
        value: Some(wanted.to_owned()),
        ..Refusal::conflict(
            "fixed",
            format!("{name} of a billing account never changes: open another account"),
        )
    }
}

/// The customer that an account's document names.
pub fn customer_of(document: &Value) -> Result<CustomerId, Refusal> {
    let parties = document.get("relatedParty").and_then(Value::as_array);
    let mut customers = parties
        .into_iter()
        .flatten()
        .enumerate()
        .filter(|(_, party)| text(party, "role") == Some("customer"));
    let missing = || Refusal::missing("relatedParty[role=customer]");
    let (index, party) = customers.next().ok_or_else(missing)?;
    if let Some((index, second)) = customers.next() {
        return Err(Refusal::invalid(
            "twoCustomers",
            format!("relatedParty[{index}].id"),
            text(second, "id").unwrap_or_default(),
            "an account belongs to one customer",
        ));
    }
    let id = text(party, "id").ok_or_else(missing)?;
    id.parse().map_err(|_| {
        Refusal::invalid(
            "unknownReference",
            format!("relatedParty[{index}].id"),
            id,
            format!("there is no customer {id}"),
        )
    })
}

/// A billing account as the rest of the domain reads it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BillingAccount {
    /// Its id.
    pub id: BillingAccountId,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: BillingAccountState,
    /// The currency of everything on it.
    pub currency: Currency,
    /// The zone that its periods are cut in.
    pub time_zone: Zone,
    /// The day that its periods begin at.
    pub cycle_day: u8,
    /// What else was sent.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl BillingAccount {
    /// Reads a stored document.
    pub fn from_document(document: &Value) -> Result<Self, serde_json::Error> {
        serde_json::from_value(document.clone())
    }

    /// Its cycle.
    pub fn cycle(&self) -> Cycle {
        Cycle {
            zone: self.time_zone.clone(),
            day: self.cycle_day,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn account() -> Value {
        json!({
            "id": "019ac000-0000-8000-8000-000000000001", "name": "A", "currency": "EUR", "timeZone": "Europe/Warsaw",
            "relatedParty": [{ "id": "019ac000-0000-8000-8000-000000000002", "role": "customer" }],
        })
    }

    #[test]
    fn what_bills_rest_on_never_changes() {
        let mut before = account();
        decide(None, &mut before).unwrap();
        assert_eq!(
            (&before["cycleDay"], &before["state"]),
            (&json!(1), &json!("active"))
        );
        for (name, value, code) in [
            ("name", json!("B"), None),
            ("state", json!("closed"), None),
            ("currency", json!("JPY"), Some("fixed")),
            ("timeZone", json!("UTC"), Some("fixed")),
            ("cycleDay", json!(2), Some("fixed")),
            (
                "relatedParty",
                json!([{ "id": "019ac000-0000-8000-8000-000000000003", "role": "customer" }]),
                Some("fixed"),
            ),
            ("relatedParty", json!([]), Some("missing")),
            (
                "creditLimit",
                json!({ "unit": "JPY", "value": 1 }),
                Some("wrongCurrency"),
            ),
        ] {
            let mut after = before.clone();
            after[name] = value;
            let found = decide(Some(&before), &mut after)
                .err()
                .map(|refusal| refusal.code);
            assert_eq!(found, code, "{name}");
        }
        before["state"] = "closed".into();
        let mut after = account();
        after["cycleDay"] = 1.into();
        assert_eq!(
            decide(Some(&before), &mut after).unwrap_err().code,
            "illegalTransition"
        );
        assert_eq!(BillingAccount::from_document(&before).unwrap().cycle().day, 1);
    }
}
