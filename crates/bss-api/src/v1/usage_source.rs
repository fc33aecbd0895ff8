//! Sources of usage: which switches write files, in which format, zone and way of writing numbers.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use bss_app::usage_import::put_source;
use bss_domain::usage::{NumberPlan, UnknownFormat, UsageSource};
use bss_domain::{Refusal, Zone};
use bss_store::usage_source;
use serde_json::{Value, json};

use super::body::words;
use crate::ApiState;
use crate::kit::{ApiError, Call, json_body};

pub(super) async fn list(
    State(state): State<ApiState>,
    call: Call,
) -> Result<Json<Vec<UsageSource>>, ApiError> {
    let session = call.read(&state).await?;
    let sources = usage_source::list(&session).await?;
    session.finish()?;
    Ok(Json(sources))
}

/// Declares a source, or declares it anew; its format stays.
pub(super) async fn put(
    State(state): State<ApiState>,
    call: Call,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<UsageSource>, ApiError> {
    let source = read(name, &json_body(&body)?)?;
    put_source(&state.app, &call.context, &source).await?;
    Ok(Json(source))
}

fn read(name: String, body: &Value) -> Result<UsageSource, Refusal> {
    if body.get("name").is_some_and(|given| *given != json!(name)) {
        let message = format!("name: the path says {name}");
        return Err(Refusal::invalid("wrongName", "name", &body["name"], message));
    }
    let (format, zone) = (words(body, "format")?, words(body, "zone")?);
    let numbers = match &body["numbers"] {
        Value::Null => NumberPlan::default(),
        given => serde_json::from_value(given.clone())
            .map_err(|error| Refusal::invalid("wrongNumbers", "numbers", given, error.to_string()))?,
    };
    Ok(UsageSource {
        name,
        format: format.parse().map_err(|error: UnknownFormat| {
            Refusal::invalid("wrongFormat", "format", &format, format!("format: {error}"))
        })?,
        zone: Zone::named(&zone)
            .map_err(|error| Refusal::invalid("wrongZone", "zone", &zone, format!("zone: {error}")))?,
        numbers,
    })
}
