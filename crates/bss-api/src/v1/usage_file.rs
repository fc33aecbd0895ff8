//! Usage files: sent in here, and with what became of their lines.

use std::fs::File;
use std::io;
use std::path::Path;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path as Named, Query, State};
use axum::response::{IntoResponse, Response};
use bss_app::AppError;
use bss_app::usage_import::{UsageContent, UsageImport, import_content};
use bss_domain::Refusal;
use bss_domain::ids::UsageFileId;
use bss_store::usage_file::{self, FileStanding};
use futures::StreamExt as _;
use http::{StatusCode, Uri};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tracing::Instrument as _;

use super::query::{Pairs, latest, window};
use crate::ApiState;
use crate::kit::{ApiError, Call, page};

/// The longest name of a file, as file systems have it.
const NAME_BYTES_MAX: usize = 255;

#[derive(Deserialize)]
pub(super) struct Sent {
    source: Option<String>,
    name: Option<String>,
}

/// Imports a file and answers with what became of its lines: 201 where it is new, 200 where the same content had been
/// read to its end. It is imported to its end whether or not the caller waits; one that was cut off by a crash goes
/// on when it is sent again.
pub(super) async fn upload(
    State(state): State<ApiState>,
    call: Call,
    Query(sent): Query<Sent>,
    body: Body,
) -> Result<Response, ApiError> {
    let source = sent.source.ok_or_else(|| Refusal::missing("source"))?;
    let name = file_name(sent.name)?;
    let file = spool(&state.config.spool_dir, body).await?;
    let (app, context) = (state.app.clone(), call.context.clone());
    let import = async move {
        let content = UsageContent { name, file };
        import_content(&app, &context, &UsageImport::default(), &source, content).await
    };
    let report = tokio::spawn(import.in_current_span())
        .await
        .map_err(AppError::internal)??;
    let status = if report.was_done {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok((status, Json(find(&state, &call, report.file).await?)).into_response())
}

fn file_name(name: Option<String>) -> Result<String, Refusal> {
    let name = name.ok_or_else(|| Refusal::missing("name"))?;
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains(|c: char| c == '/' || c.is_control()) {
        let message = format!("name: a file's own name, at most {NAME_BYTES_MAX} bytes, without its folder");
        return Err(Refusal::invalid("wrongQuery", "name", name, message));
    }
    Ok(name)
}

/// Writes a body into a file that has no name and vanishes with whoever holds it: it holds numbers of people.
async fn spool(folder: &Path, body: Body) -> Result<File, ApiError> {
    let folder = folder.to_owned();
    let file = tokio::task::spawn_blocking(move || tempfile::tempfile_in(folder));
    let file = file.await.map_err(AppError::internal)?.map_err(unwritable)?;
    let mut file = tokio::fs::File::from_std(file);
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| {
            let message = format!("the file was cut off: {error}");
            ApiError::new(StatusCode::BAD_REQUEST, "fileCutOff", &message)
        })?;
        file.write_all(&chunk).await.map_err(unwritable)?;
    }
    file.flush().await.map_err(unwritable)?;
    Ok(file.into_std().await)
}

fn unwritable(error: io::Error) -> AppError {
    AppError::internal(format!("a usage file can't be put aside: {error}"))
}

pub(super) async fn list(
    State(state): State<ApiState>,
    call: Call,
    uri: Uri,
    Query(pairs): Pairs,
) -> Result<Response, ApiError> {
    let query = latest(pairs, &[], "receivedAt")?;
    let session = call.read(&state).await?;
    let (files, total) = usage_file::standings(&session, None, window(&query)).await?;
    session.finish()?;
    let shown = files.iter().map(file_shown).collect();
    Ok(page(&state, &uri, &query, shown, (total, true)))
}

pub(super) async fn get(
    State(state): State<ApiState>,
    call: Call,
    Named(id): Named<String>,
) -> Result<Json<Value>, ApiError> {
    let known = id.parse().map_err(|_| AppError::not_found("UsageFile", &id))?;
    Ok(Json(find(&state, &call, known).await?))
}

async fn find(state: &ApiState, call: &Call, id: UsageFileId) -> Result<Value, ApiError> {
    let session = call.read(state).await?;
    let (files, _) = usage_file::standings(&session, Some(id), (0, 1)).await?;
    session.finish()?;
    let file = files
        .first()
        .ok_or_else(|| AppError::not_found("UsageFile", id))?;
    Ok(file_shown(file))
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
