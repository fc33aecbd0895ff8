//! Time per event and per usage record as a database grows. It takes long, so what is stored and measured stays in the
//! data folder when it is interrupted, and the next call goes on from there.

use std::path::PathBuf;
use std::time::Duration;

use bss_app::App;
use bss_domain::{Cycle, Instant, Interval, Zone};
use bss_platform::RunningPostgres;
use bss_store::event_log::bench as event_log;
use serde::{Deserialize, Serialize};

use super::meter::Meter;
use super::place::{Place, tenant};
use super::shop::refused;
use super::usage::{self, Switch};
use super::{Bench, Line, seed};
use crate::failure::Failure;

/// Rated records stored when time is taken.
const MARKS: [u64; 3] = [1_000_000, 10_000_000, 30_000_000];
/// Lines of a day's file; a day is what is measured.
const LINES_PER_DAY: u64 = 500_000;
const ACCOUNTS: u64 = 20_000;
const EVENTS_PER_BATCH: u64 = 1_000;
const EVENT_BATCHES: u64 = 300;
const EVENT_CONNECTIONS: usize = 4;

/// How far it is.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Progress {
    /// The first day of usage; none: nothing is there yet.
    first_day: Option<Instant>,
    /// Days whose usage is stored.
    days: i64,
    /// Rated records stored.
    stored: u64,
    /// What was measured.
    measured: Vec<Measured>,
}

/// Times at a mark, wall and CPU, µs.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Measured {
    stored: u64,
    record_us: f64,
    record_cpu_us: f64,
    event_us: f64,
    event_cpu_us: f64,
}

/// Figures at each mark, those behind the first beside it.
pub async fn measure(bench: &Bench, place: &Place) -> Result<Vec<Line>, Failure> {
    let postgres = place.postgres().await?;
    let app = place.app(&postgres).await?;
    let mut growth = Growth::open(bench, place, &postgres, app)?;
    growth.prepare().await?;
    for mark in MARKS.map(|mark| bench.sized(mark, 1)) {
        while growth.progress.stored < mark {
            growth.day().await?;
            growth.save()?;
            eprintln!("growth   {} records stored", growth.progress.stored);
        }
        if growth.progress.measured.iter().all(|known| known.stored < mark) {
            let measured = growth.time().await?;
            growth.progress.measured.push(measured);
            growth.save()?;
        }
    }
    Ok(lines(&growth.progress.measured))
}

struct Growth<'a> {
    place: &'a Place,
    postmaster: i32,
    app: App,
    accounts: u64,
    lines_per_day: u64,
    event_batches: u64,
    file: PathBuf,
    progress: Progress,
}

