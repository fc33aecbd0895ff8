//! The fallout queue: work at the network that people have to look at.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use bss_app::{AppError, order_processing};
use bss_domain::ids::ProductOrderId;
use bss_store::activation::{self, Activation};
use http::{StatusCode, Uri};
use serde_json::{Value, json};

use super::query::{Pairs, latest, window};
use crate::ApiState;
use crate::kit::{ApiError, Call, page};

pub(super) async fn list(
    State(state): State<ApiState>,
    call: Call,
    uri: Uri,
    Query(pairs): Pairs,
) -> Result<Response, ApiError> {
    let query = latest(pairs, &[], "at")?;
    let (offset, limit) = window(&query);
    let session = call.read(&state).await?;
    let (rows, total) = activation::fallout(&session, offset, limit).await?;
    session.finish()?;
    let shown = rows.iter().map(shown).collect();
    Ok(page(&state, &uri, &query, shown, (total.unsigned_abs(), true)))
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
        "at": piece.created_at.to_string(),
        "held": [{ "id": piece.service, "@referredType": "Service" }],
        "state": "open",
    })
}
