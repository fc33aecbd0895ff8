//! `bss bench`: what the product does on this machine, each figure beside its reference in the same run.
//!
//! Every group of rows has a PostgreSQL of its own ([`place`]); what several rows need is made once for them.

mod bill;
mod growth;
mod log;
mod meter;
mod order;
mod place;
mod read;
mod report;
mod seed;
mod shop;
mod stack;
mod usage;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::config::Config;
use crate::failure::Failure;
use place::Place;
pub use read::serve_reference;
use report::{Line, Report, RowReport, Run};
use stack::Stack;

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Row {
    /// The event log: append, beside COPY
    Append,
    /// The event log: consume with a windowed upsert and the position
    Consume,
    /// A usage file, through the log, to rated records
    Usage,
    /// A bill run with the final rating, cold and warm
    Bill,
    /// From an order to an active product
    Order,
    /// An authenticated GET of one product, and a list of 20
    Read,
    /// A warm start, and memory before and after the load
    Start,
    /// Time per event and usage record as the database grows; takes long, so only where it is named
    Growth,
}

impl Row {
    fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }

    fn work(self) -> &'static str {
        match self {
            Self::Append => "event log: append 200-byte events in batches of 1,000",
            Self::Consume => "event log: consume with a windowed upsert and the position in one transaction",
            Self::Usage => "usage file → log → rated, balances and position durable, a checkpoint included",
            Self::Bill => "bill run, 20,000 accounts with 100 usage records each, final rating included",
            Self::Order => "order → active product, the network answers after 5 ms",
            Self::Read => "authenticated GET through the gateway: one product, a list of 20",
            Self::Growth => "time per event and per usage record at 1, 10 and 30 million stored",
            Self::Start => "warm start; resident memory of bss, idle and after the load",
        }
    }
}

/// How to measure.
#[derive(Debug, Clone)]
pub struct Bench {
    /// The share of the full sizes: 1 but in a trial.
    pub scale: f64,
    /// The rows that are wanted; empty: all but growth.
    pub only: Vec<Row>,
    /// Where data folders are made.
    pub folder: PathBuf,
    /// The base of what is in force.
    pub config: Config,
}

type Rows = Vec<(Row, Vec<Line>)>;

impl Bench {
    /// A size at this scale, `least` at least.
    fn sized(&self, full: u64, least: u64) -> u64 {
        ((full as f64 * self.scale) as u64).max(least)
    }

    /// A time at this scale: a trial is short.
    fn timed(&self, full: Duration) -> Duration {
        full.mul_f64(self.scale).max(Duration::from_millis(500))
    }

    fn wants(&self, row: Row) -> bool {
        (self.only.is_empty() && row != Row::Growth) || self.only.contains(&row)
    }

    fn place(&self, name: &str) -> Place {
        let folder = self
            .folder
            .join(format!("bss-bench-{}-{name}", std::process::id()));
        Place::new(folder, self.config.postgres_bin.clone(), self.config.memory_mb)
    }

    /// Measures all that is wanted.
    pub async fn run(&self) -> Result<Report, Failure> {
        let run = self.about();
        let mut report = Report::default();
        let groups: [&[Row]; 4] = [
            &[Row::Append, Row::Consume],
            &[Row::Usage, Row::Bill],
            &[Row::Start, Row::Read, Row::Order],
            &[Row::Growth],
        ];
        for group in groups {
            if !group.iter().any(|row| self.wants(*row)) {
                continue;
            }
            let begun = Instant::now();
            let rows = self.group(group[0]).await?;
            let took_s = (begun.elapsed().as_secs_f64() * 10.0).round() / 10.0;
            for (row, lines) in rows.into_iter().filter(|(row, _)| self.wants(*row)) {
                for line in &lines {
                    eprintln!(
                        "{:<8} {}: {} {}",
                        row.name(),
                        line.what,
                        report::number(line.value),
                        line.unit
                    );
                }
                let done = RowReport {
                    work: row.work().to_owned(),
                    lines,
                    took_s,
                    run: run.clone(),
                };
                report.rows.insert(row.name(), done);
            }
        }
        Ok(report)
    }

