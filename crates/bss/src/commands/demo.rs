//! `bss demo`: the demonstration operator's order to cash, as an outside client of the running stack.

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bss_app::usage_import::{UsageImport, import_file, put_source};
use bss_app::{bill_run, ledger_check, prepaid};
use bss_domain::usage::{NumberPlan, SourceFormat, UsageSource};
use bss_domain::{Money, Zone};
use bss_load::api_client::ApiClient;
use bss_load::demo;
use bss_load::demo::{
    Backstage, BillRun, DemoError, DemoPlan, DemoReport, ImportedFile, LedgerProof, SWITCH_ZONE,
};
use bss_platform::read_state;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::direct;
use super::token::{public_url, token};
use crate::cli::DemoOptions;
use crate::config::Config;
use crate::failure::Failure;
use crate::output;

/// The demonstration's switch, as usage names its source.
const SOURCE: &str = "demonstration";

/// Calls of the API under way at once.
const IN_FLIGHT: usize = 16;

/// Walks the path and says whether everything holds.
pub async fn run(config: &Config, options: DemoOptions) -> Result<(), Failure> {
    let stage = Stage {
        config,
        tenant: options.tenant.clone(),
    };
    let token = stage.token().await.map_err(Failure::Refused)?;
    let client =
        ApiClient::new(&public_url(config)?, token).map_err(|error| Failure::refused(error.to_string()))?;
    let folder = Folder::open(options.keep.as_deref())?;
    let plan = DemoPlan {
        customers: options.customers,
        records: options.records,
        seed: options.seed,
        in_flight: IN_FLIGHT,
        catalog: options.catalog.clone(),
        folder: folder.path.clone(),
        network: network(config),
    };
    if options.if_new && !demo::is_new(&client, &stage, &plan).await? {
        eprintln!("there are customers already: bss demo goes on with the next month");
        return Ok(());
    }
    let report = demo::run(client, &stage, &plan, &|line| eprintln!("{line}")).await?;
    if options.json {
        output::json(&json!({"holds": report.holds(), "report": report}))?;
    } else {
        show(&report);
    }
    if report.holds() {
        Ok(())
    } else {
        Err(Failure::Silent)
    }
}

fn show(report: &DemoReport) {
    let rows: Vec<Vec<String>> = report
        .rows()
        .into_iter()
        .map(|(name, value)| vec![name.to_owned(), value])
        .collect();
    output::table(&rows);
    let held = report.checks.iter().filter(|check| check.holds).count();
    for broken in report.checks.iter().filter(|check| !check.holds) {
        output::line(&format!("BROKEN: {}: {}", broken.statement, broken.figures));
    }
    let verdict = if report.holds() {
        "everything holds"
    } else {
        "something is broken"
    };
    output::line(&format!(
        "verdict: {verdict} ({held} of {} checks)",
        report.checks.len()
    ));
}

/// The network simulator of this stack, where the stack uses it.
fn network(config: &Config) -> Option<String> {
    if config.network_url.is_some() {
        return None;
    }
    let state = read_state(&config.data_dir)?;
    state
        .listeners
        .get("network-sim")
        .map(|address| format!("http://{address}"))
}

/// Where usage files lie, readable by their owner alone: they hold numbers.
struct Folder {
    path: PathBuf,
    is_temporary: bool,
}

