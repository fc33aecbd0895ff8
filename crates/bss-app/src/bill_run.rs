//! Bill runs: close the periods that are due, each account in its own zone, once.
//!
//! A period closes after its end plus a grace, after its predecessor, and after charging has passed the head of the
//! log as it stood when the run began. A run reads groups of accounts on one snapshot and writes 300 of them in a
//! transaction. It may be stopped at any point: the claims say what is done, ids and dates of bills don't depend on
//! when they were written, so taken up again it draws up the same bills.

mod close;
mod hold;
mod load;
mod preview;
mod price_book;
mod round;
mod verify;
mod write;

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use bss_domain::customer_bill::AnomalyLimits;
use bss_domain::ids::{BillRunId, BillingAccountId};
use bss_domain::{Instant, Refusal};
use bss_store::UnitOfWork;
use bss_store::bill_run as store;
use tokio_util::sync::CancellationToken;

use crate::{App, AppError, RequestContext, prepaid};
use load::Watermarks;
use round::Round;
use write::Writing;

pub use bss_store::bill_run::BillRunScope;
pub use hold::{compute_anew, release};
pub use preview::{BillPreview, OrderPreview, preview, preview_order};
pub use price_book::PriceBook;
pub use verify::{BillDifference, VerifyReport, verify, verify_all};

/// How a run works.
#[derive(Debug, Clone)]
pub struct BillRunOptions {
    /// How long after its end a period waits for late usage.
    pub grace: Duration,
    /// Days until a bill is due.
    pub due_days: u16,
    /// The series of the bills' numbers.
    pub series: String,
    /// How long, in real time, charging is waited for.
    pub patience: Duration,
    /// Accounts that are read together.
    pub accounts_per_scan: usize,
    /// Accounts that are written together.
    pub accounts_per_transaction: usize,
    /// How far from the usual a bill may be before it is held.
    pub limits: AnomalyLimits,
}

impl Default for BillRunOptions {
    fn default() -> Self {
        Self {
            grace: Duration::from_hours(24),
            due_days: 14,
            series: "INV".to_owned(),
            patience: Duration::from_mins(1),
            accounts_per_scan: 4_000,
            accounts_per_transaction: 300,
            limits: AnomalyLimits::default(),
        }
    }
}

/// An account whose period is due and can't be closed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedAccount {
    /// The account.
    pub billing_account: BillingAccountId,
    /// Why.
    pub reason: String,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BillRunReport {
    /// The run.
    pub id: BillRunId,
    /// Its moment.
    pub as_of: Instant,
    /// Whether it took up a run that had been stopped.
    pub resumed: bool,
    /// Periods closed.
    pub closed: u64,
    /// Bills drawn up, those on hold among them; a period without charges needs none.
    pub bills: u64,
    /// Bills that wait on hold until somebody has looked at them.
    pub on_hold: u64,
    /// Accounts whose period is due and waits for charging.
    pub waiting: u64,
    /// Accounts whose period is due and can't be closed, at most 100 of them; the next run tries again.
    pub failed: Vec<FailedAccount>,
    /// Whether it was stopped before its end.
    pub stopped: bool,
    /// The totals with tax of the bills validated, minor units, by currency.
    pub total_minor: BTreeMap<String, i64>,
}

/// A run that has begun: no other one of the tenant can, as long as this stands.
pub struct StartedRun {
    lock: UnitOfWork,
    began: store::BillRunRow,
}

/// Begins a run, or takes up the one that was stopped; refused where one is going on.
pub async fn start(app: &App, context: &RequestContext, scope: BillRunScope) -> Result<StartedRun, AppError> {
    let lock = app.store.begin_work(context.scope()).await?;
    if !store::try_lock(&lock).await? {
        let message = "another bill run of this tenant is going on: wait for its end, or stop it";
        return Err(Refusal::conflict("billRunGoingOn", message).into());
    }
    let began = begin(app, context, scope).await?;
    Ok(StartedRun { lock, began })
}

/// Takes up the run that was stopped, by a crash or in order, unless somebody is at it.
pub async fn resume(app: &App, context: &RequestContext) -> Result<Option<StartedRun>, AppError> {
    let session = app.store.read(context.scope()).await?;
    let unfinished = store::unfinished(&session).await?;
    session.finish()?;
    if unfinished.is_none() {
        return Ok(None);
    }
    let lock = app.store.begin_work(context.scope()).await?;
    if !store::try_lock(&lock).await? {
        return Ok(None);
    }
    // Whoever was at it may have come to its end in between.
    let began = store::unfinished(&lock).await?;
    Ok(began.map(|began| StartedRun { lock, began }))
}

