use std::collections::BTreeMap;

use bss_events::{CloudEvent, NewEvent, PARTITIONS};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

use super::record_batch;
use crate::{Session, StoreError, Timestamptz};

/// Takes the positions and writes the events in one statement. Rows are locked in ascending order, so that two
/// transactions never wait for each other in a circle. A partition without a head gives NULL positions, which the
/// table refuses.
pub(crate) const APPEND: &str = include_str!("append.sql");
/// The same for events of a single topic and partition.
pub(crate) const APPEND_ONE: &str = include_str!("append_one.sql");

/// An append that is ready to go out as the last statement before COMMIT, since it holds the partitions' heads.
pub(crate) struct Append<'e> {
    statement: Statement,
    /// Topic, partition and number of events, by place.
    places: (Vec<i16>, Vec<i16>, Vec<i64>),
    columns: Columns<'e>,
}

impl<'e> Append<'e> {
    /// Prepares it; none where there is nothing to append.
    pub(crate) async fn of(session: &Session, events: &'e [NewEvent]) -> Result<Option<Self>, StoreError> {
        if events.is_empty() {
            return Ok(None);
        }
        let mut of_place: BTreeMap<(i16, i16), Vec<&CloudEvent>> = BTreeMap::new();
        for new in events {
            let place = (new.topic.sql(), new.slot.partition(PARTITIONS) as i16);
            of_place.entry(place).or_default().push(&new.event);
        }
        let mut columns = Columns::default();
        let mut places = (Vec::new(), Vec::new(), Vec::new());
        for (place, events) in &of_place {
            places.0.push(place.0);
            places.1.push(place.1);
            places.2.push(events.len() as i64);
            let mut ordinal = 0;
            for row in record_batch::rows(events) {
                ordinal += row.len() as i64;
                columns.push(*place, ordinal, row)?;
            }
        }
        let sql = if of_place.len() == 1 { APPEND_ONE } else { APPEND };
        Ok(Some(Self {
            statement: session.prepare(sql).await?,
            places,
            columns,
        }))
    }

    /// Sends it.
    pub(crate) async fn run(&self, client: &Client) -> Result<(), StoreError> {
        let (topics, partitions, numbers) = &self.places;
        let of = &self.columns;
        let mut params: Vec<&(dyn ToSql + Sync)> = if topics.len() == 1 {
            vec![&topics[0], &partitions[0], &numbers[0]]
        } else {
            vec![topics, partitions, numbers, &of.topic, &of.partition]
        };
        let rest: [&(dyn ToSql + Sync); 13] = [
            &of.ordinal,
            &of.events,
            &of.id,
            &of.tenant,
            &of.key,
            &of.kind,
            &of.source,
            &of.subject,
            &of.time,
            &of.traceparent,
            &of.dataversion,
            &of.data,
            &of.batch,
        ];
        params.extend(rest);
        client
            .execute(&self.statement, &params)
            .await
            .map(|_| ())
            .map_err(StoreError::naming_constraints)
    }
}

/// The rows, column by column.
#[derive(Default)]
struct Columns<'e> {
    topic: Vec<i16>,
    partition: Vec<i16>,
    /// The place of a row's last event among those of its partition, from 1.
    ordinal: Vec<i64>,
    events: Vec<i16>,
    id: Vec<Option<uuid::Uuid>>,
    tenant: Vec<uuid::Uuid>,
    key: Vec<Option<uuid::Uuid>>,
    kind: Vec<&'e str>,
    source: Vec<&'e str>,
    subject: Vec<Option<&'e str>>,
    time: Vec<Timestamptz>,
    traceparent: Vec<Option<String>>,
    dataversion: Vec<i16>,
    data: Vec<Option<&'e str>>,
    batch: Vec<Option<Vec<u8>>>,
}

impl<'e> Columns<'e> {
    fn push(&mut self, place: (i16, i16), ordinal: i64, events: &[&'e CloudEvent]) -> Result<(), StoreError> {
        let Some(first) = events.first() else {
            return Ok(());
        };
        self.topic.push(place.0);
        self.partition.push(place.1);
        self.ordinal.push(ordinal);
        self.events.push(events.len() as i16);
        self.tenant.push(first.tenant.into());
        self.kind.push(&first.kind);
        self.source.push(&first.source);
        self.time.push(Timestamptz(first.time));
        self.traceparent
            .push(first.traceparent.map(|parent| parent.to_string()));
        self.dataversion.push(first.dataversion);
        let alone = (events.len() == 1).then_some(*first);
        self.id.push(alone.map(|event| event.id.into()));
        self.key.push(alone.map(|event| event.key));
        self.subject.push(alone.and_then(record_batch::kept_subject));
        self.data.push(alone.map(|event| event.data.text()));
        let batch = match alone {
            Some(_) => None,
            None => Some(record_batch::pack(events).map_err(|error| StoreError::Corrupt {
                what: format!("events like {}", first.id),
                detail: error.to_string(),
            })?),
        };
        self.batch.push(batch);
        Ok(())
    }
}
