//! Usage as TMF635 shows it: records that have their price, and new ones as callers send them.
//!
//! A caller's record: `usageType` (`voice`, `sms`, `data`), `usageDate` (its start), and the `usageCharacteristic`s
//! `quantity` (whole seconds, messages or bytes), `calling`, `called` (not for data), `visitedNetwork` (MCC and MNC,
//! where it was abroad), `source` (the measuring system) and `externalId` (the source's own id of the record: the same
//! one is never charged twice).

mod resource;

use bss_domain::ids::CustomerId;
use bss_domain::usage::{Metered, NumberPlan, ServiceKind, UsageState};
use bss_domain::{Instant, Refusal};
use bss_store::billing_account::AccountOwner;
use bss_store::usage_record::UsageRecord;
use serde_json::{Value, json};

use crate::usage_import::NewUsage;

pub use resource::Usages;

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

/// A rated record as TMF635's Usage, without `href`.
pub fn to_tmf(record: &UsageRecord, owner: AccountOwner) -> Value {
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
        "relatedParty": [customer(owner.customer)],
        "billingAccount": {"id": record.account, "@referredType": "BillingAccount"},
        "ratedProductUsage": [{
            "ratingAmountType": "Total",
            "usageRatingTag": "usage",
            "isProvisional": record.is_provisional,
            "taxExcludedRatingAmount": {
                "unit": owner.currency.code(),
                "value": serde_json::from_str::<Value>(&record.amount.decimal().to_string()).unwrap_or_default(),
            },
            "productRef": {"id": record.product, "@referredType": "Product"},
            "productOfferingPrice": {"id": record.price, "@referredType": "ProductOfferingPrice"},
        }],
        "@type": "Usage",
    })
}

fn customer(id: CustomerId) -> Value {
    json!({"id": id, "role": "customer", "@referredType": "Customer"})
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
        "relatedParty": [customer(usage.owner.customer)],
        "billingAccount": {"id": usage.owner.account, "@referredType": "BillingAccount"},
        "@type": "Usage",
    })
}
