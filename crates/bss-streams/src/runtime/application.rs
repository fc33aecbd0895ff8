use std::time::Duration;

use async_trait::async_trait;
use bss_app::AppError;
use bss_events::{Record, Topic};
use bss_store::{StoreError, UnitOfWork};

use super::Batch;

/// Another group that an application stays behind in a topic, because it reads what that group has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Follows {
    /// The topic.
    pub topic: Topic,
    /// The group that goes first.
    pub group: &'static str,
}

/// What consumes events.
#[async_trait]
pub trait Application: Send + Sync + 'static {
    /// The group's name; positions belong to it, so it never changes.
    fn group(&self) -> &'static str;

    /// What it consumes.
    fn topics(&self) -> &'static [Topic];

    /// The most records of one batch.
    fn batch(&self) -> usize {
        100
    }

    /// Whether records of several partitions may be one batch. Not where an effect is tied to the partition.
    fn joins_partitions(&self) -> bool {
        true
    }

    /// For how long events may wait for others, so that many small batches become one.
    fn pace(&self) -> Duration {
        Duration::ZERO
    }

    /// How often a record that fails is tried before it is parked.
    fn attempts(&self) -> u32 {
        3
    }

    /// The group that must have consumed a record before this application gets it.
    fn follows(&self) -> Option<Follows> {
        None
    }

    /// Writes what the records cause, into `work`, which the runtime commits together with the positions. The records
    /// are of one topic and tenant, those of a partition in order. Called again with the same records where the transaction
    /// was undone; so nothing outside of `work` may depend on how often.
    async fn process(&self, work: &mut UnitOfWork, records: &[Record]) -> Result<(), ProcessError>;

    /// Works a whole batch off, up to its commit. An application overrides this where it must undo and repeat its
    /// own transaction; [`UnitOfWork::savepoint`] within `process` does for most.
    async fn handle(&self, batch: &Batch<'_>) -> Result<(), ProcessError> {
        let mut work = batch.begin().await?;
        for part in batch.parts() {
            work.enter(part.tenant).await?;
            self.process(&mut work, part.records).await?;
        }
        batch.commit(work).await?;
        Ok(())
    }
}

/// Why a batch was not processed. Whatever it is, its transaction was undone.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It may succeed later: it is tried again after a pause, as long as it takes.
    #[error("{0}")]
    Transient(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// This record can't be processed: after bounded attempts it is parked, and the others go on.
    #[error("position {position}: {reason}")]
    Poison {
        /// The record's position.
        position: i64,
        /// Why, for operators; no names, numbers or raw records.
        reason: String,
    },
    /// Some record can't be processed, and which one isn't known: the runtime finds it by smaller batches.
    #[error("{0}")]
    Broken(String),
    /// The lease was taken, or the position was moved: the worker lets go of the partition.
    #[error("{0}")]
    Fenced(String),
    /// Nothing of this application can go on: it stops.
    #[error("{0}")]
    Fatal(String),
}

impl ProcessError {
    /// This record can't be processed.
    pub fn poison(record: &Record, reason: impl std::fmt::Display) -> Self {
        Self::Poison {
            position: record.position,
            reason: reason.to_string(),
        }
    }

    /// It may succeed later.
    pub fn transient(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Transient(error.into())
    }

    /// The same, with the blame on a record where nothing else explains it.
    #[must_use]
    pub fn at(self, record: &Record) -> Self {
        match self {
            Self::Broken(reason) => Self::poison(record, reason),
            other => other,
        }
    }
}

impl From<StoreError> for ProcessError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Fenced(what) => Self::Fenced(what),
            error if error.is_transient() => Self::Transient(Box::new(error)),
            error => Self::Broken(error.to_string()),
        }
    }
}

impl From<AppError> for ProcessError {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Unavailable(error) => error.into(),
            // The operator's text, which stands in the source.
            AppError::Internal(error) => Self::Broken(error.to_string()),
            error => Self::Broken(error.to_string()),
        }
    }
}

/// A span for the work that one record causes, as a child of the trace that the record came from: an order's
/// fulfilment is one trace. Batches of many records have a trace of their own with links instead.
pub fn adopted_span(record: &Record) -> tracing::Span {
    let event = &record.event;
    let span = tracing::info_span!(
        "process",
        otel.kind = "consumer",
        kind = %event.kind,
        topic = %record.topic,
        partition = record.partition,
        position = record.position,
    );
    if let Some(parent) = event.traceparent {
        parent.adopt(&span);
    }
    span
}
