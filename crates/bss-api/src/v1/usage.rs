//! Usage as operators handle it: files with what became of their lines, rejects, and the way back in.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use bss_app::AppError;
use bss_app::usage_import::{UsageImport, recycle};
use bss_domain::Refusal;
use bss_domain::ids::TypedId as _;
use bss_domain::usage::UsageState;
use bss_store::usage_file::{self, FileStanding};
use bss_store::usage_reject::{self, RejectFilter, RejectOrder, UsageReject};
use http::Uri;
use serde_json::{Value, json};
use uuid::Uuid;

use super::query::{Pairs, latest, named, only, optional_body, sorted, value, window};
use crate::ApiState;
use crate::kit::{ApiError, Call, ListQuery, page};

pub(super) async fn files(
    State(state): State<ApiState>,
    call: Call,
    uri: Uri,
    Query(pairs): Pairs,
) -> Result<Response, ApiError> {
    let query = latest(pairs, &[], "receivedAt")?;
    let session = call.read(&state).await?;
    let (files, total) = usage_file::standings(&session, None, window(&query)).await?;
    session.finish().await?;
    let shown = files.iter().map(file_shown).collect();
    Ok(page(&state, &uri, &query, shown, (total, true)))
}

pub(super) async fn file(
    State(state): State<ApiState>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let missing = || AppError::not_found("UsageFile", &id);
    let known = id.parse().map_err(|_| missing())?;
    let session = call.read(&state).await?;
    let (files, _) = usage_file::standings(&session, Some(known), (0, 1)).await?;
    session.finish().await?;
    Ok(Json(file_shown(files.first().ok_or_else(missing)?)))
}

/// Every line that is to be charged stands in one of the four counts.
fn file_shown(standing: &FileStanding) -> Value {
    let (file, charged) = (&standing.file, &standing.charged);
    let lines = &file.lines;
    let mut shown = json!({
        "id": file.id, "name": file.name, "format": standing.format, "source": file.source,
        "state": if file.is_done { "imported" } else { "importing" }, "receivedAt": file.created_at.to_string(),
        "records": lines.accepted + lines.rejected + lines.duplicates,
        "rated": charged.rated,
        "waiting": lines.accepted - charged.rated - charged.rejected - charged.duplicates,
        "rejected": lines.rejected + charged.rejected,
        "duplicates": lines.duplicates + charged.duplicates,
        "notCharged": lines.not_charged,
    });
    if let Some(at) = file.done_at {
        shown["finishedAt"] = at.to_string().into();
    }
    shown
}

pub(super) async fn rejects(
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
    session.finish().await?;
    seen(&call, found.iter().map(|reject| reject.id));
    let shown = found.iter().map(reject_shown).collect();
    Ok(page(&state, &uri, &query, shown, (total.unsigned_abs(), true)))
}

pub(super) async fn reject(
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
    session.finish().await?;
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
