//! What a bill would be, by the bill's own function; nothing is written.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use bss_app::bill_run::{BillPreview, BillRunOptions, preview, preview_order};
use bss_domain::ids::BillingAccountId;
use bss_domain::{Money, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};

use super::query::named;
use crate::ApiState;
use crate::kit::{ApiError, Call, json_body};

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(rename = "billingAccount.id", alias = "billingAccount")]
    account: Option<String>,
}

/// The next bill of an account as it stands now.
pub(super) async fn of_account(
    State(state): State<ApiState>,
    call: Call,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, ApiError> {
    let id = asked
        .account
        .ok_or_else(|| Refusal::missing("billingAccount.id"))?;
    let account: BillingAccountId = named("billingAccount.id", &id)?;
    let found = preview(&state.app, &call.context, account, &BillRunOptions::default()).await?;
    Ok(Json(shown(&found)))
}

/// What an order would put on its first bill.
pub(super) async fn of_order(
    State(state): State<ApiState>,
    call: Call,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let body = json_body(&body)?;
    if !body["productOrder"].is_object() {
        return Err(Refusal::missing("productOrder").into());
    }
    let order = &body["productOrder"];
    let found = preview_order(&state.app, &call.context, order, &BillRunOptions::default()).await?;
    let mut answer = shown(&found.first);
    answer["recurring"] = json!([Money::new(found.recurring_minor, found.first.bill.currency)]);
    Ok(Json(answer))
}

/// The bill and its lines as TMF678 has them, without what only a bill that was drawn up has.
fn shown(BillPreview { customer, bill }: &BillPreview) -> Value {
    let mut document = bill.document(*customer, "");
    let rates = bill.lines.iter().map(|line| {
        let mut rate = line.document(line.id(bill), bill);
        if let Some(rate) = rate.as_object_mut() {
            rate.remove("id");
            rate.remove("bill");
        }
        rate
    });
    let rates: Vec<Value> = rates.collect();
    if let Some(bill) = document.as_object_mut() {
        for name in ["id", "billNo", "state"] {
            bill.remove(name);
        }
    }
    json!({ "bill": document, "rate": rates })
}
