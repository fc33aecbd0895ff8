//! Several events as one row of the log. A file of usage appends them by the thousand; as rows of their own, their
//! headers, index entries and repeated texts would cost more than what they say.

use bss_domain::Instant;
use bss_domain::ids::{EventId, TenantId};
use bss_events::{CloudEvent, EventData, SpecVersion, TraceParent};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Most events of a batch, so that a reader that wants few of them doesn't unpack many.
pub const EVENTS_MAX: usize = 1_000;

/// Fewer than so many are rows of their own: they are looked up more easily, and hardly dearer.
const EVENTS_MIN: usize = 4;

/// The first byte of a batch: its form. One that is not known is an error, not a guess.
const FORM: u8 = 1;

/// What the events of a batch have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Shared {
    /// Whose they are.
    pub tenant: TenantId,
    /// What happened.
    pub kind: String,
    /// Who says so.
    pub source: String,
    /// When.
    pub time: Instant,
    /// The trace that they belong to.
    pub traceparent: Option<TraceParent>,
    /// The version of their data's form.
    pub dataversion: i16,
}

/// What an event of a batch has of its own.
#[derive(Serialize, Deserialize)]
struct Own<'e> {
    id: Uuid,
    key: Uuid,
    subject: Option<&'e str>,
    data: &'e str,
}

/// Whether two events may be of one batch.
fn agree(one: &CloudEvent, other: &CloudEvent) -> bool {
    one.tenant == other.tenant
        && one.time == other.time
        && one.traceparent == other.traceparent
        && one.dataversion == other.dataversion
        && one.kind == other.kind
        && one.source == other.source
}

/// Cuts the events of one partition into rows, in their order: batches, and events alone.
pub fn rows<'r, 'e>(events: &'r [&'e CloudEvent]) -> impl Iterator<Item = &'r [&'e CloudEvent]> {
    events
        .chunk_by(|one, other| agree(one, other))
        .flat_map(|run| run.chunks(if run.len() < EVENTS_MIN { 1 } else { EVENTS_MAX }))
}

/// The subject as the log keeps it: what packed usage is about stands in the usage.
pub fn kept_subject(event: &CloudEvent) -> Option<&str> {
    let said = event.data.packed_id();
    let subject = event.subject.as_deref();
    subject.filter(|subject| said.as_deref() != Some(subject))
}

/// The bytes of a batch.
pub fn pack(events: &[&CloudEvent]) -> Result<Vec<u8>, postcard::Error> {
    let own = |event: &&CloudEvent| event.data.text().len() + 64;
    let mut plain = Vec::with_capacity(events.iter().map(own).sum());
    for event in events {
        let own = Own {
            id: event.id.into(),
            key: event.key,
            subject: kept_subject(event),
            data: event.data.text(),
        };
        plain = postcard::to_extend(&own, plain)?;
    }
    let mut packed = vec![FORM];
    packed.extend(lz4_flex::compress_prepend_size(&plain));
    Ok(packed)
}

/// The events of a batch, in their order; an error says why they can't be read.
pub fn unpack(shared: &Shared, number: usize, packed: &[u8]) -> Result<Vec<CloudEvent>, String> {
    let Some((&FORM, packed)) = packed.split_first() else {
        return Err(format!(
            "a batch of the unknown form {:?}",
            packed.first().copied()
        ));
    };
    let plain = lz4_flex::decompress_size_prepended(packed).map_err(|error| error.to_string())?;
    let mut rest = plain.as_slice();
    let mut events = Vec::with_capacity(number);
    while !rest.is_empty() {
        let (own, behind) = postcard::take_from_bytes::<Own>(rest).map_err(|error| error.to_string())?;
        rest = behind;
        let data = EventData::stored(own.data)?;
        events.push(event(shared, own.id, own.key, own.subject, data));
    }
    if events.len() == number {
        Ok(events)
    } else {
        Err(format!("a batch of {number} events holds {}", events.len()))
    }
}

/// The event that has this of its own.
pub fn event(shared: &Shared, id: Uuid, key: Uuid, subject: Option<&str>, data: EventData) -> CloudEvent {
    CloudEvent {
        specversion: SpecVersion::V1,
        id: EventId::from(id),
        source: shared.source.clone(),
        kind: shared.kind.clone(),
        subject: subject.map(ToOwned::to_owned).or_else(|| data.packed_id()),
        time: shared.time,
        tenant: shared.tenant,
        key,
        traceparent: shared.traceparent,
        dataversion: shared.dataversion,
        data,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shared(second: i64) -> Shared {
        Shared {
            tenant: TenantId::from(Uuid::from_u128(7)),
            kind: "UsageCreateEvent".to_owned(),
            source: "/bss/usage".to_owned(),
            time: Instant::from_second(second).unwrap(),
            traceparent: None,
            dataversion: 1,
        }
    }

    fn events(second: i64, number: u128) -> Vec<CloudEvent> {
        (0..number)
            .map(|of| {
                let subject = (of % 2 == 0).then_some("somebody");
                let data = json!({ "number": of as u64 }).into();
                event(
                    &shared(second),
                    Uuid::from_u128(of),
                    Uuid::from_u128(of / 3),
                    subject,
                    data,
                )
            })
            .collect()
    }

    #[test]
    fn a_batch_gives_back_its_events_in_their_order() {
        let events = events(5, 100);
        let packed = pack(&events.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!(unpack(&shared(5), 100, &packed).unwrap(), events);
    }

    #[test]
    fn what_differs_in_more_than_its_own_is_a_row_of_its_own() {
        let mut all = events(5, 1_500);
        all.extend(events(6, 3));
        all.extend(events(7, 4));
        let all: Vec<&CloudEvent> = all.iter().collect();
        let lengths: Vec<usize> = rows(&all).map(<[_]>::len).collect();
        assert_eq!(lengths, [1_000, 500, 1, 1, 1, 4]);
    }

    #[test]
    fn a_damaged_batch_is_an_error() {
        let events = events(5, 10);
        let packed = pack(&events.iter().collect::<Vec<_>>()).unwrap();
        assert!(unpack(&shared(5), 11, &packed).is_err());
        assert!(unpack(&shared(5), 10, &packed[..packed.len() - 9]).is_err());
        assert!(unpack(&shared(5), 10, &[]).unwrap_err().contains("None"));
        let mut other = packed;
        other[0] = 9;
        assert!(unpack(&shared(5), 10, &other).unwrap_err().contains('9'));
    }
}
