#![doc = include_str!("../README.md")]

mod cloud_event;
mod data;
mod log;
mod topic;
mod trace_parent;

pub use cloud_event::{CloudEvent, NewEvent, Record, SpecVersion};
pub use data::EventData;
pub use log::{AppendSignal, Appends, EventLog, Extent, LogError, Standing, admit};
pub use topic::{PARTITIONS, Topic, UnknownTopic};
pub use trace_parent::{TraceParent, TraceParentError};
