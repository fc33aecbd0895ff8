//! Payments (TMF676): capture, allocation to bills, credit of the account, refunds; each with its ledger entry in the
//! same transaction.

mod refund;
mod resource;
mod reversal;
mod settlement;
mod status;

pub use refund::{NewRefund, Refunds, refund};
pub use resource::{PAYMENT_READS, Payments, read, read_known};
pub use reversal::{ReversalReceipt, WriteOffReceipt, chargeback, write_off};
pub use settlement::{Settlement, SettlementReceipt, settle_channel};
pub use status::{authorize, cancel, capture_authorized, deny, fail, request};

use bss_domain::document::Reference;
use bss_domain::ids::{BillingAccountId, CustomerBillId, CustomerId, PaymentId};
use bss_domain::ledger::{self, EntryHead};
use bss_domain::payment::{Allocation, OpenBill, PaymentStatus, allocate};
use bss_domain::{Currency, Instant, Money, Refusal, TypedId};
use bss_events::Topic;
use bss_store::UnitOfWork;
use bss_store::billing_account::BILLING_ACCOUNT;
use bss_store::customer_bill::{self, BillRow};
use bss_store::payment::{self, AllocationKind, NewAllocation, NewPayment};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{App, AppError, RequestContext, idempotency};

/// A payment that has been captured: the money is ours.
#[derive(Debug, Clone, PartialEq)]
pub struct CapturedPayment {
    /// For whom.
    pub account: BillingAccountId,
    /// How much.
    pub amount: Money,
    /// How it came: `card`, `bankTransfer`.
    pub channel: String,
    /// Which bills it is to pay, in this order; empty: the open ones, the one that is due first in front.
    pub bills: Vec<WantedBill>,
    /// What else the document says.
    pub extra: Map<String, Value>,
}

/// A bill that a payment names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedBill {
    /// The bill.
    pub bill: CustomerBillId,
    /// How much of it at most, minor units; none: all that is open.
    pub amount_minor: Option<i64>,
}

/// What became of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentReceipt {
    /// The payment.
    pub id: PaymentId,
    /// What it paid for, minor units.
    pub allocated: Vec<(CustomerBillId, i64)>,
    /// What became credit of the account, minor units.
    pub credit_minor: i64,
}

/// An account as money sees it.
pub(crate) struct Payer {
    pub account: BillingAccountId,
    pub customer: CustomerId,
    pub currency: Currency,
}

pub(crate) async fn payer(work: &UnitOfWork, account: BillingAccountId) -> Result<Payer, AppError> {
    let stored = bss_store::resource::get(work, &BILLING_ACCOUNT, account.uuid())
        .await?
        .ok_or_else(|| AppError::not_found("BillingAccount", account))?;
    let currency = stored.body["currency"].as_str().unwrap_or_default();
    Ok(Payer {
        account,
        customer: bss_domain::billing_account::customer_of(&stored.body)?,
        currency: Currency::of(currency)?,
    })
}

pub(crate) fn head(app: &App, payer: &Payer, now: Instant, cause: uuid::Uuid) -> EntryHead {
    EntryHead {
        id: app.ids.new_id(now, payer.account.slot()),
        account: payer.account,
        currency: payer.currency,
        at: now,
        cause,
    }
}

/// Books a captured payment: it settles bills wholly or in part, and what is left becomes credit of the account. With
/// an idempotency key, a call that is sent again gives the first receipt.
pub async fn capture(
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
    // The credit's lock comes first: it serialises all money of the account.
    payment::lock_credit(&work, payer.account, payer.currency).await?;
    let id: PaymentId = app.ids.new_id(now, payer.account.slot());
    let paid = (id, new.amount.minor, new.channel.as_str());
    let allocation = book(app, &work, &payer, paid, &new.bills, false, now).await?;
    let row = NewPayment {
        id,
        account: payer.account,
        customer: payer.customer,
        status: PaymentStatus::Captured,
        channel: new.channel.clone(),
        currency: payer.currency,
        amount_minor: new.amount.minor,
        unallocated_minor: allocation.rest_minor,
        date: now,
        body: document(id, &new, &payer, &allocation, now),
    };
    payment::insert(&work, &row).await?;
    work.emit(event(app, context, &payer, &row, &allocation));
    let receipt = PaymentReceipt {
        id,
        allocated: allocation.applied,
        credit_minor: allocation.rest_minor,
    };
    idempotency::keep(&work, context, 201, &receipt).await?;
    work.commit().await?;
    Ok(receipt)
}

