//! One box that finds everything.

use axum::Json;
use axum::extract::{Query, State};
use bss_domain::Refusal;
use bss_store::search::{Hit, search as find};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ApiState;
use crate::kit::{ApiError, Call};

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
}

pub(super) async fn search(
    State(state): State<ApiState>,
    call: Call,
    Query(asked): Query<Asked>,
) -> Result<Json<Vec<Value>>, ApiError> {
    let text = asked.q.trim();
    if text.contains('\0') || text.len() > 200 {
        let message = "q has to have at most 200 characters";
        return Err(Refusal::invalid("wrongQuery", "q", "", message).into());
    }
    if text.is_empty() {
        return Ok(Json(Vec::new()));
    }
    let session = call.read(&state).await?;
    let hits = find(&session, text).await?;
    session.finish()?;
    Ok(Json(hits.iter().map(shown).collect()))
}

fn shown(hit: &Hit) -> Value {
    let mut shown = json!({ "type": hit.kind, "id": hit.id, "label": hit.label });
    for (name, value) in [("detail", &hit.detail), ("state", &hit.state)] {
        if let Some(value) = value {
            shown[name] = value.as_str().into();
        }
    }
    shown
}
