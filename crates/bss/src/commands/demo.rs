//! `bss demo`: the demonstration operator's order to cash, as an outside client of the running stack.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bss_load::api_client::ApiClient;
use bss_load::demo;
use bss_load::demo::{DemoError, DemoPlan, DemoReport, TokenSource};
use bss_platform::read_state;
use serde_json::json;

use super::token::{public_url, token};
use crate::cli::DemoOptions;
use crate::config::Config;
use crate::failure::Failure;
use crate::output;

/// Calls of the API under way at once.
const IN_FLIGHT: usize = 16;

/// Walks the path and says whether everything holds.
pub async fn run(config: &Config, options: DemoOptions) -> Result<(), Failure> {
    let tokens = Tokens {
        config,
        tenant: options.tenant.clone(),
    };
    let token = tokens.token().await.map_err(Failure::Refused)?;
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
    if options.if_new && !demo::is_new(&client, &plan).await? {
        eprintln!("there are customers already: bss demo goes on with the next month");
        return Ok(());
    }
    let report = demo::run(client, &tokens, &plan, &|line| eprintln!("{line}")).await?;
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

/// Tokens that the running stack's issuer signs.
struct Tokens<'a> {
    config: &'a Config,
    tenant: String,
}

#[async_trait]
impl TokenSource for Tokens<'_> {
    async fn token(&self) -> Result<String, String> {
        let token = token(self.config, "admin", &self.tenant, None).await;
        token.map_err(|failure| failure.to_string())
    }
}

impl From<DemoError> for Failure {
    fn from(error: DemoError) -> Self {
        Self::Refused(error.to_string())
    }
}
