//! The invariants of money, proved from what stands in the database: `bss ledger check` and every simulation.

use std::collections::BTreeMap;

use bss_store::ledger_check::INVARIANTS;
use serde::Serialize;

use crate::{App, AppError, RequestContext, bill_run};

/// What was found of one invariant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InvariantReport {
    /// Its number in `docs/MONEY.md`.
    pub number: u8,
    /// What holds, or doesn't.
    pub statement: String,
    /// Whether it holds.
    pub holds: bool,
    /// How much was looked at.
    pub figures: BTreeMap<String, String>,
    /// The first row that breaks it.
    pub first_break: Option<String>,
}

/// What was found of all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerCheckReport {
    /// Whether all hold.
    pub holds: bool,
    /// Each of them, by number.
    pub invariants: Vec<InvariantReport>,
}

/// Checks all eight, each with its figures and the first row that breaks it. They are looked at on one snapshot but
/// for the seventh, which computes bills again page by page; bills never change.
pub async fn check(app: &App, context: &RequestContext) -> Result<LedgerCheckReport, AppError> {
    let session = app.store.snapshot(context.scope()).await?;
    let mut invariants = Vec::with_capacity(INVARIANTS.len() + 1);
    for invariant in INVARIANTS {
        let finding = invariant.look(&session).await?;
        invariants.push(InvariantReport {
            number: invariant.number,
            statement: invariant.statement.to_owned(),
            holds: finding.broken.is_none(),
            figures: finding.figures.into_iter().collect(),
            first_break: finding.broken,
        });
    }
    session.finish()?;
    invariants.push(computed_again(app, context).await?);
    invariants.sort_by_key(|invariant| invariant.number);
    Ok(LedgerCheckReport {
        holds: invariants.iter().all(|invariant| invariant.holds),
        invariants,
    })
}

async fn computed_again(app: &App, context: &RequestContext) -> Result<InvariantReport, AppError> {
    let report = bill_run::verify_all(app, context).await?;
    let first = report.differences.first();
    Ok(InvariantReport {
        number: 7,
        statement: "computing any bill again gives identical bytes".to_owned(),
        holds: first.is_none(),
        figures: [("bills".to_owned(), report.bills.to_string())].into(),
        first_break: first.map(|first| format!("bill {} ({}): {}", first.number, first.id, first.reason)),
    })
}
