//! Bills on hold: validated as they are, or computed anew.

use axum::Json;
use axum::extract::{Path, State};
use bss_app::AppError;
use bss_app::bill_run::{self, BillRunOptions};
use bss_domain::customer_bill::CustomerBillState;
use bss_domain::ids::CustomerBillId;
use http::Method;
use serde_json::{Value, json};

use super::Operation;
use crate::ApiState;
use crate::auth::Routes;
use crate::kit::{ApiError, Call};

const RELEASE: &str = "/bss-api/v1/customerBill/{id}/release";
const COMPUTE_ANEW: &str = "/bss-api/v1/customerBill/{id}/computeAnew";

/// What they are, for the description.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::post(
        RELEASE,
        "validates a bill on hold as it is: it gets its number, and the ledger has it",
    ),
    Operation::post(
        COMPUTE_ANEW,
        "computes a bill on hold anew; it is validated where nothing about it is unusual any more",
    ),
];

/// Their routes.
pub(super) fn routes() -> Routes<ApiState> {
    Routes::new()
        .add(Method::POST, RELEASE, release)
        .add(Method::POST, COMPUTE_ANEW, compute_anew)
}

fn bill(id: &str) -> Result<CustomerBillId, AppError> {
    id.parse().map_err(|_| AppError::not_found("CustomerBill", id))
}

async fn release(
    State(state): State<ApiState>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let options = BillRunOptions::default();
    let released = bill_run::release(&state.app, &call.context, bill(&id)?, &options).await?;
    Ok(Json(
        json!({"id": released.id, "state": released.first_state().name()}),
    ))
}

async fn compute_anew(
    State(state): State<ApiState>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let options = BillRunOptions::default();
    let computed = bill_run::compute_anew(&state.app, &call.context, bill(&id)?, &options).await?;
    Ok(Json(
        json!({"id": id, "state": computed.map(CustomerBillState::name)}),
    ))
}
