//! Today in a few figures: each only for roles that may see it in whole.

use axum::Json;
use axum::extract::State;
use bss_app::Role;
use bss_domain::{Instant, Zone};
use bss_store::dashboard;
use serde_json::{Value, json};

use super::events::GroupStanding;
use super::query::money;
use crate::ApiState;
use crate::kit::{ApiError, Call};

pub(super) async fn read(State(state): State<ApiState>, call: Call) -> Result<Json<Value>, ApiError> {
    let now = state.app.clock.now();
    let (day, month) = beginnings(now);
    let may = |roles: &[Role]| {
        let own = &call.context.caller.roles;
        own.contains(&Role::Admin) || roles.iter().any(|role| own.contains(role))
    };
    let mut shown = json!({ "at": now.to_string(), "since": day.to_string() });
    let session = call.read(&state).await?;
    if may(&[Role::Csr, Role::Network, Role::ProductManager, Role::Operations]) {
        let orders = dashboard::orders(&session, day).await?;
        shown["orders"] =
            json!({ "today": orders.today, "completed": orders.completed, "open": orders.open });
    }
    if may(&[Role::Billing]) {
        let revenue = dashboard::revenue(&session, month).await?;
        let amount = revenue.iter().map(|(currency, minor)| money(*minor, currency));
        shown["revenue"] =
            json!({ "since": month.to_string(), "amount": amount.collect::<Result<Vec<_>, _>>()? });
    }
    if may(&[Role::Billing, Role::Csr]) {
        let due = dashboard::due(&session, now).await?;
        let open = due.iter().map(|one| money(one.open_minor, &one.currency));
        shown["billsDue"] = json!({
            "count": due.iter().map(|one| one.count).sum::<i64>(),
            "overdue": due.iter().map(|one| one.overdue).sum::<i64>(),
            "open": open.collect::<Result<Vec<_>, _>>()?,
        });
    }
    let sees_usage = may(&[Role::Network, Role::Billing, Role::Operations]);
    // Who sees streams sees usage as well, and nobody else needs the groups.
    let groups = if sees_usage {
        GroupStanding::all(&session).await?
    } else {
        Vec::new()
    };
    if sees_usage {
        let rated = dashboard::rated_usage(&session, day).await?;
        let waiting = groups
            .iter()
            .find(|group| group.name == "charging")
            .map_or(0, |group| group.lag);
        shown["usage"] = json!({ "today": rated + waiting, "rated": rated, "waiting": waiting });
    }
    let failures = dashboard::failures(&session, day).await?;
    session.finish()?;
    let mut failed = json!({});
    for (name, count, roles) in [
        ("fallout", failures.fallout, &[Role::Csr, Role::Network][..]),
        (
            "rejects",
            failures.rejects,
            &[Role::Network, Role::Billing, Role::Operations],
        ),
        ("parked", failures.parked, &[Role::Operations]),
        ("denied", failures.denied, &[Role::Billing, Role::Csr]),
    ] {
        if may(roles) {
            failed[name] = count.into();
        }
    }
    shown["failures"] = failed;
    if may(&[Role::Operations]) {
        shown["streams"] = streams(&groups);
    }
    Ok(Json(shown))
}

/// The beginnings of the day and of the month. The operator's own zone isn't known: UTC.
fn beginnings(now: Instant) -> (Instant, Instant) {
    let utc = Zone::utc();
    let day = utc.day_of(now);
    (utc.start_of(day), utc.start_of(day.first_of_month()))
}

fn streams(groups: &[GroupStanding]) -> Value {
    let worst = groups
        .iter()
        .filter(|group| group.lag > 0)
        .max_by_key(|group| group.lag);
    let mut shown = json!({
        "lag": groups.iter().map(|group| group.lag).sum::<i64>(),
        "stalled": groups.iter().filter(|group| group.is_stalled).count(),
    });
    if let Some(worst) = worst {
        shown["group"] = worst.name.as_str().into();
    }
    shown
}
