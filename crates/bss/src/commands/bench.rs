//! `bss bench`: what the product does on this machine.

use crate::bench::{self, Bench};
use crate::cli::BenchOptions;
use crate::config::Config;
use crate::failure::Failure;

/// Measures, beside a running stack or without one: its servers and folders are its own.
pub async fn run(config: &Config, options: BenchOptions) -> Result<(), Failure> {
    if let Some(body) = options.serve_reference {
        return bench::serve_reference(body).await;
    }
    let bench = Bench {
        scale: options.scale,
        only: options.only,
        folder: options.folder.unwrap_or_else(std::env::temp_dir),
        config: config.clone(),
    };
    bench::run(bench, options.docs, options.json).await
}
