//! TMF620 ProductOfferingPrice: one version of a price. Published, it never changes; a new version is added.

use serde_json::Value;

use super::PriceVersion;
use super::lifecycle::{self, LifecycleStatus};
use crate::Refusal;
use crate::shape::{Attribute, Kind, Shape};

/// Its typed attributes; what belongs to one kind of price is read by [`PriceVersion`].
pub const SHAPE: &Shape = &[
    Attribute::required("name", Kind::Text, "the price's name, as it stands on the bill"),
    Attribute::optional("description", Kind::Text, "what it is for, for people"),
    Attribute::optional("version", Kind::Text, "its version"),
    Attribute::optional(
        "lifecycleStatus",
        Kind::Word(LifecycleStatus::WORDS),
        "where it stands in its life",
    ),
    Attribute::optional("validFor", Kind::Period, "when it is sold at"),
    Attribute::required(
        "priceType",
        Kind::Word(&[
            "recurring",
            "oneTime",
            "usage",
            "allowance",
            "discount",
            "surcharge",
            "commitment",
        ]),
        "what kind of price",
    ),
    Attribute::optional(
        "price",
        Kind::Any,
        "amount and currency: {\"unit\": \"EUR\", \"value\": 9.99}",
    ),
    Attribute::optional("percentage", Kind::Number, "of a discount or a surcharge"),
    Attribute::optional(
        "recurringChargePeriodType",
        Kind::Text,
        "day, week, month or year",
    ),
    Attribute::optional(
        "recurringChargePeriodLength",
        Kind::Whole { min: 1, max: 120 },
        "how many of them",
    ),
    Attribute::optional("isBundle", Kind::Boolean, "whether it is made of others"),
    Attribute::optional(
        "tax",
        Kind::List(&Kind::Any),
        "category and rate; the first counts",
    ),
    Attribute::optional(
        "taxIncluded",
        Kind::Boolean,
        "whether the amount includes the tax",
    ),
    Attribute::optional(
        "inAdvance",
        Kind::Boolean,
        "whether a period is charged at its start",
    ),
    Attribute::optional("alignedTo", Kind::Text, "cycle or start"),
    Attribute::optional("proration", Kind::Text, "seconds, days or none"),
    Attribute::optional("dueOn", Kind::Text, "activation, order or termination"),
    Attribute::optional("tariff", Kind::Any, "what usage costs"),
    Attribute::optional("allowance", Kind::Any, "what is included"),
    Attribute::optional(
        "alteration",
        Kind::Any,
        "what a discount or a surcharge applies to",
    ),
    Attribute::optional("commitment", Kind::Any, "the term and what leaving early costs"),
    Attribute::read_only("lastUpdate", Kind::Instant, "when it was last changed"),
];

/// A price is one that can be charged, and a published one keeps everything but the end of its validity.
pub fn decide(before: Option<&Value>, after: &mut Value) -> Result<(), Refusal> {
    lifecycle::decide(before, after, &["validFor.endDateTime"])?;
    PriceVersion::from_tmf(after).map(drop)
}
