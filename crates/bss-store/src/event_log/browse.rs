//! The event log as the console's event pages show it.

use bss_domain::Instant;
use bss_events::{Record, Topic};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::reader::{first_position, records_of};
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
/// The rows of a topic behind `$6` to `$8`, the place of the row before. Those of a batch may have the key or not.
pub(crate) const MESSAGES: &str = "\
    SELECT partition, position, events, tenant_id, id, key, kind, source, subject, time, traceparent, dataversion, data,
           batch
    FROM log_event
    WHERE topic = $1 AND (key = $2 OR key IS NULL OR $2::uuid IS NULL) AND ($3::text IS NULL OR kind = $3)
      AND ($4::timestamptz IS NULL OR time < $4)
      AND ($6::timestamptz IS NULL OR (time, -partition, position) < ($6, -$7::smallint, $8::bigint))
    ORDER BY time DESC, partition, position DESC LIMIT $5";
/// The rows of a partition with events below `$5`; a row that ends a whole batch (1,000) beyond has none.
pub(crate) const MESSAGES_OF_PARTITION: &str = "\
    SELECT partition, position, events, tenant_id, id, key, kind, source, subject, time, traceparent, dataversion, data,
           batch
    FROM log_event
    WHERE topic = $1 AND partition = $2 AND (key = $3 OR key IS NULL OR $3::uuid IS NULL)
      AND ($4::text IS NULL OR kind = $4) AND position < $5::bigint + 1000 AND position - events + 1 < $5
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
    let partition = filter.partition.or(key.map(of_key));
    let wanted = usize::try_from(limit).unwrap_or(0);
    let mut found: Vec<Record> = Vec::new();
    let mut behind: Option<Row> = None;
    loop {
        let rows = match partition {
            Some(partition) => {
                rows_of_partition(session, (topic, partition), &filter, behind.as_ref(), limit).await?
            }
            None => rows_by_time(session, topic, &filter, behind.as_ref(), limit).await?,
        };
        for row in &rows {
            let fits = |record: &Record| {
                filter.key.is_none_or(|key| record.event.key == key)
                    && filter
                        .before_position
                        .is_none_or(|before| record.position < before)
            };
            let (partition, position): (i16, i64) = (row.get("partition"), row.get("position"));
            let records = records_of(topic, partition as u16, row).map_err(|detail| StoreError::Corrupt {
                what: format!("event {topic} {partition}:{position}"),
                detail,
            })?;
            found.extend(records.rev().filter(fits));
        }
        let is_last = (rows.len() as i64) < limit;
        behind = rows.into_iter().last();
        if found.len() >= wanted || is_last || behind.is_none() {
            found.truncate(wanted);
            return Ok(found);
        }
    }
}

async fn rows_by_time(
    session: &Session,
    topic: Topic,
    filter: &MessageFilter<'_>,
    behind: Option<&Row>,
    limit: i64,
) -> Result<Vec<Row>, StoreError> {
    let time = behind.map(|row| row.get::<_, Timestamptz>("time"));
    let partition: Option<i16> = behind.map(|row| row.get("partition"));
    let position: Option<i64> = behind.map(|row| row.get("position"));
    let before = filter.before.map(Timestamptz);
    let topic = topic.sql();
    let params: [&(dyn ToSql + Sync); 8] = [
        &topic,
        &filter.key,
        &filter.kind,
        &before,
        &limit,
        &time,
        &partition,
        &position,
    ];
    session.query(MESSAGES, &params).await
}

async fn rows_of_partition(
    session: &Session,
    (topic, partition): (Topic, u16),
    filter: &MessageFilter<'_>,
    behind: Option<&Row>,
    limit: i64,
) -> Result<Vec<Row>, StoreError> {
    let below = behind.map(first_position).or(filter.before_position);
    // No log grows beyond, and the statement adds to it.
    let below = below.unwrap_or(i64::MAX / 2);
    let before = filter.before.map(Timestamptz);
    let (topic, partition) = (topic.sql(), partition as i16);
    let params: [&(dyn ToSql + Sync); 7] = [
        &topic,
        &partition,
        &filter.key,
        &filter.kind,
        &below,
        &before,
        &limit,
    ];
    session.query(MESSAGES_OF_PARTITION, &params).await
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