impl Folder {
    fn open(kept: Option<&Path>) -> Result<Self, Failure> {
        let path = kept.map_or_else(
            || std::env::temp_dir().join(format!("bss-demo-{}", std::process::id())),
            Path::to_path_buf,
        );
        DirBuilder::new()
            .recursive(kept.is_some())
            .mode(0o700)
            .create(&path)
            .map_err(|error| Failure::refused(format!("cannot make {}: {error}", path.display())))?;
        Ok(Self {
            path,
            is_temporary: kept.is_none(),
        })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_temporary {
            // What stays behind is readable by its owner alone.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// The operator's own means, on the running stack. Each call looks at the clock anew: it moves between them.
struct Stage<'a> {
    config: &'a Config,
    tenant: String,
}

impl Stage<'_> {
    async fn import(&self, file: &Path) -> Result<ImportedFile, Failure> {
        let (app, context) = direct::app(self.config, &self.tenant).await?;
        let source = UsageSource {
            name: SOURCE.to_owned(),
            format: SourceFormat::Asterisk,
            zone: Zone::named(SWITCH_ZONE).map_err(|error| Failure::refused(error.to_string()))?,
            // The generator's switch writes every number with its country code.
            numbers: NumberPlan::default(),
        };
        put_source(&app, &context, &source).await?;
        let report = import_file(&app, &context, &UsageImport::default(), SOURCE, file).await?;
        let lines = report.lines;
        Ok(ImportedFile {
            was_done: report.was_done,
            accepted: lines.accepted.unsigned_abs(),
            rejected: lines.rejected.unsigned_abs(),
            duplicates: lines.duplicates.unsigned_abs(),
            not_charged: lines.not_charged.unsigned_abs(),
        })
    }

    async fn bills(&self) -> Result<BillRun, Failure> {
        let (app, context) = direct::app(self.config, &self.tenant).await?;
        let options = bill_run::BillRunOptions::default();
        let report = bill_run::run(&app, &context, &options, &CancellationToken::new()).await?;
        if let Some(first) = report.failed.first() {
            return Err(Failure::refused(format!(
                "{} accounts can't be closed, the first being {}: {}",
                report.failed.len(),
                first.billing_account,
                first.reason
            )));
        }
        Ok(BillRun {
            closed: report.closed,
            bills: report.bills,
            waiting: report.waiting,
        })
    }

    async fn fill(&self, account: &str, amount: Money) -> Result<(), Failure> {
        let (app, context) = direct::app(self.config, &self.tenant).await?;
        let account = account
            .parse()
            .map_err(|_| Failure::refused("no billing account's id"))?;
        prepaid::top_up(&app, &context, account, amount, "voucher").await?;
        Ok(())
    }

    async fn proof(&self) -> Result<LedgerProof, Failure> {
        let (app, context) = direct::app(self.config, &self.tenant).await?;
        let report = ledger_check::check(&app, &context).await?;
        let mut balance_minor: BTreeMap<String, i64> = BTreeMap::new();
        for (name, value) in report.invariants.iter().flat_map(|invariant| &invariant.figures) {
            let (sign, currency) = match name.split_once(' ') {
                Some(("debits", currency)) => (1, currency),
                Some(("credits", currency)) => (-1, currency),
                _ => continue,
            };
            *balance_minor.entry(currency.to_owned()).or_default() +=
                sign * value.parse::<i64>().unwrap_or_default();
        }
        let invariants = report.invariants.into_iter().map(|invariant| {
            let broken = invariant
                .first_break
                .map(|broken| format!(": {broken}"))
                .unwrap_or_default();
            (
                invariant.number,
                format!("{}{broken}", invariant.statement),
                invariant.holds,
            )
        });
        Ok(LedgerProof {
            invariants: invariants.collect(),
            balance_minor,
        })
    }
}

#[async_trait]
impl Backstage for Stage<'_> {
    async fn token(&self) -> Result<String, String> {
        said(token(self.config, "admin", &self.tenant, None).await)
    }

    async fn top_up(&self, account: &str, amount: Money) -> Result<(), String> {
        said(self.fill(account, amount).await)
    }

    async fn import_usage(&self, file: &Path) -> Result<ImportedFile, String> {
        said(self.import(file).await)
    }

    async fn run_bills(&self) -> Result<BillRun, String> {
        said(self.bills().await)
    }

    async fn check_ledger(&self) -> Result<LedgerProof, String> {
        said(self.proof().await)
    }
}

fn said<T>(done: Result<T, Failure>) -> Result<T, String> {
    done.map_err(|failure| failure.to_string())
}

impl From<DemoError> for Failure {
    fn from(error: DemoError) -> Self {
        Self::Refused(error.to_string())
    }
}
