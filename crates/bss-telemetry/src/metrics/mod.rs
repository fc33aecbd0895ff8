//! The one registry, with a typed family for each thing that is counted.
//!
//! Labels are bounded by the program: routes as templates, topics, groups, outcomes. A name, a number or an id of
//! a customer is never a label. Amounts of money aren't metrics: the ledger has them.

mod http;
mod process;
mod store;
mod work;

use std::sync::Arc;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

pub use http::HttpMetrics;
pub use store::{PoolUse, StoreMetrics};
pub use work::{BillRunMetrics, BillRunTotals, StreamMetrics, StreamOutcome, UsageMetrics, UsageOutcome};

/// All metrics of a process; cheap to clone, all clones count together.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    /// HTTP requests.
    pub http: HttpMetrics,
    /// The stream applications.
    pub streams: StreamMetrics,
    /// The database as we use it: pool, log, clock.
    pub store: StoreMetrics,
    /// Bill runs.
    pub bill_runs: BillRunMetrics,
    /// Usage intake.
    pub usage: UsageMetrics,
}

impl Metrics {
    /// The media type of [`encode`](Self::encode).
    pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// OpenMetrics text.
    pub fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::with_capacity(16 * 1024);
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("bss");
        let http = HttpMetrics::register(&mut registry);
        let streams = StreamMetrics::register(&mut registry);
        let store = StoreMetrics::register(&mut registry);
        let bill_runs = BillRunMetrics::register(&mut registry);
        let usage = UsageMetrics::register(&mut registry);
        process::register(&mut registry);
        Self {
            registry: Arc::new(registry),
            http,
            streams,
            store,
            bill_runs,
            usage,
        }
    }
}
