//! Figures that are asked for at each scrape: pools, the clock, the log, the streams.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use bss_app::App;
use bss_events::{EventLog, LogError, Topic};
use bss_streams::runtime::{StreamMetrics, TopicCounts};
use bss_telemetry::metrics::{PoolUse, StreamOutcome};
use bss_telemetry::{Metrics, Sampler};

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
