//! Usage as TMF635 shows it: records that have their price, and new ones as callers send them.
//!
//! A caller's record: `usageType` (`voice`, `sms`, `data`), `usageDate` (its start), and the `usageCharacteristic`s
//! `quantity` (whole seconds, messages or bytes), `calling`, `called` (not for data), `visitedNetwork` (MCC and MNC,
//! where it was abroad), `source` (the measuring system) and `externalId` (the source's own id of the record: the same
//! one is never charged twice).

use std::collections::HashMap;

use bss_domain::ids::{BillingAccountId, UsageId};
use bss_domain::usage::{Metered, NumberPlan, ServiceKind, UsageState};
use bss_domain::{Currency, Instant, Refusal};
use bss_store::usage_record::{self, RecordFilter, UsageRecord};
use bss_store::{Session, charging};
use serde_json::{Value, json};

use crate::usage_import::NewUsage;
use crate::{App, AppError, RequestContext};

/// The source of records whose caller names none.
const OWN_SOURCE: &str = "tmf635";

/// Reads a caller's record.
pub fn from_tmf(document: &Value) -> Result<NewUsage, Refusal> {
    let text = |name: &'static str| document.get(name).and_then(Value::as_str);
    let kind = text("usageType").ok_or_else(|| Refusal::missing("usageType"))?;
    let service = ServiceKind::named(kind).ok_or_else(|| {
        Refusal::invalid(
            "unknownUsageType",
            "usageType",
            kind,
            "a usage's type is voice, sms or data",
        )
    })?;
    let date = text("usageDate").ok_or_else(|| Refusal::missing("usageDate"))?;
    let started = date
        .parse()
        .ok()
        .and_then(|at: Instant| Instant::from_millisecond(at.as_millisecond()).ok())
        .ok_or_else(|| {
            Refusal::invalid(
                "wrongTime",
                "usageDate",
                date,
                "a time is as 2026-11-03T10:00:00Z",
            )
        })?;
    let characteristics = Characteristics(document);
    let called = match service {
        ServiceKind::Data => String::new(),
        ServiceKind::Voice | ServiceKind::Sms => characteristics.number("called")?,
    };
    Ok(NewUsage {
        source: characteristics.text("source").unwrap_or(OWN_SOURCE.to_owned()),
        external_id: characteristics.needed("externalId")?,
        metered: Metered {
            service,
            calling: characteristics.number("calling")?,
            called,
            visited_network: characteristics.text("visitedNetwork"),
            started,
            quantity: characteristics.quantity()?,
        },
    })
}

/// The characteristics of a document.
struct Characteristics<'a>(&'a Value);

