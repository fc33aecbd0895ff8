use bss_domain::Refusal;
use bss_domain::shape::Presence;
use bss_store::resource::Stored;
use serde_json::{Map, Value};

use super::{ApiError, Resource};
use crate::ApiState;

/// What stays whichever fields are wanted.
const ALWAYS: &[&str] = &["id", "href", "@type"];

/// The resource as callers get it: with `href`, `@type` and the time of its last change, cut down to `fields`.
pub(crate) fn presented(
    state: &ApiState,
    resource: &Resource,
    stored: Stored,
    fields: Option<&[String]>,
) -> Value {
    let mut object = Map::new();
    object.insert("id".to_owned(), stored.id.to_string().into());
    object.insert("href".to_owned(), href(state, resource, &stored).into());
    object.insert("@type".to_owned(), resource.kind.into());
    if let Some(name) = resource.last_update {
        object.insert(name.to_owned(), stored.updated_at.to_string().into());
    }
    if let Value::Object(body) = stored.body {
        let ours = |name: &str| matches!(name, "id" | "href") || Some(name) == resource.last_update;
        object.extend(body.into_iter().filter(|(name, _)| !ours(name)));
    }
    if let Some(fields) = fields {
        // TMF630 wants whole attributes: of `a.b` it is `a`.
        let wanted = |name: &str| fields.iter().any(|field| field.split('.').next() == Some(name));
        object.retain(|name, _| ALWAYS.contains(&name.as_str()) || wanted(name));
    }
    Value::Object(object)
}

pub(super) fn href(state: &ApiState, resource: &Resource, stored: &Stored) -> String {
    format!("{}{}/{}", state.base_url(), resource.collection(), stored.id)
}

/// Takes out of a patch what says nothing new: read-only attributes as the caller has read them.
pub(super) fn without_echo(resource: &Resource, shown: &Value, mut patch: Value) -> Value {
    let read_only = resource
        .shape
        .iter()
        .filter(|attribute| attribute.presence == Presence::ReadOnly)
        .map(|attribute| attribute.name);
    let computed = ["id", "href", "@type"]
        .into_iter()
        .chain(resource.last_update)
        .chain(read_only);
    if let Some(object) = patch.as_object_mut() {
        for name in computed {
            if same(object.get(name), shown.get(name)) {
                object.shift_remove(name);
            }
        }
    }
    patch
}

/// Whether two values say the same: a client that reads 12.0 may write 12.
fn same(one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (Some(Value::Number(one)), Some(Value::Number(other))) => {
            one == other || one.as_f64() == other.as_f64()
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| same(Some(one), Some(other)))
        }
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            one.len() == other.len() && one.iter().all(|(name, value)| same(Some(value), other.get(name)))
        }
        (one, other) => one == other,
    }
}

/// A reference whose address is ours leads to something of ours: its id has our form.
pub(super) fn check_addresses(state: &ApiState, body: &Value) -> Result<(), ApiError> {
    let ours = |href: &str| {
        state
            .config
            .public_urls
            .iter()
            .any(|url| href.starts_with(url.as_str()))
    };
    walk(body, "", &mut |object, path| {
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        let (Some(href), Some(id)) = (text("href"), text("id")) else {
            return Ok(());
        };
        let form = id.parse().is_ok_and(bss_domain::ids::is_ours);
        if !path.is_empty() && ours(href) && !form {
            let field = format!("{path}.id");
            let message = format!("{field}: there is nothing at {href}");
            return Err(Refusal::invalid("unknownReference", field, id, message).into());
        }
        Ok(())
    })
}

type Visit<'v> = dyn FnMut(&Map<String, Value>, &str) -> Result<(), ApiError> + 'v;

fn walk(value: &Value, path: &str, visit: &mut Visit<'_>) -> Result<(), ApiError> {
    match value {
        Value::Object(object) => {
            visit(object, path)?;
            object.iter().try_for_each(|(name, inner)| {
                let below = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                walk(inner, &below, visit)
            })
        }
        Value::Array(list) => list
            .iter()
            .enumerate()
            .try_for_each(|(index, inner)| walk(inner, &format!("{path}[{index}]"), visit)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_echo_is_one_whatever_the_form_of_its_numbers() {
        let shown = json!({ "a": [{ "value": 12.0, "unit": "EUR" }], "n": 1 });
        for (sent, wanted) in [
            (json!({ "a": [{ "unit": "EUR", "value": 12 }], "n": 1 }), true),
            (json!({ "a": [{ "unit": "EUR", "value": 12.01 }], "n": 1 }), false),
            (json!({ "a": [], "n": 1 }), false),
            (json!({ "a": [{ "unit": "EUR", "value": 12 }] }), false),
            (json!({ "a": [{ "unit": "EUR", "value": 12 }], "m": 1 }), false),
        ] {
            assert_eq!(same(Some(&sent), Some(&shown)), wanted, "{sent}");
        }
    }
}
