//! The proof that the money adds up, as operations ask for it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::bills::Sums;
use super::{Demo, DemoError};
use crate::api_client::unexpected;

const CHECK: &str = "/bss-api/v1/ledger/check";

/// What the ledger's proof found.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LedgerProof {
    /// Each invariant.
    pub invariants: Vec<Invariant>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invariant {
    /// Its number.
    pub number: u8,
    /// What must hold.
    pub statement: String,
    /// Whether it does.
    pub holds: bool,
    /// Its figures by name.
    pub figures: BTreeMap<String, String>,
    /// The first row that breaks it.
    pub first_break: Option<String>,
}

impl LedgerProof {
    /// Debits less credits by currency, minor units.
    pub fn balance_minor(&self) -> Sums {
        let mut balances = Sums::new();
        for (name, value) in self.invariants.iter().flat_map(|invariant| &invariant.figures) {
            let (sign, currency) = match name.split_once(' ') {
                Some(("debits", currency)) => (1, currency),
                Some(("credits", currency)) => (-1, currency),
                _ => continue,
            };
            *balances.entry(currency.to_owned()).or_default() +=
                sign * value.parse::<i64>().unwrap_or_default();
        }
        balances
    }
}

/// Proves the ledger.
pub async fn check(demo: &Demo<'_>) -> Result<LedgerProof, DemoError> {
    let proof = demo.client.get(CHECK).await?;
    Ok(serde_json::from_value(proof).map_err(|error| unexpected(CHECK, error.to_string()))?)
}
