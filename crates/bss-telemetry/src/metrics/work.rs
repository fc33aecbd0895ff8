//! What the product does by itself: streams, bill runs, usage intake.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

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
        count_to(&self.records.get_or_create(&labels), total);
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
    state: &'static str,
}

/// All bill runs so far: any process may run one, so they are counted by the database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BillRunTotals {
    /// Going on, or stopped and to be taken up by the next.
    pub running: u64,
    /// Ended.
    pub done: u64,
    /// Accounts whose period they closed.
    pub accounts: u64,
    /// Bills that they drew up.
    pub bills: u64,
}

/// Bill runs.
#[derive(Debug, Clone)]
pub struct BillRunMetrics {
    runs: Family<RunLabels, Gauge>,
    accounts: Counter,
    bills: Counter,
}

impl BillRunMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            runs: Family::default(),
            accounts: Counter::default(),
            bills: Counter::default(),
        };
        registry.register(
            "bill_runs",
            "Bill runs by state; one that was stopped is running until the next takes it up",
            metrics.runs.clone(),
        );
        registry.register(
            "bill_run_accounts",
            "Accounts whose period was closed",
            metrics.accounts.clone(),
        );
        registry.register("bill_run_bills", "Bills drawn up by runs", metrics.bills.clone());
        metrics
    }

    /// Says how many there were, of all tenants.
    pub fn set(&self, totals: BillRunTotals) {
        for (state, runs) in [("running", totals.running), ("done", totals.done)] {
            let gauge = self.runs.get_or_create(&RunLabels { state });
            gauge.set(i64::try_from(runs).unwrap_or(i64::MAX));
        }
        count_to(&self.accounts, totals.accounts);
        count_to(&self.bills, totals.bills);
    }
}

/// A counter only grows: a total that was counted elsewhere is reached by the difference.
fn count_to(counter: &Counter, total: u64) {
    counter.inc_by(total.saturating_sub(counter.get()));
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UsageLabels {
    outcome: &'static str,
}

/// What became of a record of a usage file: at the intake, and then in charging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UsageOutcome {
    /// It is in the log, to be charged.
    Accepted,
    /// It is in the reject table with its reason.
    Rejected,
    /// It was there already.
    Duplicate,
    /// An unanswered call, a header, an empty line.
    NotCharged,
    /// It was accepted and then rated.
    Rated,
}

impl UsageOutcome {
    fn label(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Duplicate => "duplicate",
            Self::NotCharged => "not_charged",
            Self::Rated => "rated",
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
            "Records of usage files by what became of them; what is accepted is rated, rejected or a duplicate later",
            metrics.records.clone(),
        );
        metrics
    }

    /// Says how many records came to this, of all tenants: any process may import, so the database counts them.
    pub fn count_to(&self, outcome: UsageOutcome, total: u64) {
        let labels = UsageLabels {
            outcome: outcome.label(),
        };
        count_to(&self.records.get_or_create(&labels), total);
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
        let runs = BillRunTotals {
            running: 1,
            done: 2,
            accounts: 200,
            bills: 190,
        };
        metrics.bill_runs.set(BillRunTotals {
            accounts: 150,
            ..runs
        });
        metrics.bill_runs.set(runs);
        metrics.usage.count_to(UsageOutcome::Duplicate, 2);
        metrics.usage.count_to(UsageOutcome::Duplicate, 3);
        let text = metrics.encode().unwrap();
        for line in [
            "bss_stream_records_total{group=\"charging\",topic=\"bss.usage.events\",outcome=\"processed\"} 7",
            "bss_stream_parked_records{group=\"charging\",topic=\"bss.usage.events\"} 1",
            "bss_stream_records_total{group=\"charging\",topic=\"bss.usage.events\",outcome=\"retried\"} 6",
            "bss_bill_run_accounts_total 200",
            "bss_bill_run_bills_total 190",
            "bss_bill_runs{state=\"done\"} 2",
            "bss_usage_records_total{outcome=\"duplicate\"} 3",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is missing in\n{text}"
            );
        }
    }
}
