//! The event log in PostgreSQL: positions dense per topic and partition, taken by the last statement of the
//! change's own transaction.

mod append;

use std::sync::Arc;

use tokio::sync::Notify;

pub(crate) use append::append;

/// Wakes this process's readers when one of its own transactions has appended; readers poll besides, for the
/// transactions of other processes.
#[derive(Debug, Clone, Default)]
pub struct Appended(Arc<Notify>);

impl Appended {
    pub(crate) fn notify(&self) {
        self.0.notify_waiters();
    }

    /// Waits for the next append of this process.
    pub async fn wait(&self) {
        self.0.notified().await;
    }
}
