//! The specifications of TMF620, TMF633 and TMF634: what a product is made of, down to the resources it takes.

use serde_json::Value;

use super::lifecycle::{self, LifecycleStatus};
use crate::Refusal;
use crate::shape::{Attribute, Kind, RELATED_PARTIES, Shape};

const NAME: Attribute = Attribute::required("name", Kind::Text, "the specification's name");
const DESCRIPTION: Attribute = Attribute::optional("description", Kind::Text, "what it is, for people");
const VERSION: Attribute = Attribute::optional("version", Kind::Text, "its version");
const STATUS: Attribute = Attribute::optional(
    "lifecycleStatus",
    Kind::Word(LifecycleStatus::WORDS),
    "where it stands in its life",
);
const VALID_FOR: Attribute = Attribute::optional("validFor", Kind::Period, "when it is valid");
const BUNDLE: Attribute = Attribute::optional("isBundle", Kind::Boolean, "whether it is made of others");
const PARTIES: Attribute = Attribute::optional("relatedParty", RELATED_PARTIES, "who is involved");
const LAST_UPDATE: Attribute = Attribute::read_only("lastUpdate", Kind::Instant, "when it was last changed");

/// The characteristics that an instance may have.
const CHARACTERISTICS: Kind = Kind::List(&Kind::Object(&[
    Attribute::required("name", Kind::Text, "the characteristic's name"),
    Attribute::optional("valueType", Kind::Text, "the type of its values"),
    Attribute::optional("configurable", Kind::Boolean, "whether it is chosen at the sale"),
]));

/// Of a product (TMF620).
pub const PRODUCT: &Shape = &[
    NAME,
    DESCRIPTION,
    VERSION,
    STATUS,
    VALID_FOR,
    BUNDLE,
    PARTIES,
    Attribute::optional("brand", Kind::Text, "the brand it is sold under"),
    Attribute::optional("productNumber", Kind::Text, "the number it has elsewhere"),
    Attribute::optional("productSpecCharacteristic", CHARACTERISTICS, "what may be chosen"),
    Attribute::optional(
        "serviceSpecification",
        Kind::List(&Kind::Reference("ServiceSpecification")),
        "the services that carry it",
    ),
    Attribute::optional(
        "resourceSpecification",
        Kind::List(&Kind::Reference("ResourceSpecification")),
        "the resources that it takes itself",
    ),
    LAST_UPDATE,
];

/// Of a service (TMF633).
pub const SERVICE: &Shape = &[
    NAME,
    DESCRIPTION,
    VERSION,
    STATUS,
    VALID_FOR,
    BUNDLE,
    PARTIES,
    Attribute::optional("specCharacteristic", CHARACTERISTICS, "what may be configured"),
    Attribute::optional(
        "resourceSpecification",
        Kind::List(&Kind::Reference("ResourceSpecification")),
        "the resources that it takes, one of each",
    ),
    LAST_UPDATE,
];

/// Of a resource (TMF634).
pub const RESOURCE: &Shape = &[
    NAME,
    DESCRIPTION,
    VERSION,
    STATUS,
    VALID_FOR,
    BUNDLE,
    PARTIES,
    Attribute::optional("category", Kind::Text, "the pool that instances are taken from"),
    Attribute::optional(
        "resourceSpecCharacteristic",
        CHARACTERISTICS,
        "what may be configured",
    ),
    LAST_UPDATE,
];

/// A published specification keeps what was sold by it.
pub fn decide(before: Option<&Value>, after: &mut Value) -> Result<(), Refusal> {
    lifecycle::decide(
        before,
        after,
        &[
            "validFor.endDateTime",
            "description",
            "attachment",
            "relatedParty",
        ],
    )
}
