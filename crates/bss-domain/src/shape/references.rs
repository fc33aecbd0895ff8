use serde_json::Value;
use uuid::Uuid;

use super::{Kind, Shape, below};
use crate::ids::is_ours;

/// A reference to a resource of ours: its id is a UUID of version 8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The type that it refers to; empty where any may stand.
    pub kind: &'static str,
    /// The path of its id: `productSpecification.id`.
    pub path: String,
    /// The id.
    pub id: Uuid,
}

/// The references of a document to resources of ours. Others are external and kept as sent.
pub fn references(shape: &Shape, document: &Value) -> Vec<Found> {
    let mut found = Vec::new();
    collect(shape, document, "", &mut found);
    found
}

fn collect(shape: &Shape, object: &Value, path: &str, found: &mut Vec<Found>) {
    for attribute in shape {
        if let Some(value) = object.get(attribute.name) {
            visit(attribute.kind, value, &below(path, attribute.name), found);
        }
    }
}

fn visit(kind: Kind, value: &Value, path: &str, found: &mut Vec<Found>) {
    match kind {
        Kind::Reference(kind) => {
            let id = value
                .get("id")
                .and_then(Value::as_str)
                .and_then(|id| id.parse().ok());
            if let Some(id) = id.filter(|id| is_ours(*id)) {
                let path = below(path, "id");
                found.push(Found { kind, path, id });
            }
        }
        Kind::Object(shape) => collect(shape, value, path, found),
        Kind::List(element) => {
            for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                visit(*element, value, &format!("{path}[{index}]"), found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::shape::Attribute;

    #[test]
    fn only_ids_of_our_form_are_ours() {
        const SHAPE: &Shape = &[
            Attribute::optional("spec", Kind::Reference("ProductSpecification"), ""),
            Attribute::optional("party", Kind::List(&Kind::Reference("")), ""),
        ];
        let ours = "019ac000-0000-8000-8000-000000000001";
        let document = json!({
            "spec": { "id": ours },
            "party": [{ "id": "external" }, { "id": "019ac000-0000-7000-8000-000000000001" }, { "id": ours }],
        });
        let found = references(SHAPE, &document);
        let paths: Vec<_> = found
            .iter()
            .map(|found| (found.kind, found.path.as_str()))
            .collect();
        assert_eq!(paths, [("ProductSpecification", "spec.id"), ("", "party[2].id")]);
    }
}
