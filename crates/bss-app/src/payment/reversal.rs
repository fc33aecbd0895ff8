//! Chargebacks, by which a channel takes a payment back, and debts that are given up.

use bss_domain::ids::{CustomerBillId, PaymentId};
use bss_domain::payment::{PAID, PaymentStatus, allocate};
use bss_domain::{Instant, Money, Refusal, TypedId, ledger};
use bss_events::Topic;
use bss_store::payment::{self, AllocationKind, NewAllocation, PaymentRow};
use bss_store::{UnitOfWork, customer_bill};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{head, payer, settle, status};
use crate::{App, AppError, RequestContext, idempotency};

/// What a reversal did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReversalReceipt {
    /// The chargeback: what caused its ledger entry.
    pub id: PaymentId,
    /// Bills that are open again by so much, minor units.
    pub reopened: Vec<(CustomerBillId, i64)>,
    /// What was taken from the account's credit, minor units.
    pub from_credit_minor: i64,
}

/// The channel took a payment back, wholly or in part; from the bank where it had settled it. First goes what the
/// payment left as credit, then the bills that it paid are open again, the one that was paid last in front, and then
/// those that credit of the account paid.
pub async fn chargeback(
    app: &App,
    context: &RequestContext,
    id: PaymentId,
    amount: Option<Money>,
) -> Result<ReversalReceipt, AppError> {
    let mut work = app.store.begin(context.scope()).await?;
    if let Some(receipt) = idempotency::replay(&work, context).await? {
        return Ok(receipt);
    }
    let now = app.clock.now();
    let (row, payer, credit_minor) = status::hold(&work, id).await?;
    let minor = wanted(&row, amount)?;
    let own_minor = row.unallocated_minor.min(minor);
    let mut rest_minor = minor - own_minor;
    let reopened = reopen(app, &work, &row, &mut rest_minor, now).await?;
    // Left is what came from credit that others brought: it must be there still.
    if rest_minor > credit_minor - own_minor {
        let message = "what this payment left as credit was paid out: bill the customer for it";
        return Err(Refusal::conflict("creditSpent", message).into());
    }
    payment::take_rest(&work, id, own_minor, now).await?;
    payment::add_credits(&work, &[(payer.account, -rest_minor)], now).await?;
    payment::count_reversed(&work, id, minor).await?;
    let from_credit_minor = own_minor + rest_minor;
    let cause: PaymentId = app.ids.new_id(now, payer.account.slot());
    let entry = ledger::chargeback(
        head(app, &payer, now, cause.uuid()),
        &row.channel,
        minor - from_credit_minor,
        from_credit_minor,
        row.status == PaymentStatus::Done,
    )?;
    bss_store::ledger::post(&work, &Vec::from_iter(entry)).await?;
    work.emit(app.event(
        context,
        now,
        (Topic::Payment, "ChargebackCreateEvent"),
        (payer.customer.uuid(), cause.uuid()),
        json!({"billingAccount": payer.account, "payment": id, "amount": Money::new(minor, row.currency)}),
    ));
    let receipt = ReversalReceipt {
        id: cause,
        reopened,
        from_credit_minor,
    };
    idempotency::keep(&work, context, 201, &receipt).await?;
    work.commit().await?;
    Ok(receipt)
}

/// How much goes back, minor units: at most what didn't go back before.
fn wanted(row: &PaymentRow, amount: Option<Money>) -> Result<i64, Refusal> {
    if !PAID.contains(&row.status) {
        let message = format!("a payment that is {} brought no money", row.status.name());
        return Err(Refusal::conflict("notCaptured", message));
    }
    let kept = Money::new(row.kept_minor(), row.currency);
    let amount = amount.unwrap_or(kept);
    if amount.currency != row.currency || amount.minor <= 0 || amount.minor > kept.minor {
        let message = format!("{kept} of the payment is left");
        return Err(Refusal::invalid("wrongAmount", "amount", amount, message));
    }
    Ok(amount.minor)
}

/// Opens bills again: those that the payment paid, then those that credit of the account paid, the last one in front.
async fn reopen(
    app: &App,
    work: &UnitOfWork,
    row: &PaymentRow,
    rest_minor: &mut i64,
    now: Instant,
) -> Result<Vec<(CustomerBillId, i64)>, AppError> {
    let mut reopened = Vec::new();
    let mut reversals = Vec::new();
    for paid in payment::paid_by(work, row.account, row.id).await? {
        let minor = paid.amount_minor.min(*rest_minor);
        if minor == 0 {
            continue;
        }
        let bill = customer_bill::lock(work, paid.bill)
            .await?
            .ok_or_else(|| AppError::internal("a bill that was paid is gone"))?;
        let open = bill.open_minor + minor;
        let state = bill.state.after_payment(bill.due_minor, open)?;
        customer_bill::set_open(work, &bill, state, open, now).await?;
        *rest_minor -= minor;
        reopened.push((paid.bill, minor));
        reversals.push(NewAllocation {
            id: app.ids.new_id::<PaymentId>(now, row.account.slot()).uuid(),
            account: row.account,
            bill: paid.bill,
            kind: paid.kind,
            source: paid.source,
            amount_minor: -minor,
            at: now,
        });
    }
    payment::insert_allocations(work, &reversals).await?;
    Ok(reopened)
}

/// A debt that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WriteOffReceipt {
    /// The write-off.
    pub id: Uuid,
    /// How much, minor units.
    pub amount_minor: i64,
}

/// Gives up what is open of a bill.
pub async fn write_off(
    app: &App,
    context: &RequestContext,
    bill: CustomerBillId,
    reason: &str,
) -> Result<WriteOffReceipt, AppError> {
    let mut work = app.store.begin(context.scope()).await?;
    if let Some(receipt) = idempotency::replay(&work, context).await? {
        return Ok(receipt);
    }
    let now = app.clock.now();
    let not_found = || AppError::not_found("CustomerBill", bill);
    let account = customer_bill::account(&work, bill).await?.ok_or_else(not_found)?;
    let payer = payer(&work, account).await?;
    payment::lock_credit(&work, payer.account, payer.currency).await?;
    let row = customer_bill::lock(&work, bill).await?.ok_or_else(not_found)?;
    let amount_minor = row.open_minor;
    if amount_minor == 0 {
        return Err(Refusal::conflict("nothingOpen", "nothing of this bill is open").into());
    }
    let id: PaymentId = app.ids.new_id(now, payer.account.slot());
    let allocation = allocate(amount_minor, &customer_bill::open(std::slice::from_ref(&row)));
    let source = (AllocationKind::WriteOff, id.uuid());
    settle(app, &work, &payer, &[row], &allocation, source, now).await?;
    let entry = ledger::write_off(head(app, &payer, now, id.uuid()), amount_minor)?;
    bss_store::ledger::post(&work, &Vec::from_iter(entry)).await?;
    work.emit(app.event(
        context,
        now,
        (Topic::Payment, "WriteOffCreateEvent"),
        (payer.customer.uuid(), id.uuid()),
        json!({"billingAccount": payer.account, "customerBill": bill, "reason": reason,
               "amount": Money::new(amount_minor, payer.currency)}),
    ));
    let receipt = WriteOffReceipt {
        id: id.uuid(),
        amount_minor,
    };
    idempotency::keep(&work, context, 201, &receipt).await?;
    work.commit().await?;
    Ok(receipt)
}
