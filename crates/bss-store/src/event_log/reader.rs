use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bss_domain::ids::{EventId, TenantId};
use bss_events::{Appends, CloudEvent, EventLog, Extent, LogError, Record, SpecVersion, Topic};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{Store, StoreError, Timestamptz};

/// `$5` is the earliest day to look at, in days since 2000-01-01: it prunes the daily partitions that lie behind.
pub(crate) const READ: &str = "\
    SELECT position, tenant_id, id, key, kind, source, subject, time, traceparent, dataversion, data, \
           recorded_on - date '2000-01-01' AS day
    FROM log_event
    WHERE topic = $1 AND partition = $2 AND position > $3 AND recorded_on >= date '2000-01-01' + $5::int
    ORDER BY position LIMIT $4";
pub(crate) const EXTENTS: &str =
    "SELECT topic, partition, tail, head FROM log_partition WHERE topic = ANY($1::smallint[])";

/// How long a transaction may run and still find its events read without a second look, in days.
const SLACK_DAYS: i32 = 1;

/// Position and day of the last record read, by place.
type Days = HashMap<(Topic, u16), (i64, i32)>;

/// The event log as its own tables hold it, read across tenants by the worker's role.
#[derive(Clone)]
pub struct PostgresLog {
    store: Store,
    days: Arc<Mutex<Days>>,
}

impl PostgresLog {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            days: Arc::default(),
        }
    }

    /// The day of the last record that was read, if the reader goes on from there or later.
    fn day_hint(&self, topic: Topic, partition: u16, after: i64) -> Option<i32> {
        let days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        let (position, day) = days.get(&(topic, partition))?;
        (*position <= after).then_some(day - SLACK_DAYS)
    }

    fn note_day(&self, topic: Topic, partition: u16, position: i64, day: i32) {
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        days.insert((topic, partition), (position, day));
    }

    async fn rows(
        &self,
        (topic, partition): (Topic, u16),
        after: i64,
        max: usize,
        from_day: i32,
    ) -> Result<Vec<Row>, StoreError> {
        let connection = self.store.worker_connection().await?;
        let statement = connection.prepare_cached(READ).await?;
        let limit = i64::try_from(max).unwrap_or(i64::MAX);
        let rows = connection
            .query(
                &statement,
                &[&topic.sql(), &(partition as i16), &after, &limit, &from_day],
            )
            .await?;
        Ok(rows)
    }
}

#[async_trait]
impl EventLog for PostgresLog {
    async fn read(
        &self,
        topic: Topic,
        partition: u16,
        after: i64,
        max: usize,
    ) -> Result<Vec<Record>, LogError> {
        let place = (topic, partition);
        let hint = self.day_hint(topic, partition, after);
        let mut rows = self
            .rows(place, after, max, hint.unwrap_or(0))
            .await
            .map_err(unavailable)?;
        let follows = rows.first().is_some_and(|row| row.get::<_, i64>(0) == after + 1);
        if hint.is_some() && !follows {
            // A transaction older than the slack may have appended under its own, earlier day.
            rows = self.rows(place, after, max, 0).await.map_err(unavailable)?;
        }
        if let Some(last) = rows.last() {
            self.note_day(topic, partition, last.get(0), last.get("day"));
        }
        rows.iter().map(|row| record_of(topic, partition, row)).collect()
    }

    async fn extents(&self, topics: &[Topic]) -> Result<Vec<Extent>, LogError> {
        let numbers: Vec<i16> = topics.iter().map(|topic| topic.sql()).collect();
        let rows = async {
            let connection = self.store.worker_connection().await?;
            let statement = connection.prepare_cached(EXTENTS).await?;
            Ok(connection.query(&statement, &[&numbers]).await?)
        };
        let rows: Result<Vec<Row>, StoreError> = rows.await;
        let extents = rows.map_err(unavailable)?.iter().filter_map(extent_of).collect();
        Ok(extents)
    }

    fn appends(&self) -> Appends {
        self.store.appended().subscribe()
    }
}

fn unavailable(error: StoreError) -> LogError {
    LogError::Unavailable(Box::new(error))
}

fn extent_of(row: &Row) -> Option<Extent> {
    Some(Extent {
        topic: Topic::from_sql(row.get(0))?,
        partition: row.get::<_, i16>(1) as u16,
        tail: row.get(2),
        head: row.get(3),
    })
}

fn record_of(topic: Topic, partition: u16, row: &Row) -> Result<Record, LogError> {
    let position = row.get(0);
    let event = event_of(row).map_err(|detail| LogError::Unreadable {
        topic,
        partition,
        position,
        detail,
    })?;
    Ok(Record {
        topic,
        partition,
        position,
        event,
    })
}

/// The event of a row that has the columns of [`READ`].
pub(super) fn event_of(row: &Row) -> Result<CloudEvent, String> {
    let traceparent: Option<&str> = row.get("traceparent");
    let data: &str = row.get("data");
    Ok(CloudEvent {
        specversion: SpecVersion::V1,
        id: EventId::from(row.get::<_, Uuid>("id")),
        source: row.get("source"),
        kind: row.get("kind"),
        subject: row.get("subject"),
        time: row.get::<_, Timestamptz>("time").0,
        tenant: TenantId::from(row.get::<_, Uuid>("tenant_id")),
        key: row.get("key"),
        // What can't be read of a trace is no reason to lose the event.
        traceparent: traceparent.and_then(|text| text.parse().ok()),
        dataversion: row.get("dataversion"),
        data: serde_json::from_str(data).map_err(|error| error.to_string())?,
    })
}
