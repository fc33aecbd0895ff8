//! TMF620 Category: the tree that offerings are shown in.

use serde_json::Value;

use super::lifecycle::{self, LifecycleStatus};
use crate::Refusal;
use crate::shape::{Attribute, Kind, Shape, text};

/// Its typed attributes.
pub const SHAPE: &Shape = &[
    Attribute::required("name", Kind::Text, "the category's name"),
    Attribute::optional("description", Kind::Text, "what it holds, for people"),
    Attribute::optional("version", Kind::Text, "its version"),
    Attribute::optional(
        "lifecycleStatus",
        Kind::Word(LifecycleStatus::WORDS),
        "where it stands in its life",
    ),
    Attribute::optional("validFor", Kind::Period, "when it is shown"),
    Attribute::optional("parentId", Kind::Text, "the id of the category above"),
    Attribute::read_only("isRoot", Kind::Boolean, "whether there is none above"),
    Attribute::read_only("lastUpdate", Kind::Instant, "when it was last changed"),
];

/// A category is a root where it has no parent; it never is its own.
pub fn decide(before: Option<&Value>, after: &mut Value) -> Result<(), Refusal> {
    lifecycle::decide(before, after, ALWAYS_FREE)?;
    if let Some(parent) = text(after, "parentId")
        && Some(parent) == text(after, "id")
    {
        return Err(Refusal::invalid(
            "ownParent",
            "parentId",
            parent,
            "a category can't stand below itself",
        ));
    }
    after["isRoot"] = text(after, "parentId").is_none().into();
    Ok(())
}

/// Nothing was priced from a category: it may always be moved and described anew.
const ALWAYS_FREE: &[&str] = &["name", "description", "version", "validFor", "parentId", "isRoot"];
