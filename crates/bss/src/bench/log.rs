//! The event log: append and consume.

use bss_store::event_log::bench;

use super::meter::{Meter, median};
use super::place::{Place, scope, tenant};
use super::{Bench, Line};
use crate::failure::Failure;

/// Interleaved rounds, so that what else the machine does meets both sides.
const ROUNDS: usize = 3;
const EVENTS: u64 = 400_000;
const BATCH: u64 = 1_000;
/// Events that a consumer takes in one transaction.
const CONSUMED_AT_ONCE: usize = 5_000;
const CONNECTIONS: usize = 4;

/// Figures of appending and of consuming.
pub async fn measure(bench: &Bench, place: &Place) -> Result<(Vec<Line>, Vec<Line>), Failure> {
    let postgres = place.postgres().await?;
    let app = place.app(&postgres).await?;
    let batches = bench.sized(EVENTS / BATCH, 1);
    let rows = batches * BATCH;
    let file = place.data_dir.join("events.tsv");
    bench::write_rows(&file, tenant(), rows, BATCH).map_err(|error| Failure::refused(error.to_string()))?;
    let (mut appended, mut copied, mut consumed) = (Vec::new(), Vec::new(), Vec::new());
    let (mut append_cpu, mut copy_cpu, mut consume_cpu) = (Vec::new(), Vec::new(), Vec::new());
    let per_100k = 100_000.0 / rows as f64;
    for _ in 0..ROUNDS {
        let meter = Meter::start(postgres.pid);
        bench::append(&app.store, tenant(), (batches, BATCH), CONNECTIONS).await?;
        let taken = meter.stop();
        appended.push(rows as f64 / taken.wall);
        append_cpu.push(taken.cpu_s() * per_100k);

        place.psql(bench::MAKE_BARE, None).await?;
        let meter = Meter::start(postgres.pid);
        place.psql(bench::COPY_BARE, Some(&file)).await?;
        let taken = meter.stop();
        copied.push(rows as f64 / taken.wall);
        copy_cpu.push(taken.cpu_s() * per_100k);

        let meter = Meter::start(postgres.pid);
        bss_streams::bench::consume(&app.store, scope(), CONSUMED_AT_ONCE).await?;
        let taken = meter.stop();
        consumed.push(rows as f64 / taken.wall);
        consume_cpu.push(taken.cpu_s() * per_100k);
    }
    let append = vec![
        Line::new(
            "append, batches of 1,000 over 4 connections",
            median(appended),
            "events/s",
        )
        .beside("COPY by psql", median(copied))
        .ratio_at_least(0.5),
        Line::new("append", median(append_cpu), "CPU s per 100,000").beside("COPY by psql", median(copy_cpu)),
    ];
    let consume = vec![
        Line::new(
            "upsert by customer and hour with the position, batches of 5,000",
            median(consumed),
            "events/s",
        )
        .at_least(200_000.0),
        Line::new("consume", median(consume_cpu), "CPU s per 100,000"),
    ];
    Ok((append, consume))
}
