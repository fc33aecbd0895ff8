use bss_domain::ids::{CustomerId, EventId};
use bss_domain::{Instant, Slot, TypedId};
use rand::RngExt;

/// Draws new ids: time and randomness come from here, never from the domain.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ids;

impl Ids {
    /// A new id in a slot, made now (business time).
    pub fn new_id<I: TypedId>(self, now: Instant, slot: Slot) -> I {
        I::at(now.as_millisecond(), slot, rand::rng().random())
    }

    /// A new id of something that belongs to no customer: its slot is drawn.
    pub fn new_shared_id<I: TypedId>(self, now: Instant) -> I {
        let random: u64 = rand::rng().random();
        self.new_id(now, Slot::hash(&random.to_be_bytes()))
    }

    /// A new customer's id.
    pub fn new_customer(self, now: Instant) -> CustomerId {
        CustomerId::new(now.as_millisecond(), rand::rng().random())
    }

    /// A new event's id.
    pub fn new_event(self, now: Instant, slot: Slot) -> EventId {
        self.new_id(now, slot)
    }

    /// Random bits for a trace context.
    pub fn new_span(self) -> (u128, u64) {
        (rand::rng().random(), rand::rng().random())
    }
}
