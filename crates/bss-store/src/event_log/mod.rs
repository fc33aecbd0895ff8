//! The event log in PostgreSQL: positions dense per topic and partition, taken by the last statement of the
//! change's own transaction.

pub mod bench;
pub mod browse;
pub mod group;
pub mod parked;
pub mod retention;

mod append;
mod reader;
mod record_batch;

pub(crate) use append::Append;
pub use reader::PostgresLog;
