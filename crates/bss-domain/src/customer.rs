//! TMF629 Customer: a party in the role of somebody who is sold to.

use serde_json::Value;

use crate::Refusal;
use crate::shape::{Attribute, CHARACTERISTICS, Kind, PARTY, RELATED_PARTIES, Shape, text};
use crate::state::states;

states! {
    /// The states of a customer. TMF629 publishes none; these are TMF669's of a party's role.
    CustomerStatus of "Customer" {
        /// Not yet a customer.
        Prospective = "prospective" => [Active, Inactive, Closed];
        /// Sold to.
        Active = "active" => [Inactive, Closed];
        /// Not sold to for now.
        Inactive = "inactive" => [Active, Closed];
        /// No longer a customer.
        Closed = "closed" => [Active];
    }
}

/// Its typed attributes.
pub const SHAPE: &Shape = &[
    Attribute::required("name", Kind::Text, "the customer's name"),
    Attribute::required(
        "engagedParty",
        Kind::Reference(PARTY),
        "the person or company that it is",
    ),
    Attribute::optional(
        "status",
        Kind::Word(&["prospective", "active", "inactive", "closed"]),
        "where it stands",
    ),
    Attribute::optional("statusReason", Kind::Text, "why it stands there"),
    Attribute::optional("validFor", Kind::Period, "since when it is a customer"),
    Attribute::optional(
        "account",
        Kind::List(&Kind::Reference("BillingAccount")),
        "its accounts",
    ),
    Attribute::optional("characteristic", CHARACTERISTICS, "further facts"),
    Attribute::optional(
        "contactMedium",
        Kind::List(&Kind::Object(&[])),
        "how it is reached",
    ),
    Attribute::optional("relatedParty", RELATED_PARTIES, "who else is involved"),
];

/// The status goes along an arrow; a customer stays the party that it is.
pub fn decide(before: Option<&Value>, after: &mut Value) -> Result<(), Refusal> {
    let next: CustomerStatus = text(after, "status").unwrap_or("active").parse()?;
    after["status"] = next.name().into();
    let Some(before) = before else {
        return Ok(());
    };
    if let Some(status) = text(before, "status") {
        let status: CustomerStatus = status.parse()?;
        if status != next {
            status.to(next).map_err(|refusal| Refusal {
                field: Some("status".to_owned()),
                ..refusal
            })?;
        }
    }
    Ok(())
}
