//! `bss ps`: what runs, with ports, memory and what a part waits for.

use bss_platform::process::working_in;
use bss_platform::{postgres_status, read_state};
use serde::Serialize;

use crate::config::Config;
use crate::failure::Failure;
use crate::{output, stack};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    state: &'static str,
    pid: Option<i32>,
    address: Option<String>,
    memory_mb: Option<u64>,
    waits_for: Option<String>,
}

/// Prints each process and each part of `bss`; fails where the stack is not ready.
pub async fn run(config: &Config, json: bool) -> Result<(), Failure> {
    let mut rows = vec![postgres(config)];
    let mut ready = false;
    match read_state(&config.data_dir) {
        None => rows.push(Row {
            name: "bss".to_owned(),
            state: "stopped",
            pid: None,
            address: None,
            memory_mb: None,
            waits_for: None,
        }),
        Some(state) => {
            let report = stack::ask_ready(&state).await;
            ready = report.as_ref().is_ok_and(|report| report.ready);
            let pid = state.process.pid;
            rows.push(Row {
                name: "bss".to_owned(),
                state: if ready { "ready" } else { "not ready" },
                pid: Some(pid),
                address: state
                    .listeners
                    .get("gateway")
                    .or(state.listeners.get("ops"))
                    .cloned(),
                memory_mb: resident_mb(pid),
                waits_for: report.as_ref().err().cloned(),
            });
            for part in report.into_iter().flat_map(|report| report.parts) {
                rows.push(Row {
                    address: state.listeners.get(&part.name).cloned(),
                    name: format!("  {}", part.name),
                    state: if part.ready { "ready" } else { "not ready" },
                    pid: None,
                    memory_mb: None,
                    waits_for: part.reason,
                });
            }
        }
    }
    show(&rows, json)?;
    if ready { Ok(()) } else { Err(Failure::Silent) }
}

fn show(rows: &[Row], json: bool) -> Result<(), Failure> {
    if json {
        return output::json(&serde_json::json!({"processes": rows}));
    }
    let heading = ["NAME", "STATE", "PID", "ADDRESS", "MEMORY", "WAITS FOR"]
        .map(str::to_owned)
        .to_vec();
    let cells = rows.iter().map(|row| {
        vec![
            row.name.clone(),
            row.state.to_owned(),
            row.pid.map(|pid| pid.to_string()).unwrap_or_default(),
            row.address.clone().unwrap_or_default(),
            row.memory_mb.map(|mb| format!("{mb} MB")).unwrap_or_default(),
            row.waits_for.clone().unwrap_or_default(),
        ]
    });
    output::table(&std::iter::once(heading).chain(cells).collect::<Vec<_>>());
    Ok(())
}

fn postgres(config: &Config) -> Row {
    let running = postgres_status(&config.data_dir);
    let cluster = config.data_dir.join("postgres/cluster");
    let memory_kb: u64 = working_in(&cluster)
        .iter()
        .filter_map(|process| field_kb(process.pid, "smaps_rollup", "Pss:"))
        .sum();
    let external = config.database_url.is_some();
    Row {
        name: "postgres".to_owned(),
        state: match (&running, external) {
            (Some(_), _) => "running",
            (None, true) => "external",
            (None, false) => "stopped",
        },
        pid: running.as_ref().map(|state| state.process.pid),
        address: running.as_ref().map(|state| format!("127.0.0.1:{}", state.port)),
        memory_mb: running.is_some().then_some(memory_kb / 1024),
        waits_for: None,
    }
}

fn resident_mb(pid: i32) -> Option<u64> {
    field_kb(pid, "status", "VmRSS:").map(|kb| kb / 1024)
}

/// A line `NAME  12 kB` of a file below `/proc/PID`.
fn field_kb(pid: i32, file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
