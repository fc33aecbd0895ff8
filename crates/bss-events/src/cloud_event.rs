use bss_domain::ids::{EventId, TenantId};
use bss_domain::{Instant, Slot};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{EventData, Topic, TraceParent};

/// An event in the CloudEvents 1.0 JSON format, with our extensions `tenant`, `key`, `traceparent` and
/// `dataversion`. It carries ids and amounts, not names and numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CloudEvent {
    /// Always `1.0`.
    pub specversion: SpecVersion,
    /// The event's id; its slot is that of the customer (or entity) it is about.
    pub id: EventId,
    /// Who says so: `/bss/order`.
    pub source: String,
    /// What happened, in TM Forum's words: `ProductOrderCreateEvent`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The id of what it happened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When, in business time.
    pub time: Instant,
    /// The tenant.
    pub tenant: TenantId,
    /// The key whose order is kept: the customer's id, or the entity's where there is no customer.
    pub key: Uuid,
    /// The trace that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<TraceParent>,
    /// The version of `data`'s form.
    pub dataversion: i16,
    /// The facts.
    pub data: EventData,
}

/// The version of CloudEvents that we write and read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpecVersion {
    /// CloudEvents 1.0.
    #[default]
    #[serde(rename = "1.0")]
    V1,
}

/// An event that is to be appended.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Where to.
    pub topic: Topic,
    /// Whose partition.
    pub slot: Slot,
    /// What.
    pub event: CloudEvent,
}

/// An event of the log with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The topic.
    pub topic: Topic,
    /// The partition, 0 to 63.
    pub partition: u16,
    /// The dense position within topic and partition, from 1.
    pub position: i64,
    /// The event.
    pub event: CloudEvent,
}
