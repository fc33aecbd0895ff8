//! An account's credit pays its open bills.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bss_app::AppError;
use bss_app::payment::apply_credit;
use bss_domain::Money;
use bss_domain::ids::BillingAccountId;
use bss_store::billing_account;
use http::StatusCode;
use serde_json::json;

use super::body::id_of;
use crate::ApiState;
use crate::kit::{ApiError, Call, json_body};

pub(super) async fn allocate(
    State(state): State<ApiState>,
    call: Call,
    body: Bytes,
) -> Result<Response, ApiError> {
    let body = json_body(&body)?;
    let account: BillingAccountId = id_of(&body["billingAccount"], "billingAccount.id")?;
    let session = call.read(&state).await?;
    let owners = billing_account::owners(&session, &[account]).await?;
    session.finish()?;
    let owner = owners
        .get(&account)
        .ok_or_else(|| AppError::not_found("BillingAccount", account))?;
    let applied = apply_credit(&state.app, &call.context, account).await?;
    let applied = applied.iter().map(|(bill, minor)| {
        json!({
            "bill": { "id": bill, "@referredType": "CustomerBill" },
            "amount": Money::new(*minor, owner.currency),
        })
    });
    let shown = json!({
        "billingAccount": { "id": account, "@referredType": "BillingAccount" },
        "applied": applied.collect::<Vec<_>>(),
    });
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}