impl Characteristics<'_> {
    fn text(&self, name: &str) -> Option<String> {
        let all = self.0.get("usageCharacteristic")?.as_array()?;
        let found = all
            .iter()
            .find(|one| one.get("name").and_then(Value::as_str) == Some(name))?;
        match found.get("value")? {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    fn needed(&self, name: &str) -> Result<String, Refusal> {
        self.text(name)
            .ok_or_else(|| Refusal::missing(format!("usageCharacteristic[name={name}].value")))
    }

    fn number(&self, name: &str) -> Result<String, Refusal> {
        let written = self.needed(name)?;
        NumberPlan::default().normalize(&written).map_err(|problem| {
            Refusal::invalid(
                "wrongNumber",
                format!("usageCharacteristic[name={name}].value"),
                written,
                format!("it is no telephone number: {problem}"),
            )
        })
    }

    fn quantity(&self) -> Result<i64, Refusal> {
        let written = self.needed("quantity")?;
        let quantity = written.parse().ok().filter(|quantity| *quantity >= 0);
        quantity.ok_or_else(|| {
            Refusal::invalid(
                "wrongQuantity",
                "usageCharacteristic[name=quantity].value",
                written,
                "a quantity is a whole number from 0 on",
            )
        })
    }
}

/// A page of rated records, the latest first, and how many there are in all.
pub async fn list(
    app: &App,
    context: &RequestContext,
    filter: &RecordFilter,
) -> Result<(Vec<Value>, i64), AppError> {
    let session = app.store.read(context.scope()).await?;
    let records = usage_record::list(&session, filter).await?;
    let (total, _) = usage_record::total(&session, filter).await?;
    let documents = documents(&session, &records).await?;
    session.finish().await?;
    Ok((documents, total))
}

/// One rated record. One that isn't charged yet doesn't exist yet.
pub async fn get(app: &App, context: &RequestContext, id: UsageId) -> Result<Value, AppError> {
    let session = app.store.read(context.scope()).await?;
    let records = usage_record::find(&session, &[id]).await?;
    let document = documents(&session, &records).await?.pop();
    session.finish().await?;
    document.ok_or_else(|| AppError::not_found("Usage", id))
}

async fn documents(session: &Session, records: &[UsageRecord]) -> Result<Vec<Value>, AppError> {
    let mut accounts: Vec<BillingAccountId> = records.iter().map(|record| record.account).collect();
    accounts.sort_unstable();
    accounts.dedup();
    let terms = charging::account_terms(session, &accounts).await?;
    let currencies: HashMap<_, _> = terms
        .into_iter()
        .map(|terms| (terms.account, terms.currency))
        .collect();
    let document = |record: &UsageRecord| {
        let currency = currencies.get(&record.account).ok_or_else(|| {
            AppError::internal(format!(
                "billing account {} of a usage record is gone",
                record.account
            ))
        })?;
        Ok(to_tmf(record, *currency))
    };
    records.iter().map(document).collect()
}

/// A rated record as TMF635's Usage, without `href`.
pub fn to_tmf(record: &UsageRecord, currency: Currency) -> Value {
    let metered = &record.metered;
    let mut characteristics = vec![
        json!({"name": "quantity", "value": metered.quantity, "valueType": "integer"}),
        json!({"name": "unit", "value": metered.service.unit(), "valueType": "string"}),
        json!({"name": "direction", "value": record.direction.name(), "valueType": "string"}),
        json!({"name": "calling", "value": metered.calling, "valueType": "string"}),
        json!({"name": "source", "value": record.source, "valueType": "string"}),
    ];
    if !metered.called.is_empty() {
        characteristics.push(json!({"name": "called", "value": metered.called, "valueType": "string"}));
    }
    if let Some(network) = &metered.visited_network {
        characteristics.push(json!({"name": "visitedNetwork", "value": network, "valueType": "string"}));
    }
    json!({
        "id": record.id,
        "usageType": metered.service.name(),
        "usageDate": metered.started,
        "status": record.state.name(),
        "usageCharacteristic": characteristics,
        "billingAccount": {"id": record.account, "@referredType": "BillingAccount"},
        "ratedProductUsage": [{
            "ratingAmountType": "Total",
            "usageRatingTag": "usage",
            "isProvisional": record.is_provisional,
            "taxExcludedRatingAmount": {
                "unit": currency.code(),
                "value": serde_json::from_str::<Value>(&record.amount.decimal().to_string()).unwrap_or_default(),
            },
            "productRef": {"id": record.product, "@referredType": "Product"},
            "productOfferingPrice": {"id": record.price, "@referredType": "ProductOfferingPrice"},
        }],
        "@type": "Usage",
    })
}

/// A record that is on its way to charging, as TMF635's Usage without `href`.
pub fn guided_to_tmf(usage: &bss_domain::usage::Usage) -> Value {
    json!({
        "id": usage.id,
        "usageType": usage.metered.service.name(),
        "usageDate": usage.metered.started,
        "status": UsageState::Guided.name(),
        "usageCharacteristic": [
            {"name": "quantity", "value": usage.metered.quantity, "valueType": "integer"},
            {"name": "direction", "value": usage.direction.name(), "valueType": "string"},
        ],
        "relatedParty": [{"id": usage.owner.customer, "role": "customer", "@referredType": "Customer"}],
        "billingAccount": {"id": usage.owner.account, "@referredType": "BillingAccount"},
        "@type": "Usage",
    })
}
