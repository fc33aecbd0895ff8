//! Consumer groups: which worker holds which partitions until when, how far the group is, and how it is sent back.
//!
//! A lease covers a partition in all the topics of the group, so that one worker owns all that is hot of a customer.
//! Leases run on the database's real time; workers' own clocks needn't agree.

use std::time::Duration;

use bss_domain::Instant;
use bss_domain::ids::TenantId;
use bss_events::{PARTITIONS, Topic};
use uuid::Uuid;

use crate::{Store, StoreError, Timestamptz};

/// A worker's place in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The group.
    pub group: String,
    /// What it consumes.
    pub topics: Vec<Topic>,
    /// The worker's own name, unique among processes and restarts.
    pub worker: String,
    /// How long a lease lasts without being renewed.
    pub lease: Duration,
}

/// A partition that the worker holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The partition.
    pub partition: u16,
    /// The lease's epoch: commits name it.
    pub epoch: i64,
}

/// What tending the leases gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tended {
    /// All that the worker holds now.
    pub leases: Vec<Lease>,
    /// How many partitions are its fair share: what it holds beyond that it should release.
    pub share: usize,
}

/// How far a group is in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The topic.
    pub topic: Topic,
    /// The partition.
    pub partition: u16,
    /// The last position consumed.
    pub position: i64,
}

/// Where a group is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Before the oldest event kept.
    Oldest,
    /// Behind the newest event.
    Newest,
    /// Before the first event of this business time or later.
    Time(Instant),
    /// Behind a position of one partition; the other partitions stay.
    Position {
        /// The partition.
        partition: u16,
        /// The last position that counts as consumed.
        position: i64,
    },
}

pub(crate) const ENSURE_POSITIONS: &str = "\
    INSERT INTO group_position (group_name, topic, partition, position)
    SELECT $1, topic, partition, tail FROM log_partition WHERE topic = ANY($2::smallint[])
    ON CONFLICT DO NOTHING";
pub(crate) const ENSURE_LEASES: &str = "\
    INSERT INTO group_lease (group_name, partition) SELECT $1, generate_series(0, $2::smallint - 1)
    ON CONFLICT DO NOTHING";
pub(crate) const HEARTBEAT: &str = "\
    WITH gone AS (DELETE FROM group_worker WHERE group_name = $1 AND until < clock_timestamp() - interval '1 min')
    INSERT INTO group_worker (group_name, worker, until)
    VALUES ($1, $2, clock_timestamp() + $3::bigint * interval '1 ms')
    ON CONFLICT (group_name, worker) DO UPDATE SET until = excluded.until";
pub(crate) const WORKERS: &str =
    "SELECT count(*) FROM group_worker WHERE group_name = $1 AND until > clock_timestamp()";
pub(crate) const RENEW: &str = "\
    UPDATE group_lease SET until = clock_timestamp() + $3::bigint * interval '1 ms'
    WHERE group_name = $1 AND owner = $2 RETURNING partition, epoch";
pub(crate) const ACQUIRE: &str = "\
    WITH free AS (
        SELECT partition FROM group_lease WHERE group_name = $1 AND until < clock_timestamp()
        ORDER BY partition LIMIT $4 FOR UPDATE SKIP LOCKED
    )
    UPDATE group_lease l SET owner = $2, epoch = epoch + 1, until = clock_timestamp() + $3::bigint * interval '1 ms'
    FROM free WHERE l.group_name = $1 AND l.partition = free.partition RETURNING l.partition, l.epoch";
pub(crate) const RELEASE: &str = "\
    UPDATE group_lease SET owner = NULL, until = '-infinity'
    WHERE group_name = $1 AND owner = $2 AND partition = ANY($3::smallint[])";
pub(crate) const LEAVE: &str = "DELETE FROM group_worker WHERE group_name = $1 AND worker = $2";
pub(crate) const POSITIONS: &str = "\
    SELECT topic, partition, position FROM group_position
    WHERE group_name = $1 AND topic = ANY($2::smallint[]) AND partition = ANY($3::smallint[])";

fn numbers(topics: &[Topic]) -> Vec<i16> {
    topics.iter().map(|topic| topic.sql()).collect()
}

fn lease_ms(membership: &Membership) -> i64 {
    i64::try_from(membership.lease.as_millis()).unwrap_or(i64::MAX)
}

/// Makes the group's rows where it is new: it begins before the oldest event kept.
pub async fn join(store: &Store, membership: &Membership) -> Result<(), StoreError> {
    let connection = store.worker_connection().await?;
    let statement = connection.prepare_cached(ENSURE_POSITIONS).await?;
    connection
        .execute(&statement, &[&membership.group, &numbers(&membership.topics)])
        .await?;
    let statement = connection.prepare_cached(ENSURE_LEASES).await?;
    connection
        .execute(&statement, &[&membership.group, &(PARTITIONS as i16)])
        .await?;
    Ok(())
}

/// Says that the worker lives, renews its leases, and takes free partitions up to its fair share.
pub async fn tend(store: &Store, membership: &Membership) -> Result<Tended, StoreError> {
    let connection = store.worker_connection().await?;
    let (group, worker, lease) = (&membership.group, &membership.worker, lease_ms(membership));
    let statement = connection.prepare_cached(HEARTBEAT).await?;
    connection.execute(&statement, &[group, worker, &lease]).await?;
    let statement = connection.prepare_cached(RENEW).await?;
    let mut rows = connection.query(&statement, &[group, worker, &lease]).await?;
    let statement = connection.prepare_cached(WORKERS).await?;
    let workers: i64 = connection.query_one(&statement, &[group]).await?.get(0);
    let share = usize::from(PARTITIONS).div_ceil(usize::try_from(workers).unwrap_or(1).max(1));
    if rows.len() < share {
        let wanted = (share - rows.len()) as i64;
        let statement = connection.prepare_cached(ACQUIRE).await?;
        let taken = connection
            .query(&statement, &[group, worker, &lease, &wanted])
            .await?;
        rows.extend(taken);
    }
    let leases = rows
        .iter()
        .map(|row| Lease {
            partition: row.get::<_, i16>(0) as u16,
            epoch: row.get(1),
        })
        .collect();
    Ok(Tended { leases, share })
}

