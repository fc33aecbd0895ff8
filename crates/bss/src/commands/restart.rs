//! `bss restart`: starts a part anew, with the settings that it ran with.

use std::time::Duration;

use bss_platform::{ErrorCode, StackLock, stop_postgres};

use super::up;
use crate::cli::RestartOptions;
use crate::config::Config;
use crate::failure::Failure;
use crate::stack;

const TIMEOUT: Duration = Duration::from_mins(3);

/// Restarts `bss` or PostgreSQL.
pub async fn run(config: &Config, options: &RestartOptions) -> Result<(), Failure> {
    let _lock = StackLock::acquire(&config.data_dir).await?;
    let running = stack::running(&config.data_dir).await?;
    match (options.name.as_str(), running) {
        ("bss", running) => {
            let settings = stack::settings_of(&config.data_dir, config);
            if running.is_some() {
                stack::stop_bss(&config.data_dir).await?;
            }
            let began = std::time::Instant::now();
            let state = stack::start_with(&config.data_dir, &settings, TIMEOUT).await?;
            up::announce(&config.data_dir, &state, Some(began.elapsed()), false)
        }
        ("postgres", Some(state)) => {
            stop_postgres(&config.data_dir, Duration::from_secs(30)).await?;
            // The running bss starts it again and says when it answers.
            stack::wait_ready(config, &state, TIMEOUT).await?;
            eprintln!("PostgreSQL is ready again");
            Ok(())
        }
        ("postgres", None) => Err(Failure::coded(
            ErrorCode::StackNotRunning,
            "the stack doesn't run: start it with bss up",
        )),
        (other, _) => Err(Failure::Usage(vec![format!(
            "there is no part `{other}`: bss or postgres"
        )])),
    }
}
