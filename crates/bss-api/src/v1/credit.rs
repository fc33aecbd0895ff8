//! Money that accounts have in hand: prepaid balances filled, and what bills took too much given back.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use bss_app::trace::Amount;
use bss_app::{AppError, credit_note, prepaid};
use bss_domain::document::Reference;
use bss_domain::ids::{BillingAccountId, CustomerBillId};
use bss_domain::{Money, Nano, Refusal};
use bss_store::credit_note as store;
use bss_store::credit_note::CreditNoteRow;
use http::{Method, StatusCode, Uri};
use serde_json::{Value, json};

use super::Operation;
use super::body::{id_of, money, reason, words};
use super::query::{Pairs, latest, named, value, window};
use crate::ApiState;
use crate::auth::Routes;
use crate::kit::{ApiError, Call, json_body, page};

const TOP_UP: &str = "/bss-api/v1/topUp";
const CREDIT_NOTE: &str = "/bss-api/v1/creditNote";
const ONE_CREDIT_NOTE: &str = "/bss-api/v1/creditNote/{id}";

/// What they are, for the description.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::post(
        TOP_UP,
        "fills the prepaid balance of a `billingAccount` {id} with an `amount` that a `channel` {name} took; the first makes it prepaid",
    ),
    Operation::post(
        CREDIT_NOTE,
        "takes back lines of a `customerBill` {id}: `line` [{number, amount}], without an amount all that is left of it; `reason` says why",
    ),
    Operation::list(
        CREDIT_NOTE,
        "credit notes, the latest first",
        &["customerBill.id", "billingAccount.id", "offset", "limit"],
    ),
    Operation::get(
        ONE_CREDIT_NOTE,
        "a credit note with what it took back of each line",
    ),
];

/// Their routes.
pub(super) fn routes() -> Routes<ApiState> {
    Routes::new()
        .add(Method::POST, TOP_UP, top_up)
        .add(Method::POST, CREDIT_NOTE, credit)
        .add(Method::GET, CREDIT_NOTE, list)
        .add(Method::GET, ONE_CREDIT_NOTE, get)
}

async fn top_up(State(state): State<ApiState>, call: Call, body: Bytes) -> Result<Response, ApiError> {
    let call = call.creating(&state, TOP_UP, true, &body)?;
    let body = json_body(&body)?;
    let account: BillingAccountId = id_of(&body["billingAccount"], "billingAccount.id")?;
    let amount = money(&body, "amount")?.ok_or_else(|| Refusal::missing("amount"))?;
    let channel = words(&body["channel"], "name").map_err(|_| Refusal::missing("channel.name"))?;
    let receipt = prepaid::top_up(&state.app, &call.context, account, amount, &channel).await?;
    let balance = Amount {
        value: Nano(receipt.balance_nano),
        currency: amount.currency,
    };
    let answer = json!({
        "id": receipt.id,
        "billingAccount": Reference::to(account, "BillingAccount"),
        "amount": amount,
        "channel": { "name": channel },
        "balance": balance,
    });
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

async fn credit(State(state): State<ApiState>, call: Call, body: Bytes) -> Result<Response, ApiError> {
    let call = call.creating(&state, CREDIT_NOTE, true, &body)?;
    let body = json_body(&body)?;
    let bill: CustomerBillId = id_of(&body["customerBill"], "customerBill.id")?;
    let reason = reason(&body)?;
    let lines = body["line"].as_array().ok_or_else(|| Refusal::missing("line"))?;
    let lines: Vec<credit_note::CreditRequest> = lines
        .iter()
        .enumerate()
        .map(|(place, line)| requested(line).map_err(|refusal| refusal.below(&format!("line[{place}]"))))
        .collect::<Result<_, _>>()?;
    let receipt = credit_note::create(&state.app, &call.context, bill, &lines, &reason).await?;
    let of = |minor: i64| Money::new(minor, receipt.currency);
    let answer = json!({
        "id": receipt.id,
        "number": receipt.number,
        "customerBill": Reference::to(bill, "CustomerBill"),
        "amount": of(receipt.gross_minor),
        "applied": of(receipt.applied_minor),
        "credit": of(receipt.credit_minor),
        "reason": reason,
    });
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

async fn list(
    State(state): State<ApiState>,
    call: Call,
    uri: Uri,
    Query(pairs): Pairs,
) -> Result<Response, ApiError> {
    let query = latest(pairs, &["customerBill.id", "billingAccount.id"], "createdAt")?;
    let bill = value(&query, "customerBill.id")
        .map(|id| named("customerBill.id", id))
        .transpose()?;
    let account = value(&query, "billingAccount.id")
        .map(|id| named("billingAccount.id", id))
        .transpose()?;
    let (offset, limit) = window(&query);
    let session = call.read(&state).await?;
    let (rows, total) = store::list(&session, (bill, account), offset, limit).await?;
    session.finish()?;
    let shown = rows.iter().map(shown).collect();
    Ok(page(&state, &uri, &query, shown, (total, true)))
}

async fn get(
    State(state): State<ApiState>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let missing = || AppError::not_found("CreditNote", &id);
    let known = id.parse().map_err(|_| missing())?;
    let session = call.read(&state).await?;
    let row = store::get(&session, known).await?.ok_or_else(missing)?;
    session.finish()?;
    Ok(Json(shown(&row)))
}

fn shown(row: &CreditNoteRow) -> Value {
    let of = |minor: i64| Money::new(minor, row.currency);
    let line = row.lines.iter().map(|line| {
        json!({
            "number": line.line,
            "amount": of(line.net_minor + line.tax_minor),
            "taxAmount": of(line.tax_minor),
        })
    });
    json!({
        "id": row.id,
        "number": row.number,
        "createdAt": row.at.to_string(),
        "customerBill": Reference::to(row.bill, "CustomerBill"),
        "billingAccount": Reference::to(row.account, "BillingAccount"),
        "amount": of(row.gross_minor),
        "applied": of(row.applied_minor),
        "credit": of(row.gross_minor - row.applied_minor),
        "reason": row.reason,
        "line": line.collect::<Vec<_>>(),
    })
}

fn requested(line: &Value) -> Result<credit_note::CreditRequest, Refusal> {
    let number = line["number"]
        .as_u64()
        .and_then(|number| u32::try_from(number).ok());
    Ok(credit_note::CreditRequest {
        line: number.ok_or_else(|| Refusal::missing("number"))?,
        amount: money(line, "amount")?,
    })
}
