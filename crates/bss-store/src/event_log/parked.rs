//! Parked events: what a group could not process, and what waits behind it because it has the same key.

use bss_domain::ids::{TenantId, TypedId, compose};
use bss_domain::{Instant, Slot};
use bss_events::{Record, Topic};
use rand::RngExt;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{Session, Store, StoreError, Timestamptz};

/// Why an event is parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// It failed itself, so often.
    Failed {
        /// Why, for operators.
        reason: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// An earlier event of its key is parked.
    Waiting,
}

/// A parked event that is to be processed.
#[derive(Debug, Clone, PartialEq)]
pub struct Parked {
    /// Its id as a parked event.
    pub id: Uuid,
    /// How often it was tried.
    pub attempts: u32,
    /// Whether it waited only, and didn't fail.
    pub waiting: bool,
    /// Whether somebody asked for it to be tried again.
    pub retry: bool,
    /// The event with its place.
    pub record: Record,
}

/// A key of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ParkedKey {
    /// The topic.
    pub topic: Topic,
    /// The partition.
    pub partition: u16,
    /// The key.
    pub key: Uuid,
}

pub(crate) const PARK: &str = "\
    INSERT INTO parked_event (tenant_id, slot, id, group_name, topic, partition, position, key, kind, state, reason,
                              attempts, event)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
pub(crate) const HELD_KEYS: &str = "\
    SELECT DISTINCT topic, partition, key FROM parked_event
    WHERE group_name = $1 AND state <> 'skipped' AND partition = ANY($2::smallint[])";
pub(crate) const WANTED_KEYS: &str =
    "SELECT DISTINCT topic, partition, key, tenant_id FROM parked_event WHERE group_name = $1 AND retry";
pub(crate) const FIRST: &str = "\
    SELECT id, attempts, state, position, event, retry FROM parked_event
    WHERE group_name = $1 AND topic = $2 AND partition = $3 AND key = $4 AND state <> 'skipped'
    ORDER BY position LIMIT 1";
pub(crate) const DELETE: &str = "DELETE FROM parked_event WHERE slot = $1 AND id = $2";
pub(crate) const FAIL: &str = "\
    UPDATE parked_event SET state = 'parked', reason = $3, attempts = attempts + 1, retry = false
    WHERE slot = $1 AND id = $2";
/// Hands the wish on to the key's next event, so that it outlives the worker between two of them.
pub(crate) const PASS_ON: &str = "\
    UPDATE parked_event p SET retry = NOT p.retry
    FROM (SELECT min(position) AS position FROM parked_event
          WHERE group_name = $1 AND topic = $2 AND partition = $3 AND key = $4 AND state <> 'skipped') next
    WHERE p.group_name = $1 AND p.topic = $2 AND p.partition = $3 AND p.key = $4
      AND p.retry <> (next.position IS NOT NULL AND p.position = next.position)";

/// Parks an event in the transaction that moves the group's position over it.
pub async fn park(session: &Session, group: &str, record: &Record, cause: &Cause) -> Result<(), StoreError> {
    let event = &record.event;
    let (state, reason, attempts) = match cause {
        Cause::Failed { reason, attempts } => ("parked", reason.as_str(), *attempts),
        Cause::Waiting => ("waiting", "an earlier event of its key is parked", 0),
    };
    let slot = event.id.slot();
    let id = compose(Instant::now().as_millisecond(), slot, rand::rng().random());
    let text = serde_json::to_string(event).map_err(|error| StoreError::Corrupt {
        what: format!("event {}", event.id),
        detail: error.to_string(),
    })?;
    session
        .execute(
            PARK,
            &[
                &Uuid::from(event.tenant),
                &slot.sql(),
                &id,
                &group,
                &record.topic.sql(),
                &(record.partition as i16),
                &record.position,
                &event.key,
                &event.kind,
                &state,
                &reason,
                &(attempts as i32),
                &text,
            ],
        )
        .await?;
    Ok(())
}

/// The keys that are held back in some partitions.
pub async fn held_keys(store: &Store, group: &str, partitions: &[u16]) -> Result<Vec<ParkedKey>, StoreError> {
    let partitions: Vec<i16> = partitions.iter().map(|number| *number as i16).collect();
    let connection = store.worker_connection().await?;
    let statement = connection.prepare_cached(HELD_KEYS).await?;
    let rows = connection.query(&statement, &[&group, &partitions]).await?;
    Ok(rows.iter().filter_map(key_of).collect())
}

/// The keys whose events somebody wants to be tried again, or gone on with.
pub async fn wanted_keys(store: &Store, group: &str) -> Result<Vec<(TenantId, ParkedKey)>, StoreError> {
    let connection = store.worker_connection().await?;
    let statement = connection.prepare_cached(WANTED_KEYS).await?;
    let rows = connection.query(&statement, &[&group]).await?;
    let of = |row: &Row| Some((TenantId::from(row.get::<_, Uuid>(3)), key_of(row)?));
    Ok(rows.iter().filter_map(of).collect())
}

/// The first event of a key that is still parked.
pub async fn first(store: &Store, group: &str, of: ParkedKey) -> Result<Option<Parked>, StoreError> {
    let connection = store.worker_connection().await?;
    let statement = connection.prepare_cached(FIRST).await?;
    let row = connection
        .query_opt(
            &statement,
            &[&group, &of.topic.sql(), &(of.partition as i16), &of.key],
        )
        .await?;
    row.map(|row| parked_of(of, &row)).transpose()
}

