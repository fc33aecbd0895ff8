//! The bill run over what was charged: once with the rows in the machine's memory, once with none of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bss_app::RequestContext;
use bss_app::bill_run::{self, BillRunOptions};
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use tokio_util::sync::CancellationToken;

use super::Line;
use super::meter::{Meter, Taken};
use super::place::{Place, output_of, tenant};
use super::shop::refused;
use super::usage::Charged;
use crate::failure::Failure;

/// Figures of a warm and of a cold run over the same rows.
pub async fn measure(place: &Place, charged: &Charged) -> Result<Vec<Line>, Failure> {
    end_period(place, charged).await?;
    place.stop().await?;
    let (cluster, copy) = (place.cluster()?, place.cluster()?.with_file_name("cluster.copy"));
    copy_folder(&cluster, &copy).await?;
    let warm = run(place, charged).await?;

    place.stop().await?;
    std::fs::remove_dir_all(&cluster).map_err(refused)?;
    std::fs::rename(&copy, &cluster).map_err(refused)?;
    forget(&cluster)?;
    let cold = run(place, charged).await?;
    let per_second = |taken: Taken| charged.accounts as f64 / taken.wall;
    let records = charged.rated as f64 / charged.accounts as f64;
    Ok(vec![
        Line::new(
            format!("warm, {} accounts, {records:.0} records each", charged.accounts),
            per_second(warm),
            "accounts/s",
        )
        .at_least(5_000.0),
        Line::new(
            "cold: server started anew, nothing of its files in memory",
            per_second(cold),
            "accounts/s",
        )
        .at_least(5_000.0),
        Line::new(
            "client and PostgreSQL, warm",
            warm.cpu_s() * 1e4 / charged.accounts as f64,
            "CPU s per 10,000",
        ),
        Line::new(
            "of which client",
            warm.client_cpu * 1e4 / charged.accounts as f64,
            "CPU s per 10,000",
        ),
    ])
}

/// Moves the clock past the period's end and its grace.
async fn end_period(place: &Place, charged: &Charged) -> Result<(), Failure> {
    let postgres = place.postgres().await?;
    let app = place.app(&postgres).await?;
    let grace = BillRunOptions::default().grace + Duration::from_hours(1);
    let due = charged.period.to + grace;
    app.clock.advance_to(&app.store, due).await.map_err(refused)?;
    Ok(())
}

async fn run(place: &Place, charged: &Charged) -> Result<Taken, Failure> {
    let postgres = place.postgres().await?;
    let app = place.app(&postgres).await?;
    let context = RequestContext::system(tenant(), "bench");
    let meter = Meter::start(postgres.pid);
    let report = bill_run::run(
        &app,
        &context,
        &BillRunOptions::default(),
        &CancellationToken::new(),
    )
    .await?;
    let taken = meter.stop();
    if report.bills == charged.accounts && report.waiting == 0 {
        Ok(taken)
    } else {
        let (bills, waiting) = (report.bills, report.waiting);
        Err(Failure::refused(format!(
            "{} accounts, {bills} bills, {waiting} waiting",
            charged.accounts
        )))
    }
}

async fn copy_folder(from: &Path, to: &Path) -> Result<(), Failure> {
    let mut command = tokio::process::Command::new("cp");
    output_of(command.arg("-a").arg("--reflink=auto").arg(from).arg(to), "cp")
        .await
        .map(drop)
}

/// Takes a folder's files out of the machine's memory: what isn't on the disk yet is written first.
fn forget(folder: &Path) -> Result<(), Failure> {
    let mut open: Vec<PathBuf> = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).map_err(refused)? {
            let entry = entry.map_err(refused)?;
            let kind = entry.file_type().map_err(refused)?;
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                let file = std::fs::File::open(entry.path()).map_err(refused)?;
                file.sync_all().map_err(refused)?;
                posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED).map_err(refused)?;
            }
        }
    }
    Ok(())
}
