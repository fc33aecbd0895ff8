//! Writes the closing of some accounts in one transaction: claims, obligations, bills with their numbers, ledger.

use bss_domain::customer_bill::{AnomalyLimits, CustomerBill, compute};
use bss_domain::ids::{BillRunId, CustomerBillId};
use bss_domain::ledger::{self, EntryHead};
use bss_domain::money::round_half_away;
use bss_domain::{Currency, Instant, Interval, TypedId};
use bss_events::Topic;
use bss_store::bill_run::{self, DeferredRow, NewClaim};
use bss_store::bucket::{self, Versioned};
use bss_store::customer_bill::{self, NewBill};
use bss_store::payment::{self, AllocationKind, NewAllocation};
use bss_store::{StoreError, UnitOfWork};
use serde_json::json;

use super::close::ClosedPeriod;
use super::hold;
use crate::{App, AppError, RequestContext};

/// What a run is and how its bills are called.
#[derive(Debug, Clone)]
pub struct Writing {
    /// The run; none outside of one.
    pub run: Option<BillRunId>,
    /// Its moment.
    pub as_of: Instant,
    /// The series of its bills' numbers.
    pub series: String,
    /// How far from the usual a bill may be.
    pub limits: AnomalyLimits,
    /// Whether the run has counted these periods already.
    pub is_anew: bool,
}

/// What was written.
#[derive(Debug, Default)]
pub struct Written {
    /// Bills validated.
    pub bills: Vec<CustomerBill>,
    /// Bills on hold.
    pub on_hold: Vec<CustomerBillId>,
}

/// Computes and writes bills for closed periods, all or none: validated, or on hold where one is unusual.
pub async fn write(
    app: &App,
    context: &RequestContext,
    closed: Vec<ClosedPeriod>,
    writing: &Writing,
) -> Result<Written, AppError> {
    let mut work = app.store.begin_work(context.scope()).await?;
    let written = write_within(app, context, &mut work, closed, writing).await?;
    work.commit().await?;
    Ok(written)
}

/// The same within a unit of work, of which it is the end but for the commit.
pub async fn write_within(
    app: &App,
    context: &RequestContext,
    work: &mut UnitOfWork,
    closed: Vec<ClosedPeriod>,
    writing: &Writing,
) -> Result<Written, AppError> {
    let accounts = closed.len() as i64;
    claims(work, &closed, writing).await?;
    let computed = with_credit(work, closed).await?;
    let (computed, held) = hold::set_aside(work, computed, &writing.limits).await?;
    for held in &held {
        hold::write(app, context, work, held, writing).await?;
    }
    let bills = validate(app, context, work, computed, writing).await?;
    if let Some(run) = writing.run.filter(|_| !writing.is_anew) {
        bill_run::count(work, run, accounts, (bills.len() + held.len()) as i64).await?;
    }
    // Numbers come last: their series is held by whoever draws them until the commit.
    customer_bill::insert(work, &bills, &writing.series, writing.as_of).await?;
    Ok(Written {
        bills: bills.into_iter().map(|new| new.bill).collect(),
        on_hold: held.into_iter().map(|(closed, _)| closed.inputs.bill).collect(),
    })
}

/// Computes the bills of closed periods with the credit that their accounts have.
pub async fn with_credit(
    work: &UnitOfWork,
    mut closed: Vec<ClosedPeriod>,
) -> Result<Vec<(ClosedPeriod, CustomerBill)>, AppError> {
    let accounts: Vec<_> = closed
        .iter()
        .map(|closed| (closed.inputs.account, closed.inputs.currency))
        .collect();
    // Held to the end: nobody else allocates money of these accounts meanwhile.
    let credits = payment::lock_credits(work, &accounts).await?;
    for (closed, credit) in closed.iter_mut().zip(credits) {
        closed.inputs.credit_minor = credit;
    }
    closed
        .into_iter()
        .map(|closed| {
            let bill = compute(&closed.inputs)?;
            Ok((closed, bill))
        })
        .collect()
}

/// Writes all that validated bills mean but the bills themselves, which draw their numbers when all else is done.
pub async fn validate(
    app: &App,
    context: &RequestContext,
    work: &mut UnitOfWork,
    computed: Vec<(ClosedPeriod, CustomerBill)>,
    writing: &Writing,
) -> Result<Vec<NewBill>, AppError> {
    let mut bills = Vec::new();
    let mut entries = Vec::new();
    let mut deferred = Vec::new();
    roll_over(work, computed.iter().map(|(closed, _)| closed)).await?;
    for (closed, bill) in computed {
        let earned = earn(&closed, &bill, &mut deferred);
        let head = || head(app, &closed.inputs, writing.as_of);
        entries.extend(ledger::revenue_earned(head(), earned)?);
        if bill.lines.is_empty() {
            continue;
        }
        entries.extend(ledger::bill_validated(head(), &bill)?);
        entries.extend(ledger::credit_applied(head(), bill.credit_applied_minor)?);
        bills.push(NewBill {
            inputs: closed.inputs,
            bill,
            run: writing.run,
        });
    }
    money(app, work, &bills, writing).await?;
    bill_run::insert_deferred(work, &deferred).await?;
    bss_store::ledger::post(work, &entries).await?;
    customer_bill::insert_lines(work, &bills, writing.as_of).await?;
    for new in &bills {
        work.emit(created(app, context, new, writing.as_of));
    }
    Ok(bills)
}

