use bss_domain::{Instant, Slot};
use bss_events::{CloudEvent, EventData, NewEvent, SpecVersion, Topic};
use bss_store::{Store, StoreError};
use uuid::Uuid;

use crate::{Clock, Ids, RequestContext};

/// What every use case works with.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub store: Store,
    /// Business time.
    pub clock: Clock,
    /// New ids.
    pub ids: Ids,
}

impl App {
    /// The application over an open, migrated store.
    pub async fn new(store: Store) -> Result<Self, StoreError> {
        let clock = Clock::of(&store).await?;
        Ok(Self {
            store,
            clock,
            ids: Ids,
        })
    }

    /// An event about `subject`, ordered by `key` (the customer's id, or the entity's where there is none), in the
    /// trace of the call.
    pub fn event(
        &self,
        context: &RequestContext,
        now: Instant,
        (topic, kind): (Topic, &str),
        (key, subject): (Uuid, Uuid),
        data: impl Into<EventData>,
    ) -> NewEvent {
        let slot = Slot::of(key);
        let event = CloudEvent {
            specversion: SpecVersion::V1,
            id: self.ids.new_event(now, slot),
            source: "/bss".to_owned(),
            kind: kind.to_owned(),
            subject: Some(subject.to_string()),
            time: now,
            tenant: context.tenant(),
            key,
            traceparent: context.traceparent,
            dataversion: 1,
            data: data.into(),
        };
        NewEvent { topic, slot, event }
    }
}
