//! From an order to an active product, beside what the same server does under pgbench.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bss_events::{CloudEvent, EventLog as _, Extent, LogError, Standing, Topic};
use bss_load::http_load::histogram;
use bss_load::network_sim::Behaviour;
use bss_platform::postgres_client;
use bss_store::event_log::PostgresLog;
use futures::future::try_join_all;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::meter::{Meter, cpu_s};
use super::place::{Place, output_of};
use super::shop::{Shop, refused};
use super::stack::Stack;
use super::{Bench, Line};
use crate::failure::Failure;

const NETWORK_DELAY_MS: u64 = 5;
/// Orders under way at once when as many as possible are made.
const AT_ONCE: u64 = 64;
const AT_FULL_LOAD: Duration = Duration::from_secs(15);
const AT_HALF_LOAD: Duration = Duration::from_secs(20);
const PGBENCH: Duration = Duration::from_secs(8);
/// pgbench's scale: rows enough that its clients seldom meet at one.
const PGBENCH_SCALE: &str = "20";
/// How often the log is looked at for orders that ended.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Records of a partition that are read at once.
const READ_MOST: usize = 1_000;
/// An order that isn't through by then is a failure.
const PATIENCE: Duration = Duration::from_mins(1);

/// Orders in a second, and how long one takes at half of that.
pub async fn measure(bench: &Bench, place: &Place, stack: &Stack, shop: &Shop) -> Result<Vec<Line>, Failure> {
    slow_network_down(stack).await?;
    let postgres = place.postgres().await?;
    let before = pgbench(bench, place).await?;
    let watch = Watch::start(shop).await?;
    let next = AtomicU64::new(0);
    // The first orders open connections and fill caches.
    full_load(shop, &watch, &next, bench.timed(Duration::from_secs(2))).await?;
    let (meter, of_bss) = (Meter::start(postgres.pid), cpu_s(stack.pid()));
    let (orders, elapsed) = full_load(shop, &watch, &next, bench.timed(AT_FULL_LOAD)).await?;
    let cpu = cpu_s(stack.pid()) - of_bss + meter.stop().postgres_cpu;
    let per_second = orders as f64 / elapsed.as_secs_f64();
    let latency = half_load(shop, &watch, &next, per_second / 2.0, bench.timed(AT_HALF_LOAD)).await?;
    watch.stop().await?;
    let after = pgbench(bench, place).await?;
    let at = |quantile: f64| latency.value_at_quantile(quantile) as f64 / 1_000.0;
    Ok(vec![
        Line::new("orders to active products, 64 under way", per_second, "orders/s")
            .beside("pgbench -N, 16 clients, tps", f64::midpoint(before, after))
            .ratio_at_least(0.1),
        Line::new(
            "bss and PostgreSQL",
            cpu * 1_000.0 / orders as f64,
            "CPU ms an order",
        ),
        Line::new("p50 at half that load, from the intended start", at(0.5), "ms"),
        Line::new("p99 at half that load, from the intended start", at(0.99), "ms").at_most(500.0),
    ])
}

async fn slow_network_down(stack: &Stack) -> Result<(), Failure> {
    let behaviour = Behaviour {
        delay_ms: NETWORK_DELAY_MS,
        ..Behaviour::default()
    };
    let client = crate::stack::local_client().map_err(Failure::Refused)?;
    let url = format!("http://{}/behaviour", stack.network()?);
    let answer = client.put(url).json(&behaviour).send().await.map_err(refused)?;
    answer.error_for_status().map(drop).map_err(refused)
}

/// Transactions in a second of `pgbench -N`: one update and one insert each. Its tables are made and removed.
async fn pgbench(bench: &Bench, place: &Place) -> Result<f64, Failure> {
    let run = async |words: &[&str]| {
        let mut command = postgres_client(&place.data_dir, "pgbench")?;
        output_of(command.args(words), "pgbench").await
    };
    run(&["-i", "-q", "-s", PGBENCH_SCALE]).await?;
    let seconds = bench.timed(PGBENCH).as_secs().max(1).to_string();
    let said = run(&["-N", "-n", "-c", "16", "-j", "2", "-T", &seconds]).await;
    run(&["-i", "-q", "-I", "d"]).await?;
    tps(&said?).ok_or_else(|| Failure::refused("pgbench names no tps"))
}

fn tps(said: &str) -> Option<f64> {
    let line = said.lines().find_map(|line| line.strip_prefix("tps = "))?;
    line.split(' ').next()?.parse().ok()
}

/// Keeps so many orders under way; gives how many came through in what time.
async fn full_load(
    shop: &Shop,
    watch: &Watch,
    next: &AtomicU64,
    duration: Duration,
) -> Result<(u64, Duration), Failure> {
    let begun = Instant::now();
    let one_after_another = || async {
        let mut done = 0;
        while begun.elapsed() < duration {
            let order = shop.order(next.fetch_add(1, Ordering::Relaxed)).await?;
            watch.completed(order).await?;
            done += 1;
        }
        Ok::<u64, Failure>(done)
    };
    let done = try_join_all((0..AT_ONCE).map(|_| one_after_another())).await?;
    Ok((done.into_iter().sum(), begun.elapsed()))
}

