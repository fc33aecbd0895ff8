//! Figures that are asked for at each scrape: pools and the clock.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use bss_app::App;
use bss_telemetry::metrics::PoolUse;
use bss_telemetry::{Metrics, Sampler};

/// Asks the application's store and clock, once there is one.
pub struct Figures(pub Arc<OnceLock<App>>);

impl Sampler for Figures {
    fn sample<'a>(&'a self, metrics: &'a Metrics) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async {
            let Some(app) = self.0.get() else { return };
            for (pool, in_use, open, max, waiting) in app.store.pools() {
                let used = PoolUse {
                    open: open as i64,
                    in_use: in_use as i64,
                    waiting: waiting as i64,
                    max: max as i64,
                };
                metrics.store.set_pool(pool, used);
            }
            metrics
                .store
                .set_clock_offset_s(i64::try_from(app.clock.offset().as_secs()).unwrap_or(i64::MAX));
        })
    }
}
