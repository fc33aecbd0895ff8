//! From a usage file, through the log, to rated records: import and charging at the same time, as `bss up` runs them.

use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bss_app::usage_import::{UsageImport, import_file, put_source};
use bss_app::{App, RequestContext};
use bss_domain::usage::{NumberPlan, SourceFormat, UsageSource};
use bss_domain::{Cycle, Interval, Zone};
use bss_load::cdr::{CdrPlan, generate};
use bss_store::bench;
use bss_streams::charging::Charging;
use bss_streams::runtime::{Runtime, RuntimeConfig};
use tokio_util::sync::CancellationToken;

use super::meter::{Meter, Taken};
use super::place::{Place, scope, tenant};
use super::shop::refused;
use super::{Bench, Line, seed};
use crate::failure::Failure;

const ACCOUNTS: u64 = 20_000;
/// Lines for each account: so many that about 100 are charged; the others nobody answered, or they are broken.
const LINES_PER_ACCOUNT: u64 = 110;
const SOURCE: &str = "msc1";

/// What was charged, for the bill run after it.
#[derive(Debug, Clone)]
pub struct Charged {
    /// The figures.
    pub lines: Vec<Line>,
    /// The accounts.
    pub accounts: u64,
    /// Rated records.
    pub rated: u64,
    /// The period that holds all usage.
    pub period: Interval,
}

/// Figures of a file's way to rated records, beside COPY of the rated records.
pub async fn measure(bench: &Bench, place: &Place) -> Result<Charged, Failure> {
    let postgres = place.postgres().await?;
    let app = place.app(&postgres).await?;
    let accounts = bench.sized(ACCOUNTS, 200);
    let cycle = Cycle {
        zone: zone()?,
        day: 1,
    };
    // A whole period ahead of now, so that all of it can be moved through.
    let period = cycle.period_of(cycle.period_of(app.clock.now()).to);
    seed::subscribers(&app, accounts, period).await?;
    app.clock
        .advance_to(&app.store, period.to)
        .await
        .map_err(refused)?;
    let switch = Switch {
        accounts,
        lines: accounts * LINES_PER_ACCOUNT,
        period,
        seed: 1,
    };
    let file = switch.write_file(&place.data_dir)?;
    place.psql("VACUUM ANALYZE", None).await?;
    place.checkpoint().await?;

    let meter = Meter::start(postgres.pid);
    let accepted = import_and_charge(&app, &file).await?;
    place.checkpoint().await?;
    let taken = meter.stop();
    std::fs::remove_file(&file).map_err(refused)?;
    let rated = count(place, bench::COUNT_RATED).await?;
    if rated != accepted {
        return Err(Failure::refused(format!(
            "{accepted} records were accepted and {rated} rated"
        )));
    }
    let (copied, copy) = reference(place, postgres.pid, rated).await?;
    let per_100k = |taken: Taken, rows: u64| taken.cpu_s() * 100_000.0 / rows as f64;
    let of_client = taken.client_cpu * 100_000.0 / rated as f64;
    let lines = vec![
        Line::new(
            format!("{rated} records of {} lines", switch.lines),
            rated as f64 / taken.wall,
            "records/s",
        )
        .beside("COPY of rated rows and a checkpoint", copied as f64 / copy.wall)
        .at_least(60_000.0),
        Line::new(
            "client and PostgreSQL",
            per_100k(taken, rated),
            "CPU s per 100,000",
        )
        .beside("COPY of rated rows and a checkpoint", per_100k(copy, copied))
        .at_most(2.5),
        Line::new("of which client", of_client, "CPU s per 100,000"),
    ];
    Ok(Charged {
        lines,
        accounts,
        rated,
        period,
    })
}

/// A switch that has written a file.
#[derive(Debug, Clone, Copy)]
pub struct Switch {
    /// Its subscribers.
    pub accounts: u64,
    /// Lines of the file.
    pub lines: u64,
    /// When the usage began.
    pub period: Interval,
    /// Another one gives another file.
    pub seed: u64,
}

impl Switch {
    /// Writes the file into a folder.
    pub fn write_file(self, folder: &Path) -> Result<PathBuf, Failure> {
        let plan = CdrPlan {
            format: SourceFormat::Asterisk,
            numbers: (0..self.accounts).map(seed::number).collect(),
            home: "48".into(),
            records: self.lines,
            seed: self.seed,
            period: self.period,
            zone: zone()?,
        };
        let path = folder.join(format!("Master-{}.csv", self.seed));
        let mut out = BufWriter::new(std::fs::File::create(&path).map_err(refused)?);
        generate(&plan, &mut out).map_err(refused)?;
        Ok(path)
    }
}

fn zone() -> Result<Zone, Failure> {
    Zone::named(seed::ZONE).map_err(refused)
}

/// Imports a file while the charging stream runs, until it has passed all; gives how many records were accepted.
pub async fn import_and_charge(app: &App, file: &Path) -> Result<u64, Failure> {
    let context = RequestContext::system(tenant(), "bench");
    let source = UsageSource {
        name: SOURCE.into(),
        format: SourceFormat::Asterisk,
        zone: zone()?,
        numbers: NumberPlan::default(),
    };
    put_source(app, &context, &source).await?;
    let stop = CancellationToken::new();
    let runtime = Runtime::new(app.store.clone(), RuntimeConfig::default());
    let (charging, token) = (Arc::new(Charging::new(app.clone())), stop.clone());
    let running = tokio::spawn(async move { runtime.run(charging, token).await });
    let report = import_file(app, &context, &UsageImport::default(), SOURCE, file).await?;
    bss_streams::bench::drained(&app.store, &scope(), Charging::GROUP, || running.is_finished()).await?;
    stop.cancel();
    running.await.map_err(refused)?.map_err(refused)?;
    Ok(u64::try_from(report.lines.accepted).unwrap_or(0))
}

async fn count(place: &Place, sql: &str) -> Result<u64, Failure> {
    place.psql(sql, None).await?.trim().parse().map_err(refused)
}

/// COPY of rated rows into a bare table, and the checkpoint.
async fn reference(place: &Place, postmaster: i32, rated: u64) -> Result<(u64, Taken), Failure> {
    let file = place.data_dir.join("rated.tsv");
    place.psql_into(bench::EXPORT_RATED, &file).await?;
    place.psql(bench::MAKE_BARE_RATED, None).await?;
    place.checkpoint().await?;
    let meter = Meter::start(postmaster);
    place.psql(bench::COPY_BARE_RATED, Some(&file)).await?;
    place.checkpoint().await?;
    let taken = meter.stop();
    place.psql(bench::DROP_BARE, None).await?;
    std::fs::remove_file(&file).map_err(refused)?;
    Ok((rated.min(bench::EXPORTED_MOST), taken))
}
