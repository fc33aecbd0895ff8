#![doc = include_str!("../README.md")]

mod cloud_event;
mod topic;
mod trace_parent;

pub use cloud_event::{CloudEvent, NewEvent, Record, SpecVersion};
pub use topic::{PARTITIONS, Topic, UnknownTopic};
pub use trace_parent::{TraceParent, TraceParentError};
