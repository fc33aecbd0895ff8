use serde_json::{Map, Value};

use super::{Attribute, IDENTITY, Kind, Presence, Shape, below, known_currency, known_zone, wrong};
use crate::{Instant, Refusal};

/// Checks a document that was sent to be created.
pub fn check_new(shape: &Shape, document: &Value) -> Result<(), Refusal> {
    let object = object_of(document)?;
    for attribute in read_only(shape) {
        if let Some(value) = present(object, attribute.name) {
            return Err(wrong(
                attribute.name,
                value,
                "readOnly",
                "is read-only: leave it out",
            ));
        }
    }
    check_object(shape, object, "")
}

/// Checks a document after a change: its form, and that no read-only attribute says something else than before.
/// One that was sent as it stands is no write.
pub fn check_patched(shape: &Shape, before: &Value, after: &Value) -> Result<(), Refusal> {
    let object = object_of(after)?;
    for attribute in read_only(shape) {
        let (old, new) = (before.get(attribute.name), object.get(attribute.name));
        if old.filter(|value| !value.is_null()) != new.filter(|value| !value.is_null()) {
            return Err(wrong(
                attribute.name,
                new.unwrap_or(&Value::Null),
                "readOnly",
                "is read-only and can't be changed",
            ));
        }
    }
    check_object(shape, object, "")
}

fn read_only(shape: &Shape) -> impl Iterator<Item = &Attribute> {
    IDENTITY
        .iter()
        .chain(shape)
        .filter(|attribute| attribute.presence == Presence::ReadOnly)
}

fn object_of(document: &Value) -> Result<&Map<String, Value>, Refusal> {
    document
        .as_object()
        .ok_or_else(|| Refusal::invalid("notAnObject", "", document, "the body has to be a JSON object"))
}

fn present<'v>(object: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    object.get(name).filter(|value| !value.is_null())
}

fn check_object(shape: &Shape, object: &Map<String, Value>, path: &str) -> Result<(), Refusal> {
    for attribute in shape {
        let here = below(path, attribute.name);
        match present(object, attribute.name) {
            Some(value) => check(attribute.kind, value, &here)?,
            None if attribute.presence == Presence::Required => return Err(Refusal::missing(here)),
            None => {}
        }
    }
    Ok(())
}

fn check(kind: Kind, value: &Value, path: &str) -> Result<(), Refusal> {
    match kind {
        Kind::Any => Ok(()),
        Kind::Text => text(value, path).map(drop),
        Kind::Word(words) => {
            let word = text(value, path)?;
            if words.contains(&word) {
                return Ok(());
            }
            Err(wrong(
                path,
                value,
                "unknownValue",
                format!("has to be one of: {}", words.join(", ")),
            ))
        }
        Kind::Boolean => value
            .is_boolean()
            .then_some(())
            .ok_or_else(|| wrong(path, value, "wrongType", "has to be true or false")),
        Kind::Whole { min, max } => whole(value, path, min, max),
        Kind::Number => value
            .is_number()
            .then_some(())
            .ok_or_else(|| wrong(path, value, "wrongType", "has to be a number")),
        Kind::Instant => instant(value, path).map(drop),
        Kind::Period => period(value, path),
        Kind::Money => money(value, path),
        Kind::Currency => named(value, path, "unknownCurrency", known_currency),
        Kind::Zone => named(value, path, "unknownTimeZone", known_zone),
        Kind::Reference(_) => {
            let reference = nested(value, path)?;
            let here = below(path, "id");
            let id = present(reference, "id").ok_or_else(|| Refusal::missing(&here))?;
            text(id, &here).map(drop)
        }
        Kind::Object(shape) => check_object(shape, nested(value, path)?, path),
        Kind::List(element) => {
            let list = value
                .as_array()
                .ok_or_else(|| wrong(path, value, "wrongType", "has to be a list"))?;
            list.iter()
                .enumerate()
                .try_for_each(|(index, value)| check(*element, value, &format!("{path}[{index}]")))
        }
    }
}

fn text<'v>(value: &'v Value, path: &str) -> Result<&'v str, Refusal> {
    let text = value
        .as_str()
        .ok_or_else(|| wrong(path, value, "wrongType", "has to be a text"))?;
    if text.contains('\0') {
        return Err(wrong(
            path,
            value,
            "wrongCharacter",
            "has a character that can't be stored",
        ));
    }
    Ok(text)
}

fn nested<'v>(value: &'v Value, path: &str) -> Result<&'v Map<String, Value>, Refusal> {
    value
        .as_object()
        .ok_or_else(|| wrong(path, value, "wrongType", "has to be an object"))
}

fn whole(value: &Value, path: &str, min: i64, max: i64) -> Result<(), Refusal> {
    let number = value
        .as_i64()
        .ok_or_else(|| wrong(path, value, "wrongType", "has to be a whole number"))?;
    if (min..=max).contains(&number) {
        return Ok(());
    }
    Err(wrong(
        path,
        value,
        "outOfRange",
        format!("has to be between {min} and {max}"),
    ))
}

fn instant(value: &Value, path: &str) -> Result<Instant, Refusal> {
    text(value, path)?.parse().map_err(|_| {
        wrong(
            path,
            value,
            "wrongType",
            "has to be an instant, as 2026-01-31T12:00:00Z is one",
        )
    })
}

