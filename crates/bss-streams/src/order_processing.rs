//! The *order processing* stream: takes accepted orders up, within the trace of the call that placed them.

use async_trait::async_trait;
use bss_app::{App, RequestContext, order_processing};
use bss_domain::ids::ProductOrderId;
use bss_events::{Record, Topic};
use bss_store::UnitOfWork;
use tracing::Instrument;

use crate::runtime::{Application, ProcessError, adopted_span};

/// Orders of one batch: they share a transaction, and each one is work.
const BATCH: usize = 16;

/// The stream application.
pub struct OrderProcessing {
    app: App,
}

impl OrderProcessing {
    /// Order processing over an application.
    pub fn new(app: App) -> Self {
        Self { app }
    }

    async fn take_up(&self, work: &mut UnitOfWork, record: &Record) -> Result<(), ProcessError> {
        let id: ProductOrderId = record
            .event
            .subject
            .as_deref()
            .and_then(|subject| subject.parse().ok())
            .ok_or_else(|| ProcessError::poison(record, "its subject is no order's id"))?;
        let mut context = RequestContext::system(record.event.tenant, self.group());
        context.traceparent = context.traceparent.or(record.event.traceparent);
        order_processing::begin(&self.app, &context, work, id)
            .await
            .map_err(|error| ProcessError::from(error).at(record))
    }
}

#[async_trait]
impl Application for OrderProcessing {
    fn group(&self) -> &'static str {
        "order-processing"
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::Order]
    }

    fn batch(&self) -> usize {
        BATCH
    }

    async fn process(&self, work: &mut UnitOfWork, records: &[Record]) -> Result<(), ProcessError> {
        for record in records
            .iter()
            .filter(|record| record.event.kind == "ProductOrderCreateEvent")
        {
            self.take_up(work, record)
                .instrument(adopted_span(record))
                .await?;
        }
        Ok(())
    }
}
