//! Sources of usage: which switches write files, in which format, zone and way of writing numbers.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use bss_app::usage_import::put_source;
use bss_domain::Refusal;
use bss_domain::usage::UsageSource;
use bss_store::usage_source;
use serde_json::{Value, json};

use crate::ApiState;
use crate::kit::{ApiError, Call, json_body};

pub(super) async fn list(
    State(state): State<ApiState>,
    call: Call,
) -> Result<Json<Vec<UsageSource>>, ApiError> {
    let session = call.read(&state).await?;
    let sources = usage_source::list(&session).await?;
    session.finish().await?;
    Ok(Json(sources))
}

/// Declares a source, or declares it anew; its format stays.
pub(super) async fn put(
    State(state): State<ApiState>,
    call: Call,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<UsageSource>, ApiError> {
    let mut body = json_body(&body)?;
    if body.get("name").is_some_and(|given| *given != json!(name)) {
        let message = format!("name: the path says {name}");
        return Err(Refusal::invalid("wrongName", "name", &body["name"], message).into());
    }
    if let Some(attributes) = body.as_object_mut() {
        attributes.insert("name".to_owned(), Value::from(name));
    }
    let source: UsageSource = serde_json::from_value(body.clone())
        .map_err(|error| Refusal::invalid("wrongSource", "", &body, format!("no usage source: {error}")))?;
    put_source(&state.app, &call.context, &source).await?;
    Ok(Json(source))
}
