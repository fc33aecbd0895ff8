//! What calls without a table of the resource kit read from their bodies; what is wrong is named by its path.

use bss_domain::{Money, Refusal, TypedId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::kit::{ApiError, json_body};

/// A body that may be left out.
pub(super) fn optional_body(bytes: &[u8]) -> Result<Value, ApiError> {
    if bytes.is_empty() {
        return Ok(json!({}));
    }
    json_body(bytes)
}

/// The id that a reference has; `field` is the path of that id.
pub(super) fn id_of<I: TypedId>(reference: &Value, field: &str) -> Result<I, Refusal> {
    let text = reference.get("id").and_then(Value::as_str);
    let text = text.ok_or_else(|| Refusal::missing(field))?;
    let id: Uuid = text
        .parse()
        .map_err(|_| Refusal::invalid("wrongId", field, text, format!("{field}: an id is a UUID")))?;
    Ok(id.into())
}

/// A text that has to be there.
pub(super) fn words(body: &Value, name: &str) -> Result<String, Refusal> {
    let text = body
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty());
    text.map(str::to_owned).ok_or_else(|| Refusal::missing(name))
}

/// Why something is done.
pub(super) fn reason(body: &Value) -> Result<String, Refusal> {
    words(body, "reason")
}

/// An amount of money, where there is one.
pub(super) fn money(body: &Value, name: &str) -> Result<Option<Money>, Refusal> {
    let Some(amount) = body.get(name).filter(|amount| !amount.is_null()) else {
        return Ok(None);
    };
    serde_json::from_value(amount.clone())
        .map(Some)
        .map_err(|error| Refusal::invalid("wrongAmount", name, amount, error.to_string()))
}
