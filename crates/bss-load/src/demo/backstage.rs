//! What the demonstration needs of an operator and the public API doesn't offer: whoever runs it lends these.

use std::collections::BTreeMap;
use std::path::Path;

use async_trait::async_trait;
use bss_domain::Money;
use serde::Serialize;

/// What an import did with a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportedFile {
    /// Whether it had been read to its end before.
    pub was_done: bool,
    /// Lines that went to charging.
    pub accepted: u64,
    /// Lines that couldn't be taken.
    pub rejected: u64,
    /// Lines that are known from elsewhere.
    pub duplicates: u64,
    /// Calls that nobody answered.
    pub not_charged: u64,
}

/// What a bill run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BillRun {
    /// Periods closed.
    pub closed: u64,
    /// Bills drawn up.
    pub bills: u64,
    /// Accounts that wait for charging.
    pub waiting: u64,
}

/// What the ledger's proof found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerProof {
    /// Each invariant with its number and whether it holds.
    pub invariants: Vec<(u8, String, bool)>,
    /// Debits less credits by currency, minor units.
    pub balance_minor: BTreeMap<String, i64>,
}

/// The operator's own means. An error is its text.
#[async_trait]
pub trait Backstage: Send + Sync {
    /// A token of the role `admin`, valid for some minutes.
    async fn token(&self) -> Result<String, String>;
    /// Fills the prepaid balance of an account.
    async fn top_up(&self, account: &str, amount: Money) -> Result<(), String>;
    /// Imports a file of the demonstration's switch.
    async fn import_usage(&self, file: &Path) -> Result<ImportedFile, String>;
    /// Closes every period that is due.
    async fn run_bills(&self) -> Result<BillRun, String>;
    /// Proves the ledger.
    async fn check_ledger(&self) -> Result<LedgerProof, String>;
}
