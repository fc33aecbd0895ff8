//! A payment's way from the question to the channel to its answer: asked for, authorized or denied, captured.

use bss_domain::document::Reference;
use bss_domain::ids::PaymentId;
use bss_domain::payment::PaymentStatus;
use bss_domain::{Instant, Money, TypedId};
use bss_events::{NewEvent, Topic};
use bss_store::UnitOfWork;
use bss_store::payment::{self, NewPayment, PaymentRow};
use serde_json::{Value, json};

use super::{CapturedPayment, Payer, PaymentReceipt, book, channel_reference, check, items, payer, resource};
use crate::{App, AppError, RequestContext, idempotency};

/// Writes down a payment that is being asked for; nothing is booked before it is captured. An outcome that nobody
/// knows leaves it as it is, until the channel was asked: it is never asked for again blindly.
pub async fn request(
    app: &App,
    context: &RequestContext,
    new: CapturedPayment,
) -> Result<PaymentReceipt, AppError> {
    let mut work = app.store.begin(context.scope()).await?;
    if let Some(receipt) = idempotency::replay(&work, context).await? {
        return Ok(receipt);
    }
    let now = app.clock.now();
    let payer = payer(&work, new.account).await?;
    check(&new, &payer)?;
    let id: PaymentId = app.ids.new_id(now, payer.account.slot());
    let row = NewPayment {
        id,
        account: payer.account,
        customer: payer.customer,
        status: PaymentStatus::PendingAuthorization,
        channel: new.channel.clone(),
        currency: payer.currency,
        amount_minor: new.amount.minor,
        unallocated_minor: 0,
        date: now,
        body: asked(id, &new, &payer, now),
    };
    payment::insert(&work, &row).await?;
    work.emit(app.event(
        context,
        now,
        (Topic::Payment, "PaymentCreateEvent"),
        (payer.customer.uuid(), id.uuid()),
        json!({"payment": id, "billingAccount": payer.account, "status": row.status.name(), "amount": new.amount}),
    ));
    let receipt = PaymentReceipt {
        id,
        allocated: Vec::new(),
        credit_minor: 0,
    };
    idempotency::keep(&work, context, 201, &receipt).await?;
    work.commit().await?;
    Ok(receipt)
}