/// Books money that is ours now: it pays the bills that are named, or all, and the rest is credit of the account, whose
/// lock must be held. `lenient` leaves out named bills that are no longer open: the money came, whatever was wanted.
async fn book(
    app: &App,
    work: &UnitOfWork,
    payer: &Payer,
    (id, amount_minor, channel): (PaymentId, i64, &str),
    named: &[WantedBill],
    lenient: bool,
    now: Instant,
) -> Result<Allocation, AppError> {
    let mut open = customer_bill::lock_open(work, payer.account).await?;
    if lenient && !named.is_empty() {
        open.retain(|row| named.iter().any(|wanted| wanted.bill == row.id));
    } else {
        open = wanted(named, open)?;
    }
    let allocation = allocate(amount_minor, &limits(&open, named));
    let source = (AllocationKind::Payment, id.uuid());
    settle(app, work, payer, &open, &allocation, source, now).await?;
    payment::add_credits(work, &[(payer.account, allocation.rest_minor)], now).await?;
    let entry = ledger::payment_captured(
        head(app, payer, now, id.uuid()),
        channel,
        amount_minor - allocation.rest_minor,
        allocation.rest_minor,
    )?;
    bss_store::ledger::post(work, &Vec::from_iter(entry)).await?;
    Ok(allocation)
}

fn check(new: &CapturedPayment, payer: &Payer) -> Result<(), Refusal> {
    if new.amount.currency != payer.currency {
        let message = format!("the account is in {}", payer.currency);
        return Err(Refusal::invalid(
            "wrongCurrency",
            "amount.unit",
            new.amount.currency,
            message,
        ));
    }
    if new.amount.minor <= 0 {
        let message = "a payment is more than nothing";
        return Err(Refusal::invalid(
            "wrongAmount",
            "amount.value",
            new.amount,
            message,
        ));
    }
    if new.channel.is_empty() {
        return Err(Refusal::missing("channel.name"));
    }
    Ok(())
}

/// The open bills that a payment names, in its order; all of them where it names none.
fn wanted(named: &[WantedBill], open: Vec<BillRow>) -> Result<Vec<BillRow>, Refusal> {
    if named.is_empty() {
        return Ok(open);
    }
    let mut found: Vec<BillRow> = Vec::with_capacity(named.len());
    for (place, id) in named.iter().map(|wanted| wanted.bill).enumerate() {
        let row = open.iter().find(|row| row.id == id).ok_or_else(|| {
            let message = "this account has no open bill of this id";
            Refusal::invalid(
                "unknownBill",
                format!("paymentItem[{place}].item.id"),
                id,
                message,
            )
        })?;
        if found.iter().any(|known| known.id == id) {
            let message = "a bill is named once";
            return Err(Refusal::invalid(
                "billTwice",
                format!("paymentItem[{place}].item.id"),
                id,
                message,
            ));
        }
        found.push(row.clone());
    }
    Ok(found)
}

/// What is open of bills, at most what the payment is to pay of them.
fn limits(open: &[BillRow], named: &[WantedBill]) -> Vec<OpenBill> {
    let mut limits = customer_bill::open(open);
    for limit in &mut limits {
        let wanted = named.iter().find(|wanted| wanted.bill == limit.bill);
        if let Some(amount) = wanted.and_then(|wanted| wanted.amount_minor) {
            limit.open_minor = limit.open_minor.min(amount);
        }
    }
    limits
}

/// Writes what money pays for, and what is open of the bills then.
pub(crate) async fn settle(
    app: &App,
    work: &UnitOfWork,
    payer: &Payer,
    open: &[BillRow],
    allocation: &Allocation,
    (kind, source): (AllocationKind, uuid::Uuid),
    now: Instant,
) -> Result<(), AppError> {
    let mut rows = Vec::new();
    for (bill, amount_minor) in &allocation.applied {
        let Some(row) = open.iter().find(|row| row.id == *bill) else {
            continue;
        };
        let left = row.open_minor - amount_minor;
        let state = row.state.after_payment(row.due_minor, left)?;
        customer_bill::set_open(work, row, state, left, now).await?;
        let id: PaymentId = app.ids.new_id(now, payer.account.slot());
        rows.push(NewAllocation {
            id: id.uuid(),
            account: payer.account,
            bill: *bill,
            kind,
            source,
            amount_minor: *amount_minor,
            at: now,
        });
    }
    payment::insert_allocations(work, &rows).await?;
    Ok(())
}

/// What a payment paid for, as TMF676 shows it.
fn items(allocation: &Allocation, currency: Currency) -> Vec<Value> {
    let item = |(bill, minor): &(CustomerBillId, i64)| json!({"amount": Money::new(*minor, currency), "item": {"id": bill, "@referredType": "CustomerBill"}});
    allocation.applied.iter().map(item).collect()
}

/// A channel as TMF676 shows it: it has no other id than its name.
fn channel_reference(name: &str) -> Value {
    json!({"id": name, "name": name})
}

/// The document as TMF676 shows it.
fn document(
    id: PaymentId,
    new: &CapturedPayment,
    payer: &Payer,
    allocation: &Allocation,
    now: Instant,
) -> Value {
    let amount = |minor| json!(Money::new(minor, payer.currency));
    let mut document = Value::Object(new.extra.clone());
    let ours = json!({
        "id": id,
        "status": PaymentStatus::Captured.name(),
        "statusDate": now,
        "paymentDate": now,
        "account": Reference::to(payer.account.uuid(), "BillingAccount"),
        "payer": {"id": payer.customer, "role": "customer", "@referredType": "Customer"},
        "channel": channel_reference(&new.channel),
        "amount": amount(new.amount.minor),
        "totalAmount": amount(new.amount.minor),
        "unallocatedAmount": amount(allocation.rest_minor),
        "paymentItem": items(allocation, payer.currency),
        "@type": "Payment",
    });
    if let (Some(document), Value::Object(ours)) = (document.as_object_mut(), ours) {
        document.extend(ours);
    }
    document
}

