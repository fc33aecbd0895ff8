//! The fallout queue: work at the network that people have to look at.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use bss_app::{AppError, order_processing};
use bss_domain::ids::ProductOrderId;
use bss_store::activation::{self, Activation};
use http::StatusCode;
use serde_json::{Value, json};

use crate::ApiState;
use crate::kit::{ApiError, Call, ListQuery};

pub(super) async fn list(
    State(state): State<ApiState>,
    call: Call,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, ApiError> {
    let request = ListQuery::read(pairs)?.request;
    let session = call.read(&state).await?;
    let (rows, total) =
        activation::fallout(&session, i64::from(request.offset), i64::from(request.limit)).await?;
    session.finish().await?;
    let shown: Vec<Value> = rows.iter().map(shown).collect();
    let counts = [
        ("x-total-count", total.to_string()),
        ("x-result-count", shown.len().to_string()),
    ];
    Ok((counts, Json(shown)).into_response())
}

pub(super) async fn retry(
    State(state): State<ApiState>,
    call: Call,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let missing = || AppError::not_found("ProductOrder", &id);
    let order: ProductOrderId = id.parse().map_err(|_| missing())?;
    let mut work = state.app.store.begin(call.context.scope()).await?;
    order_processing::retry_fallout(&state.app, &call.context, &mut work, order).await?;
    work.commit().await?;
    Ok(StatusCode::ACCEPTED)
}

fn shown(piece: &Activation) -> Value {
    json!({
        "id": piece.id,
        "productOrder": { "id": piece.order, "@referredType": "ProductOrder" },
        "customer": { "id": piece.customer, "@referredType": "Customer" },
        "orderItem": piece.item,
        "service": { "id": piece.service, "@referredType": "Service" },
        "step": piece.action.name(),
        "code": piece.state.name(),
        "reason": piece.reason.as_deref().unwrap_or_default(),
        "attempts": piece.attempts,
        "held": [{ "id": piece.service, "@referredType": "Service" }],
        "state": "open",
    })
}
