//! The database as we use it: connection pools, the event log's head, the business clock.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PoolLabels {
    pool: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TopicLabels {
    topic: String,
}

/// How a connection pool stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    /// Connections open.
    pub open: i64,
    /// Of these, how many work.
    pub in_use: i64,
    /// Tasks that wait for one.
    pub waiting: i64,
    /// At most so many may be open.
    pub max: i64,
}

/// The database as we use it.
#[derive(Debug, Clone)]
pub struct StoreMetrics {
    pool: Family<PoolLabels, Gauge>,
    log_head: Family<TopicLabels, Gauge>,
    clock_offset: Gauge,
    disk_free: Gauge,
    writes_refused: Gauge,
}

impl StoreMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            pool: Family::default(),
            log_head: Family::default(),
            clock_offset: Gauge::default(),
            disk_free: Gauge::default(),
            writes_refused: Gauge::default(),
        };
        registry.register(
            "pool_connections",
            "Database connections by state",
            metrics.pool.clone(),
        );
        registry.register(
            "log_head_position",
            "Records ever appended to a topic, over its partitions",
            metrics.log_head.clone(),
        );
        registry.register_with_unit(
            "business_clock_offset",
            "How far the simulated business clock is ahead of real time",
            Unit::Seconds,
            metrics.clock_offset.clone(),
        );
        registry.register_with_unit(
            "disk_free",
            "Free space where the database lies",
            Unit::Bytes,
            metrics.disk_free.clone(),
        );
        registry.register(
            "writes_refused",
            "1 while writes are refused because the disk's reserve is reached",
            metrics.writes_refused.clone(),
        );
        metrics
    }

    /// Says how a pool stands; `pool` is the role's name.
    pub fn set_pool(&self, pool: &str, used: PoolUse) {
        for (state, value) in [
            ("open", used.open),
            ("in_use", used.in_use),
            ("waiting", used.waiting),
            ("max", used.max),
        ] {
            let labels = PoolLabels {
                pool: pool.to_owned(),
                state,
            };
            self.pool.get_or_create(&labels).set(value);
        }
    }

    /// Says how many records were ever appended to a topic.
    pub fn set_log_head(&self, topic: &str, records: i64) {
        let labels = TopicLabels {
            topic: topic.to_owned(),
        };
        self.log_head.get_or_create(&labels).set(records);
    }

    /// Says how far the business clock is ahead, in seconds.
    pub fn set_clock_offset_s(&self, seconds: i64) {
        self.clock_offset.set(seconds);
    }

    /// Says how much space is free and whether writes are refused for want of it.
    pub fn set_disk(&self, free_bytes: u64, writes_allowed: bool) {
        self.disk_free.set(i64::try_from(free_bytes).unwrap_or(i64::MAX));
        self.writes_refused.set(i64::from(!writes_allowed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stores_figures_are_shown() {
        let metrics = crate::Metrics::default();
        let used = PoolUse {
            open: 4,
            in_use: 3,
            waiting: 2,
            max: 16,
        };
        metrics.store.set_pool("bss_app", used);
        metrics.store.set_log_head("bss.order.events", 42);
        metrics.store.set_clock_offset_s(86_400);
        metrics.store.set_disk(1024, false);
        let text = metrics.encode().unwrap();
        for line in [
            "bss_pool_connections{pool=\"bss_app\",state=\"waiting\"} 2",
            "bss_log_head_position{topic=\"bss.order.events\"} 42",
            "bss_business_clock_offset_seconds 86400",
            "bss_disk_free_bytes 1024",
            "bss_writes_refused 1",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is missing in\n{text}"
            );
        }
    }
}
