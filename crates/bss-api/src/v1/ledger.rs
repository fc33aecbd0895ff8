//! The ledger: its trial balance, accounts and entries, and the proof that the money adds up.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use bss_app::AppError;
use bss_app::ledger_check::{self, LedgerCheckReport};
use bss_domain::{Instant, Refusal};
use bss_store::ledger::{self, AccountLine, EntryFilter, LedgerBalance, PostedEntry};
use http::Uri;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::query::{Pairs, instant, latest, money, named, value, window};
use crate::ApiState;
use crate::kit::{ApiError, Call, page};

/// Entries that are counted before a list says that there are more.
const COUNTED_MAX: i64 = 10_000;

#[derive(Deserialize)]
pub(super) struct At {
    at: Option<String>,
}

pub(super) async fn trial_balance(
    State(state): State<ApiState>,
    call: Call,
    Query(asked): Query<At>,
) -> Result<Json<Vec<Value>>, ApiError> {
    let at = instant("at", asked.at.as_deref(), Instant::MAX)?;
    let session = call.read(&state).await?;
    let balances = ledger::balances(&session, at).await?;
    session.finish()?;
    Ok(Json(balances.iter().map(balance).collect::<Result<_, _>>()?))
}

pub(super) async fn check(
    State(state): State<ApiState>,
    call: Call,
) -> Result<Json<LedgerCheckReport>, ApiError> {
    Ok(Json(ledger_check::check(&state.app, &call.context).await?))
}

pub(super) async fn account(
    State(state): State<ApiState>,
    call: Call,
    Path(code): Path<String>,
    uri: Uri,
    Query(pairs): Pairs,
) -> Result<Response, ApiError> {
    let query = latest(pairs, &["currency"], "at")?;
    let session = call.read(&state).await?;
    let currencies = ledger::currencies(&session, &code).await?;
    let currency = match (value(&query, "currency"), currencies.as_slice()) {
        (Some(wanted), _) => wanted.to_owned(),
        (None, [only]) => only.clone(),
        (None, []) => return Err(AppError::not_found("LedgerAccount", &code).into()),
        (None, several) => {
            let message = format!(
                "currency: a balance has one; {code} has lines in {}",
                several.join(", ")
            );
            return Err(Refusal::invalid("wrongQuery", "currency", "", message).into());
        }
    };
    let (lines, total) = ledger::account_lines(&session, &code, &currency, window(&query)).await?;
    session.finish()?;
    let shown = lines.iter().map(account_line).collect::<Result<_, _>>()?;
    Ok(page(&state, &uri, &query, shown, (total, true)))
}

pub(super) async fn entries(
    State(state): State<ApiState>,
    call: Call,
    uri: Uri,
    Query(pairs): Pairs,
) -> Result<Response, ApiError> {
    let query = latest(pairs, &["cause.id", "kind", "billingAccount.id"], "at")?;
    let id = |name: &str| value(&query, name).map(|id| named(name, id)).transpose();
    let (offset, limit) = window(&query);
    let filter = EntryFilter {
        id: None,
        cause: id("cause.id")?,
        kind: value(&query, "kind").map(str::to_owned),
        billing_account: id("billingAccount.id")?,
        offset,
        limit,
    };
    let session = call.read(&state).await?;
    let found = ledger::entries(&session, &filter).await?;
    let total = ledger::count_entries(&session, &filter, COUNTED_MAX + 1).await?;
    session.finish()?;
    let shown = found.iter().map(entry).collect::<Result<_, _>>()?;
    let counted = COUNTED_MAX as u64;
    Ok(page(
        &state,
        &uri,
        &query,
        shown,
        (total.min(counted), total <= counted),
    ))
}

pub(super) async fn one_entry(
    State(state): State<ApiState>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let missing = || AppError::not_found("LedgerEntry", &id);
    let filter = EntryFilter {
        id: Some(id.parse().map_err(|_| missing())?),
        limit: 1,
        ..EntryFilter::default()
    };
    let session = call.read(&state).await?;
    let found = ledger::entries(&session, &filter).await?;
    session.finish()?;
    Ok(Json(entry(found.first().ok_or_else(missing)?)?))
}

fn balance(row: &LedgerBalance) -> Result<Value, ApiError> {
    let mut shown = json!({
        "account": row.account, "currency": row.currency, "debit": money(row.debit_minor, &row.currency)?,
        "credit": money(row.credit_minor, &row.currency)?,
        "balance": money(row.debit_minor - row.credit_minor, &row.currency)?,
    });
    if !row.detail.is_empty() {
        shown["detail"] = row.detail.as_str().into();
    }
    Ok(shown)
}

/// A debit is positive.
fn sided(shown: &mut Value, minor: i64, currency: &str) -> Result<(), ApiError> {
    let side = if minor > 0 { "debit" } else { "credit" };
    shown[side] = serde_json::to_value(money(minor.abs(), currency)?).map_err(AppError::internal)?;
    Ok(())
}

fn account_line(row: &AccountLine) -> Result<Value, ApiError> {
    let line = &row.line;
    let mut shown = json!({
        "id": format!("{}:{}", line.entry, row.number), "entry": line.entry, "at": line.posted_at.to_string(),
        "kind": line.kind, "cause": cause(&line.kind, line.cause), "balance": money(row.balance_minor, &line.currency)?,
    });
    if !line.detail.is_empty() {
        shown["detail"] = line.detail.as_str().into();
    }
    sided(&mut shown, line.amount_minor, &line.currency)?;
    Ok(shown)
}

fn entry(entry: &PostedEntry) -> Result<Value, ApiError> {
    let mut lines = Vec::with_capacity(entry.lines.len());
    for (account, detail, minor) in &entry.lines {
        let name = format!("{account} {detail}");
        let mut line = json!({ "account": account, "name": name.trim_end() });
        sided(&mut line, *minor, &entry.currency)?;
        lines.push(line);
    }
    Ok(json!({
        "id": entry.id, "at": entry.posted_at.to_string(), "kind": entry.kind, "cause": cause(&entry.kind, entry.cause),
        "billingAccount": { "id": entry.billing_account, "@referredType": "BillingAccount" }, "line": lines,
    }))
}

/// What an entry's cause is follows from its kind.
fn cause(kind: &str, id: Uuid) -> Value {
    let referred = match kind {
        "paymentCaptured" | "channelSettled" | "chargeback" | "topUp" => "Payment",
        "refund" => "Refund",
        "creditNote" => "CreditNote",
        "prepaidUse" => "BillingAccount",
        _ => "CustomerBill",
    };
    json!({ "id": id, "@referredType": referred })
}