fn event(
    app: &App,
    context: &RequestContext,
    payer: &Payer,
    row: &NewPayment,
    allocation: &Allocation,
) -> bss_events::NewEvent {
    let amount = |minor| json!(Money::new(minor, payer.currency));
    let bills: Vec<Value> = allocation
        .applied
        .iter()
        .map(|(bill, minor)| json!({"customerBill": bill, "amount": amount(*minor)}))
        .collect();
    app.event(
        context,
        row.date,
        (Topic::Payment, "PaymentCreateEvent"),
        (payer.customer.uuid(), row.id.uuid()),
        json!({
            "payment": row.id,
            "billingAccount": payer.account,
            "status": row.status.name(),
            "amount": amount(row.amount_minor),
            "unallocatedAmount": amount(row.unallocated_minor),
            "allocation": bills,
        }),
    )
}

/// Pays open bills from the account's credit, the one that is due first in front. Gives what was applied.
pub async fn apply_credit(
    app: &App,
    context: &RequestContext,
    account: BillingAccountId,
) -> Result<Vec<(CustomerBillId, i64)>, AppError> {
    let mut work = app.store.begin(context.scope()).await?;
    let now = app.clock.now();
    let payer = payer(&work, account).await?;
    let credit = payment::lock_credit(&work, account, payer.currency).await?;
    let open = customer_bill::lock_open(&work, account).await?;
    let allocation = allocate(credit, &customer_bill::open(&open));
    let applied_minor = credit - allocation.rest_minor;
    if applied_minor > 0 {
        let cause: PaymentId = app.ids.new_id(now, account.slot());
        settle(
            app,
            &work,
            &payer,
            &open,
            &allocation,
            (AllocationKind::Credit, cause.uuid()),
            now,
        )
        .await?;
        payment::add_credits(&work, &[(account, -applied_minor)], now).await?;
        let entry = ledger::credit_applied(head(app, &payer, now, cause.uuid()), applied_minor)?;
        bss_store::ledger::post(&work, &Vec::from_iter(entry)).await?;
        let amount = json!(Money::new(applied_minor, payer.currency));
        work.emit(app.event(
            context,
            now,
            (Topic::Payment, "CreditAppliedEvent"),
            (payer.customer.uuid(), cause.uuid()),
            json!({"billingAccount": account, "amount": amount}),
        ));
    }
    work.commit().await?;
    Ok(allocation.applied)
}

/// Pays a bill from what a payment left unallocated, as far as the account still has that credit.
pub async fn allocate_rest(
    app: &App,
    context: &RequestContext,
    id: PaymentId,
    bill: CustomerBillId,
    amount: Money,
) -> Result<(), AppError> {
    let mut work = app.store.begin(context.scope()).await?;
    let not_found = || AppError::not_found("Payment", id);
    let rest = payment::rest(&work, id).await?.ok_or_else(not_found)?;
    let payer = payer(&work, rest.account).await?;
    let credit = payment::lock_credit(&work, payer.account, payer.currency).await?;
    let rest = payment::rest(&work, id).await?.ok_or_else(not_found)?;
    let named = WantedBill {
        bill,
        amount_minor: Some(amount.minor),
    };
    let open = wanted(&[named], customer_bill::lock_open(&work, payer.account).await?)?;
    let most = open[0].open_minor.min(credit).min(rest.unallocated_minor);
    if amount.currency != payer.currency || amount.minor <= 0 || amount.minor > most {
        let message = format!(
            "at most {} can be moved to this bill",
            Money::new(most, payer.currency)
        );
        return Err(Refusal::invalid("wrongAmount", "amount", amount, message).into());
    }
    let now = app.clock.now();
    let allocation = allocate(amount.minor, &limits(&open, &[named]));
    let cause: PaymentId = app.ids.new_id(now, payer.account.slot());
    let source = (AllocationKind::Payment, id.uuid());
    settle(app, &work, &payer, &open, &allocation, source, now).await?;
    payment::take_rest(&work, id, amount.minor, now).await?;
    let entry = ledger::credit_applied(head(app, &payer, now, cause.uuid()), amount.minor)?;
    bss_store::ledger::post(&work, &Vec::from_iter(entry)).await?;
    work.emit(app.event(
        context,
        now,
        (Topic::Payment, "CreditAppliedEvent"),
        (payer.customer.uuid(), cause.uuid()),
        json!({"billingAccount": payer.account, "payment": id, "customerBill": bill, "amount": amount}),
    ));
    work.commit().await?;
    Ok(())
}
