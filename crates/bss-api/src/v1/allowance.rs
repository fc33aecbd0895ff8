//! Allowances as they stand now.

use axum::extract::{Query, State};
use axum::response::Response;
use bss_app::allowance::{AllowanceStanding, of_customer};
use bss_domain::Refusal;
use bss_domain::ids::CustomerId;
use http::Uri;
use serde_json::{Value, json};

use super::query::{Pairs, named, only, value, window};
use crate::ApiState;
use crate::kit::{ApiError, Call, ListQuery, page};

pub(super) async fn list(
    State(state): State<ApiState>,
    call: Call,
    uri: Uri,
    Query(pairs): Pairs,
) -> Result<Response, ApiError> {
    let query = ListQuery::read(pairs)?;
    only(&query, &["customer.id"], &[])?;
    let asked = value(&query, "customer.id").map(|id| named::<CustomerId>("customer.id", id));
    let customer = match (asked.transpose()?, call.confined_to) {
        (None, Some(own)) => own,
        (Some(asked), None) => asked,
        (Some(asked), Some(own)) if asked == own => own,
        (Some(_), Some(_)) => return Ok(page(&state, &uri, &query, Vec::new(), (0, true))),
        (None, None) => return Err(Refusal::missing("customer.id").into()),
    };
    let all = of_customer(&state.app, &call.context, customer).await?;
    let (offset, limit) = window(&query);
    let shown = all
        .iter()
        .skip(offset.unsigned_abs() as usize)
        .take(limit.unsigned_abs() as usize)
        .map(shown)
        .collect();
    Ok(page(&state, &uri, &query, shown, (all.len() as u64, true)))
}

fn shown(standing: &AllowanceStanding) -> Value {
    let instance = &standing.instance;
    let units = instance
        .definition
        .covers
        .first()
        .map_or("", |cover| cover.service.unit());
    let mut shown = json!({
        "id": instance.id, "name": standing.name, "granted": instance.granted, "used": instance.used,
        "reserved": instance.reserved, "units": units, "priority": instance.definition.priority,
        "shared": instance.definition.shared, "rolledOver": instance.rolled_over,
        "validFor": {
            "startDateTime": instance.window.from.to_string(), "endDateTime": instance.window.to.to_string(),
        },
    });
    if let Some(product) = instance.product {
        shown["product"] = json!({ "id": product, "@referredType": "Product" });
    }
    shown
}
