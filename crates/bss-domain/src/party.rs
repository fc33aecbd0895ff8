//! TMF632 Party: persons and companies.

use serde_json::Value;

use crate::Refusal;
use crate::shape::{Attribute, CHARACTERISTICS, Kind, RELATED_PARTIES, Shape, text};

/// How somebody is reached.
const CONTACT_MEDIUM: Kind = Kind::List(&Kind::Object(&[
    Attribute::optional("mediumType", Kind::Text, "phone, email, postal address"),
    Attribute::optional("preferred", Kind::Boolean, "whether this one is tried first"),
    Attribute::optional("characteristic", Kind::Object(&[]), "the address"),
    Attribute::optional("validFor", Kind::Period, "when it is valid"),
]));

/// A person's typed attributes.
pub const INDIVIDUAL: &Shape = &[
    Attribute::optional("givenName", Kind::Text, "first name"),
    Attribute::optional("familyName", Kind::Text, "last name"),
    Attribute::optional("fullName", Kind::Text, "the whole name"),
    Attribute::optional("birthDate", Kind::Instant, "date of birth"),
    Attribute::optional("gender", Kind::Text, "gender"),
    Attribute::optional("nationality", Kind::Text, "nationality"),
    Attribute::optional(
        "status",
        Kind::Word(&["initialized", "validated", "deceased"]),
        "TMF632's state",
    ),
    Attribute::optional("contactMedium", CONTACT_MEDIUM, "how the person is reached"),
    Attribute::optional("partyCharacteristic", CHARACTERISTICS, "further facts"),
    Attribute::optional("relatedParty", RELATED_PARTIES, "who else is involved"),
];

/// A company's typed attributes.
pub const ORGANIZATION: &Shape = &[
    Attribute::optional("name", Kind::Text, "the company's name"),
    Attribute::optional("tradingName", Kind::Text, "the name it trades under"),
    Attribute::optional("isLegalEntity", Kind::Boolean, "whether it is a legal entity"),
    Attribute::optional("organizationType", Kind::Text, "what kind of company"),
    Attribute::optional(
        "status",
        Kind::Word(&["initialized", "validated", "closed"]),
        "TMF632's state",
    ),
    Attribute::optional("contactMedium", CONTACT_MEDIUM, "how the company is reached"),
    Attribute::optional("partyCharacteristic", CHARACTERISTICS, "further facts"),
    Attribute::optional("relatedParty", RELATED_PARTIES, "who else is involved"),
];

/// A person has a name.
pub fn decide_individual(_before: Option<&Value>, after: &mut Value) -> Result<(), Refusal> {
    named(after, &["givenName", "familyName", "fullName"])
}

/// A company has a name.
pub fn decide_organization(_before: Option<&Value>, after: &mut Value) -> Result<(), Refusal> {
    named(after, &["name", "tradingName"])
}

fn named(after: &mut Value, names: &[&str]) -> Result<(), Refusal> {
    if names
        .iter()
        .all(|name| text(after, name).is_none_or(|name| name.trim().is_empty()))
    {
        return Err(Refusal::missing(names.join(" or ")));
    }
    if text(after, "status").is_none() {
        after["status"] = "initialized".into();
    }
    Ok(())
}
