use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bss_events::Topic;

/// Counts of a group in a topic, for export. Counters only grow; gauges are of this process's partitions.
#[derive(Debug, Default)]
pub struct TopicCounts {
    /// Records committed (counter).
    pub records: AtomicU64,
    /// Batches committed (counter).
    pub batches: AtomicU64,
    /// Batches that failed and are tried again (counter).
    pub retries: AtomicU64,
    /// Records parked (counter).
    pub parked: AtomicU64,
    /// Parked records processed late (counter).
    pub released: AtomicU64,
    /// Events behind the committed positions of the partitions held here (gauge).
    pub lag: AtomicI64,
}

/// A group's counts.
#[derive(Debug, Default)]
pub struct GroupMetrics {
    topics: Mutex<BTreeMap<Topic, Arc<TopicCounts>>>,
    /// Partitions held by this process (gauge).
    pub partitions: AtomicU64,
    /// Times that a lease was lost in the middle of a batch (counter).
    pub fenced: AtomicU64,
}

impl GroupMetrics {
    /// The counts of a topic.
    pub fn topic(&self, topic: Topic) -> Arc<TopicCounts> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(topics.entry(topic).or_default())
    }

    /// The counts of every topic.
    pub fn topics(&self) -> Vec<(Topic, Arc<TopicCounts>)> {
        let topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        topics
            .iter()
            .map(|(topic, counts)| (*topic, Arc::clone(counts)))
            .collect()
    }
}

/// The counts of all groups of this process.
#[derive(Debug, Clone, Default)]
pub struct StreamMetrics(Arc<Mutex<BTreeMap<String, Arc<GroupMetrics>>>>);

impl StreamMetrics {
    /// A group's counts.
    pub fn group(&self, group: &str) -> Arc<GroupMetrics> {
        let mut groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(groups.entry(group.to_owned()).or_default())
    }

    /// Every group's counts.
    pub fn groups(&self) -> Vec<(String, Arc<GroupMetrics>)> {
        let groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        groups
            .iter()
            .map(|(name, counts)| (name.clone(), Arc::clone(counts)))
            .collect()
    }
}

/// Adds to a counter.
pub(super) fn count(counter: &AtomicU64, number: usize) {
    counter.fetch_add(number as u64, Ordering::Relaxed);
}