/// Whether a run over all accounts is due that starts every day at an hour of UTC's day: none has since that hour.
pub async fn is_due_daily(app: &App, context: &RequestContext, hour: u8) -> Result<bool, AppError> {
    let session = app.store.read(context.scope()).await?;
    let latest = store::latest(&session).await?;
    session.finish()?;
    Ok(latest.is_none_or(|latest| latest < last_start(app.clock.now(), hour)))
}

/// The last start at or before an instant.
fn last_start(now: Instant, hour: u8) -> Instant {
    const DAY_S: i64 = 86_400;
    let into_day_s = i64::from(hour) * 3_600;
    let days = (now.as_second() - into_day_s).div_euclid(DAY_S);
    Instant::from_second(days * DAY_S + into_day_s).unwrap_or(Instant::MIN)
}

impl StartedRun {
    /// The run's id.
    pub fn id(&self) -> BillRunId {
        self.began.id
    }
}

/// Closes all periods that are due, until none is or until it is stopped. A run that was stopped is taken up first,
/// with what it was asked for.
pub async fn run(
    app: &App,
    context: &RequestContext,
    options: &BillRunOptions,
    stop: &CancellationToken,
) -> Result<BillRunReport, AppError> {
    let started = start(app, context, BillRunScope::default()).await?;
    finish(app, context, started, options, stop).await
}

/// Goes on with a run that has begun, to its end or until it is stopped.
pub async fn finish(
    app: &App,
    context: &RequestContext,
    StartedRun { lock, began }: StartedRun,
    options: &BillRunOptions,
    stop: &CancellationToken,
) -> Result<BillRunReport, AppError> {
    let mut report = BillRunReport {
        id: began.id,
        as_of: began.as_of,
        resumed: began.resumed,
        closed: 0,
        bills: 0,
        on_hold: 0,
        waiting: 0,
        failed: Vec::new(),
        stopped: false,
        total_minor: BTreeMap::new(),
    };
    prepaid::post_use(app, context).await?;
    let heads = positions(app, context).await?;
    let ready = wait_for_charging(app, context, &heads, options.patience, stop).await?;
    report.stopped = stop.is_cancelled();
    let writing = Writing {
        run: Some(began.id),
        as_of: began.as_of,
        series: options.series.clone(),
        limits: options.limits,
        is_anew: false,
    };
    while !report.stopped {
        let round = Round {
            app,
            context,
            options,
            scope: began.scope,
            writing: &writing,
        };
        if round.close(&ready, stop, &mut report).await? == 0 {
            break;
        }
    }
    if !report.stopped {
        let work = app.store.begin_work(context.scope()).await?;
        let failed = serde_json::to_value(&report.failed).map_err(AppError::internal)?;
        store::finish(&work, began.id, (report.waiting, &failed), app.clock.now()).await?;
        work.commit().await?;
    }
    lock.rollback().await?;
    Ok(report)
}

async fn begin(
    app: &App,
    context: &RequestContext,
    scope: BillRunScope,
) -> Result<store::BillRunRow, AppError> {
    let work = app.store.begin_work(context.scope()).await?;
    let now = app.clock.now();
    let began = store::begin(&work, app.ids.new_shared_id(now), scope, now).await?;
    work.commit().await?;
    Ok(began)
}

async fn positions(app: &App, context: &RequestContext) -> Result<Watermarks, AppError> {
    let session = app.store.snapshot(context.scope()).await?;
    let found = store::watermarks(&session).await?;
    session.finish()?;
    Ok(found)
}

/// The partitions in which charging has passed the heads; waits for the others as long as patience lasts, or until it
/// is stopped.
async fn wait_for_charging(
    app: &App,
    context: &RequestContext,
    heads: &Watermarks,
    patience: Duration,
    stop: &CancellationToken,
) -> Result<HashSet<u16>, AppError> {
    let until = tokio::time::Instant::now() + patience;
    loop {
        let now = positions(app, context).await?;
        let ready: HashSet<u16> = heads
            .iter()
            .filter(|(partition, (_, head))| now.get(partition).is_some_and(|(position, _)| position >= head))
            .map(|(partition, _)| *partition)
            .collect();
        if ready.len() == heads.len() || stop.is_cancelled() || tokio::time::Instant::now() >= until {
            return Ok(ready);
        }
        stop.run_until_cancelled(tokio::time::sleep(Duration::from_millis(100)))
            .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_days_start_is_the_last_one_at_that_hour() {
        let at = |text: &str| text.parse::<Instant>().unwrap();
        for (now, hour, start) in [
            ("2026-03-01T02:59:59Z", 3, "2026-02-28T03:00:00Z"),
            ("2026-03-01T03:00:00Z", 3, "2026-03-01T03:00:00Z"),
            ("2026-03-01T23:59:59Z", 0, "2026-03-01T00:00:00Z"),
            ("1969-12-31T12:00:00Z", 23, "1969-12-30T23:00:00Z"),
        ] {
            assert_eq!(last_start(at(now), hour), at(start), "{now} {hour}");
        }
    }
}
