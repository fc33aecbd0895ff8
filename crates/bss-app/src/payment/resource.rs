use async_trait::async_trait;
use bss_domain::ids::BillingAccountId;
use bss_domain::{Money, Refusal};
use bss_store::payment::PAYMENT;
use bss_store::resource::{self, Stored};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{CapturedPayment, capture};
use crate::resource::ResourceUseCases;
use crate::{App, AppError, RequestContext};

/// Payments as the resource kit sees them: created by capture, never changed and never removed.
pub struct Payments;

/// Attributes that are computed.
const COMPUTED: &[&str] = &[
    "id",
    "href",
    "status",
    "statusDate",
    "paymentDate",
    "totalAmount",
    "unallocatedAmount",
    "payer",
];

fn id_at(document: &Value, path: &[&str], field: &str) -> Result<Uuid, Refusal> {
    let found = path.iter().try_fold(document, |value, name| value.get(name));
    let text = found
        .and_then(Value::as_str)
        .ok_or_else(|| Refusal::missing(field))?;
    text.parse()
        .map_err(|_| Refusal::invalid("wrongId", field, text, "an id is a UUID"))
}

/// Reads a TMF676 Payment: `account.id`, `amount {unit, value}`, `channel.name`, and `paymentItem[].item.id` for the
/// bills that it is to pay. Computed attributes are refused.
pub fn read(document: &Value) -> Result<CapturedPayment, Refusal> {
    let Some(attributes) = document.as_object() else {
        return Err(Refusal::missing("account.id"));
    };
    if let Some(name) = COMPUTED.iter().find(|name| attributes.contains_key(**name)) {
        return Err(Refusal::invalid(
            "readOnly",
            *name,
            &attributes[*name],
            "this attribute is computed",
        ));
    }
    let amount = document.get("amount").ok_or_else(|| Refusal::missing("amount"))?;
    let amount: Money = serde_json::from_value(amount.clone())
        .map_err(|error| Refusal::invalid("wrongAmount", "amount", amount, error.to_string()))?;
    let channel = document.pointer("/channel/name").and_then(Value::as_str);
    let items = document.get("paymentItem").and_then(Value::as_array);
    let mut bills = Vec::new();
    for (place, item) in items.into_iter().flatten().enumerate() {
        bills.push(id_at(item, &["item", "id"], &format!("paymentItem[{place}].item.id"))?.into());
    }
    let ours = ["account", "amount", "channel", "paymentItem"];
    let extra: Map<String, Value> = attributes
        .iter()
        .filter(|(name, _)| !ours.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Ok(CapturedPayment {
        account: BillingAccountId::from(id_at(document, &["account", "id"], "account.id")?),
        amount,
        channel: channel
            .ok_or_else(|| Refusal::missing("channel.name"))?
            .to_owned(),
        bills,
        extra,
    })
}

#[async_trait]
impl ResourceUseCases for Payments {
    async fn create(&self, app: &App, context: &RequestContext, body: Value) -> Result<Stored, AppError> {
        let receipt = capture(app, context, read(&body)?).await?;
        let session = app.store.read(context.scope()).await?;
        let stored = resource::get(&session, &PAYMENT, receipt.id.into()).await?;
        session.finish().await?;
        stored.ok_or_else(|| AppError::internal("a payment that was just written is gone"))
    }

    async fn patch(
        &self,
        _app: &App,
        _context: &RequestContext,
        _id: Uuid,
        _patch: Value,
        _expected: Option<i64>,
    ) -> Result<Stored, AppError> {
        let message = "a payment never changes: refund it, or take it back by a chargeback";
        Err(Refusal::conflict("immutable", message).into())
    }

    async fn delete(
        &self,
        _app: &App,
        _context: &RequestContext,
        _id: Uuid,
        _expected: Option<i64>,
    ) -> Result<(), AppError> {
        Err(Refusal::conflict("immutable", "a payment is never removed").into())
    }
}
