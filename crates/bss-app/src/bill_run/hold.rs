//! Bills on hold: an anomaly is looked at by a person before anything is posted or a number drawn.
//!
//! Such a bill has claimed its period, so no other run bills it; its account closes nothing more until the bill is
//! released as it is, or computed anew with its claims and its watermark.

use bss_domain::customer_bill::{
    Anomaly, AnomalyLimits, BillInputs, CustomerBill, CustomerBillState, compute,
};
use bss_domain::ids::CustomerBillId;
use bss_domain::{Instant, Refusal, TypedId};
use bss_events::Topic;
use bss_store::UnitOfWork;
use bss_store::bill_run as store;
use bss_store::customer_bill::{self, BillRow, NewBill};
use bss_store::payment;
use serde_json::json;

use super::close::{ClosedPeriod, close};
use super::load::load;
use super::round::uncharged;
use super::write::{Writing, validate, with_credit, write_within};
use super::{BillRunOptions, PriceBook};
use crate::payment::payer;
use crate::{App, AppError, RequestContext};

/// A period whose bill is held, and why.
pub type HeldPeriod = (ClosedPeriod, Anomaly);

/// Parts the bills that may be validated from those that are held.
pub async fn set_aside(
    work: &UnitOfWork,
    computed: Vec<(ClosedPeriod, CustomerBill)>,
    limits: &AnomalyLimits,
) -> Result<(Vec<(ClosedPeriod, CustomerBill)>, Vec<HeldPeriod>), AppError> {
    let asked: Vec<_> = computed
        .iter()
        .filter(|(_, bill)| limits.may_hold(bill.total_minor, bill.currency))
        .map(|(_, bill)| bill.account)
        .collect();
    let usual = customer_bill::usual(work, &asked).await?;
    let (mut fine, mut held) = (Vec::with_capacity(computed.len()), Vec::new());
    for (mut closed, bill) in computed {
        let last = usual.get(&bill.account).map_or(&[][..], Vec::as_slice);
        match limits.look(bill.total_minor, bill.currency, last) {
            None => fine.push((closed, bill)),
            Some(anomaly) => {
                // Credit stays the account's until the bill is released.
                closed.inputs.credit_minor = 0;
                held.push((closed, anomaly));
            }
        }
    }
    Ok((fine, held))
}

/// Writes a bill on hold with its lines.
pub async fn write(
    app: &App,
    context: &RequestContext,
    work: &mut UnitOfWork,
    (closed, anomaly): &HeldPeriod,
    writing: &Writing,
) -> Result<(), AppError> {
    let new = NewBill {
        inputs: closed.inputs.clone(),
        bill: compute(&closed.inputs)?,
        run: writing.run,
    };
    customer_bill::hold(work, &new, anomaly, &writing.series).await?;
    work.emit(app.event(
        context,
        writing.as_of,
        (Topic::Invoice, "CustomerBillStateChangeEvent"),
        (new.inputs.customer.uuid(), new.bill.id.uuid()),
        json!({"customerBill": new.bill.id, "billingAccount": new.bill.account,
               "state": CustomerBillState::OnHold.name(), "code": anomaly.code}),
    ));
    Ok(customer_bill::insert_lines(work, &[new], writing.as_of).await?)
}

/// A bill on hold, held until the end of the transaction, its account's credit before it as everywhere; refused where
/// it isn't on hold.
async fn held(work: &UnitOfWork, id: CustomerBillId) -> Result<BillRow, AppError> {
    let not_found = || AppError::not_found("CustomerBill", id);
    let account = customer_bill::account(work, id).await?.ok_or_else(not_found)?;
    let payer = payer(work, account).await?;
    payment::lock_credit(work, payer.account, payer.currency).await?;
    let row = customer_bill::lock(work, id).await?.ok_or_else(not_found)?;
    // Released or computed anew, it is a new one first.
    row.state.to(CustomerBillState::New)?;
    Ok(row)
}

