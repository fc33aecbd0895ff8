use async_trait::async_trait;
use bss_domain::ids::{BillingAccountId, PaymentId};
use bss_domain::payment::PAYMENT as PAYMENT_SHAPE;
use bss_domain::shape::{Shape, check_new};
use bss_domain::{Currency, Money, Refusal, TypedId as _};
use bss_store::Session;
use bss_store::payment::PAYMENT;
use bss_store::resource::{self, Stored};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{CapturedPayment, WantedBill, capture};
use crate::resource::{Computed, Documents, ResourceUseCases, check_references};
use crate::{App, AppError, RequestContext};

/// Payments as callers read them: with what went back of them, by refunds and chargebacks.
pub static PAYMENT_READS: Computed = Computed {
    documents: Documents(&PAYMENT),
    attributes: &["reversedAmount"],
    fill: |session, page| Box::pin(fill(session, page)),
};

/// Writes what went back into the payments of a page.
async fn fill(session: &Session, page: &mut [Stored]) -> Result<(), AppError> {
    let ids: Vec<PaymentId> = page.iter().map(|stored| stored.id.into()).collect();
    for (id, minor) in bss_store::payment::reversed(session, &ids).await? {
        if let Some(stored) = page.iter_mut().find(|stored| stored.id == id.uuid()) {
            let came: Money =
                serde_json::from_value(stored.body["amount"].clone()).map_err(AppError::internal)?;
            stored.body["reversedAmount"] = serde_json::json!(Money::new(minor, came.currency));
        }
    }
    Ok(())
}

/// Payments as the resource kit sees them: created by capture, never changed and never removed.
pub struct Payments;

pub(super) fn id_at(document: &Value, path: &[&str], field: &str) -> Result<Uuid, Refusal> {
    let found = path.iter().try_fold(document, |value, name| value.get(name));
    let text = found
        .and_then(Value::as_str)
        .ok_or_else(|| Refusal::missing(field))?;
    text.parse()
        .map_err(|_| Refusal::invalid("wrongId", field, text, "an id is a UUID"))
}

fn money_at(document: &Value, name: &str, field: &str) -> Result<Option<Money>, Refusal> {
    let Some(amount) = document.get(name) else {
        return Ok(None);
    };
    serde_json::from_value(amount.clone())
        .map(Some)
        .map_err(|error| Refusal::invalid("wrongAmount", field, amount, error.to_string()))
}

/// How much: `amount` or `totalAmount`; where both are sent they say the same.
pub(super) fn amount(document: &Value) -> Result<Money, Refusal> {
    let total = money_at(document, "totalAmount", "totalAmount")?;
    let amount = money_at(document, "amount", "amount")?;
    match (total, amount) {
        (Some(total), Some(amount)) if total != amount => {
            let message = format!("totalAmount has to be amount, {amount}, where both are sent");
            Err(Refusal::invalid("wrongAmount", "totalAmount", total, message))
        }
        (total, amount) => total.or(amount).ok_or_else(|| Refusal::missing("amount")),
    }
}

/// The channel that money comes or goes by.
pub(super) fn channel(document: &Value) -> Result<String, Refusal> {
    let named = document
        .pointer("/channel/name")
        .or_else(|| document.pointer("/paymentMethod/@type"))
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty());
    named
        .map(str::to_owned)
        .ok_or_else(|| Refusal::missing("channel.name"))
}

/// What else a document says.
pub(super) fn others(document: &Value, ours: &[&str]) -> Map<String, Value> {
    let attributes = document.as_object().into_iter().flatten();
    attributes
        .filter(|(name, _)| !ours.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

pub(super) fn bills(document: &Value, currency: Currency) -> Result<Vec<WantedBill>, Refusal> {
    let items = document.get("paymentItem").and_then(Value::as_array);
    let mut bills = Vec::new();
    for (place, item) in items.into_iter().flatten().enumerate() {
        let field = format!("paymentItem[{place}].amount");
        let amount = money_at(item, "amount", &field)?;
        if let Some(amount) = amount.filter(|amount| amount.currency != currency || amount.minor <= 0) {
            let message = format!("more than nothing, in {currency}");
            return Err(Refusal::invalid("wrongAmount", field, amount, message));
        }
        bills.push(WantedBill {
            bill: id_at(item, &["item", "id"], &format!("paymentItem[{place}].item.id"))?.into(),
            amount_minor: amount.map(|amount| amount.minor),
        });
    }
    Ok(bills)
}

/// Reads a TMF676 Payment: `account.id`, `totalAmount {unit, value}` (or `amount`), `paymentItem[]` with `item.id` and
/// `amount` for the bills that it is to pay, and how it came: `channel.name`, or the `@type` of `paymentMethod`.
/// Computed attributes are refused.
pub fn read(document: &Value) -> Result<CapturedPayment, Refusal> {
    check_new(PAYMENT_SHAPE, document)?;
    let amount = amount(document)?;
    Ok(CapturedPayment {
        account: BillingAccountId::from(id_at(document, &["account", "id"], "account.id")?),
        amount,
        channel: channel(document)?,
        bills: bills(document, amount.currency)?,
        extra: others(
            document,
            &["account", "amount", "totalAmount", "channel", "paymentItem"],
        ),
    })
}

/// What a document refers to exists: an account, a bill, a payment of nobody is the caller's mistake.
pub(super) async fn known(
    app: &App,
    context: &RequestContext,
    shape: &Shape,
    document: &Value,
) -> Result<(), AppError> {
    let work = app.store.begin(context.scope()).await?;
    check_references(&work, shape, document).await?;
    Ok(work.rollback().await?)
}

/// Reads a Payment whose account and bills exist.
pub async fn read_known(
    app: &App,
    context: &RequestContext,
    document: &Value,
) -> Result<CapturedPayment, AppError> {
    let new = read(document)?;
    known(app, context, PAYMENT_SHAPE, document).await?;
    Ok(new)
}

#[async_trait]
impl ResourceUseCases for Payments {
    async fn create(&self, app: &App, context: &RequestContext, body: Value) -> Result<Stored, AppError> {
        let new = read_known(app, context, &body).await?;
        let receipt = capture(app, context, new).await?;
        let stored = resource::lookup(&app.store, context.caller.tenant, &PAYMENT, receipt.id.into()).await?;
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
