//! From any id the chain of everything that it caused or came from.

use axum::Json;
use axum::extract::{Path, State};
use bss_app::{AppError, trace};
use uuid::Uuid;

use crate::ApiState;
use crate::kit::{ApiError, Call};

pub(super) async fn trace(
    State(state): State<ApiState>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Json<trace::Explanation>, ApiError> {
    let known: Uuid = id
        .parse()
        .map_err(|_| AppError::not_found("Order, product, usage record, bill or payment", &id))?;
    Ok(Json(trace::trace(&state.app, &call.context, known).await?))
}
