//! `bss up`: starts the stack, or says what runs.

use std::path::Path;
use std::time::{Duration, Instant};

use bss_platform::{BssState, StackLock};

use crate::cli::UpOptions;
use crate::config::Config;
use crate::failure::Failure;
use crate::{output, serve, stack};

/// A first start makes a database; one after a crash recovers it.
const START_TIMEOUT: Duration = Duration::from_mins(3);

/// Starts the stack of the data folder and waits until it is ready; where it runs already, says so.
pub async fn run(config: &Config, options: &UpOptions) -> Result<(), Failure> {
    std::fs::create_dir_all(&config.data_dir)
        .map_err(bss_platform::PlatformError::io("create", &config.data_dir))?;
    let began = Instant::now();
    let lock = if let Some(lock) = StackLock::try_acquire(&config.data_dir)? {
        lock
    } else {
        eprintln!("another command starts or stops this stack: waiting for it");
        StackLock::acquire(&config.data_dir).await?
    };
    if let Some(state) = stack::running(&config.data_dir).await? {
        let ready = stack::wait_ready(config, &state, START_TIMEOUT).await?;
        return announce(&config.data_dir, &ready, None, options.json);
    }
    if options.foreground {
        // From here on the running lock says that there is a stack.
        drop(lock);
        return serve::run_stack(config.clone(), serve::Mode::Foreground).await;
    }
    let state = stack::start(config, START_TIMEOUT).await?;
    drop(lock);
    announce(&config.data_dir, &state, Some(began.elapsed()), options.json)
}

/// Says where the stack is.
pub fn announce(
    data_dir: &Path,
    state: &BssState,
    started: Option<Duration>,
    json: bool,
) -> Result<(), Failure> {
    if json {
        return output::json(&serde_json::json!({
            "version": state.version,
            "pid": state.process.pid,
            "started": started.is_some(),
            "startMs": started.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
            "listeners": state.listeners,
            "dataDir": data_dir,
        }));
    }
    match started {
        Some(took) => eprintln!("bss {} is ready after {:.1} s", state.version, took.as_secs_f64()),
        None => eprintln!(
            "bss {} runs already (process {})",
            state.version, state.process.pid
        ),
    }
    for (name, address) in stack::addresses(state) {
        output::line(&format!("{name:<10}{address}"));
    }
    if let Some(file) = crate::serve::identity::sign_in_file(data_dir) {
        let names = crate::serve::identity::sign_in_names(&file).join(", ");
        eprintln!("sign in as {names}; the passwords stand in {}", file.display());
    }
    eprintln!("stop it with: bss down{}", stack::data_dir_flag(data_dir));
    Ok(())
}
