//! The life of what stands in the catalog (TMF620's lifecycleStatus) and what may no longer change in it.

use serde_json::Value;

use crate::Refusal;
use crate::shape::text;
use crate::state::states;

states! {
    /// TMF620's lifecycle of specifications, offerings, prices and categories.
    LifecycleStatus of "the catalog's lifecycle" {
        /// Thought about.
        InStudy = "In study" => [InDesign, Rejected];
        /// Being described.
        InDesign = "In design" => [InStudy, InTest, Rejected];
        /// Being tried.
        InTest = "In test" => [InDesign, Active, Rejected];
        /// Approved, not yet for sale.
        Active = "Active" => [InTest, Launched, Retired];
        /// For sale.
        Launched = "Launched" => [Retired];
        /// No longer sold; those who have it keep it.
        Retired = "Retired" => [Launched, Obsolete];
        /// Nobody has it any more.
        Obsolete = "Obsolete" => [];
        /// Never came about.
        Rejected = "Rejected" => [];
    }
}

impl LifecycleStatus {
    /// States in which something is published: it may have been sold, so it never changes.
    pub const PUBLISHED: &'static [Self] = &[Self::Launched, Self::Retired, Self::Obsolete];

    /// Its words, for a shape.
    pub const WORDS: &'static [&'static str] = &[
        "In study",
        "In design",
        "In test",
        "Active",
        "Launched",
        "Retired",
        "Obsolete",
        "Rejected",
    ];

    /// The status of a document, `In design` where it says none.
    pub fn of(document: &Value) -> Result<Self, Refusal> {
        text(document, "lifecycleStatus").map_or(Ok(Self::InDesign), |word| {
            word.parse::<Self>().map_err(|refusal| Refusal {
                field: Some("lifecycleStatus".to_owned()),
                ..refusal
            })
        })
    }

    /// Whether it is published.
    pub fn is_published(self) -> bool {
        Self::PUBLISHED.contains(&self)
    }
}

/// Decides on a new or changed document: the status goes along an arrow, and what is published keeps everything but
/// `free` (paths of one or two steps).
pub fn decide(before: Option<&Value>, after: &mut Value, free: &[&str]) -> Result<(), Refusal> {
    let next = LifecycleStatus::of(after)?;
    after["lifecycleStatus"] = next.name().into();
    let Some(before) = before else {
        return Ok(());
    };
    let status = LifecycleStatus::of(before)?;
    if status != next {
        status.to(next).map_err(|refusal| Refusal {
            field: Some("lifecycleStatus".to_owned()),
            ..refusal
        })?;
    }
    if status.is_published()
        && let Some(field) = changed_beyond(before, after, free)
    {
        return Err(Refusal {
            field: Some(field.clone()),
            value: after.get(&field).map(ToString::to_string),
            ..Refusal::conflict(
                "published",
                format!("{field} can't be changed: this version is {status}. Add a new version instead"),
            )
        });
    }
    Ok(())
}

/// The first attribute that differs and isn't free.
fn changed_beyond(before: &Value, after: &Value, free: &[&str]) -> Option<String> {
    let (before, after) = (pruned(before, free), pruned(after, free));
    let (old, new) = (before.as_object()?, after.as_object()?);
    old.keys()
        .chain(new.keys())
        .find(|name| old.get(*name) != new.get(*name))
        .cloned()
}

fn pruned(document: &Value, free: &[&str]) -> Value {
    let mut document = document.clone();
    for path in free.iter().chain(&["lifecycleStatus"]) {
        match path.split_once('.') {
            Some((outer, inner)) => {
                if let Some(object) = document.get_mut(outer).and_then(Value::as_object_mut) {
                    object.shift_remove(inner);
                    if object.is_empty() {
                        remove(&mut document, outer);
                    }
                }
            }
            None => remove(&mut document, path),
        }
    }
    document
}

fn remove(document: &mut Value, name: &str) {
    if let Some(object) = document.as_object_mut() {
        object.shift_remove(name);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_words_are_the_states() {
        let names: Vec<_> = LifecycleStatus::ALL.iter().map(|status| status.name()).collect();
        assert_eq!(names, LifecycleStatus::WORDS);
    }

    #[test]
    fn what_is_published_keeps_its_terms() {
        let launched = json!({ "name": "M", "lifecycleStatus": "Launched", "price": 1, "validFor": { "startDateTime": "a" } });
        let with = |name: &str, value: Value| {
            let mut after = launched.clone();
            after[name] = value;
            after
        };
        let cases = [
            (with("lifecycleStatus", json!("Retired")), None),
            (
                with("lifecycleStatus", json!("In test")),
                Some(("illegalTransition", "lifecycleStatus")),
            ),
            (
                with("validFor", json!({ "startDateTime": "a", "endDateTime": "b" })),
                None,
            ),
            (
                with("validFor", json!({ "startDateTime": "b" })),
                Some(("published", "validFor")),
            ),
            (with("price", json!(2)), Some(("published", "price"))),
            (
                json!({ "name": "M", "lifecycleStatus": "Launched", "price": 1 }),
                Some(("published", "validFor")),
            ),
            (
                with("description", json!("x")),
                Some(("published", "description")),
            ),
        ];
        for (mut after, wanted) in cases {
            let shown = after.to_string();
            let refusal = decide(Some(&launched), &mut after, &["validFor.endDateTime"]).err();
            let found = refusal
                .as_ref()
                .map(|refusal| (refusal.code, refusal.field.as_deref().unwrap()));
            assert_eq!(found, wanted, "{shown}");
        }
        let mut fresh = json!({ "name": "M" });
        decide(None, &mut fresh, &[]).unwrap();
        assert_eq!(fresh["lifecycleStatus"], "In design");
    }
}
