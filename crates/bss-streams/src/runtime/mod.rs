//! The stream runtime: consumer groups over the event log, with effect and position in one transaction.
//!
//! A *lane* is a partition in all the topics of a group. A worker leases lanes, shares them fairly with the other
//! workers of its group, and works on several at once, on each with one batch at a time. A batch holds records of one
//! topic and partition, or a few records each of several lanes where the application joins them and nothing of theirs
//! has failed. It may hold several tenants' records, which the application gets tenant after tenant within the one
//! transaction (order is kept per key, and a key belongs to one tenant).

mod application;
mod batch;
mod joint;
mod lane;
mod metrics;
mod split;
mod worker;

pub use application::{Application, Follows, ProcessError, adopted_span};
pub use batch::{Batch, Part};
pub use metrics::{GroupMetrics, StreamMetrics, TopicCounts};
pub use worker::{Runtime, RuntimeConfig, RuntimeError};
