//! What the product does by itself: streams, bill runs, usage intake.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GroupLabels {
    group: String,
    topic: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RecordLabels {
    group: String,
    topic: String,
    outcome: &'static str,
}

/// What became of a record in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamOutcome {
    /// Its effect is committed.
    Processed,
    /// It was set aside with a reason.
    Parked,
    /// Its batch was rolled back and comes again.
    Retried,
}

impl StreamOutcome {
    fn label(self) -> &'static str {
        match self {
            Self::Processed => "processed",
            Self::Parked => "parked",
            Self::Retried => "retried",
        }
    }
}

/// The stream applications, by consumer group and topic.
#[derive(Debug, Clone)]
pub struct StreamMetrics {
    records: Family<RecordLabels, Counter>,
    lag: Family<GroupLabels, Gauge>,
    parked: Family<GroupLabels, Gauge>,
}

impl StreamMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            records: Family::default(),
            lag: Family::default(),
            parked: Family::default(),
        };
        registry.register(
            "stream_records",
            "Records that a group has dealt with",
            metrics.records.clone(),
        );
        registry.register(
            "stream_lag_records",
            "Records that a group has still before it",
            metrics.lag.clone(),
        );
        registry.register(
            "stream_parked_records",
            "Records set aside that wait for an operator",
            metrics.parked.clone(),
        );
        metrics
    }

    /// Counts records of a group.
    pub fn count(&self, group: &str, topic: &str, outcome: StreamOutcome, records: u64) {
        let labels = RecordLabels {
            group: group.to_owned(),
            topic: topic.to_owned(),
            outcome: outcome.label(),
        };
        self.records.get_or_create(&labels).inc_by(records);
    }

    /// Counts records of a group that somebody else counts since the process began: `total` is all of them so far.
    pub fn count_to(&self, group: &str, topic: &str, outcome: StreamOutcome, total: u64) {
        let labels = RecordLabels {
            group: group.to_owned(),
            topic: topic.to_owned(),
            outcome: outcome.label(),
        };
        let counter = self.records.get_or_create(&labels);
        counter.inc_by(total.saturating_sub(counter.get()));
    }

    /// Says how many records a group has before it, over all partitions of the topic.
    pub fn set_lag(&self, group: &str, topic: &str, records: i64) {
        self.lag.get_or_create(&labels(group, topic)).set(records);
    }

    /// Says how many records wait set aside.
    pub fn set_parked(&self, group: &str, topic: &str, records: i64) {
        self.parked.get_or_create(&labels(group, topic)).set(records);
    }
}

fn labels(group: &str, topic: &str) -> GroupLabels {
    GroupLabels {
        group: group.to_owned(),
        topic: topic.to_owned(),
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RunLabels {
    outcome: &'static str,
}

/// How a bill run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BillRunOutcome {
    /// Every account was dealt with.
    Completed,
    /// It stopped; another run goes on.
    Failed,
}

impl BillRunOutcome {
    fn label(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}

/// Bill runs.
#[derive(Debug, Clone)]
pub struct BillRunMetrics {
    duration: Family<RunLabels, Histogram, fn() -> Histogram>,
    accounts: Counter,
}

impl BillRunMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            duration: Family::new_with_constructor(|| {
                Histogram::new([0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0])
            }),
            accounts: Counter::default(),
        };
        registry.register_with_unit(
            "bill_run_duration",
            "Time of a bill run, by how it ended",
            Unit::Seconds,
            metrics.duration.clone(),
        );
        registry.register(
            "bill_run_accounts",
            "Accounts whose period was closed",
            metrics.accounts.clone(),
        );
        metrics
    }

    /// Counts a run with the accounts whose period it closed.
    pub fn observe(&self, outcome: BillRunOutcome, accounts: u64, duration: Duration) {
        self.duration
            .get_or_create(&RunLabels {
                outcome: outcome.label(),
            })
            .observe(duration.as_secs_f64());
        self.accounts.inc_by(accounts);
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UsageLabels {
    outcome: &'static str,
}

/// What became of a usage record at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UsageOutcome {
    /// It is in the log, to be charged.
    Accepted,
    /// It is in the reject table with its reason.
    Rejected,
    /// It was there already.
    Duplicate,
}

impl UsageOutcome {
    fn label(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Duplicate => "duplicate",
        }
    }
}

/// Usage intake.
#[derive(Debug, Clone)]
pub struct UsageMetrics {
    records: Family<UsageLabels, Counter>,
}

impl UsageMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            records: Family::default(),
        };
        registry.register(
            "usage_records",
            "Usage records by what became of them",
            metrics.records.clone(),
        );
        metrics
    }

    /// Counts usage records.
    pub fn count(&self, outcome: UsageOutcome, records: u64) {
        self.records
            .get_or_create(&UsageLabels {
                outcome: outcome.label(),
            })
            .inc_by(records);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_counted_by_outcome() {
        let metrics = crate::Metrics::default();
        metrics
            .streams
            .count("charging", "bss.usage.events", StreamOutcome::Processed, 5);
        metrics
            .streams
            .count("charging", "bss.usage.events", StreamOutcome::Processed, 2);
        metrics
            .streams
            .count_to("charging", "bss.usage.events", StreamOutcome::Retried, 4);
        metrics
            .streams
            .count_to("charging", "bss.usage.events", StreamOutcome::Retried, 6);
        metrics.streams.set_parked("charging", "bss.usage.events", 1);
        metrics
            .bill_runs
            .observe(BillRunOutcome::Completed, 200, Duration::from_secs(2));
        metrics.usage.count(UsageOutcome::Duplicate, 3);
        let text = metrics.encode().unwrap();
        for line in [
            "bss_stream_records_total{group=\"charging\",topic=\"bss.usage.events\",outcome=\"processed\"} 7",
            "bss_stream_parked_records{group=\"charging\",topic=\"bss.usage.events\"} 1",
            "bss_stream_records_total{group=\"charging\",topic=\"bss.usage.events\",outcome=\"retried\"} 6",
            "bss_bill_run_accounts_total 200",
            "bss_bill_run_duration_seconds_sum{outcome=\"completed\"} 2.0",
            "bss_usage_records_total{outcome=\"duplicate\"} 3",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is missing in\n{text}"
            );
        }
    }
}
