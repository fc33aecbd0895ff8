use async_trait::async_trait;
use bss_domain::document::Reference;
use bss_domain::ids::{BillingAccountId, PaymentId, RefundId};
use bss_domain::payment::{PaymentStatus, REFUND as REFUND_SHAPE};
use bss_domain::shape::check_new;
use bss_domain::{Instant, Money, Refusal, TypedId, ledger};
use bss_events::Topic;
use bss_store::resource::{self, Stored};
use bss_store::{UnitOfWork, payment, refund as store};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::resource::{amount, channel, id_at, known, others};
use super::{Payer, channel_reference, head, payer};
use crate::resource::ResourceUseCases;
use crate::{App, AppError, RequestContext, idempotency};

/// Money that is to be given back from an account's credit.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRefund {
    /// From whose credit.
    pub account: BillingAccountId,
    /// The payment whose rest is given back; none: the account's credit as a whole.
    pub payment: Option<PaymentId>,
    /// How much.
    pub amount: Money,
    /// How it goes back.
    pub channel: String,
    /// What else the document says.
    pub extra: Map<String, Value>,
}

/// Refunds as the resource kit sees them: given once, never changed and never removed.
pub struct Refunds;

/// Reads a TMF676 Refund: `account.id`, `amount` (or `totalAmount`), `payment.id` where it is a payment's rest, and how it
/// goes back: `channel.name`, or the `@type` of `paymentMethod`.
fn read(document: &Value) -> Result<NewRefund, Refusal> {
    check_new(REFUND_SHAPE, document)?;
    let named = document.get("payment").filter(|payment| !payment.is_null());
    Ok(NewRefund {
        account: id_at(document, &["account", "id"], "account.id")?.into(),
        payment: named
            .map(|payment| id_at(payment, &["id"], "payment.id").map(PaymentId::from))
            .transpose()?,
        amount: amount(document)?,
        channel: channel(document)?,
        extra: others(
            document,
            &["account", "amount", "totalAmount", "channel", "payment"],
        ),
    })
}

/// Gives credit of the account back through a channel, with its ledger entry in the same transaction. With an
/// idempotency key, a call that is sent again gives the first refund.
pub async fn refund(app: &App, context: &RequestContext, new: NewRefund) -> Result<Stored, AppError> {
    let mut work = app.store.begin(context.scope()).await?;
    if let Some(first) = idempotency::replay(&work, context).await? {
        work.rollback().await?;
        return Ok(first);
    }
    let now = app.clock.now();
    let payer = payer(&work, new.account).await?;
    let credit = payment::lock_credit(&work, payer.account, payer.currency).await?;
    let most = most(&work, &new, credit).await?;
    if new.amount.currency != payer.currency || new.amount.minor <= 0 || new.amount.minor > most {
        let message = format!("at most {} can be given back", Money::new(most, payer.currency));
        return Err(Refusal::invalid("wrongAmount", "amount", new.amount, message).into());
    }
    match new.payment {
        Some(payment) => {
            payment::take_rest(&work, payment, new.amount.minor, now).await?;
            payment::count_reversed(&work, payment, new.amount.minor).await?;
        }
        None => payment::add_credits(&work, &[(payer.account, -new.amount.minor)], now).await?,
    }
    let id: RefundId = app.ids.new_id(now, payer.account.slot());
    let head = head(app, &payer, now, id.uuid());
    let entry = ledger::refund(head, &new.channel, 0, new.amount.minor)?;
    bss_store::ledger::post(&work, &Vec::from_iter(entry)).await?;
    let row = store::NewRefund {
        id,
        account: payer.account,
        customer: payer.customer,
        payment: new.payment,
        status: PaymentStatus::Done,
        channel: new.channel.clone(),
        currency: payer.currency,
        amount_minor: new.amount.minor,
        date: now,
        body: document(id, &new, &payer, now),
    };
    store::insert(&work, &row).await?;
    work.emit(app.event(
        context,
        now,
        (Topic::Payment, "RefundCreateEvent"),
        (payer.customer.uuid(), id.uuid()),
        json!({"refund": id, "billingAccount": payer.account, "payment": new.payment, "amount": new.amount}),
    ));
    let stored = resource::get(&work, &store::REFUND, id.uuid()).await?;
    let stored = stored.ok_or_else(|| AppError::internal("a refund that was just written is gone"))?;
    idempotency::keep(&work, context, 201, &stored).await?;
    work.commit().await?;
    Ok(stored)
}

/// What can be given back, minor units.
async fn most(work: &UnitOfWork, new: &NewRefund, credit_minor: i64) -> Result<i64, AppError> {
    let Some(id) = new.payment else {
        return Ok(credit_minor);
    };
    let rest = payment::rest(work, id)
        .await?
        .filter(|rest| rest.account == new.account);
    let rest = rest.ok_or_else(|| {
        let message = format!("payment.id: this account has no payment {id}");
        Refusal::invalid("unknownReference", "payment.id", id, message)
    })?;
    Ok(rest.unallocated_minor.min(credit_minor))
}

/// The document as TMF676 shows it.
fn document(id: RefundId, new: &NewRefund, payer: &Payer, now: Instant) -> Value {
    let mut document = Value::Object(new.extra.clone());
    let ours = json!({
        "id": id,
        "status": PaymentStatus::Done.name(),
        "statusDate": now,
        "refundDate": now,
        "account": Reference::to(payer.account.uuid(), "BillingAccount"),
        "relatedParty": [{"id": payer.customer, "role": "customer", "@referredType": "Customer"}],
        "channel": channel_reference(&new.channel),
        "amount": new.amount,
        "totalAmount": new.amount,
        "@type": "Refund",
    });
    if let (Some(document), Value::Object(ours)) = (document.as_object_mut(), ours) {
        document.extend(ours);
        if let Some(payment) = new.payment {
            document.insert(
                "payment".to_owned(),
                json!(Reference::to(payment.uuid(), "Payment")),
            );
        }
    }
    document
}

fn immutable(message: &str) -> AppError {
    Refusal::conflict("immutable", message).into()
}

#[async_trait]
impl ResourceUseCases for Refunds {
    async fn create(&self, app: &App, context: &RequestContext, body: Value) -> Result<Stored, AppError> {
        let new = read(&body)?;
        known(app, context, REFUND_SHAPE, &body).await?;
        refund(app, context, new).await
    }

    async fn patch(
        &self,
        _app: &App,
        _context: &RequestContext,
        _id: Uuid,
        _patch: Value,
        _expected: Option<i64>,
    ) -> Result<Stored, AppError> {
        Err(immutable("a refund never changes"))
    }

    async fn delete(
        &self,
        _app: &App,
        _context: &RequestContext,
        _id: Uuid,
        _expected: Option<i64>,
    ) -> Result<(), AppError> {
        Err(immutable("a refund is never removed"))
    }
}
