use bss_domain::shape::{Attribute, Kind, Presence, Shape};
use serde_json::{Map, Value, json};

/// A resource's schema: its typed attributes, and whatever else a caller keeps in it.
pub(super) fn of_resource(kind: &str, shape: &Shape) -> Value {
    let mut properties = Map::new();
    properties.insert(
        "id".to_owned(),
        json!({ "type": "string", "readOnly": true, "description": "the id, a UUID of version 8" }),
    );
    properties.insert(
        "href".to_owned(),
        json!({ "type": "string", "format": "uri", "readOnly": true, "description": "where it is read" }),
    );
    properties.insert("@type".to_owned(), json!({ "type": "string", "default": kind }));
    for attribute in shape {
        properties.insert(attribute.name.to_owned(), of_attribute(attribute));
    }
    json!({ "type": "object", "required": required(shape), "properties": properties, "additionalProperties": true })
}

fn of_object(shape: &Shape) -> Value {
    let properties: Map<String, Value> = shape
        .iter()
        .map(|attribute| (attribute.name.to_owned(), of_attribute(attribute)))
        .collect();
    json!({ "type": "object", "required": required(shape), "properties": properties, "additionalProperties": true })
}

fn required(shape: &Shape) -> Vec<&'static str> {
    shape
        .iter()
        .filter(|attribute| attribute.presence == Presence::Required)
        .map(|attribute| attribute.name)
        .collect()
}

fn of_attribute(attribute: &Attribute) -> Value {
    let mut schema = of_kind(attribute.kind);
    if !attribute.about.is_empty() {
        schema["description"] = attribute.about.into();
    }
    if attribute.presence == Presence::ReadOnly {
        schema["readOnly"] = true.into();
    }
    schema
}

fn of_kind(kind: Kind) -> Value {
    match kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Word(words) => json!({ "type": "string", "enum": words }),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Whole { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Number => json!({ "type": "number" }),
        Kind::Instant => json!({ "type": "string", "format": "date-time" }),
        Kind::Period => json!({ "$ref": "#/components/schemas/TimePeriod" }),
        Kind::Money => json!({ "$ref": "#/components/schemas/Money" }),
        Kind::Currency => json!({ "type": "string", "pattern": "^[A-Z]{3}$" }),
        Kind::Zone => json!({ "type": "string", "examples": ["Europe/Warsaw"] }),
        Kind::Reference(_) => json!({ "$ref": "#/components/schemas/Reference" }),
        Kind::Object(shape) => of_object(shape),
        Kind::List(element) => json!({ "type": "array", "items": of_kind(*element) }),
        Kind::Any => json!({}),
    }
}

/// The schemas that all share.
pub(super) fn common() -> Map<String, Value> {
    let text = || json!({ "type": "string" });
    let instant = || json!({ "type": "string", "format": "date-time" });
    let object = |required: &[&str], properties: Value| json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": true });
    let error = json!({
        "code": { "type": "string", "description": "a stable word for programs" }, "reason": text(), "message": text(),
        "status": text(), "field": { "type": "string", "description": "the attribute that was wrong" },
        "value": { "type": "string", "description": "its value" }, "@type": text(),
    });
    let money = json!({
        "unit": { "type": "string", "description": "ISO 4217 code" },
        "value": { "type": "number", "description": "in major units" },
    });
    let reference = json!({ "id": text(), "href": text(), "name": text(), "role": text(), "@referredType": text(), "@type": text() });
    Map::from_iter([
        (
            "Error".to_owned(),
            object(&["code", "reason", "message", "status"], error),
        ),
        ("Money".to_owned(), object(&["unit", "value"], money)),
        (
            "TimePeriod".to_owned(),
            object(
                &[],
                json!({ "startDateTime": instant(), "endDateTime": instant() }),
            ),
        ),
        ("Reference".to_owned(), object(&["id"], reference)),
    ])
}

/// A callback that is told of events.
pub(super) fn event_subscription() -> Value {
    json!({
        "type": "object", "required": ["callback"],
        "properties": {
            "id": { "type": "string", "readOnly": true },
            "callback": { "type": "string", "format": "uri", "description": "where it is called, by POST with the event" },
            "query": { "type": "string", "description": "`eventType=` with the types that it wants, by commas; all where none is sent" },
        },
    })
}