fn writing(options: &BillRunOptions, as_of: Instant) -> Writing {
    Writing {
        run: None,
        as_of,
        series: options.series.clone(),
        limits: options.limits,
        is_anew: true,
    }
}

/// Validates a bill on hold as it is, dated now: the account's credit is applied, it gets its number, and the ledger
/// has it.
pub async fn release(
    app: &App,
    context: &RequestContext,
    id: CustomerBillId,
    options: &BillRunOptions,
) -> Result<CustomerBill, AppError> {
    let mut work = app.store.begin_work(context.scope()).await?;
    let row = held(&work, id).await?;
    let stored = customer_bill::computation(&work, id).await?;
    let stored = stored.ok_or_else(|| AppError::not_found("CustomerBill", id))?;
    let inputs: BillInputs = serde_json::from_slice(&stored.inputs).map_err(AppError::internal)?;
    let now = app.clock.now();
    let slot = row.account.slot().sql();
    let prices = PriceBook::load(&work).await?;
    let closing = customer_bill::claimed_closing(&work, id).await?;
    let kept = closing.open(|price| prices.allowance(price)).allowances;
    let rolled = kept
        .into_iter()
        .filter(|instance| instance.rolled_over && instance.window.from == inputs.period.to);
    let mut deferred = store::deferred(&work, slot..=slot).await?;
    let closed = ClosedPeriod {
        rolled: rolled.collect(),
        deferred: deferred.remove(&row.account).unwrap_or_default(),
        inputs: BillInputs {
            drawn_up_at: now,
            ..inputs
        },
        closing,
        late_closings: Vec::new(),
        corrections: Vec::new(),
    };
    let mut writing = writing(options, now);
    writing.run = customer_bill::take_back(&work, id).await?;
    let computed = with_credit(&work, vec![closed]).await?;
    let bills = validate(app, context, &mut work, computed, &writing).await?;
    customer_bill::insert(&work, &bills, &writing.series, now).await?;
    work.commit().await?;
    let bill = bills.into_iter().next();
    bill.map(|new| new.bill)
        .ok_or_else(|| AppError::internal(format!("bill {id} on hold has no lines")))
}

/// Computes a bill on hold anew from what stands now: bill, claims and watermark are replaced together. It is
/// validated where nothing about it is unusual any more. Gives the state that it has then; none where nothing is left
/// to bill.
pub async fn compute_anew(
    app: &App,
    context: &RequestContext,
    id: CustomerBillId,
    options: &BillRunOptions,
) -> Result<Option<CustomerBillState>, AppError> {
    let mut work = app.store.begin_work(context.scope()).await?;
    let account = held(&work, id).await?.account;
    // Asked, not waited for: whoever runs may wait for the account meanwhile.
    if !store::try_lock(&work).await? {
        let message = "a bill run of this tenant is going on: wait for its end";
        return Err(Refusal::conflict("billRunGoingOn", message).into());
    }
    let mut writing = writing(options, app.clock.now());
    writing.run = customer_bill::take_back(&work, id).await?;
    customer_bill::take_claim_back(&work, id).await?;
    let slot = account.slot().sql();
    // Read before the usage: what was rated up to it is visible to the scan, and nothing beyond it is taken.
    let watermarks = store::watermarks(&work).await?;
    let prices = PriceBook::load(&work).await?;
    let rows = store::accounts(&work, slot..=slot, Some(account)).await?;
    let data = load(&work, slot..=slot, rows, &watermarks, &prices).await?;
    let data = data
        .first()
        .ok_or_else(|| AppError::not_found("BillingAccount", account))?;
    if let Some(reason) = uncharged(data, &prices) {
        return Err(Refusal::conflict("priceUnreadable", reason).into());
    }
    let closed = close(data, &prices, writing.as_of, options.due_days)?;
    let written = write_within(app, context, &mut work, vec![closed], &writing).await?;
    work.commit().await?;
    Ok(if written.on_hold.is_empty() {
        written.bills.first().map(CustomerBill::first_state)
    } else {
        Some(CustomerBillState::OnHold)
    })
}
