//! `bss down`: stops the stack; the data stays unless `--data`.

use std::path::Path;
use std::time::Duration;

use bss_platform::{PlatformError, StackLock, remove_cluster, stop_postgres};

use crate::cli::DownOptions;
use crate::config::Config;
use crate::failure::Failure;
use crate::stack;

/// How long PostgreSQL may take for a clean shutdown.
const POSTGRES_TIMEOUT: Duration = Duration::from_secs(30);

/// Stops `bss`, then PostgreSQL.
pub async fn run(config: &Config, options: &DownOptions) -> Result<(), Failure> {
    let data_dir = &config.data_dir;
    if !data_dir.is_dir() {
        eprintln!("nothing runs: there is no data folder {}", data_dir.display());
        return Ok(());
    }
    if options.data && !stack::is_data_folder(data_dir) {
        return Err(Failure::refused(format!(
            "{} is not removed: it doesn't look like a data folder of bss",
            data_dir.display()
        )));
    }
    let _lock = StackLock::acquire(data_dir).await?;
    let stopped = stack::stop_bss(data_dir).await?;
    let postgres = stop_postgres(data_dir, POSTGRES_TIMEOUT).await?;
    match (stopped, postgres) {
        (false, false) => eprintln!("nothing was running"),
        (true, true) => eprintln!("stopped bss and PostgreSQL"),
        (true, false) => eprintln!("stopped bss"),
        (false, true) => eprintln!("stopped PostgreSQL; bss was not running"),
    }
    if options.data {
        remove_data(data_dir)?;
        eprintln!("removed {}", data_dir.display());
    }
    Ok(())
}

fn remove_data(data_dir: &Path) -> Result<(), Failure> {
    remove_cluster(data_dir)?;
    std::fs::remove_dir_all(data_dir).map_err(PlatformError::io("remove", data_dir))?;
    Ok(())
}
