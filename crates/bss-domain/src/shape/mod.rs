//! The typed core of a TM Forum resource: which attributes it has, of which kind, and which of them a caller must
//! send or may not write. One declaration checks documents, finds their references and describes them in OpenAPI.
//! Attributes that a shape doesn't name are kept and returned as sent.

mod check;
mod references;

use serde_json::Value;

use crate::{Currency, Refusal, Zone};

pub use check::{check_new, check_patched};
pub use references::{Found, references};

/// The attributes of a resource or of an object within one.
pub type Shape = [Attribute];

/// One attribute.
#[derive(Debug, Clone, Copy)]
pub struct Attribute {
    /// TM Forum's name, or ours where it is an extension.
    pub name: &'static str,
    /// What stands there.
    pub kind: Kind,
    /// Who writes it.
    pub presence: Presence,
    /// What it means.
    pub about: &'static str,
}

/// Whether an attribute has to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It may be left out.
    Optional,
    /// It has to be there.
    Required,
    /// It is computed: a caller who writes it is refused.
    ReadOnly,
}

/// What stands in an attribute.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// True or false.
    Boolean,
    /// A whole number within bounds.
    Whole {
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
    },
    /// A number.
    Number,
    /// An RFC 3339 instant.
    Instant,
    /// `{"startDateTime", "endDateTime"}`, half-open; either end may be left out.
    Period,
    /// `{"unit": "EUR", "value": 9.99}` in a known currency. Prices may be finer than its minor unit.
    Money,
    /// An ISO 4217 code.
    Currency,
    /// The name of an IANA time zone.
    Zone,
    /// A reference `{"id", …}` to a resource of this type; of any type where there is no name.
    Reference(&'static str),
    /// An object.
    Object(&'static Shape),
    /// A list.
    List(&'static Kind),
    /// Anything: its owner checks it.
    Any,
}

impl Attribute {
    /// An attribute that may be left out.
    pub const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self {
            name,
            kind,
            presence: Presence::Optional,
            about,
        }
    }

    /// An attribute that has to be there.
    pub const fn required(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self {
            name,
            kind,
            presence: Presence::Required,
            about,
        }
    }

    /// An attribute that only we write.
    pub const fn read_only(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self {
            name,
            kind,
            presence: Presence::ReadOnly,
            about,
        }
    }
}

/// What every resource has and no caller writes.
pub const IDENTITY: &Shape = &[
    Attribute::read_only("id", Kind::Text, "the id, a UUID of version 8"),
    Attribute::read_only("href", Kind::Text, "where it is read"),
];

/// Whether a reference's type is that of a party, which may be a customer, a person or a company.
pub const PARTY: &str = "Party";

/// The references to parties that most resources carry.
pub const RELATED_PARTIES: Kind = Kind::List(&Kind::Reference(PARTY));

/// A characteristic: name, value and what its type is.
pub const CHARACTERISTICS: Kind = Kind::List(&Kind::Object(&[
    Attribute::required("name", Kind::Text, "its name"),
    Attribute::optional("valueType", Kind::Text, "the type of its value"),
    Attribute::optional("value", Kind::Any, "its value"),
]));

/// Reads a document's attribute as text, where it is one.
pub fn text<'v>(document: &'v Value, name: &str) -> Option<&'v str> {
    document.get(name).and_then(Value::as_str)
}

/// The value as people write it: texts without quotes.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn wrong(path: &str, value: &Value, code: &'static str, what: impl AsRef<str>) -> Refusal {
    Refusal::invalid(code, path, shown(value), format!("{path} {}", what.as_ref()))
}

fn known_currency(code: &str) -> Result<(), String> {
    Currency::of(code).map(drop).map_err(|error| error.to_string())
}

fn known_zone(name: &str) -> Result<(), String> {
    Zone::named(name).map(drop).map_err(|error| error.to_string())
}
