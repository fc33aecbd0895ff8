//! What the analytics stream has counted.

use axum::Json;
use axum::extract::{Path, Query, State};
use bss_app::AppError;
use bss_app::trace::Amount;
use bss_domain::ids::{CustomerId, TypedId as _};
use bss_domain::{Currency, Instant, Nano};
use bss_store::customer::CUSTOMER;
use bss_store::customer_analytics::{self, Hour, Measure, Total};
use bss_store::{customer_bill, resource};
use serde::Deserialize;
use serde_json::{Value, json};

use super::query::{instant, money};
use crate::ApiState;
use crate::kit::{ApiError, Call};

/// Hours of usage that a customer's picture shows.
const HOURS_MAX: i64 = 168;

pub(super) async fn customer(
    State(state): State<ApiState>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let missing = || AppError::not_found("Customer", &id);
    let known: CustomerId = id.parse().map_err(|_| missing())?;
    if call.confined_to.is_some_and(|own| own != known) {
        return Err(missing().into());
    }
    let session = call.read(&state).await?;
    resource::get(&session, &CUSTOMER, known.uuid())
        .await?
        .ok_or_else(missing)?;
    let totals = customer_analytics::totals(&session, known).await?;
    let hours = customer_analytics::hours(&session, known, HOURS_MAX).await?;
    let is_late = customer_analytics::is_late_payer(&session, known, state.app.clock.now()).await?;
    let open = customer_bill::open_of_customer(&session, known).await?;
    session.finish()?;
    let hour = hours.chunk_by(|one, next| one.start == next.start).map(|hour| {
        let counts: Vec<&Total> = hour.iter().map(|each| &each.count).collect();
        usage(&counts, Some(hour))
    });
    let hour: Vec<Value> = hour.collect::<Result<Vec<_>, _>>()?.concat();
    let all: Vec<&Total> = totals.iter().collect();
    Ok(Json(json!({
        "usage": usage(&all, None)?,
        "orders": orders(&totals),
        "billed": amounts(&totals, Measure::Billed)?,
        "paid": amounts(&totals, Measure::Paid)?,
        "open": open.iter().map(|(currency, minor)| money(*minor, currency)).collect::<Result<Vec<_>, _>>()?,
        "latePayer": is_late,
        "hour": hour,
    })))
}

/// Usage by type with what it cost as it was rated first: an entry for each type, and one more for each further
/// currency of it.
fn usage(totals: &[&Total], hour: Option<&[Hour]>) -> Result<Vec<Value>, ApiError> {
    let start = hour.and_then(|hour| hour.first()).map(|hour| hour.start);
    let mut shown = Vec::new();
    for counted in totals.iter().filter(|total| total.measure == Measure::Usage) {
        let costs: Vec<&&Total> = totals
            .iter()
            .filter(|total| total.measure == Measure::Charged && total.label == counted.label)
            .collect();
        let mut entry = json!({
            "type": counted.label, "count": counted.number, "quantity": counted.quantity, "units": counted.unit,
        });
        if let Some(start) = start {
            entry["start"] = start.to_string().into();
        }
        let mut first = entry.clone();
        if let Some(cost) = costs.first() {
            first["amount"] = amount(cost)?;
        }
        shown.push(first);
        for cost in costs.iter().skip(1) {
            (entry["count"], entry["quantity"]) = (0.into(), 0.into());
            entry["amount"] = amount(cost)?;
            shown.push(entry.clone());
        }
    }
    Ok(shown)
}

fn amount(cost: &Total) -> Result<Value, ApiError> {
    let amount = Amount {
        value: Nano(cost.quantity),
        currency: Currency::of(&cost.unit).map_err(AppError::internal)?,
    };
    Ok(serde_json::to_value(amount).map_err(AppError::internal)?)
}

fn orders(totals: &[Total]) -> Vec<Value> {
    let orders = totals
        .iter()
        .filter(|total| total.measure == Measure::Order && total.number != 0);
    orders
        .map(|total| json!({ "state": total.label, "count": total.number }))
        .collect()
}

fn amounts(totals: &[Total], measure: Measure) -> Result<Vec<Value>, ApiError> {
    let mut by_currency: Vec<(String, i64)> = Vec::new();
    for total in totals.iter().filter(|total| total.measure == measure) {
        match by_currency
            .iter_mut()
            .find(|(currency, _)| *currency == total.unit)
        {
            Some((_, minor)) => *minor += total.quantity,
            None => by_currency.push((total.unit.clone(), total.quantity)),
        }
    }
    by_currency
        .iter()
        .map(|(currency, minor)| Ok(json!(money(*minor, currency)?)))
        .collect()
}

#[derive(Deserialize)]
pub(super) struct Between {
    from: Option<String>,
    to: Option<String>,
}

/// Segments of customers in an interval of hours.
pub(super) async fn segments(
    State(state): State<ApiState>,
    call: Call,
    Query(asked): Query<Between>,
) -> Result<Json<Vec<Value>>, ApiError> {
    let to = instant("to", asked.to.as_deref(), state.app.clock.now())?;
    let day_before = Instant::from_second(to.as_second() - 86_400).unwrap_or(Instant::MIN);
    let from = instant("from", asked.from.as_deref(), day_before)?;
    let session = call.read(&state).await?;
    let found = customer_analytics::segments(&session, from, to).await?;
    session.finish()?;
    let shown = found.iter().map(|(segment, total)| {
        let mut shown = json!({
            "segment": segment, "measure": total.measure.name(), "label": total.label, "count": total.number,
        });
        match total.measure {
            Measure::Usage => {
                shown["quantity"] = total.quantity.into();
                shown["units"] = total.unit.as_str().into();
            }
            Measure::Charged => shown["amount"] = amount(total)?,
            Measure::Billed | Measure::Paid => shown["amount"] = json!(money(total.quantity, &total.unit)?),
            Measure::Order => {}
        }
        Ok(shown)
    });
    Ok(Json(shown.collect::<Result<_, ApiError>>()?))
}
