//! The business clock: read by all, moved by operations where it is simulated.

use axum::Json;
use axum::extract::State;
use bss_app::{AppError, ClockError};
use bss_domain::{Instant, Refusal};
use bss_store::ClockMode;
use http::StatusCode;
use serde_json::{Value, json};

use crate::ApiState;
use crate::kit::{ApiError, Call};

pub(super) async fn read(State(state): State<ApiState>, _: Call) -> Json<Value> {
    Json(shown(&state, state.app.clock.now()))
}

pub(super) async fn advance(
    State(state): State<ApiState>,
    _: Call,
    Json(body): Json<Value>,
) -> Result<Json<Value>, ApiError> {
    if state.app.clock.mode() == ClockMode::Real {
        return Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "realClock",
            ClockError::Real.to_string(),
        ));
    }
    let wanted = body
        .get("now")
        .and_then(Value::as_str)
        .ok_or_else(|| Refusal::missing("now"))?;
    let to: Instant = wanted.parse().map_err(|_| {
        let message = "now has to be an instant, as 2026-01-31T12:00:00Z is one";
        Refusal::invalid("wrongType", "now", wanted, message)
    })?;
    match state.app.clock.advance_to(&state.app.store, to).await {
        Ok(now) => Ok(Json(shown(&state, now))),
        Err(ClockError::Store(error)) => Err(error.into()),
        Err(error @ ClockError::Backwards { .. }) => Err(Refusal {
            field: Some("now".to_owned()),
            value: Some(wanted.to_owned()),
            ..Refusal::conflict("backwards", error.to_string())
        }
        .into()),
        Err(error @ ClockError::Real) => Err(AppError::internal(error).into()),
    }
}

fn shown(state: &ApiState, now: Instant) -> Value {
    json!({ "now": now.to_string(), "mode": state.app.clock.mode().name() })
}