impl<'a> Growth<'a> {
    fn open(bench: &Bench, place: &'a Place, postgres: &RunningPostgres, app: App) -> Result<Self, Failure> {
        let file = place.data_dir.join("growth.json");
        let progress = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(refused)?,
            Err(_) => Progress::default(),
        };
        Ok(Self {
            place,
            postmaster: postgres.pid,
            app,
            accounts: bench.sized(ACCOUNTS, 200),
            lines_per_day: bench.sized(LINES_PER_DAY, 2_000),
            event_batches: bench.sized(EVENT_BATCHES, 2),
            file,
            progress,
        })
    }

    fn save(&self) -> Result<(), Failure> {
        let bytes = serde_json::to_vec_pretty(&self.progress).map_err(refused)?;
        let partial = self.file.with_extension("partial");
        std::fs::write(&partial, bytes).map_err(refused)?;
        std::fs::rename(&partial, &self.file).map_err(refused)
    }

    /// Makes the subscribers, once.
    async fn prepare(&mut self) -> Result<(), Failure> {
        if self.progress.first_day.is_some() {
            return Ok(());
        }
        let zone = Zone::named(seed::ZONE).map_err(refused)?;
        let cycle = Cycle { zone, day: 1 };
        let period = cycle.period_of(cycle.period_of(self.app.clock.now()).to);
        seed::subscribers(&self.app, self.accounts, period).await?;
        self.place.psql("VACUUM ANALYZE", None).await?;
        self.progress.first_day = Some(period.from);
        self.save()
    }

    /// Charges the next day's usage.
    async fn day(&mut self) -> Result<u64, Failure> {
        let first = self.progress.first_day.unwrap_or(self.app.clock.now());
        let start = |day: i64| first + hours(24 * day);
        let (from, to) = (start(self.progress.days), start(self.progress.days + 1));
        let period =
            Interval::new(from, to).ok_or_else(|| Failure::refused("a day ends before it begins"))?;
        if self.app.clock.now() < to {
            self.app
                .clock
                .advance_to(&self.app.store, to)
                .await
                .map_err(refused)?;
        }
        let switch = Switch {
            accounts: self.accounts,
            lines: self.lines_per_day,
            period,
            seed: self.progress.days.unsigned_abs() + 1,
        };
        let file = switch.write_file(&self.place.data_dir)?;
        let rated = usage::import_and_charge(&self.app, &file).await?;
        std::fs::remove_file(&file).map_err(refused)?;
        self.progress.days += 1;
        self.progress.stored += rated;
        Ok(rated)
    }

    /// Takes the time of a day's usage, a checkpoint included, and of events.
    async fn time(&mut self) -> Result<Measured, Failure> {
        let stored = self.progress.stored;
        self.place.checkpoint().await?;
        let meter = Meter::start(self.postmaster);
        let rated = self.day().await?;
        self.place.checkpoint().await?;
        let of_usage = meter.stop();
        let meter = Meter::start(self.postmaster);
        let batches = (self.event_batches, EVENTS_PER_BATCH);
        event_log::append(&self.app.store, tenant(), batches, EVENT_CONNECTIONS).await?;
        self.place.checkpoint().await?;
        let of_events = meter.stop();
        let each = |seconds: f64, count: u64| seconds * 1e6 / count.max(1) as f64;
        let events = batches.0 * batches.1;
        Ok(Measured {
            stored,
            record_us: each(of_usage.wall, rated),
            record_cpu_us: each(of_usage.cpu_s(), rated),
            event_us: each(of_events.wall, events),
            event_cpu_us: each(of_events.cpu_s(), events),
        })
    }
}

fn hours(count: i64) -> Duration {
    Duration::from_hours(count.unsigned_abs())
}

type Figure = (&'static str, fn(&Measured) -> f64);

fn lines(measured: &[Measured]) -> Vec<Line> {
    const FIGURES: [Figure; 4] = [
        ("a usage record, file to rated", |at| at.record_us),
        ("a usage record, CPU of client and PostgreSQL", |at| {
            at.record_cpu_us
        }),
        ("an event appended", |at| at.event_us),
        ("an event appended, CPU of client and PostgreSQL", |at| {
            at.event_cpu_us
        }),
    ];
    let mut lines = Vec::new();
    for (what, of) in FIGURES {
        for (place, at) in measured.iter().enumerate() {
            let line = Line::new(
                format!("{what}, {:.1} million stored", at.stored as f64 / 1e6),
                of(at),
                "µs",
            );
            let first = measured.first().map_or(0.0, of);
            lines.push(match place {
                0 => line,
                _ if place + 1 == measured.len() => {
                    line.beside("at the first mark", first).ratio_at_most(1.1)
                }
                _ => line.beside("at the first mark", first),
            });
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_mark_is_held_against_the_first() {
        let at = |stored, us| Measured {
            stored,
            record_us: us,
            record_cpu_us: 1.0,
            event_us: 1.0,
            event_cpu_us: 1.0,
        };
        let lines = lines(&[at(1_000_000, 10.0), at(10_000_000, 30.0), at(30_000_000, 12.0)]);
        let aims: Vec<Option<bool>> = lines
            .iter()
            .map(|line| line.aim.as_ref().map(|aim| aim.met))
            .collect();
        assert_eq!(aims[..3], [None, None, Some(false)]);
        assert_eq!(aims[5], Some(true));
    }
}