/// Removes an event in the transaction of its late effect.
pub async fn remove(session: &Session, parked: &Parked) -> Result<(), StoreError> {
    let slot = parked.record.event.id.slot();
    let removed = session.execute(DELETE, &[&slot.sql(), &parked.id]).await?;
    if removed == 1 {
        return Ok(());
    }
    Err(StoreError::Fenced(format!("parked event {}", parked.id)))
}

/// Notes that it failed again.
pub async fn fail(session: &Session, parked: &Parked, reason: &str) -> Result<(), StoreError> {
    let slot = parked.record.event.id.slot();
    session.execute(FAIL, &[&slot.sql(), &parked.id, &reason]).await?;
    Ok(())
}

/// Hands the wish to try a key's events again on to the next one that is still parked, if there is one.
pub async fn pass_on(session: &Session, group: &str, of: ParkedKey) -> Result<(), StoreError> {
    session
        .execute(
            PASS_ON,
            &[&group, &of.topic.sql(), &(of.partition as i16), &of.key],
        )
        .await?;
    Ok(())
}

fn key_of(row: &Row) -> Option<ParkedKey> {
    Some(ParkedKey {
        topic: Topic::from_sql(row.get(0))?,
        partition: row.get::<_, i16>(1) as u16,
        key: row.get(2),
    })
}

fn parked_of(of: ParkedKey, row: &Row) -> Result<Parked, StoreError> {
    let id: Uuid = row.get(0);
    let event = serde_json::from_str(row.get("event")).map_err(|error| StoreError::Corrupt {
        what: format!("parked event {id}"),
        detail: error.to_string(),
    })?;
    let record = Record {
        topic: of.topic,
        partition: of.partition,
        position: row.get("position"),
        event,
    };
    Ok(Parked {
        id,
        attempts: row.get::<_, i32>("attempts").unsigned_abs(),
        waiting: row.get::<_, &str>("state") == "waiting",
        retry: row.get("retry"),
        record,
    })
}

/// A parked event as the console shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct ParkedSummary {
    /// Its id.
    pub id: Uuid,
    /// The group that could not process it.
    pub group: String,
    /// The topic.
    pub topic: Topic,
    /// The partition.
    pub partition: u16,
    /// The position.
    pub position: i64,
    /// The key that is held back.
    pub key: Uuid,
    /// The event's type.
    pub kind: String,
    /// Why it failed.
    pub reason: String,
    /// How often.
    pub attempts: i32,
    /// Real time.
    pub parked_at: Instant,
    /// How many events of the key wait behind it.
    pub waiting: i64,
}

pub(crate) const LIST: &str = "\
    SELECT p.id, p.group_name, p.topic, p.partition, p.position, p.key, p.kind, p.reason, p.attempts, p.parked_at,
           (SELECT count(*) FROM parked_event w
            WHERE w.group_name = p.group_name AND w.topic = p.topic AND w.partition = p.partition AND w.key = p.key
              AND w.state = 'waiting') AS waiting, count(*) OVER () AS total
    FROM parked_event p WHERE p.state = 'parked' AND ($1::text IS NULL OR p.group_name = $1)
    ORDER BY p.parked_at DESC, p.id LIMIT $2 OFFSET $3";
pub(crate) const COUNTS: &str = "SELECT group_name, count(*) FROM parked_event WHERE state = 'parked' GROUP BY group_name ORDER BY group_name";
pub(crate) const RETRY: &str =
    "UPDATE parked_event SET retry = true WHERE slot = $1 AND id = $2 AND state = 'parked'";
pub(crate) const SKIP: &str = "\
    UPDATE parked_event SET state = 'skipped', retry = true, reason = reason || '; skipped: ' || $3, skipped_by = $4
    WHERE slot = $1 AND id = $2 AND state = 'parked'";

/// Parked events of the session's tenant, newest first, and how many there are.
pub async fn list(
    session: &Session,
    group: Option<&str>,
    limit: i64,
    offset: i64,
) -> Result<(Vec<ParkedSummary>, i64), StoreError> {
    let rows = session.query(LIST, &[&group, &limit, &offset]).await?;
    let total = rows.first().map_or(0, |row| row.get("total"));
    Ok((rows.iter().filter_map(summary_of).collect(), total))
}

/// How many of the session's tenant's events each group has parked.
pub async fn counts(session: &Session) -> Result<Vec<(String, i64)>, StoreError> {
    let rows = session.query(COUNTS, &[]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Asks the group's worker to try a parked event again, and those behind it after it; false where there is none.
pub async fn retry(session: &Session, id: Uuid) -> Result<bool, StoreError> {
    Ok(session.execute(RETRY, &[&Slot::of(id).sql(), &id]).await? == 1)
}

/// Gives a parked event up, for a reason; those behind it go on. False where there is none.
pub async fn skip(session: &Session, id: Uuid, reason: &str) -> Result<bool, StoreError> {
    let skipped = session
        .execute(SKIP, &[&Slot::of(id).sql(), &id, &reason, &session.actor()])
        .await?;
    Ok(skipped == 1)
}

fn summary_of(row: &Row) -> Option<ParkedSummary> {
    Some(ParkedSummary {
        id: row.get("id"),
        group: row.get("group_name"),
        topic: Topic::from_sql(row.get("topic"))?,
        partition: row.get::<_, i16>("partition") as u16,
        position: row.get("position"),
        key: row.get("key"),
        kind: row.get("kind"),
        reason: row.get("reason"),
        attempts: row.get("attempts"),
        parked_at: row.get::<_, Timestamptz>("parked_at").0,
        waiting: row.get("waiting"),
    })
}
