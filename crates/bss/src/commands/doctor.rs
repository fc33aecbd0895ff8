//! `bss doctor`: what is wrong with this machine, and how to mend it.

use bss_platform::{Severity, examine, postgres_status, read_state};

use crate::config::Config;
use crate::failure::Failure;
use crate::output;

/// Looks at the machine; fails where `bss up` would.
pub fn run(config: &Config, json: bool) -> Result<(), Failure> {
    // Ports that our own stack holds are as they should be.
    let bss = read_state(&config.data_dir).is_some();
    let postgres = config.database_url.is_some() || postgres_status(&config.data_dir).is_some();
    let mut ports = Vec::new();
    if !bss {
        ports.extend([config.port, config.ops_port]);
    }
    if !postgres {
        ports.push(config.postgres_port);
    }
    ports.retain(|port| *port != 0);
    let findings = examine(&config.data_dir, config.postgres_bin.as_deref(), &ports);
    if json {
        output::json(&serde_json::json!({"findings": findings}))?;
    } else {
        let rows: Vec<Vec<String>> = findings
            .iter()
            .map(|finding| {
                let severity = match finding.severity {
                    Severity::Ok => "ok",
                    Severity::Warning => "warning",
                    Severity::Failure => "FAILURE",
                };
                let mend = finding
                    .mend
                    .as_ref()
                    .map(|mend| format!("mend: {mend}"))
                    .unwrap_or_default();
                vec![
                    severity.to_owned(),
                    finding.check.to_owned(),
                    finding.message.clone(),
                    mend,
                ]
            })
            .collect();
        output::table(&rows);
    }
    let failed = findings.iter().any(|finding| {
        finding.severity == Severity::Failure && !(finding.check == "port" && config.auto_ports)
    });
    if failed { Err(Failure::Silent) } else { Ok(()) }
}
