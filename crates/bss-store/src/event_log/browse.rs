//! The event log as the console's event pages show it.

use bss_domain::Instant;
use bss_events::{Record, Topic};
use tokio_postgres::Row;
use uuid::Uuid;

use super::reader::event_of;
use crate::{Session, StoreError, Timestamptz};

/// A topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicSummary {
    /// The topic.
    pub topic: Topic,
    /// Its partitions.
    pub partitions: i64,
    /// How many events are kept, of all tenants.
    pub messages: i64,
}

/// Which events of a topic are wanted, newest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MessageFilter<'a> {
    /// Of this partition.
    pub partition: Option<u16>,
    /// Of this key.
    pub key: Option<Uuid>,
    /// Of this type.
    pub kind: Option<&'a str>,
    /// Below this position; needs the partition.
    pub before_position: Option<i64>,
    /// Before this business time.
    pub before: Option<Instant>,
}

/// A group in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPartition {
    /// The group.
    pub group: String,
    /// The topic.
    pub topic: Topic,
    /// The partition.
    pub partition: u16,
    /// The last position consumed.
    pub position: i64,
    /// The last position appended.
    pub head: i64,
    /// Who holds the lease, if it is valid.
    pub worker: Option<String>,
    /// When the position moved last, real time.
    pub committed_at: Instant,
}

impl GroupPartition {
    /// How many events the group still has to consume here.
    pub fn lag(&self) -> i64 {
        (self.head - self.position).max(0)
    }
}

pub(crate) const TOPICS: &str = "\
    SELECT topic, count(*), sum(head - tail)::bigint FROM log_partition GROUP BY topic ORDER BY topic";
pub(crate) const MESSAGES: &str = "\
    SELECT partition, position, tenant_id, id, key, kind, source, subject, time, traceparent, dataversion, data
    FROM log_event
    WHERE topic = $1 AND ($2::smallint IS NULL OR partition = $2) AND ($3::uuid IS NULL OR key = $3)
      AND ($4::text IS NULL OR kind = $4) AND ($5::bigint IS NULL OR position < $5)
      AND ($6::timestamptz IS NULL OR time < $6)
    ORDER BY time DESC, partition, position DESC LIMIT $7";
pub(crate) const MESSAGES_OF_PARTITION: &str = "\
    SELECT partition, position, tenant_id, id, key, kind, source, subject, time, traceparent, dataversion, data
    FROM log_event
    WHERE topic = $1 AND partition = $2 AND ($3::uuid IS NULL OR key = $3)
      AND ($4::text IS NULL OR kind = $4) AND ($5::bigint IS NULL OR position < $5)
      AND ($6::timestamptz IS NULL OR time < $6)
    ORDER BY position DESC LIMIT $7";
pub(crate) const GROUPS: &str = "\
    SELECT g.group_name, g.topic, g.partition, g.position, p.head, g.committed_at,
           CASE WHEN l.until > clock_timestamp() THEN l.owner END AS worker
    FROM group_position g JOIN log_partition p USING (topic, partition)
    LEFT JOIN group_lease l ON l.group_name = g.group_name AND l.partition = g.partition
    ORDER BY g.group_name, g.topic, g.partition";

/// The topics with what they keep.
pub async fn topics(session: &Session) -> Result<Vec<TopicSummary>, StoreError> {
    let of = |row: &Row| {
        Some(TopicSummary {
            topic: Topic::from_sql(row.get(0))?,
            partitions: row.get(1),
            messages: row.get(2),
        })
    };
    Ok(session.query(TOPICS, &[]).await?.iter().filter_map(of).collect())
}

/// Events of a topic that the session's tenant has, newest first: by position within one partition or key (a key has
/// one partition), otherwise by time.
pub async fn messages(
    session: &Session,
    topic: Topic,
    filter: MessageFilter<'_>,
    limit: i64,
) -> Result<Vec<Record>, StoreError> {
    // Usage of a number that changed hands stays in the partition of its own id.
    let key = filter.key.filter(|_| topic != Topic::Usage);
    let of_key = |key: Uuid| bss_domain::Slot::of(key).partition(bss_events::PARTITIONS);
    let partition = filter.partition.or(key.map(of_key)).map(|number| number as i16);
    let sql = if partition.is_some() {
        MESSAGES_OF_PARTITION
    } else {
        MESSAGES
    };
    let rows = session
        .query(
            sql,
            &[
                &topic.sql(),
                &partition,
                &filter.key,
                &filter.kind,
                &filter.before_position,
                &filter.before.map(Timestamptz),
                &limit,
            ],
        )
        .await?;
    rows.iter().map(|row| message_of(topic, row)).collect()
}

fn message_of(topic: Topic, row: &Row) -> Result<Record, StoreError> {
    let (partition, position): (i16, i64) = (row.get("partition"), row.get("position"));
    let event = event_of(row).map_err(|detail| StoreError::Corrupt {
        what: format!("event {topic} {partition}:{position}"),
        detail,
    })?;
    Ok(Record {
        topic,
        partition: partition as u16,
        position,
        event,
    })
}

/// All groups with their positions, heads and workers.
pub async fn groups(session: &Session) -> Result<Vec<GroupPartition>, StoreError> {
    let of = |row: &Row| {
        Some(GroupPartition {
            group: row.get("group_name"),
            topic: Topic::from_sql(row.get("topic"))?,
            partition: row.get::<_, i16>("partition") as u16,
            position: row.get("position"),
            head: row.get("head"),
            worker: row.get("worker"),
            committed_at: row.get::<_, Timestamptz>("committed_at").0,
        })
    };
    Ok(session.query(GROUPS, &[]).await?.iter().filter_map(of).collect())
}
