//! Usage's attributes (TMF635).

use crate::shape::{Attribute, CHARACTERISTICS, Kind, RELATED_PARTIES, Shape};

/// Usage's typed attributes. A record is sent once; what becomes of it is charging's to write.
pub const SHAPE: &Shape = &[
    Attribute::required(
        "usageType",
        Kind::Word(&["voice", "sms", "data"]),
        "what was used",
    ),
    Attribute::required("usageDate", Kind::Instant, "when it began"),
    Attribute::required(
        "usageCharacteristic",
        CHARACTERISTICS,
        "`quantity` (whole seconds, messages or bytes), `calling`, `called`, `externalId`, `source`, `visitedNetwork`",
    ),
    Attribute::read_only("status", Kind::Text, "how far it has come"),
    Attribute::read_only(
        "relatedParty",
        RELATED_PARTIES,
        "the customer, in the role customer",
    ),
    Attribute::read_only(
        "billingAccount",
        Kind::Reference("BillingAccount"),
        "what is billed",
    ),
    Attribute::read_only(
        "ratedProductUsage",
        Kind::List(&Kind::Any),
        "its price, once it has one",
    ),
];
