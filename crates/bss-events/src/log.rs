use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{Record, Topic};

/// Why the log gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A record is missing: retention or an accident took what was not consumed yet. Nothing skips this by itself.
    #[error("{topic} partition {partition}: position {expected} is missing, {found} comes next")]
    Lost {
        /// The topic.
        topic: Topic,
        /// The partition.
        partition: u16,
        /// The position that should have come.
        expected: i64,
        /// The position that came.
        found: i64,
    },
    /// The log can't be reached now.
    #[error("the event log can't be reached: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A record can't be read by this version.
    #[error("{topic} partition {partition}: position {position} can't be read: {detail}")]
    Unreadable {
        /// The topic.
        topic: Topic,
        /// The partition.
        partition: u16,
        /// The position.
        position: i64,
        /// Why.
        detail: String,
    },
}

/// What a partition holds: positions behind `tail`, up to and with `head`. Both are 0 where nothing was ever
/// appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The topic.
    pub topic: Topic,
    /// The partition.
    pub partition: u16,
    /// The last position that retention has taken; the first one kept is the next.
    pub tail: i64,
    /// The last position appended.
    pub head: i64,
}

/// Where a consumer stands in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The topic.
    pub topic: Topic,
    /// The partition.
    pub partition: u16,
    /// The last position that was consumed.
    pub position: i64,
}

/// A log of events: per topic and partition, records in order of dense positions.
///
/// The consumer's position is ours and commits with the effect, so a log only has to give what stands behind a
/// position, once or several times, in order. In PostgreSQL the position is the row's; in Kafka it travels in a
/// header, the Kafka partition is the log's partition, and an implementation seeks when `after` is not where it
/// stands.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// At most `max` records behind `after`, in order. May begin with records at or below `after`, which
    /// [`admit`] leaves out; empty where nothing has come yet.
    async fn read(
        &self,
        topic: Topic,
        partition: u16,
        after: i64,
        max: usize,
    ) -> Result<Vec<Record>, LogError>;

    /// The same for several partitions, at most `max` records of each; in the order of the places.
    async fn read_each(&self, places: &[Standing], max: usize) -> Result<Vec<Vec<Record>>, LogError> {
        let mut all = Vec::with_capacity(places.len());
        for place in places {
            all.push(
                self.read(place.topic, place.partition, place.position, max)
                    .await?,
            );
        }
        Ok(all)
    }

    /// What the partitions of these topics hold now.
    async fn extents(&self, topics: &[Topic]) -> Result<Vec<Extent>, LogError>;

    /// Tells of appends, so that a consumer needn't poll at full speed.
    fn appends(&self) -> Appends;
}

/// The consumer's discipline: what stands at or below the committed position was consumed already and is left
/// out; a position that doesn't follow its predecessor is a loss.
pub fn admit(after: i64, records: Vec<Record>) -> Result<Vec<Record>, LogError> {
    let mut admitted = records;
    admitted.retain(|record| record.position > after);
    for (expected, record) in (after + 1..).zip(&admitted) {
        if record.position != expected {
            return Err(LogError::Lost {
                topic: record.topic,
                partition: record.partition,
                expected,
                found: record.position,
            });
        }
    }
    Ok(admitted)
}

/// The side that appends.
#[derive(Debug, Clone)]
pub struct AppendSignal(watch::Sender<()>);

impl Default for AppendSignal {
    fn default() -> Self {
        Self(watch::Sender::new(()))
    }
}

impl AppendSignal {
    /// Something was appended.
    pub fn notify(&self) {
        self.0.send_replace(());
    }

    /// A consumer's end.
    pub fn subscribe(&self) -> Appends {
        Appends(self.0.subscribe())
    }
}

/// A consumer's end of the signal. It remembers: an append between two waits ends the second one at once.
#[derive(Debug, Clone)]
pub struct Appends(watch::Receiver<()>);

impl Appends {
    /// Waits for an append of this process, at most so long: other processes' appends are found by looking.
    pub async fn wait(&mut self, at_most: Duration) {
        // Where the sender is gone nothing comes any more, and looking from time to time remains.
        if let Ok(Err(_)) = tokio::time::timeout(at_most, self.0.changed()).await {
            tokio::time::sleep(at_most).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use bss_domain::ids::{EventId, TenantId, compose};
    use bss_domain::{Slot, TypedId};
    use serde_json::Value;

    use super::*;
    use crate::{CloudEvent, SpecVersion};

    fn record(position: i64) -> Record {
        let slot = Slot::hash(b"x");
        let event = CloudEvent {
            specversion: SpecVersion::V1,
            id: EventId::at(1, slot, 1),
            source: "/test".to_owned(),
            kind: "TestEvent".to_owned(),
            subject: None,
            time: "2026-01-01T00:00:00Z".parse().unwrap(),
            tenant: TenantId::at(1, slot, 1),
            key: compose(1, slot, 1),
            traceparent: None,
            dataversion: 1,
            data: Value::Null.into(),
        };
        Record {
            topic: Topic::Order,
            partition: 1,
            position,
            event,
        }
    }

    #[test]
    fn a_repeat_is_left_out_and_a_hole_is_a_loss() {
        // Committed position, positions read, positions admitted or (expected, found).
        let cases = [
            (0, vec![], Ok(vec![])),
            (0, vec![1, 2, 3], Ok(vec![1, 2, 3])),
            (2, vec![1, 2, 3, 4], Ok(vec![3, 4])),
            (9, vec![8, 9], Ok(vec![])),
            (2, vec![4, 5], Err((3, 4))),
            (2, vec![2, 3, 5], Err((4, 5))),
        ];
        for (after, given, wanted) in cases {
            let admitted = admit(after, given.iter().copied().map(record).collect());
            let got = match &admitted {
                Ok(records) => Ok(records.iter().map(|record| record.position).collect::<Vec<i64>>()),
                Err(LogError::Lost { expected, found, .. }) => Err((*expected, *found)),
                Err(other) => panic!("{other}"),
            };
            assert_eq!(got, wanted, "{after} {given:?}");
        }
    }

    #[tokio::test]
    async fn an_append_between_two_waits_is_not_missed() {
        let signal = AppendSignal::default();
        let mut appends = signal.subscribe();
        signal.notify();
        let long = Duration::from_mins(10);
        tokio::time::timeout(Duration::from_secs(5), appends.wait(long))
            .await
            .expect("the signal was remembered");
    }
}
