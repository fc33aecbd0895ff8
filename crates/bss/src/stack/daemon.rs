//! Starting `bss` in the background, from both sides: the command that starts it and the process that reports.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bss_platform::{BssState, ErrorCode, PlatformError, read_state};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::config::Config;
use crate::failure::Failure;

const READY: &str = "ready";
const FAILED: &str = "failed ";

/// Starts the process and reads its report: progress, then that it is ready or why it failed. The end of the pipe
/// without either is the end of the process.
pub(super) async fn start(
    data_dir: &Path,
    settings: &BTreeMap<&'static str, String>,
    timeout: Duration,
) -> Result<BssState, Failure> {
    let mut child = spawn(data_dir, settings)?;
    let stdout = child
        .stdout
        .take()
        .ok_or_else(|| Failure::refused("bss has no report"))?;
    let reading = async {
        let mut lines = BufReader::new(stdout).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if line == READY {
                return Ok(());
            }
            match line.strip_prefix(FAILED) {
                Some(reason) => return Err(Failure::refused(reason)),
                None => eprintln!("{line}"),
            }
        }
        Err(Failure::coded(
            ErrorCode::NotReady,
            format!("bss ended while it started; see {}", log_path(data_dir).display()),
        ))
    };
    tokio::select! {
        done = tokio::time::timeout(timeout, reading) => match done {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => {
                end(&mut child).await;
                return Err(failure);
            }
            Err(_) => {
                end(&mut child).await;
                let waited_s = timeout.as_secs();
                return Err(Failure::coded(
                    ErrorCode::NotReady,
                    format!("bss was not ready after {waited_s} s; see {}", log_path(data_dir).display()),
                ));
            }
        },
        _ = tokio::signal::ctrl_c() => {
            end(&mut child).await;
            return Err(Failure::refused("interrupted; what had started of bss is stopped"));
        }
    }
    read_state(data_dir).ok_or_else(|| Failure::refused("bss ended as soon as it was ready; see bss logs"))
}

/// Ends a process that didn't start: politely, and after a while by force.
async fn end(child: &mut Child) {
    if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
        // Our own child until it is waited for: the pid can't have been reused.
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM);
    }
    if tokio::time::timeout(Duration::from_secs(12), child.wait())
        .await
        .is_err()
    {
        let _ = child.kill().await;
    }
}

fn spawn(data_dir: &Path, settings: &BTreeMap<&'static str, String>) -> Result<Child, Failure> {
    let program =
        std::env::current_exe().map_err(|error| Failure::refused(format!("which program am I: {error}")))?;
    let log = log_path(data_dir);
    let folder = data_dir.join("logs");
    std::fs::create_dir_all(&folder).map_err(PlatformError::io("create", &folder))?;
    // What is written past the logger, such as an abort's last words.
    let stderr = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&log)
        .map_err(PlatformError::io("open", &log))?;
    let mut command = Command::new(&program);
    command.args(["serve", "--daemon"]);
    // By variables, not arguments: the database's URL is a secret.
    for (name, text) in settings {
        command.env(format!("BSS_{}", name.to_uppercase()), text);
    }
    command
        .env("BSS_DATA_DIR", data_dir)
        // Its own group: Ctrl-C at this terminal is not for it.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr);
    Ok(command
        .spawn()
        .map_err(|source| PlatformError::Spawn { program, source })?)
}

/// The log of the background process.
pub fn log_path(data_dir: &Path) -> PathBuf {
    data_dir.join("logs").join("bss.log")
}

fn settings_path(data_dir: &Path) -> PathBuf {
    data_dir.join("state").join("settings.json")
}

/// Writes down the settings that a stack was started with, for `bss restart`. They may hold a secret: mode 0600.
pub fn remember(data_dir: &Path, config: &Config) -> Result<(), Failure> {
    let path = settings_path(data_dir);
    let folder = data_dir.join("state");
    std::fs::create_dir_all(&folder).map_err(PlatformError::io("create", &folder))?;
    let text =
        serde_json::to_vec_pretty(&config.given).map_err(|error| Failure::refused(error.to_string()))?;
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(PlatformError::io("write", &path))?;
    file.write_all(&text).map_err(PlatformError::io("write", &path))?;
    Ok(())
}

/// The settings that the stack was last started with, under those that are given now.
pub fn settings_of(data_dir: &Path, config: &Config) -> BTreeMap<&'static str, String> {
    let text = std::fs::read(settings_path(data_dir)).unwrap_or_default();
    let remembered: BTreeMap<String, String> = serde_json::from_slice(&text).unwrap_or_default();
    let mut settings: BTreeMap<&'static str, String> = remembered
        .into_iter()
        .filter_map(|(name, text)| Some((crate::config::name_of(&name)?, text)))
        .collect();
    settings.extend(config.given.clone());
    settings
}

/// How a background process tells its starter how far it is.
#[derive(Debug, Clone, Copy)]
pub struct Reporter {
    /// Whether anybody listens.
    pub on: bool,
}

impl Reporter {
    /// Says what is being done.
    pub fn progress(self, text: &str) {
        self.write(text);
    }

    /// Says that every part is ready.
    pub fn ready(self) {
        self.write(READY);
    }

    /// Says why it failed.
    pub fn failed(self, reason: &str) {
        self.write(&format!("{FAILED}{}", reason.replace('\n', " ")));
    }

    fn write(self, line: &str) {
        if self.on {
            // A starter that has gone away is no failure: the stack goes on.
            let mut out = std::io::stdout();
            let _ = writeln!(out, "{line}").and_then(|()| out.flush());
        }
    }
}