/// Gives partitions back, to be taken over at once.
pub async fn release(store: &Store, membership: &Membership, partitions: &[u16]) -> Result<(), StoreError> {
    let partitions: Vec<i16> = partitions.iter().map(|number| *number as i16).collect();
    let connection = store.worker_connection().await?;
    let statement = connection.prepare_cached(RELEASE).await?;
    connection
        .execute(&statement, &[&membership.group, &membership.worker, &partitions])
        .await?;
    Ok(())
}

/// Gives everything back: the worker ends.
pub async fn leave(store: &Store, membership: &Membership) -> Result<(), StoreError> {
    let all: Vec<u16> = (0..PARTITIONS).collect();
    release(store, membership, &all).await?;
    let connection = store.worker_connection().await?;
    let statement = connection.prepare_cached(LEAVE).await?;
    connection
        .execute(&statement, &[&membership.group, &membership.worker])
        .await?;
    Ok(())
}

/// The committed positions of a group in some partitions.
pub async fn positions(
    store: &Store,
    group: &str,
    topics: &[Topic],
    partitions: &[u16],
) -> Result<Vec<Position>, StoreError> {
    let partitions: Vec<i16> = partitions.iter().map(|number| *number as i16).collect();
    let connection = store.worker_connection().await?;
    let statement = connection.prepare_cached(POSITIONS).await?;
    let rows = connection
        .query(&statement, &[&group, &numbers(topics), &partitions])
        .await?;
    let of = |row: &tokio_postgres::Row| {
        Some(Position {
            topic: Topic::from_sql(row.get(0))?,
            partition: row.get::<_, i16>(1) as u16,
            position: row.get(2),
        })
    };
    Ok(rows.iter().filter_map(of).collect())
}

/// Where each of the topic's partitions is sent: the oldest, the newest, or the first at a time (a scan).
pub(crate) const TARGETS: &str = "\
    SELECT p.partition, CASE $2
        WHEN 'oldest' THEN p.tail
        WHEN 'newest' THEN p.head
        ELSE coalesce((SELECT min(e.position) - 1 FROM log_event e
                       WHERE e.topic = p.topic AND e.partition = p.partition AND e.time >= $3), p.head)
        END
    FROM log_partition p WHERE p.topic = $1";
pub(crate) const FENCE: &str = "\
    UPDATE group_lease SET owner = NULL, epoch = epoch + 1, until = '-infinity'
    WHERE group_name = $1 AND partition = ANY($2::smallint[])";
pub(crate) const MOVE: &str = "\
    UPDATE group_position p SET position = t.position, committed_at = clock_timestamp()
    FROM unnest($3::smallint[], $4::bigint[]) AS t (partition, position)
    WHERE p.group_name = $1 AND p.topic = $2 AND p.partition = t.partition";
pub(crate) const PARKED_TENANTS: &str =
    "SELECT DISTINCT tenant_id FROM parked_event WHERE group_name = $1 AND topic = $2";
pub(crate) const FORGET_PARKED: &str = "\
    DELETE FROM parked_event e USING unnest($3::smallint[], $4::bigint[]) AS t (partition, position)
    WHERE e.group_name = $1 AND e.topic = $2 AND e.partition = t.partition AND e.position > t.position";

/// Sends a group to another place of a topic. Its workers are fenced first, so what they are about to commit is
/// undone; parked events that will come again are forgotten. Gives the new positions; empty where the group doesn't
/// consume the topic.
pub async fn replay(
    store: &Store,
    group: &str,
    topic: Topic,
    target: Target,
) -> Result<Vec<Position>, StoreError> {
    let mut connection = store.worker_connection().await?;
    let transaction = connection.transaction().await?;
    let (mut partitions, mut places): (Vec<i16>, Vec<i64>) = (Vec::new(), Vec::new());
    if let Target::Position { partition, position } = target {
        partitions.push(partition as i16);
        places.push(position.max(0));
    } else {
        let (word, time) = match target {
            Target::Oldest => ("oldest", None),
            Target::Newest | Target::Position { .. } => ("newest", None),
            Target::Time(time) => ("time", Some(Timestamptz(time))),
        };
        for row in transaction.query(TARGETS, &[&topic.sql(), &word, &time]).await? {
            partitions.push(row.get(0));
            places.push(row.get(1));
        }
    }
    transaction.execute(FENCE, &[&group, &partitions]).await?;
    let moved = transaction
        .execute(MOVE, &[&group, &topic.sql(), &partitions, &places])
        .await?;
    for row in transaction.query(PARKED_TENANTS, &[&group, &topic.sql()]).await? {
        let tenant = TenantId::from(row.get::<_, Uuid>(0)).to_string();
        transaction
            .execute("SELECT set_config('bss.tenant', $1, true)", &[&tenant])
            .await?;
        transaction
            .execute(FORGET_PARKED, &[&group, &topic.sql(), &partitions, &places])
            .await?;
    }
    transaction.commit().await?;
    let moved_all = partitions
        .iter()
        .zip(&places)
        .map(|(partition, position)| Position {
            topic,
            partition: *partition as u16,
            position: *position,
        });
    Ok(if moved == 0 {
        Vec::new()
    } else {
        moved_all.collect()
    })
}
