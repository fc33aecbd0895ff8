//! Bill runs: started here, they go on in the background; one that was stopped is taken up by the next.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use bss_app::AppError;
use bss_app::bill_run::{self, BillRunOptions, BillRunScope};
use bss_domain::ids::BillRunId;
use bss_domain::{Instant, Money, Refusal};
use bss_store::bill_run as store;
use bss_store::bill_run::{BillRunSummary, BillRunTotal};
use bss_store::customer_bill;
use http::{StatusCode, Uri};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::body::{id_of, optional_body};
use super::query::{Pairs, latest, window};
use crate::ApiState;
use crate::kit::{ApiError, Call, page};

/// So many bills on hold are named with a run.
const HELD_MAX: i64 = 100;

pub(super) async fn list(
    State(state): State<ApiState>,
    call: Call,
    uri: Uri,
    Query(pairs): Pairs,
) -> Result<Response, ApiError> {
    let query = latest(pairs, &[], "startedAt")?;
    let session = call.read(&state).await?;
    let (offset, limit) = window(&query);
    let (runs, total) = store::list(&session, offset, limit).await?;
    let ids: Vec<BillRunId> = runs.iter().map(|run| run.id).collect();
    let totals = store::totals(&session, &ids).await?;
    session.finish()?;
    let shown = runs.iter().map(|run| shown(run, &totals)).collect();
    Ok(page(&state, &uri, &query, shown, (total, true)))
}

pub(super) async fn get(
    State(state): State<ApiState>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let known = id.parse().map_err(|_| AppError::not_found("BillRun", &id))?;
    Ok(Json(find(&state, &call, known).await?))
}

/// Begins a run and answers; the run goes on whether or not the caller waits.
pub(super) async fn start(
    State(state): State<ApiState>,
    call: Call,
    body: Bytes,
) -> Result<Response, ApiError> {
    let scope = scope(&optional_body(&body)?)?;
    let started = bill_run::start(&state.app, &call.context, scope).await?;
    let id = started.id();
    let (app, context) = (state.app.clone(), call.context.clone());
    // A trace of its own: it outlives the call that asked for it, which it is linked to by its id alone.
    let span = tracing::info_span!(parent: None, "bill run", run = %id);
    let work = async move {
        let (options, stop) = (BillRunOptions::default(), CancellationToken::new());
        match bill_run::finish(&app, &context, started, &options, &stop).await {
            Ok(report) => tracing::info!(
                closed = report.closed,
                bills = report.bills,
                waiting = report.waiting,
                "the bill run has ended"
            ),
            Err(error) => tracing::error!(%error, "the bill run stopped: the next one takes it up"),
        }
    };
    tokio::spawn(work.instrument(span));
    Ok((StatusCode::CREATED, Json(find(&state, &call, id).await?)).into_response())
}

async fn find(state: &ApiState, call: &Call, id: BillRunId) -> Result<Value, ApiError> {
    let session = call.read(state).await?;
    let run = store::get(&session, id)
        .await?
        .ok_or_else(|| AppError::not_found("BillRun", id))?;
    let totals = store::totals(&session, &[id]).await?;
    let held = customer_bill::on_hold_of(&session, id, HELD_MAX).await?;
    session.finish()?;
    let mut shown = shown(&run, &totals);
    if let Some(anomaly) = shown["anomaly"].as_array_mut() {
        anomaly.extend(held);
    }
    Ok(shown)
}

fn scope(body: &Value) -> Result<BillRunScope, Refusal> {
    let mut scope = BillRunScope::default();
    for (name, value) in body.as_object().into_iter().flatten() {
        match name.as_str() {
            "closeThrough" => scope.close_through = Some(instant(name, value)?),
            "billingAccount" => scope.account = Some(id_of(value, "billingAccount.id")?),
            _ => {
                let message = format!("{name}: a bill run takes closeThrough and billingAccount");
                return Err(Refusal::invalid("unknownAttribute", name, value, message));
            }
        }
    }
    Ok(scope)
}

fn instant(name: &str, value: &Value) -> Result<Instant, Refusal> {
    let found = value.as_str().and_then(|text| text.parse().ok());
    found.ok_or_else(|| {
        let message = format!("{name} has to be an instant, as 2026-01-31T12:00:00Z is one");
        Refusal::invalid("wrongType", name, value, message)
    })
}

fn shown(run: &BillRunSummary, totals: &[BillRunTotal]) -> Value {
    let own: Vec<&BillRunTotal> = totals.iter().filter(|total| total.run == run.id).collect();
    let amounts: Vec<Money> = own
        .iter()
        .filter_map(|total| {
            let currency = bss_domain::Currency::of(&total.currency).ok()?;
            Some(Money::new(total.total_minor, currency))
        })
        .collect();
    let failed = run.failed.as_array().map_or(&[][..], Vec::as_slice);
    let anomaly = failed.iter().map(|one| {
        json!({
            "billingAccount": { "id": one["billingAccount"], "@referredType": "BillingAccount" },
            "code": "notClosed", "reason": one["reason"],
        })
    });
    let mut shown = json!({
        "id": run.id, "state": run.state, "startedAt": run.as_of.to_string(), "startedBy": run.started_by,
        "closeThrough": run.scope.close_through.unwrap_or(run.as_of).to_string(),
        "accounts": run.accounts + run.waiting + failed.len() as i64, "done": run.accounts, "bills": run.bills,
        "waiting": run.waiting, "onHold": own.iter().map(|total| total.on_hold).sum::<i64>(),
        "failed": failed.len(), "total": amounts, "anomaly": anomaly.collect::<Vec<_>>(),
    });
    if let Some(account) = run.scope.account {
        shown["billingAccount"] = json!({ "id": account, "@referredType": "BillingAccount" });
    }
    if let Some(at) = run.finished_at {
        shown["finishedAt"] = at.to_string().into();
    }
    shown
}
