//! Watches the disk's reserve, so that writes are refused before PostgreSQL can panic on a full log.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bss_platform::DiskGuard;
use bss_telemetry::{Metrics, Part};
use tokio_util::sync::CancellationToken;

use crate::config::Config;

/// Often enough that a fast writer can't fill the reserve in between.
const EVERY: Duration = Duration::from_millis(500);

/// The guard of the disk that holds the data folder.
pub fn guard(config: &Config) -> Arc<DiskGuard> {
    Arc::new(DiskGuard::new(
        existing(&config.data_dir),
        config.disk_reserve_mb * 1024 * 1024,
    ))
}

fn existing(path: &Path) -> &Path {
    path.ancestors()
        .find(|path| path.exists())
        .unwrap_or(Path::new("."))
}

/// Looks again and again until told to stop. A disk without room is no reason to restart: the part stays ready,
/// and the figures and refusals say what is wrong.
pub async fn watch(guard: Arc<DiskGuard>, metrics: Metrics, part: Part, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(EVERY);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        match guard.check() {
            Ok(status) => {
                metrics.store.set_disk(status.free_bytes, status.writes_allowed);
                part.ready();
            }
            Err(error) => part.not_ready(error.to_string()),
        }
    }
}