fn head(app: &App, inputs: &bss_domain::customer_bill::BillInputs, at: Instant) -> EntryHead {
    EntryHead {
        id: app.ids.new_id(at, inputs.account.slot()),
        account: inputs.account,
        currency: inputs.currency,
        at,
        cause: inputs.bill.uuid(),
    }
}

/// What becomes revenue with this closing: of what was deferred before, and of this bill's own deferred lines.
fn earn(closed: &ClosedPeriod, bill: &CustomerBill, deferred: &mut Vec<DeferredRow>) -> i64 {
    let new = bill
        .lines
        .iter()
        .filter(|line| line.is_deferred(bill.period))
        .map(|line| DeferredRow {
            account: bill.account,
            bill: bill.id,
            line: line.number as i32,
            period: line.period,
            net_minor: line.net_minor,
            earned_minor: 0,
        });
    let mut sum = 0;
    for mut row in closed.deferred.iter().cloned().chain(new) {
        let earned = earned_through(row.net_minor, row.period, closed.inputs.period.to);
        sum += earned - row.earned_minor;
        row.earned_minor = earned;
        deferred.push(row);
    }
    sum
}

/// The part of a net amount that has been earned when a time has passed, in proportion to it.
fn earned_through(net_minor: i64, period: Interval, through: Instant) -> i64 {
    let passed = through.min(period.to).as_second() - period.from.as_second();
    let (passed, whole) = (passed.max(0), period.seconds());
    if whole == 0 {
        return net_minor;
    }
    round_half_away(i128::from(net_minor) * i128::from(passed), i128::from(whole)) as i64
}

async fn claims(work: &UnitOfWork, closed: &[ClosedPeriod], writing: &Writing) -> Result<(), StoreError> {
    let rows: Vec<NewClaim> = closed
        .iter()
        .map(|closed| NewClaim {
            account: closed.inputs.account,
            period: closed.inputs.period,
            watermark: closed.inputs.usage_claim.map_or(0, |claim| claim.watermark),
            bill: closed.inputs.bill,
            closing: closed.closing.clone(),
            late_closings: closed.late_closings.clone(),
        })
        .collect();
    bill_run::insert_claims(work, &rows, writing.as_of).await?;
    let obligations: Vec<_> = closed
        .iter()
        .flat_map(|closed| {
            let inputs = &closed.inputs;
            let row = move |obligation| (inputs.bill, inputs.account, inputs.currency, obligation);
            inputs.obligations.iter().map(row)
        })
        .collect();
    customer_bill::insert_obligations(work, &obligations).await?;
    let corrections: Vec<_> = closed
        .iter()
        .flat_map(|closed| closed.corrections.iter().cloned())
        .collect();
    bill_run::insert_corrections(work, &corrections).await
}

async fn roll_over(work: &UnitOfWork, closed: impl Iterator<Item = &ClosedPeriod>) -> Result<(), StoreError> {
    let rolled: Vec<_> = closed
        .flat_map(|closed| {
            closed.rolled.iter().map(|instance| Versioned {
                account: closed.inputs.account,
                version: 0,
                value: instance.clone(),
            })
        })
        .collect();
    bucket::save_buckets(work, &rolled).await
}

/// Credit that pays for bills, and credit that a bill gives back.
async fn money(app: &App, work: &UnitOfWork, bills: &[NewBill], writing: &Writing) -> Result<(), StoreError> {
    let applied: Vec<NewAllocation> = bills
        .iter()
        .filter(|new| new.bill.credit_applied_minor > 0)
        .map(|new| NewAllocation {
            id: app
                .ids
                .new_id::<CustomerBillId>(writing.as_of, new.bill.account.slot())
                .uuid(),
            account: new.bill.account,
            bill: new.bill.id,
            kind: AllocationKind::Credit,
            source: new.bill.id.uuid(),
            amount_minor: new.bill.credit_applied_minor,
            at: writing.as_of,
        })
        .collect();
    payment::insert_allocations(work, &applied).await?;
    let changes: Vec<_> = bills
        .iter()
        .map(|new| {
            (
                new.bill.account,
                -new.bill.credit_applied_minor - new.bill.total_minor.min(0),
            )
        })
        .collect();
    payment::add_credits(work, &changes, writing.as_of).await
}

fn created(app: &App, context: &RequestContext, new: &NewBill, now: Instant) -> bss_events::NewEvent {
    let shown = |minor: i64, currency: Currency| json!(bss_domain::Money::new(minor, currency));
    let bill = &new.bill;
    app.event(
        context,
        now,
        (Topic::Invoice, "CustomerBillCreateEvent"),
        (new.inputs.customer.uuid(), bill.id.uuid()),
        json!({
            "customerBill": bill.id,
            "billingAccount": bill.account,
            "category": bill.kind.name(),
            "periodFrom": bill.period.from,
            "periodTo": bill.period.to,
            "paymentDueDate": bill.payment_due_date,
            "taxIncludedAmount": shown(bill.total_minor, bill.currency),
            "amountDue": shown(bill.due_minor, bill.currency),
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_deferred_is_earned_to_the_cent_however_often_one_looks() {
        let period = Interval {
            from: Instant::from_second(0).unwrap(),
            to: Instant::from_second(300).unwrap(),
        };
        let at = |second| earned_through(-1_000, period, Instant::from_second(second).unwrap());
        assert_eq!(
            [at(-5), at(0), at(100), at(200), at(300), at(900)],
            [0, 0, -333, -667, -1_000, -1_000]
        );
    }
}
