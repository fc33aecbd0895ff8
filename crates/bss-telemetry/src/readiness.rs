//! What is ready and what is not, and why.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use tokio::sync::Notify;

/// The registry of a process's parts. It is ready when each of them is.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    parts: Arc<RwLock<BTreeMap<String, Option<String>>>>,
    changed: Arc<Notify>,
}

impl Readiness {
    /// Registers a part as not yet ready. A part that is dropped has ended and is not ready.
    pub fn register(&self, name: &str) -> Part {
        let part = Part {
            name: name.to_owned(),
            readiness: self.clone(),
        };
        part.not_ready("it starts");
        part
    }

    /// How things stand.
    pub fn report(&self) -> ReadinessReport {
        let parts: Vec<PartReport> = self
            .parts
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(|(name, reason)| PartReport {
                name: name.clone(),
                ready: reason.is_none(),
                reason: reason.clone(),
            })
            .collect();
        ReadinessReport {
            // A process without parts has not begun.
            ready: !parts.is_empty() && parts.iter().all(|part| part.ready),
            parts,
        }
    }

    fn set(&self, name: &str, reason: Option<String>) {
        let mut parts = self.parts.write().unwrap_or_else(PoisonError::into_inner);
        if parts.get(name) == Some(&reason) {
            return;
        }
        match &reason {
            None => tracing::info!(part = name, "ready"),
            Some(reason) => tracing::info!(part = name, reason, "not ready"),
        }
        parts.insert(name.to_owned(), reason);
        drop(parts);
        self.changed.notify_waiters();
    }

    /// Waits until every part is ready.
    pub async fn wait_ready(&self) {
        loop {
            // Made before the look: a change in between wakes it.
            let changed = self.changed.notified();
            if self.report().ready {
                return;
            }
            changed.await;
        }
    }
}

/// One part of the process, such as the database or a stream.
#[derive(Debug)]
pub struct Part {
    name: String,
    readiness: Readiness,
}

impl Part {
    /// The part works.
    pub fn ready(&self) {
        self.readiness.set(&self.name, None);
    }

    /// The part doesn't work; the reason is for the operator.
    pub fn not_ready(&self, reason: impl Into<String>) {
        self.readiness.set(&self.name, Some(reason.into()));
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.not_ready("it ended");
    }
}

/// The answer of `/health/ready`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReadinessReport {
    /// Whether every part is ready.
    pub ready: bool,
    /// Each part.
    pub parts: Vec<PartReport>,
}

/// One part in the answer of `/health/ready`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartReport {
    /// The part.
    pub name: String,
    /// Whether it is ready.
    pub ready: bool,
    /// Why it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_waiter_is_woken_by_the_last_part() {
        let readiness = Readiness::default();
        let (one, other) = (readiness.register("one"), readiness.register("other"));
        let waiter = tokio::spawn({
            let readiness = readiness.clone();
            async move { readiness.wait_ready().await }
        });
        one.ready();
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished());
        other.ready();
        tokio::time::timeout(std::time::Duration::from_secs(10), waiter)
            .await
            .unwrap()
            .unwrap();
    }

    #[test]
    fn all_parts_make_it_ready_and_an_ended_one_unmakes_it() {
        let readiness = Readiness::default();
        assert!(!readiness.report().ready, "nothing has begun");
        let database = readiness.register("database");
        let stream = readiness.register("stream");
        database.ready();
        assert!(!readiness.report().ready);
        stream.ready();
        assert!(readiness.report().ready);
        database.not_ready("no connection");
        assert_eq!(
            readiness.report().parts[0].reason.as_deref(),
            Some("no connection")
        );
        database.ready();
        drop(stream);
        let report = readiness.report();
        assert!(!report.ready);
        assert_eq!(report.parts[1].reason.as_deref(), Some("it ended"));
    }
}