/// The document of a payment that is asked for; its items say which bills it is to pay.
fn asked(id: PaymentId, new: &CapturedPayment, payer: &Payer, now: Instant) -> Value {
    let wanted: Vec<Value> = new
        .bills
        .iter()
        .map(|wanted| {
            let mut item = json!({"item": {"id": wanted.bill, "@referredType": "CustomerBill"}});
            if let Some(minor) = wanted.amount_minor {
                item["amount"] = json!(Money::new(minor, payer.currency));
            }
            item
        })
        .collect();
    let mut document = new.extra.clone();
    let ours = [
        ("id", json!(id)),
        ("status", json!(PaymentStatus::PendingAuthorization.name())),
        ("statusDate", json!(now)),
        ("paymentDate", json!(now)),
        (
            "account",
            json!(Reference::to(payer.account.uuid(), "BillingAccount")),
        ),
        (
            "payer",
            json!({"id": payer.customer, "role": "customer", "@referredType": "Customer"}),
        ),
        ("channel", channel_reference(&new.channel)),
        ("amount", json!(new.amount)),
        ("totalAmount", json!(new.amount)),
        ("paymentItem", json!(wanted)),
        ("@type", json!("Payment")),
    ];
    document.extend(ours.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(document)
}

/// A payment, held with the credit of its account, which is locked first as wherever money of an account moves.
pub(super) async fn hold(work: &UnitOfWork, id: PaymentId) -> Result<(PaymentRow, Payer, i64), AppError> {
    let not_found = || AppError::not_found("Payment", id);
    let rest = payment::rest(work, id).await?.ok_or_else(not_found)?;
    let payer = payer(work, rest.account).await?;
    let credit_minor = payment::lock_credit(work, payer.account, payer.currency).await?;
    let row = payment::lock(work, id).await?.ok_or_else(not_found)?;
    Ok((row, payer, credit_minor))
}

/// The channel holds the money; with its code, if it gives one.
pub async fn authorize(
    app: &App,
    context: &RequestContext,
    id: PaymentId,
    code: Option<&str>,
) -> Result<(), AppError> {
    let said = code.map_or_else(|| json!({}), |code| json!({"authorizationCode": code}));
    answered(app, context, id, (PaymentStatus::Authorized, said)).await
}

/// The channel said no.
pub async fn deny(app: &App, context: &RequestContext, id: PaymentId, reason: &str) -> Result<(), AppError> {
    answered(
        app,
        context,
        id,
        (PaymentStatus::Denied, json!({"statusReason": reason})),
    )
    .await
}

/// The channel failed for good: no money came.
pub async fn fail(app: &App, context: &RequestContext, id: PaymentId, reason: &str) -> Result<(), AppError> {
    answered(
        app,
        context,
        id,
        (PaymentStatus::Failed, json!({"statusReason": reason})),
    )
    .await
}

/// Lets go of money that the channel holds.
pub async fn cancel(
    app: &App,
    context: &RequestContext,
    id: PaymentId,
    reason: &str,
) -> Result<(), AppError> {
    answered(
        app,
        context,
        id,
        (PaymentStatus::Canceled, json!({"statusReason": reason})),
    )
    .await
}

/// An answer of the channel by which no money moves. The same answer again changes nothing.
async fn answered(
    app: &App,
    context: &RequestContext,
    id: PaymentId,
    (next, mut said): (PaymentStatus, Value),
) -> Result<(), AppError> {
    let mut work = app.store.begin(context.scope()).await?;
    let (row, payer, _) = hold(&work, id).await?;
    if row.status == next {
        work.rollback().await?;
        return Ok(());
    }
    let next = row.status.to(next)?;
    let now = app.clock.now();
    said["status"] = json!(next.name());
    said["statusDate"] = json!(now);
    payment::set_status(&work, &row, next, &said, now).await?;
    work.emit(changed(app, context, &payer, (id, next), now));
    work.commit().await?;
    Ok(())
}

pub(super) fn changed(
    app: &App,
    context: &RequestContext,
    payer: &Payer,
    (id, status): (PaymentId, PaymentStatus),
    now: Instant,
) -> NewEvent {
    app.event(
        context,
        now,
        (Topic::Payment, "PaymentStateChangeEvent"),
        (payer.customer.uuid(), id.uuid()),
        json!({"payment": id, "billingAccount": payer.account, "status": status.name()}),
    )
}

/// Takes the money that the channel holds: it pays the bills that were named as far as they are still open (all open
/// ones where none was named), and the rest is credit of the account. Called again, it gives what it did.
pub async fn capture_authorized(
    app: &App,
    context: &RequestContext,
    id: PaymentId,
) -> Result<PaymentReceipt, AppError> {
    let mut work = app.store.begin(context.scope()).await?;
    let (row, payer, _) = hold(&work, id).await?;
    if bss_domain::payment::PAID.contains(&row.status) {
        let receipt = PaymentReceipt {
            id,
            allocated: payment::allocated(&work, id).await?,
            credit_minor: row.unallocated_minor,
        };
        work.rollback().await?;
        return Ok(receipt);
    }
    let next = row.status.to(PaymentStatus::Captured)?;
    let now = app.clock.now();
    let named = resource::bills(&row.body, row.currency)?;
    let allocation = book(
        app,
        &work,
        &payer,
        (id, row.amount_minor, &row.channel),
        &named,
        true,
        now,
    )
    .await?;
    payment::set_rest(&work, &row, allocation.rest_minor).await?;
    let said = json!({
        "status": next.name(),
        "statusDate": now,
        "unallocatedAmount": Money::new(allocation.rest_minor, row.currency),
        "paymentItem": items(&allocation, row.currency),
    });
    payment::set_status(&work, &row, next, &said, now).await?;
    work.emit(changed(app, context, &payer, (id, next), now));
    work.commit().await?;
    Ok(PaymentReceipt {
        id,
        allocated: allocation.applied,
        credit_minor: allocation.rest_minor,
    })
}