fn period(value: &Value, path: &str) -> Result<(), Refusal> {
    let object = nested(value, path)?;
    let end = |name: &str| {
        present(object, name)
            .map(|value| instant(value, &below(path, name)))
            .transpose()
    };
    match (end("startDateTime")?, end("endDateTime")?) {
        (Some(from), Some(to)) if to < from => Err(wrong(
            &below(path, "endDateTime"),
            &object["endDateTime"],
            "wrongPeriod",
            "lies before the start",
        )),
        _ => Ok(()),
    }
}

fn money(value: &Value, path: &str) -> Result<(), Refusal> {
    let object = nested(value, path)?;
    let unit = below(path, "unit");
    let code = present(object, "unit").ok_or_else(|| Refusal::missing(&unit))?;
    named(code, &unit, "unknownCurrency", known_currency)?;
    let amount = below(path, "value");
    let number = present(object, "value").ok_or_else(|| Refusal::missing(&amount))?;
    check(Kind::Number, number, &amount)
}

fn named(
    value: &Value,
    path: &str,
    code: &'static str,
    known: fn(&str) -> Result<(), String>,
) -> Result<(), Refusal> {
    let name = text(value, path)?;
    known(name).map_err(|error| Refusal::invalid(code, path, name, format!("{path}: {error}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SHAPE: &Shape = &[
        Attribute::required("name", Kind::Text, ""),
        Attribute::read_only("paymentStatus", Kind::Text, ""),
        Attribute::optional("currency", Kind::Currency, ""),
        Attribute::optional("day", Kind::Whole { min: 1, max: 31 }, ""),
        Attribute::optional("validFor", Kind::Period, ""),
        Attribute::optional("price", Kind::Money, ""),
        Attribute::optional("party", Kind::List(&Kind::Reference("")), ""),
        Attribute::optional("status", Kind::Word(&["a", "b"]), ""),
    ];

    #[test]
    fn what_is_wrong_is_named_with_its_path_and_value() {
        let cases = [
            (json!({}), "missing", "name", None),
            (json!({ "name": null }), "missing", "name", None),
            (json!({ "name": 5 }), "wrongType", "name", Some("5")),
            (json!({ "name": "x", "id": "1" }), "readOnly", "id", Some("1")),
            (
                json!({ "name": "x", "paymentStatus": "due" }),
                "readOnly",
                "paymentStatus",
                Some("due"),
            ),
            (
                json!({ "name": "x", "currency": "XXQ" }),
                "unknownCurrency",
                "currency",
                Some("XXQ"),
            ),
            (json!({ "name": "x", "day": 32 }), "outOfRange", "day", Some("32")),
            (
                json!({ "name": "x", "day": 1.5 }),
                "wrongType",
                "day",
                Some("1.5"),
            ),
            (
                json!({ "name": "x", "validFor": { "startDateTime": "2026-02-01T00:00:00Z", "endDateTime": "2026-01-01T00:00:00Z" } }),
                "wrongPeriod",
                "validFor.endDateTime",
                Some("2026-01-01T00:00:00Z"),
            ),
            (
                json!({ "name": "x", "price": { "value": 1 } }),
                "missing",
                "price.unit",
                None,
            ),
            (
                json!({ "name": "x", "price": { "unit": "EUR", "value": "1" } }),
                "wrongType",
                "price.value",
                Some("1"),
            ),
            (
                json!({ "name": "x", "party": [{ "id": "p" }, {}] }),
                "missing",
                "party[1].id",
                None,
            ),
            (
                json!({ "name": "x", "party": {} }),
                "wrongType",
                "party",
                Some("{}"),
            ),
            (
                json!({ "name": "x", "status": "c" }),
                "unknownValue",
                "status",
                Some("c"),
            ),
        ];
        for (document, code, field, value) in cases {
            let refusal = check_new(SHAPE, &document).unwrap_err();
            let found = (refusal.code, refusal.field.as_deref(), refusal.value.as_deref());
            assert_eq!(found, (code, Some(field), value), "{document}");
        }
    }

    #[test]
    fn a_good_document_passes_with_attributes_that_nobody_declared() {
        let good = json!({ "name": "x", "status": "b", "day": 31, "else": { "any": [1] }, "party": [] });
        assert_eq!(check_new(SHAPE, &good), Ok(()));
        assert_eq!(check_new(SHAPE, &json!([])).unwrap_err().code, "notAnObject");
    }

    #[test]
    fn a_read_only_attribute_sent_as_it_stands_is_no_write() {
        let before = json!({ "id": "1", "name": "x", "paymentStatus": "due" });
        let same = json!({ "id": "1", "name": "y", "paymentStatus": "due" });
        assert_eq!(check_patched(SHAPE, &before, &same), Ok(()));
        for (after, field) in [
            (
                json!({ "id": "1", "name": "x", "paymentStatus": "paid" }),
                "paymentStatus",
            ),
            (json!({ "id": "1", "name": "x" }), "paymentStatus"),
            (json!({ "id": "2", "name": "x", "paymentStatus": "due" }), "id"),
        ] {
            let refusal = check_patched(SHAPE, &before, &after).unwrap_err();
            assert_eq!(
                (refusal.code, refusal.field.as_deref()),
                ("readOnly", Some(field))
            );
        }
    }
}
