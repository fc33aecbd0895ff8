//! Rejected usage as operators handle it: what couldn't be taken, and the way back in.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use bss_app::AppError;
use bss_app::usage_import::{UsageImport, recycle};
use bss_domain::Refusal;
use bss_domain::ids::TypedId as _;
use bss_domain::usage::UsageState;
use bss_store::usage_reject::{self, RejectFilter, RejectOrder, UsageReject};
use http::Uri;
use serde_json::{Value, json};
use uuid::Uuid;

use super::body::optional_body;
use super::query::{Pairs, named, only, sorted, value, window};
use crate::ApiState;
use crate::kit::{ApiError, Call, ListQuery, page};

pub(super) async fn list(
    State(state): State<ApiState>,
    call: Call,
    uri: Uri,
    Query(pairs): Pairs,
) -> Result<Response, ApiError> {
    let query = ListQuery::read(pairs)?;
    only(&query, &["state", "code", "file.id"], &["at", "line"])?;
    let (offset, limit) = window(&query);
    let filter = RejectFilter {
        file: value(&query, "file.id")
            .map(|id| named("file.id", id))
            .transpose()?,
        state: value(&query, "state").map(state_named).transpose()?,
        code: value(&query, "code").map(str::to_owned),
        id: None,
        order: match sorted(&query) {
            Some(("line", false)) => RejectOrder::Line,
            Some(("line", true)) => RejectOrder::LastLine,
            Some((_, false)) => RejectOrder::Arrival,
            _ => RejectOrder::Latest,
        },
        offset,
        limit,
    };
    let session = call.read(&state).await?;
    let found = usage_reject::list(&session, &filter).await?;
    let total = usage_reject::count(&session, &filter).await?;
    session.finish()?;
    seen(&call, found.iter().map(|reject| reject.id));
    let shown = found.iter().map(reject_shown).collect();
    Ok(page(&state, &uri, &query, shown, (total.unsigned_abs(), true)))
}

pub(super) async fn get(
    State(state): State<ApiState>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let known = id.parse().map_err(|_| AppError::not_found("UsageReject", &id))?;
    let found = find(&state, &call, known).await?;
    seen(&call, [known]);
    Ok(Json(reject_shown(&found)))
}

/// Sends a reject in again, mended where the body has `raw`; the answer is the reject as it stands after.
pub(super) async fn replay(
    State(state): State<ApiState>,
    call: Call,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let known = id.parse().map_err(|_| AppError::not_found("UsageReject", &id))?;
    let body = optional_body(&body)?;
    let before = find(&state, &call, known).await?;
    let mended = match &body["raw"] {
        Value::Null => None,
        Value::String(raw) => Some(raw.as_str()).filter(|raw| raw.as_bytes() != before.raw),
        other => {
            return Err(Refusal::invalid("wrongType", "raw", other, "raw has to be a text").into());
        }
    };
    recycle(&state.app, &call.context, &UsageImport::default(), known, mended).await?;
    Ok(Json(reject_shown(&find(&state, &call, known).await?)))
}

async fn find(state: &ApiState, call: &Call, id: Uuid) -> Result<UsageReject, ApiError> {
    let filter = RejectFilter {
        id: Some(id),
        limit: 1,
        ..RejectFilter::default()
    };
    let session = call.read(state).await?;
    let found = usage_reject::list(&session, &filter).await?;
    session.finish()?;
    let found = found.into_iter().next();
    Ok(found.ok_or_else(|| AppError::not_found("UsageReject", id))?)
}

/// Who read raw records: they hold numbers of people.
fn seen(call: &Call, rejects: impl IntoIterator<Item = Uuid>) {
    for reject in rejects {
        tracing::info!(target: "audit", subject = call.context.caller.subject, %reject, "raw usage was read");
    }
}

fn state_named(name: &str) -> Result<UsageState, Refusal> {
    match name {
        "open" => Ok(UsageState::Rejected),
        "replayed" => Ok(UsageState::Recycled),
        _ => Err(Refusal::invalid(
            "wrongQuery",
            "state",
            name,
            "state: a reject is open or replayed",
        )),
    }
}

fn reject_shown(reject: &UsageReject) -> Value {
    let raw = reject.mended.as_ref().unwrap_or(&reject.raw);
    let is_open = reject.state == UsageState::Rejected;
    let mut shown = json!({
        "id": reject.id, "source": reject.source, "reason": reject.reason, "code": reject.code,
        "raw": String::from_utf8_lossy(raw), "state": if is_open { "open" } else { "replayed" },
        "at": reject.created_at.to_string(),
    });
    if let Some(origin) = reject.origin {
        shown["file"] = json!({ "id": origin.file, "@referredType": "UsageFile" });
        shown["line"] = origin.line.into();
    }
    if let Some(usage) = reject.usage_id {
        shown["usage"] = json!({ "id": usage.uuid(), "@referredType": "Usage" });
    }
    shown
}
