//! What the demonstration did, and whether everything holds.

use std::collections::BTreeMap;
use std::time::Duration;

use bss_domain::money::{Currency, Money};
use serde::Serialize;

use super::bills::Sums;

/// Something that must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What must hold.
    pub statement: String,
    /// Whether it does.
    pub holds: bool,
    /// The figures behind it.
    pub figures: String,
}

impl Check {
    pub(super) fn new(statement: &str, holds: bool, figures: impl Into<String>) -> Self {
        Self {
            statement: statement.to_owned(),
            holds,
            figures: figures.into(),
        }
    }
}

/// What a run of the demonstration did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DemoReport {
    /// Customers, and how many of them are new.
    pub customers: u64,
    /// Those that this run made.
    pub new_customers: u64,
    /// Orders of this run by the state in which they ended.
    pub orders: BTreeMap<String, u64>,
    /// Lines of usage files of this run.
    pub usage_records: u64,
    /// Those that were charged.
    pub usage_charged: u64,
    /// Broken lines.
    pub usage_rejected: u64,
    /// Calls that nobody answered.
    pub usage_not_charged: u64,
    /// Bills of this run.
    pub bills: u64,
    /// Payments of this run.
    pub payments: u64,
    /// Their totals with tax, minor units by currency.
    pub billed_minor: Sums,
    /// What was paid in this run.
    pub paid_minor: Sums,
    /// What is open of all bills, of earlier runs too.
    pub open_minor: Sums,
    /// Debits less credits of the whole ledger.
    pub ledger_balance_minor: Sums,
    /// Real time that it took.
    pub wall_ms: u64,
    /// Real time by phase, in order.
    pub phases: Vec<(String, u64)>,
    /// What must hold.
    pub checks: Vec<Check>,
}

impl DemoReport {
    /// Whether everything holds.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.holds)
    }

    /// The table's rows: name and value.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let orders: Vec<String> = self
            .orders
            .iter()
            .map(|(state, count)| format!("{count} {state}"))
            .collect();
        let total: u64 = self.orders.values().sum();
        let wall = Duration::from_millis(self.wall_ms).as_secs_f64();
        vec![
            (
                "customers",
                format!("{} ({} new)", self.customers, self.new_customers),
            ),
            (
                "orders",
                if total == 0 {
                    "0".to_owned()
                } else {
                    format!("{total} ({})", orders.join(", "))
                },
            ),
            (
                "usage records",
                format!(
                    "{} ({} charged, {} unanswered, {} rejected)",
                    self.usage_records, self.usage_charged, self.usage_not_charged, self.usage_rejected
                ),
            ),
            (
                "bills",
                format!("{} ({})", self.bills, amounts(&self.billed_minor)),
            ),
            (
                "paid",
                format!("{} ({} payments)", amounts(&self.paid_minor), self.payments),
            ),
            ("open", amounts(&self.open_minor)),
            ("ledger balance", amounts(&self.ledger_balance_minor)),
            ("wall time", format!("{wall:.1} s")),
        ]
    }
}

/// Sums as people write them.
pub fn amounts(sums: &Sums) -> String {
    let texts: Vec<String> = sums
        .iter()
        .map(|(code, minor)| {
            Currency::of(code).map_or_else(
                |_| format!("{minor} minor {code}"),
                |currency| Money::new(*minor, currency).to_string(),
            )
        })
        .collect();
    if texts.is_empty() {
        "0".to_owned()
    } else {
        texts.join(", ")
    }
}
