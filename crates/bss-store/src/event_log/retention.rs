//! The log's daily partitions: opened ahead of their time, dropped when they are old and consumed by every group.

use tokio_postgres::error::SqlState;

use crate::{Store, StoreError};

/// How many days ahead partitions are opened.
const AHEAD_DAYS: i32 = 7;

/// What a call of [`maintain`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Maintained {
    /// Days (`20261231`) whose partitions were opened.
    pub opened: Vec<String>,
    /// Days whose partitions were dropped.
    pub dropped: Vec<String>,
    /// Days that are old enough to go, and that a group has not consumed yet.
    pub unconsumed: Vec<String>,
}

/// Days of which rows lie in the default partition, and days from today on: those that are not open yet. Today's rows
/// stay in the default partition where they are there already, since transactions still write to it.
pub(crate) const MISSING_DAYS: &str = "\
    WITH wanted AS (
        SELECT (now() AT TIME ZONE 'UTC')::date + n AS day FROM generate_series(0, $1::int) n
        UNION SELECT DISTINCT recorded_on FROM log_event_default
    )
    SELECT to_char(day, 'YYYYMMDD') FROM wanted
    WHERE to_regclass('log_event_' || to_char(day, 'YYYYMMDD')) IS NULL
      AND (day <> (now() AT TIME ZONE 'UTC')::date OR NOT EXISTS (SELECT FROM log_event_default WHERE recorded_on = day))
    ORDER BY 1";
pub(crate) const OLD_DAYS: &str = "\
    SELECT right(c.relname, 8) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'log_event'::regclass AND c.relname ~ '^log_event_[0-9]{8}$'
      AND to_date(right(c.relname, 8), 'YYYYMMDD') < (now() AT TIME ZONE 'UTC')::date - greatest($1::int, 1)
    ORDER BY 1";
pub(crate) const CONSUMED: &str = "\
    SELECT NOT EXISTS (
        SELECT FROM group_position g JOIN unnest($1::smallint[], $2::smallint[], $3::bigint[]) AS t (topic, partition, tail)
        USING (topic, partition) WHERE g.position < t.tail)";
pub(crate) const OPEN_DAY: &str = "SELECT bss_log_open_day(to_date($1, 'YYYYMMDD'))";
pub(crate) const DROP_DAY: &str = "SELECT bss_log_drop_day(to_date($1, 'YYYYMMDD'), $2, $3, $4)";

/// Opens partitions ahead and drops those that are older than the retention (whole days of real time) and consumed
/// by all groups. To be called at the start and every hour; what is locked at the moment is left to the next call.
pub async fn maintain(store: &Store, retention_days: u16) -> Result<Maintained, StoreError> {
    let mut done = Maintained::default();
    let connection = store.worker_connection().await?;
    for row in connection.query(MISSING_DAYS, &[&AHEAD_DAYS]).await? {
        let day: String = row.get(0);
        if unless_locked(connection.query_one(OPEN_DAY, &[&day]).await)? {
            done.opened.push(day);
        }
    }
    for row in connection.query(OLD_DAYS, &[&i32::from(retention_days)]).await? {
        let day: String = row.get(0);
        let (topics, partitions, tails) = tails_of(&connection, &day).await?;
        let consumed = connection
            .query_one(CONSUMED, &[&topics, &partitions, &tails])
            .await?;
        if !consumed.get::<_, bool>(0) {
            tracing::warn!(day, "the event log keeps an old day: a group has not consumed it");
            done.unconsumed.push(day);
        } else if unless_locked(
            connection
                .query_one(DROP_DAY, &[&day, &topics, &partitions, &tails])
                .await,
        )? {
            done.dropped.push(day);
        }
    }
    Ok(done)
}

/// The last position of every partition within a day: one step in the day's index for each.
async fn tails_of(
    connection: &tokio_postgres::Client,
    day: &str,
) -> Result<(Vec<i16>, Vec<i16>, Vec<i64>), StoreError> {
    // The day comes from the catalog and has eight digits.
    let sql = format!(
        "SELECT topic, partition, last FROM log_partition p, LATERAL (SELECT max(position) AS last FROM \
         log_event_{day} e WHERE e.topic = p.topic AND e.partition = p.partition) l WHERE last IS NOT NULL"
    );
    let mut tails = (Vec::new(), Vec::new(), Vec::new());
    for row in connection.query(&sql, &[]).await? {
        tails.0.push(row.get(0));
        tails.1.push(row.get(1));
        tails.2.push(row.get(2));
    }
    Ok(tails)
}

fn unless_locked(outcome: Result<tokio_postgres::Row, tokio_postgres::Error>) -> Result<bool, StoreError> {
    match outcome {
        Ok(_) => Ok(true),
        Err(error)
            if [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED]
                .iter()
                .any(|code| error.code() == Some(code)) =>
        {
            tracing::info!(%error, "the event log's partitions are in use; the next round tries again");
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}
