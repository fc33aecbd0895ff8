//! Figures that are asked for at each scrape: pools, the clock, the log, the streams, usage files and bill runs.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use bss_app::App;
use bss_events::{EventLog, LogError, Topic};
use bss_store::identity::tenant;
use bss_store::{Scope, StoreError, bill_run, usage_file};
use bss_streams::runtime::{StreamMetrics, TopicCounts};
use bss_telemetry::metrics::{BillRunTotals, PoolUse, StreamOutcome, UsageOutcome};
use bss_telemetry::{Metrics, Sampler};

/// Who reads, in the sessions of a scrape.
const ACTOR: &str = "metrics";

/// Asks the process's parts, once there are some.
#[derive(Clone, Default)]
pub struct Figures {
    app: Arc<OnceLock<App>>,
    streams: Arc<OnceLock<StreamMetrics>>,
}

impl Figures {
    /// Asks this application from now on; the first one stays.
    pub fn follow(&self, app: App) {
        let _ = self.app.set(app);
    }

    /// Asks these counts from now on; the first ones stay.
    pub fn follow_streams(&self, counts: StreamMetrics) {
        let _ = self.streams.set(counts);
    }
}

impl Sampler for Figures {
    fn sample<'a>(&'a self, metrics: &'a Metrics) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async {
            if let Some(counts) = self.streams.get() {
                sample_streams(counts, metrics);
            }
            let Some(app) = self.app.get() else { return };
            sample_app(app, metrics);
            if let Err(error) = sample_log(app, metrics).await {
                tracing::warn!(%error, "the log's head is not shown");
            }
            if let Err(error) = sample_work(app, metrics).await {
                tracing::warn!(%error, "usage and bill runs are not shown");
            }
        })
    }
}

fn sample_app(app: &App, metrics: &Metrics) {
    for (pool, in_use, open, max, waiting) in app.store.pools() {
        let used = PoolUse {
            open: open as i64,
            in_use: in_use as i64,
            waiting: waiting as i64,
            max: max as i64,
        };
        metrics.store.set_pool(pool, used);
    }
    let offset_s = i64::try_from(app.clock.offset().as_secs()).unwrap_or(i64::MAX);
    metrics.store.set_clock_offset_s(offset_s);
}

async fn sample_log(app: &App, metrics: &Metrics) -> Result<(), LogError> {
    let mut heads: BTreeMap<Topic, i64> = BTreeMap::new();
    for extent in app.store.log().extents(Topic::ALL).await? {
        *heads.entry(extent.topic).or_default() += extent.head;
    }
    for (topic, head) in heads {
        metrics.store.set_log_head(topic.name(), head);
    }
    Ok(())
}

/// What any process may have done, commands among them, is counted in the database.
async fn sample_work(app: &App, metrics: &Metrics) -> Result<(), StoreError> {
    let tenants = tenant::all(&app.store).await?;
    let mut usage: BTreeMap<&str, (UsageOutcome, i64)> = BTreeMap::new();
    let mut runs = BillRunTotals::default();
    for tenant in tenants {
        let session = app.store.read(Scope::new(tenant, ACTOR)).await?;
        let (taken, charged) = usage_file::totals(&session).await?;
        let of_tenant = bill_run::counts(&session).await?;
        session.finish()?;
        for (name, outcome, records) in [
            ("accepted", UsageOutcome::Accepted, taken.accepted),
            (
                "rejected",
                UsageOutcome::Rejected,
                taken.rejected + charged.rejected,
            ),
            (
                "duplicate",
                UsageOutcome::Duplicate,
                taken.duplicates + charged.duplicates,
            ),
            ("not charged", UsageOutcome::NotCharged, taken.not_charged),
            ("rated", UsageOutcome::Rated, charged.rated),
        ] {
            usage.entry(name).or_insert((outcome, 0)).1 += records;
        }
        runs.running += of_tenant.running.unsigned_abs();
        runs.done += of_tenant.done.unsigned_abs();
        runs.accounts += of_tenant.accounts.unsigned_abs();
        runs.bills += of_tenant.bills.unsigned_abs();
    }
    for (outcome, records) in usage.into_values() {
        metrics.usage.count_to(outcome, records.unsigned_abs());
    }
    metrics.bill_runs.set(runs);
    Ok(())
}

fn sample_streams(counts: &StreamMetrics, metrics: &Metrics) {
    for (group, of_group) in counts.groups() {
        for (topic, of_topic) in of_group.topics() {
            sample_topic(&group, topic.name(), &of_topic, metrics);
        }
    }
}

fn sample_topic(group: &str, topic: &str, counts: &TopicCounts, metrics: &Metrics) {
    let parked = counts.parked.load(Ordering::Relaxed);
    let released = counts.released.load(Ordering::Relaxed);
    let totals = [
        (StreamOutcome::Processed, counts.records.load(Ordering::Relaxed)),
        (StreamOutcome::Retried, counts.retries.load(Ordering::Relaxed)),
        (StreamOutcome::Parked, parked),
    ];
    for (outcome, total) in totals {
        metrics.streams.count_to(group, topic, outcome, total);
    }
    metrics
        .streams
        .set_lag(group, topic, counts.lag.load(Ordering::Relaxed));
    metrics
        .streams
        .set_parked(group, topic, parked.saturating_sub(released) as i64);
}
