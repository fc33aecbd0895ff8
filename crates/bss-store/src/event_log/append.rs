use std::collections::BTreeMap;

use bss_events::{NewEvent, PARTITIONS};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

use crate::{Session, StoreError, Timestamptz};

/// Takes the positions and writes the events in one statement. Rows are locked in ascending order, so that two
/// transactions never wait for each other in a circle. A partition without a head gives NULL positions, which the
/// table refuses.
pub(crate) const APPEND: &str = include_str!("append.sql");
/// The same for events of a single topic and partition.
pub(crate) const APPEND_ONE: &str = include_str!("append_one.sql");

/// An append that is ready to go out as the last statement before COMMIT, since it holds the partitions' heads.
pub(crate) struct Append {
    statement: Statement,
    /// Topic, partition and number of events, by place.
    places: (Vec<i16>, Vec<i16>, Vec<i64>),
    columns: Columns,
}

impl Append {
    /// Prepares it; none where there is nothing to append.
    pub(crate) async fn of(session: &Session, events: &[NewEvent]) -> Result<Option<Self>, StoreError> {
        if events.is_empty() {
            return Ok(None);
        }
        let mut counts: BTreeMap<(i16, i16), i64> = BTreeMap::new();
        let mut columns = Columns::with_capacity(events.len());
        for new in events {
            let place = (new.topic.sql(), new.slot.partition(PARTITIONS) as i16);
            let ordinal = counts.entry(place).or_insert(0);
            *ordinal += 1;
            columns.push(place, *ordinal, new)?;
        }
        let sql = if counts.len() == 1 { APPEND_ONE } else { APPEND };
        let mut places = (Vec::new(), Vec::new(), Vec::new());
        for ((topic, partition), number) in counts {
            places.0.push(topic);
            places.1.push(partition);
            places.2.push(number);
        }
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
            vec![topics, partitions, numbers, &of.topic, &of.partition, &of.ordinal]
        };
        let rest: [&(dyn ToSql + Sync); 10] = [
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
        ];
        params.extend(rest);
        client
            .execute(&self.statement, &params)
            .await
            .map(|_| ())
            .map_err(StoreError::naming_constraints)
    }
}

#[derive(Default)]
struct Columns {
    topic: Vec<i16>,
    partition: Vec<i16>,
    ordinal: Vec<i64>,
    id: Vec<uuid::Uuid>,
    tenant: Vec<uuid::Uuid>,
    key: Vec<uuid::Uuid>,
    kind: Vec<String>,
    source: Vec<String>,
    subject: Vec<Option<String>>,
    time: Vec<Timestamptz>,
    traceparent: Vec<Option<String>>,
    dataversion: Vec<i16>,
    data: Vec<String>,
}

impl Columns {
    fn with_capacity(number: usize) -> Self {
        Self {
            id: Vec::with_capacity(number),
            tenant: Vec::with_capacity(number),
            key: Vec::with_capacity(number),
            kind: Vec::with_capacity(number),
            source: Vec::with_capacity(number),
            data: Vec::with_capacity(number),
            ..Self::default()
        }
    }

    fn push(&mut self, place: (i16, i16), ordinal: i64, new: &NewEvent) -> Result<(), StoreError> {
        let event = &new.event;
        self.topic.push(place.0);
        self.partition.push(place.1);
        self.ordinal.push(ordinal);
        self.id.push(event.id.into());
        self.tenant.push(event.tenant.into());
        self.key.push(event.key);
        self.kind.push(event.kind.clone());
        self.source.push(event.source.clone());
        self.subject.push(event.subject.clone());
        self.time.push(Timestamptz(event.time));
        self.traceparent
            .push(event.traceparent.map(|parent| parent.to_string()));
        self.dataversion.push(event.dataversion);
        let data = serde_json::to_string(&event.data).map_err(|error| StoreError::Corrupt {
            what: format!("event {}", event.id),
            detail: error.to_string(),
        })?;
        self.data.push(data);
        Ok(())
    }
}
