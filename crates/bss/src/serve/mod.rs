//! The process that serves: start, readiness, drain.

mod database;
mod disk;
mod figures;
mod listeners;
mod process;

use std::sync::Arc;

use bss_app::App;
use bss_platform::DiskGuard;
use bss_telemetry::Ops;
use tokio_util::sync::CancellationToken;

use crate::cli::ServeOptions;
use crate::config::Config;
use crate::failure::Failure;
use listeners::Listeners;

pub use process::{Mode, run_stack};

/// What every role of a process shares.
#[derive(Clone)]
#[allow(dead_code)] // until the roles are wired
pub struct Serving {
    /// The configuration.
    pub config: Arc<Config>,
    /// Metrics and readiness.
    pub ops: Ops,
    /// The application, on the process's one store.
    pub app: App,
    /// Whether writes are allowed.
    pub disk: Arc<DiskGuard>,
    /// Ends when the process is to end.
    pub stop: CancellationToken,
    /// The addresses that are open.
    pub listeners: Listeners,
}

/// `bss serve`
pub async fn run(config: Config, options: &ServeOptions) -> Result<(), Failure> {
    let mode = if options.daemon { Mode::Daemon } else { Mode::Roles };
    run_stack(config, mode).await
}
