//! What is wrong with this machine, and how to mend it.

use std::path::Path;

use nix::sys::resource::{Resource, getrlimit};

use crate::disk::{DiskGuard, free_bytes};
use crate::install::find_bin_dir;
use crate::ports::holder_of;
use crate::render::machine_memory_mb;

const MEMORY_NEEDED_MB: u64 = 1024;
const FILES_NEEDED: u64 = 1024;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// As it should be.
    Ok,
    /// It works, but not well.
    Warning,
    /// `bss up` would fail.
    Failure,
}

/// One thing that was looked at.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it is.
    pub severity: Severity,
    /// What was found.
    pub message: String,
    /// The command that mends it.
    pub mend: Option<String>,
}

impl Finding {
    fn judge(check: &'static str, good: bool, bad: Severity, message: String, mend: &str) -> Self {
        let severity = if good { Severity::Ok } else { bad };
        Self {
            check,
            severity,
            message,
            mend: (!good).then(|| mend.to_owned()),
        }
    }
}

/// Looks at cores, memory, disk, open files, PostgreSQL's programs and the given ports.
pub fn examine(data_dir: &Path, bin_dir: Option<&Path>, ports: &[u16]) -> Vec<Finding> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory_mb = machine_memory_mb();
    let (files, _) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((0, 0));
    let mut findings = vec![
        Finding::judge(
            "cores",
            cores >= 2,
            Severity::Warning,
            format!("{cores} cores, 2 are wanted"),
            "give the machine or the container two processors",
        ),
        Finding::judge(
            "memory",
            memory_mb >= MEMORY_NEEDED_MB,
            Severity::Warning,
            format!("{memory_mb} MB, {MEMORY_NEEDED_MB} MB are wanted"),
            "give the machine more memory, or start with --memory-mb 256",
        ),
        Finding::judge(
            "open files",
            files >= FILES_NEEDED,
            Severity::Warning,
            format!("limit {files}, {FILES_NEEDED} are wanted"),
            "ulimit -n 4096",
        ),
        disk(data_dir),
        programs(bin_dir),
    ];
    findings.extend(ports.iter().map(|port| port_free(*port)));
    findings
}

fn disk(data_dir: &Path) -> Finding {
    let existing = data_dir
        .ancestors()
        .find(|path| path.exists())
        .unwrap_or(Path::new("."));
    let needed_mb = 2 * DiskGuard::DEFAULT_RESERVE_BYTES / 1024 / 1024;
    match free_bytes(existing) {
        Ok(free) => {
            let free_mb = free / 1024 / 1024;
            let message = format!(
                "{free_mb} MB free at {}, {needed_mb} MB are wanted",
                existing.display()
            );
            let mend = format!(
                "df -h '{}', then make room or choose another --data-dir",
                existing.display()
            );
            Finding::judge("disk", free_mb >= needed_mb, Severity::Failure, message, &mend)
        }
        Err(error) => Finding::judge(
            "disk",
            false,
            Severity::Failure,
            error.to_string(),
            "choose another --data-dir",
        ),
    }
}

fn programs(bin_dir: Option<&Path>) -> Finding {
    let found = find_bin_dir(bin_dir);
    let message = match &found {
        Ok(dir) => format!("in {}", dir.display()),
        Err(error) => error.to_string(),
    };
    Finding::judge(
        "postgres",
        found.is_ok(),
        Severity::Failure,
        message,
        "make .tools/venv",
    )
}

fn port_free(port: u16) -> Finding {
    let holder = holder_of(port);
    let message = match &holder {
        Some(holder) => format!("{port} is held by {holder}"),
        None => format!("{port} is free"),
    };
    let mend = match holder.as_ref().and_then(|holder| holder.pid) {
        Some(pid) => format!("kill {pid}, or start with --auto-ports"),
        None => "start with --auto-ports".to_owned(),
    };
    Finding::judge("port", holder.is_none(), Severity::Failure, message, &mend)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_comes_with_a_command() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let findings = examine(
            &std::env::temp_dir(),
            Some(Path::new("/no/such/programs")),
            &[port],
        );
        let bad: Vec<&Finding> = findings
            .iter()
            .filter(|found| found.severity == Severity::Failure)
            .collect();
        let named: Vec<&str> = bad.iter().map(|found| found.check).collect();
        assert!(
            named.contains(&"postgres") && named.contains(&"port"),
            "{named:?}"
        );
        assert!(bad.iter().all(|found| found.mend.is_some()));
        let held = bad.iter().find(|found| found.check == "port").unwrap();
        assert!(
            held.message.contains(&std::process::id().to_string()),
            "{}",
            held.message
        );
    }
}
