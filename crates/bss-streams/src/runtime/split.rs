use std::collections::{BTreeMap, HashSet};

use bss_events::Record;
use bss_store::event_log::parked::Cause;
use uuid::Uuid;

/// A record's end: tried so often in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub reason: String,
    pub attempts: u32,
}

/// A batch, divided.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Split {
    /// To be processed, tenant by tenant, each key in order.
    pub live: Vec<Record>,
    /// To be parked, in order.
    pub parked: Vec<(Record, Cause)>,
}

/// Divides a batch: records with a verdict are parked, and so are those behind a parked one of their key.
pub(super) fn split(records: Vec<Record>, held: &HashSet<Uuid>, verdicts: &BTreeMap<i64, Verdict>) -> Split {
    let mut held_here: HashSet<Uuid> = HashSet::new();
    let mut split = Split::default();
    for record in records {
        let key = record.event.key;
        if held.contains(&key) || held_here.contains(&key) {
            split.parked.push((record, Cause::Waiting));
        } else if let Some(verdict) = verdicts.get(&record.position) {
            held_here.insert(key);
            let cause = Cause::Failed {
                reason: verdict.reason.clone(),
                attempts: verdict.attempts,
            };
            split.parked.push((record, cause));
        } else {
            split.live.push(record);
        }
    }
    // Stable: within a tenant the order stays.
    split.live.sort_by_key(|record| record.event.tenant);
    split
}

#[cfg(test)]
pub(super) mod tests {
    use bss_domain::ids::{EventId, TenantId, compose};
    use bss_domain::{Slot, TypedId};
    use bss_events::{CloudEvent, SpecVersion, Topic};
    use serde_json::Value;

    use super::*;

    fn record(position: i64, tenant: u64, key: u64) -> Record {
        let slot = Slot::hash(b"x");
        let event = CloudEvent {
            specversion: SpecVersion::V1,
            id: EventId::at(1, slot, 1),
            source: "/test".to_owned(),
            kind: "TestEvent".to_owned(),
            subject: None,
            time: "2026-01-01T00:00:00Z".parse().unwrap(),
            tenant: TenantId::at(1, slot, tenant),
            key: compose(1, slot, key),
            traceparent: None,
            dataversion: 1,
            data: Value::Null.into(),
        };
        Record {
            topic: Topic::Order,
            partition: 1,
            position,
            event,
        }
    }

    #[test]
    fn a_poison_event_holds_back_its_own_key_and_no_other() {
        let records = vec![
            record(1, 2, 7),
            record(2, 1, 8),
            record(3, 2, 9),
            record(4, 2, 7),
            record(5, 1, 8),
            record(6, 2, 9),
        ];
        let held = HashSet::from([records[2].event.key]);
        let verdict = Verdict {
            reason: "no such offering".to_owned(),
            attempts: 3,
        };
        let split = split(records, &held, &BTreeMap::from([(2, verdict)]));
        let live: Vec<i64> = split.live.iter().map(|record| record.position).collect();
        let parked: Vec<(i64, bool)> = split
            .parked
            .iter()
            .map(|(record, cause)| (record.position, *cause == Cause::Waiting))
            .collect();
        assert_eq!(live, [1, 4]);
        assert_eq!(parked, [(2, false), (3, true), (5, true), (6, true)]);
    }

    #[test]
    fn tenants_follow_each_other_and_keep_their_order() {
        let records = vec![record(1, 2, 7), record(2, 1, 8), record(3, 2, 9), record(4, 1, 8)];
        let split = split(records, &HashSet::new(), &BTreeMap::new());
        let live: Vec<i64> = split.live.iter().map(|record| record.position).collect();
        assert_eq!(live, [2, 4, 1, 3]);
    }
}
