//! `bss ledger`: proves that the money adds up.

use bss_app::ledger_check::{InvariantReport, check};

use super::direct;
use crate::cli::LedgerCommand;
use crate::config::Config;
use crate::failure::Failure;
use crate::output;

/// Checks every invariant, each with its figures; fails at the first that is broken, after all were looked at.
pub async fn run(config: &Config, command: LedgerCommand) -> Result<(), Failure> {
    let LedgerCommand::Check { tenant, json } = command;
    let (app, context) = direct::app(config, &tenant).await?;
    let report = check(&app, &context).await?;
    if json.json {
        output::json(&report)?;
    } else {
        let heading = ["", "INVARIANT", "FIGURES"].map(str::to_owned).to_vec();
        output::table(
            &std::iter::once(heading)
                .chain(report.invariants.iter().map(row))
                .collect::<Vec<_>>(),
        );
        for broken in report
            .invariants
            .iter()
            .filter_map(|found| found.first_break.as_ref())
        {
            output::line(&format!("broken: {broken}"));
        }
    }
    if report.holds {
        Ok(())
    } else {
        Err(Failure::Silent)
    }
}

fn row(found: &InvariantReport) -> Vec<String> {
    let figures: Vec<String> = found
        .figures
        .iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    let verdict = if found.holds { "holds" } else { "BROKEN" };
    vec![
        verdict.to_owned(),
        format!("{} {}", found.number, found.statement),
        figures.join(", "),
    ]
}
