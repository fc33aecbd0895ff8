use std::collections::BTreeMap;

use bss_events::{NewEvent, PARTITIONS};

use crate::{Session, StoreError, Timestamptz};

/// Takes the positions and writes the events in one statement. Rows are locked in ascending order, so that two
/// transactions never wait for each other in a circle.
const APPEND: &str = include_str!("append.sql");

/// Appends events; to be called as the last statement before COMMIT, since it holds the partitions' heads.
pub(crate) async fn append(session: &Session, events: &[NewEvent]) -> Result<(), StoreError> {
    let mut counts: BTreeMap<(i16, i16), i64> = BTreeMap::new();
    let mut rows = Columns::default();
    for new in events {
        let place = (new.topic.sql(), new.slot.partition(PARTITIONS) as i16);
        let ordinal = counts.entry(place).or_insert(0);
        *ordinal += 1;
        rows.push(place, *ordinal, new)?;
    }
    let (places, numbers): (Vec<_>, Vec<_>) = counts.into_iter().unzip();
    let (topics, partitions): (Vec<i16>, Vec<i16>) = places.into_iter().unzip();
    let written = session
        .execute(
            APPEND,
            &[
                &topics,
                &partitions,
                &numbers,
                &rows.topic,
                &rows.partition,
                &rows.ordinal,
                &rows.id,
                &rows.tenant,
                &rows.key,
                &rows.kind,
                &rows.source,
                &rows.subject,
                &rows.time,
                &rows.traceparent,
                &rows.dataversion,
                &rows.data,
            ],
        )
        .await?;
    if written == events.len() as u64 {
        return Ok(());
    }
    Err(StoreError::Corrupt {
        what: "event log".to_owned(),
        detail: format!(
            "{written} of {} events were written: a partition's head is missing",
            events.len()
        ),
    })
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