/// Places orders at fixed moments, whatever becomes of the earlier ones; latencies in µs run from those moments.
async fn half_load(
    shop: &Shop,
    watch: &Watch,
    next: &AtomicU64,
    per_second: f64,
    duration: Duration,
) -> Result<hdrhistogram::Histogram<u64>, Failure> {
    let begun = Instant::now();
    let count = (duration.as_secs_f64() * per_second).max(1.0) as u32;
    let orders = (0..count).map(|number| async move {
        let intended = begun + Duration::from_secs_f64(f64::from(number) / per_second);
        tokio::time::sleep_until(intended.into()).await;
        let order = shop.order(next.fetch_add(1, Ordering::Relaxed)).await?;
        let ended = watch.completed(order).await?;
        Ok::<Duration, Failure>(ended.saturating_duration_since(intended))
    });
    let mut latency = histogram();
    for took in try_join_all(orders).await? {
        latency.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }
    Ok(latency)
}

enum Seen {
    Ended(Instant, String),
    Awaited(oneshot::Sender<(Instant, String)>),
}

type Orders = Arc<Mutex<HashMap<Uuid, Seen>>>;

/// Sees orders end by reading the log, and writes nothing: what is measured is the product's work.
pub struct Watch {
    orders: Orders,
    stop: CancellationToken,
    running: JoinHandle<Result<(), LogError>>,
}

impl Watch {
    /// Begins to look, at what comes from now on.
    pub async fn start(shop: &Shop) -> Result<Self, Failure> {
        let (orders, stop) = (Orders::default(), CancellationToken::new());
        let log = shop.app.store.log();
        let heads = log.extents(&[Topic::Order]).await.map_err(refused)?;
        let running = tokio::spawn(look_on(log, heads, Arc::clone(&orders), stop.clone()));
        Ok(Self {
            orders,
            stop,
            running,
        })
    }

    /// Waits until an order has completed; tells when that was seen. Any other end is a failure.
    pub async fn completed(&self, order: Uuid) -> Result<Instant, Failure> {
        let (sender, receiver) = oneshot::channel();
        let seen = {
            let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(Seen::Ended(at, state)) = orders.remove(&order) {
                Some((at, state))
            } else {
                orders.insert(order, Seen::Awaited(sender));
                None
            }
        };
        let (at, state) = match seen {
            Some(seen) => seen,
            None => tokio::time::timeout(PATIENCE, receiver)
                .await
                .map_err(|_| Failure::refused(format!("order {order} did not end within {PATIENCE:?}")))?
                .map_err(refused)?,
        };
        if state == "completed" {
            Ok(at)
        } else {
            Err(Failure::refused(format!("order {order} ended as {state}")))
        }
    }

    /// Ends.
    pub async fn stop(self) -> Result<(), Failure> {
        self.stop.cancel();
        self.running.await.map_err(refused)?.map_err(refused)
    }
}

async fn look_on(
    log: PostgresLog,
    heads: Vec<Extent>,
    orders: Orders,
    stop: CancellationToken,
) -> Result<(), LogError> {
    let mut positions: HashMap<u16, i64> = heads.iter().map(|of| (of.partition, of.head)).collect();
    while stop
        .run_until_cancelled(tokio::time::sleep(LOOK_EVERY))
        .await
        .is_some()
    {
        let grown = log.extents(&[Topic::Order]).await?.into_iter().filter_map(|of| {
            let position = positions.get(&of.partition).copied().unwrap_or(0);
            (of.head > position).then_some(Standing {
                topic: of.topic,
                partition: of.partition,
                position,
            })
        });
        let places: Vec<Standing> = grown.collect();
        if places.is_empty() {
            continue;
        }
        for record in log.read_each(&places, READ_MOST).await?.into_iter().flatten() {
            positions.insert(record.partition, record.position);
            note_end(&orders, &record.event);
        }
    }
    Ok(())
}

fn note_end(orders: &Orders, event: &CloudEvent) {
    const ENDED: [&str; 5] = ["completed", "partial", "failed", "rejected", "cancelled"];
    let state = event.data.value()["state"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let order = event.subject.as_deref().and_then(|id| id.parse::<Uuid>().ok());
    let ends = event.kind == "ProductOrderStateChangeEvent" && ENDED.contains(&state.as_str());
    let Some(order) = order.filter(|_| ends) else {
        return;
    };
    let seen = (Instant::now(), state);
    let mut orders = orders.lock().unwrap_or_else(PoisonError::into_inner);
    match orders.remove(&order) {
        Some(Seen::Awaited(sender)) => drop(sender.send(seen)),
        Some(Seen::Ended(at, state)) => drop(orders.insert(order, Seen::Ended(at, state))),
        None => drop(orders.insert(order, Seen::Ended(seen.0, seen.1))),
    }
}

#[cfg(test)]
mod tests {
    use super::tps;

    #[test]
    fn tps_is_read_from_what_pgbench_says() {
        let said = "latency average = 1.5 ms\ninitial connection time = 20 ms\ntps = 10483.25 (without initial connection time)\n";
        assert_eq!(tps(said), Some(10_483.25));
        assert_eq!(tps("pgbench: error"), None);
    }
}
