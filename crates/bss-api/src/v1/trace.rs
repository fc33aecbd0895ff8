//! From any id the chain of everything that it caused or came from.

use axum::Json;
use axum::extract::{Path, State};
use bss_app::AppError;
use bss_app::trace::{self, Explanation};

use crate::ApiState;
use crate::kit::{ApiError, Call};

pub(super) async fn trace(
    State(state): State<ApiState>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Json<Explanation>, ApiError> {
    chain(
        &state,
        &call,
        &id,
        "Order, product, usage record, bill or payment",
    )
    .await
}

/// A usage record with how it was rated and where it went.
pub(super) async fn usage(
    State(state): State<ApiState>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Json<Explanation>, ApiError> {
    chain(&state, &call, &id, "Usage").await
}

async fn chain(
    state: &ApiState,
    call: &Call,
    id: &str,
    kind: &'static str,
) -> Result<Json<Explanation>, ApiError> {
    let known = id.parse().map_err(|_| AppError::not_found(kind, id))?;
    Ok(Json(trace::trace(&state.app, &call.context, known).await?))
}