    /// The rows that are measured together.
    async fn group(&self, first: Row) -> Result<Rows, Failure> {
        match first {
            Row::Append => {
                let place = self.place("log");
                let (append, consume) = place.throw_away(Box::pin(log::measure(self, &place))).await?;
                Ok(vec![(Row::Append, append), (Row::Consume, consume)])
            }
            Row::Usage => {
                let place = self.place("money");
                place.throw_away(Box::pin(self.money(&place))).await
            }
            Row::Growth => {
                let folder = self.folder.join("bss-bench-growth");
                let place = Place::new(folder, self.config.postgres_bin.clone(), self.config.memory_mb);
                let lines = place
                    .keep_unless_done(Box::pin(growth::measure(self, &place)))
                    .await?;
                Ok(vec![(Row::Growth, lines)])
            }
            _ => {
                let place = self.place("stack");
                place.throw_away(Box::pin(self.stack(&place))).await
            }
        }
    }

    /// The bills are of the usage that was charged just before.
    async fn money(&self, place: &Place) -> Result<Rows, Failure> {
        let charged = usage::measure(self, place).await?;
        let mut rows = vec![(Row::Usage, charged.lines.clone())];
        if self.wants(Row::Bill) {
            rows.push((Row::Bill, bill::measure(place, &charged).await?));
        }
        Ok(rows)
    }

    async fn stack(&self, place: &Place) -> Result<Rows, Failure> {
        let (stack, mut start) = Stack::start(self, place).await?;
        let mut rows = Vec::new();
        if self.wants(Row::Read) || self.wants(Row::Order) {
            let shop = shop::Shop::open(self, place, &stack).await?;
            if self.wants(Row::Read) {
                rows.push((Row::Read, read::measure(self, place, &stack, &shop).await?));
            }
            if self.wants(Row::Order) {
                rows.push((Row::Order, order::measure(self, place, &stack, &shop).await?));
            }
            let after = meter::resident_mb(stack.pid());
            start.push(Line::new("resident memory after the load", after, "MB").at_most(150.0));
        }
        rows.push((Row::Start, start));
        Ok(rows)
    }

    fn about(&self) -> Run {
        let mut command = "bss bench".to_owned();
        for row in &self.only {
            let _ = write!(command, " --only {}", row.name());
        }
        Run {
            command,
            commit: commit(),
            date: bss_domain::Instant::now()
                .strftime("%Y-%m-%d %H:%M UTC")
                .to_string(),
            machine: machine(),
            profile: if cfg!(debug_assertions) { "dev" } else { "release" }.to_owned(),
            scale: self.scale,
        }
    }
}

/// The working folder's commit, with a `+` where tracked files differ from it.
fn commit() -> String {
    let git = |words: &[&str]| {
        let output = Command::new("git").args(words).output().ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short", "HEAD"]) else {
        return format!("unknown, version {}", env!("CARGO_PKG_VERSION"));
    };
    let changed =
        git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|text| !text.is_empty());
    if changed { format!("{commit}+") } else { commit }
}

/// Processor, cores, memory, kernel.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let after_colon = |text: &str, name: &str| {
        text.lines()
            .find(|line| line.starts_with(name))
            .and_then(|line| line.split(':').nth(1))
            .map(|value| value.trim().to_owned())
            .unwrap_or_default()
    };
    let memory_kb: u64 = after_colon(&read("/proc/meminfo"), "MemTotal")
        .split(' ')
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{} × {}, {:.0} GiB, Linux {}",
        cores,
        after_colon(&read("/proc/cpuinfo"), "model name"),
        memory_kb as f64 / f64::from(1 << 20),
        read("/proc/sys/kernel/osrelease").trim()
    )
}

/// `bss bench`, as a command.
pub async fn run(bench: Bench, docs: Option<PathBuf>, json: bool) -> Result<(), Failure> {
    let report = bench.run().await?;
    if let Some(folder) = docs {
        report.keep(&folder)?;
    }
    if json {
        let rows: BTreeMap<_, _> = report.rows;
        return crate::output::json(&serde_json::json!({ "rows": rows }));
    }
    crate::output::line(&report.table());
    Ok(())
}
