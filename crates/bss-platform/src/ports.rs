//! Ports: who holds one, and the next free one.

use std::fmt;
use std::net::TcpListener;

use crate::error::PlatformError;
use crate::process::{command_of, pids};

/// How far `--auto-ports` looks.
const AUTO_RANGE: u16 = 200;

/// The process that listens on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortHolder {
    /// Its pid; none where another user's process can't be looked into.
    pub pid: Option<i32>,
    /// Its command line.
    pub command: Option<String>,
}

impl fmt::Display for PortHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.pid, &self.command) {
            (Some(pid), Some(command)) => write!(f, "process {pid} ({command})"),
            (Some(pid), None) => write!(f, "process {pid}"),
            _ => f.write_str("a process of another user"),
        }
    }
}

/// Who listens on this TCP port; none where nobody does.
pub fn holder_of(port: u16) -> Option<PortHolder> {
    let inodes = listening_inodes(port);
    if inodes.is_empty() {
        return None;
    }
    let wanted: Vec<String> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
    let pid = pids().into_iter().find(|pid| holds(*pid, &wanted));
    Some(PortHolder {
        pid,
        command: pid.and_then(command_of),
    })
}

/// A port on the loopback that is free now: the wanted one (0: any), or with `auto_ports` the next free one.
pub fn choose(wanted: u16, auto_ports: bool) -> Result<u16, PlatformError> {
    if let Some(port) = bindable(wanted) {
        return Ok(port);
    }
    if !auto_ports {
        let holder = holder_of(wanted).unwrap_or(PortHolder {
            pid: None,
            command: None,
        });
        return Err(PlatformError::PortInUse { port: wanted, holder });
    }
    let last = wanted.saturating_add(AUTO_RANGE);
    (wanted..=last)
        .skip(1)
        .find_map(bindable)
        .ok_or(PlatformError::NoFreePort { first: wanted, last })
}

fn bindable(port: u16) -> Option<u16> {
    let listener = TcpListener::bind(("127.0.0.1", port)).ok()?;
    listener.local_addr().ok().map(|address| address.port())
}

fn listening_inodes(port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    let mut found = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        for line in std::fs::read_to_string(table).unwrap_or_default().lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [_, local, _, state, _, _, _, _, _, inode, ..] = fields[..] else {
                continue;
            };
            let here = local
                .rsplit_once(':')
                .and_then(|(_, hex)| u16::from_str_radix(hex, 16).ok());
            if state == LISTEN && here == Some(port) {
                found.push(inode.to_owned());
            }
        }
    }
    found
}

fn holds(pid: i32, sockets: &[String]) -> bool {
    let Ok(entries) = std::fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    entries
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .any(|target| sockets.iter().any(|socket| target.as_os_str() == socket.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_port_is_named_and_auto_ports_moves_on() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let holder = holder_of(port).unwrap();
        assert_eq!(holder.pid, i32::try_from(std::process::id()).ok());
        let error = choose(port, false).unwrap_err().to_string();
        assert!(
            error.contains(&format!("process {}", std::process::id())),
            "{error}"
        );
        let moved = choose(port, true).unwrap();
        assert!(moved > port);
        drop(listener);
        assert_eq!(choose(port, false).unwrap(), port);
    }
}
