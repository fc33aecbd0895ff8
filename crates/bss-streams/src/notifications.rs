//! The *notifications* stream: writes down which callbacks are to be told of what happened (TM Forum's hub).
//!
//! Usage is left out: a callback for each record of a switch would be no notification.

use std::time::Duration;

use async_trait::async_trait;
use bss_app::notification;
use bss_events::{Record, Topic};
use bss_store::UnitOfWork;

use crate::runtime::{Application, ProcessError};

/// The stream.
#[derive(Debug, Clone, Copy, Default)]
pub struct Notifications;

#[async_trait]
impl Application for Notifications {
    fn group(&self) -> &'static str {
        "notifications"
    }

    fn topics(&self) -> &'static [Topic] {
        &[
            Topic::Catalog,
            Topic::Customer,
            Topic::Order,
            Topic::Provisioning,
            Topic::Invoice,
            Topic::Payment,
        ]
    }

    fn pace(&self) -> Duration {
        Duration::from_millis(50)
    }

    fn batch(&self) -> usize {
        500
    }

    async fn process(&self, work: &mut UnitOfWork, records: &[Record]) -> Result<(), ProcessError> {
        let events = records.iter().map(|record| &record.event);
        Ok(notification::write_down(work, events).await?)
    }
}
