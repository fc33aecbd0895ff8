use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bss_domain::ids::TenantId;
use bss_events::{Appends, CloudEvent, EventData, EventLog, Extent, LogError, Record, Standing, Topic};
use tokio_postgres::Row;
use uuid::Uuid;

use super::record_batch::{self, Shared};
use crate::{Store, StoreError, Timestamptz};

/// The rows that hold the first `$4` events behind each place, in order: positions are dense, so a row whose first
/// event lies further away has nothing of them, and one that ends more than a whole batch (1,000) further neither, which
/// ends the scan. `$5` is the earliest day to look at, in days since 2000-01-01: it prunes the daily partitions that lie
/// behind.
pub(crate) const READ: &str = "\
    SELECT e.*, place.number
    FROM unnest($1::smallint[], $2::smallint[], $3::bigint[]) WITH ORDINALITY
             AS place (topic, partition, position, number),
         LATERAL (
             SELECT position, events, tenant_id, id, key, kind, source, subject, time, traceparent, dataversion, data,
                    batch, recorded_on - date '2000-01-01' AS day
             FROM log_event
             WHERE topic = place.topic AND partition = place.partition AND position > place.position
               AND position < place.position + $4 + 1000 AND position - events < place.position + $4
               AND recorded_on >= date '2000-01-01' + $5::int
             ORDER BY position LIMIT $4) AS e";
pub(crate) const EXTENTS: &str =
    "SELECT topic, partition, tail, head FROM log_partition WHERE topic = ANY($1::smallint[])";

/// How long a transaction may run and still find its events read without a second look, in days.
const SLACK_DAYS: i32 = 1;

/// The position before the last row read, and that row's day, by place.
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

    /// The day of the last row that was read, if the reader goes on from there or later.
    fn day_hint(&self, place: &Standing) -> Option<i32> {
        let days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        let (position, day) = days.get(&(place.topic, place.partition))?;
        (*position <= place.position).then_some(day - SLACK_DAYS)
    }

    fn note_day(&self, place: &Standing, position: i64, day: i32) {
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        days.insert((place.topic, place.partition), (position, day));
    }

    /// The rows of each place.
    async fn rows(
        &self,
        places: &[Standing],
        max: usize,
        from_day: i32,
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        let topics: Vec<i16> = places.iter().map(|place| place.topic.sql()).collect();
        let partitions: Vec<i16> = places.iter().map(|place| place.partition as i16).collect();
        let positions: Vec<i64> = places.iter().map(|place| place.position).collect();
        let limit = i64::try_from(max).unwrap_or(i64::MAX);
        let connection = self.store.worker_connection().await?;
        let statement = connection.prepare_cached(READ).await?;
        let rows = connection
            .query(&statement, &[&topics, &partitions, &positions, &limit, &from_day])
            .await?;
        let mut each: Vec<Vec<Row>> = places.iter().map(|_| Vec::new()).collect();
        for row in rows {
            // `WITH ORDINALITY` counts from 1, in the order of the places.
            let number: i64 = row.try_get("number")?;
            each[number as usize - 1].push(row);
        }
        Ok(each)
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
        let place = Standing {
            topic,
            partition,
            position: after,
        };
        Ok(self.read_each(&[place], max).await?.pop().unwrap_or_default())
    }

    async fn read_each(&self, places: &[Standing], max: usize) -> Result<Vec<Vec<Record>>, LogError> {
        let hint = places.iter().map(|place| self.day_hint(place)).min().flatten();
        let mut each = self
            .rows(places, max, hint.unwrap_or(0))
            .await
            .map_err(unavailable)?;
        let follows = |(place, rows): (&Standing, &Vec<Row>)| {
            rows.first()
                .is_some_and(|row| first_position(row) <= place.position + 1)
        };
        if hint.is_some() && !places.iter().zip(&each).all(follows) {
            // A transaction older than the slack may have appended under its own, earlier day.
            each = self.rows(places, max, 0).await.map_err(unavailable)?;
        }
        let read = places.iter().zip(&each).map(|(place, rows)| {
            if let Some(last) = rows.last() {
                // A row may hold more than was asked for: the next read begins somewhere within it.
                self.note_day(place, first_position(last) - 1, last.get("day"));
            }
            records_behind(place, rows, max)
        });
        read.collect()
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

/// The first `max` records behind a place.
fn records_behind(place: &Standing, rows: &[Row], max: usize) -> Result<Vec<Record>, LogError> {
    let (topic, partition) = (place.topic, place.partition);
    let mut records = Vec::with_capacity(max.min(rows.len() * record_batch::EVENTS_MAX));
    for row in rows {
        let of_row = records_of(topic, partition, row).map_err(|detail| LogError::Unreadable {
            topic,
            partition,
            position: first_position(row),
            detail,
        })?;
        records.extend(of_row.filter(|record| record.position > place.position));
    }
    records.truncate(max);
    Ok(records)
}

/// The records of a row that has the columns of [`READ`], the oldest first.
pub(super) fn records_of(
    topic: Topic,
    partition: u16,
    row: &Row,
) -> Result<impl DoubleEndedIterator<Item = Record> + use<>, String> {
    let first = first_position(row);
    let record = move |(place, event)| Record {
        topic,
        partition,
        position: first + place as i64,
        event,
    };
    Ok(events_of(row)?.into_iter().enumerate().map(record))
}

/// The position of a row's first event.
pub(super) fn first_position(row: &Row) -> i64 {
    row.get::<_, i64>("position") - i64::from(row.get::<_, i16>("events")) + 1
}

/// The events of a row that has the columns of [`READ`].
fn events_of(row: &Row) -> Result<Vec<CloudEvent>, String> {
    let traceparent: Option<&str> = row.get("traceparent");
    let shared = Shared {
        tenant: TenantId::from(row.get::<_, Uuid>("tenant_id")),
        kind: row.get("kind"),
        source: row.get("source"),
        time: row.get::<_, Timestamptz>("time").0,
        // What can't be read of a trace is no reason to lose the event.
        traceparent: traceparent.and_then(|text| text.parse().ok()),
        dataversion: row.get("dataversion"),
    };
    if let Some(batch) = row.get::<_, Option<&[u8]>>("batch") {
        let number: i16 = row.get("events");
        return record_batch::unpack(&shared, usize::from(number.unsigned_abs()), batch);
    }
    let data = EventData::stored(row.get("data"))?;
    let (id, key, subject) = (row.get("id"), row.get("key"), row.get("subject"));
    Ok(vec![record_batch::event(&shared, id, key, subject, data)])
}
