//! The stack of a data folder as seen from a command: whether it runs, starting it, stopping it, asking it.

mod daemon;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use bss_platform::{BssState, ErrorCode, RunningLock, clear_state, postgres_answers, read_state};
use nix::sys::signal::Signal;
use serde::Deserialize;

use crate::config::Config;
use crate::failure::Failure;

pub use daemon::{Reporter, log_path, remember, settings_of};

const POLL: Duration = Duration::from_millis(20);
/// A process that has just been started writes itself down within this.
const WRITES_ITSELF_DOWN_WITHIN: Duration = Duration::from_secs(10);
/// Requests get 10 s to end; the rest is for what closes afterwards.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(13);

/// The answer of `/health/ready`.
#[derive(Debug, Deserialize)]
pub struct ReadyReport {
    /// Whether every part is ready.
    pub ready: bool,
    /// Each part.
    pub parts: Vec<ReadyPart>,
}

/// One part of the answer of `/health/ready`.
#[derive(Debug, Deserialize)]
pub struct ReadyPart {
    /// The part.
    pub name: String,
    /// Whether it is ready.
    pub ready: bool,
    /// Why it is not.
    pub reason: Option<String>,
}

/// The running `bss` of a data folder. One that has just been started by a command that died is waited for, until
/// it has written itself down.
pub async fn running(data_dir: &Path) -> Result<Option<BssState>, Failure> {
    let deadline = Instant::now() + WRITES_ITSELF_DOWN_WITHIN;
    loop {
        if let Some(state) = read_state(data_dir) {
            return Ok(Some(state));
        }
        if RunningLock::try_acquire(data_dir)?.is_some() {
            return Ok(None);
        }
        if Instant::now() > deadline {
            return Err(Failure::coded(
                ErrorCode::StackElsewhere,
                format!(
                    "a process holds {}/running.lock and doesn't say who it is: look with `fuser '{0}/running.lock'`",
                    data_dir.display()
                ),
            ));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Starts `bss` in the background with this configuration and waits until it is ready.
pub async fn start(config: &Config, timeout: Duration) -> Result<BssState, Failure> {
    start_with(&config.data_dir, &config.given, timeout).await
}

/// Starts `bss` in the background with these settings and waits until it is ready.
pub async fn start_with(
    data_dir: &Path,
    settings: &BTreeMap<&'static str, String>,
    timeout: Duration,
) -> Result<BssState, Failure> {
    daemon::start(data_dir, settings, timeout).await
}

/// Waits until every part of a running `bss` is ready. What it says of a managed PostgreSQL may be as old as its last
/// look at it: that one is asked itself.
pub async fn wait_ready(config: &Config, state: &BssState, timeout: Duration) -> Result<BssState, Failure> {
    let data_dir = config.data_dir.as_path();
    let deadline = Instant::now() + timeout;
    let mut state = state.clone();
    loop {
        let answer = ask_ready(&state).await;
        if answer.as_ref().is_ok_and(|report| report.ready)
            && (config.database_url.is_some() || postgres_answers(data_dir).await?)
        {
            // Listeners are written down as they open: those of the ready process.
            return Ok(read_state(data_dir).unwrap_or(state));
        }
        if !state.process.is_alive() {
            return Err(Failure::coded(
                ErrorCode::NotReady,
                format!("bss ended; see bss logs bss{}", data_dir_flag(data_dir)),
            ));
        }
        if Instant::now() > deadline {
            return Err(Failure::coded(
                ErrorCode::NotReady,
                format!("bss is not ready in time: {}", waits_for(answer)),
            ));
        }
        tokio::time::sleep(POLL).await;
        state = read_state(data_dir).unwrap_or(state);
    }
}

fn waits_for(answer: Result<ReadyReport, String>) -> String {
    match answer {
        Err(error) => error,
        Ok(report) if report.ready => "PostgreSQL gives no answer".to_owned(),
        Ok(report) => report
            .parts
            .into_iter()
            .filter(|part| !part.ready)
            .map(|part| format!("{}: {}", part.name, part.reason.unwrap_or_default()))
            .collect::<Vec<_>>()
            .join("; "),
    }
}

/// Asks the operations listener what is ready.
pub async fn ask_ready(state: &BssState) -> Result<ReadyReport, String> {
    let address = state.listeners.get("ops").ok_or("it starts")?;
    let answer = local_client()?
        .get(format!("http://{address}/health/ready"))
        .timeout(Duration::from_secs(5))
        .send()
        .await
        .map_err(|error| format!("no answer at {address}: {error}"))?;
    answer.json().await.map_err(|error| format!("{address}: {error}"))
}

/// An HTTP client for this machine: a proxy of the environment is not for it.
pub fn local_client() -> Result<reqwest::Client, String> {
    reqwest::Client::builder()
        .no_proxy()
        .connect_timeout(Duration::from_secs(2))
        .build()
        .map_err(|error| error.to_string())
}

/// Stops the running `bss`: it drains; where it doesn't end in time it is killed. False where none ran.
pub async fn stop_bss(data_dir: &Path) -> Result<bool, Failure> {
    let Some(state) = running(data_dir).await? else {
        clear_state(data_dir)?;
        return Ok(false);
    };
    state.process.signal(Signal::SIGTERM);
    let deadline = Instant::now() + DRAIN_TIMEOUT;
    while state.process.is_alive() {
        if Instant::now() > deadline {
            eprintln!("bss did not end in time and is killed");
            state.process.signal(Signal::SIGKILL);
        }
        tokio::time::sleep(POLL).await;
    }
    clear_state(data_dir)?;
    Ok(true)
}

/// The addresses that people use, with names.
pub fn addresses(state: &BssState) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    if let Some(gateway) = state.listeners.get("gateway") {
        found.push(("console", format!("http://{gateway}/")));
        found.push(("API", format!("http://{gateway}/tmf-api/")));
    }
    if let Some(ops) = state.listeners.get("ops") {
        found.push(("metrics", format!("http://{ops}/metrics")));
    }
    found
}

/// ` --data-dir DIR` where it isn't the default, for commands that are shown to people.
pub fn data_dir_flag(data_dir: &Path) -> String {
    if data_dir == Path::new(".bss") {
        String::new()
    } else {
        format!(" --data-dir '{}'", data_dir.display())
    }
}

/// Whether a folder is one of ours, so that removing it removes nothing else.
pub fn is_data_folder(data_dir: &Path) -> bool {
    data_dir.join("stack.lock").is_file()
        && std::fs::read_dir(data_dir).is_ok_and(|entries| {
            entries.flatten().all(|entry| {
                const OURS: [&str; 9] = [
                    "stack.lock",
                    "running.lock",
                    "postgres.lock",
                    "state",
                    "secrets",
                    "logs",
                    "postgres",
                    "usage",
                    "backups",
                ];
                OURS.iter().any(|ours| entry.file_name() == *ours)
            })
        })
}
