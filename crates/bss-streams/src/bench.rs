//! How fast a group consumes: a windowed upsert by customer and hour, with the position in the same transaction. For
//! a scratch database that [`bss_store::event_log::bench::append`] has filled.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bss_domain::ids::CustomerId;
use bss_events::{Record, Topic};
use bss_store::customer_analytics::{self as store, Counts, Measure, Window, count, hour_of};
use bss_store::event_log::bench::{Figure, TOPIC};
use bss_store::event_log::browse;
use bss_store::{Scope, Store, StoreError, UnitOfWork};
use tokio_util::sync::CancellationToken;

use crate::runtime::{Application, ProcessError, Runtime, RuntimeConfig};

/// Counts events by customer and hour.
struct Windows {
    batch: usize,
}

const GROUP: &str = "bench";
const LOOK_EVERY: Duration = Duration::from_millis(5);

#[async_trait]
impl Application for Windows {
    fn group(&self) -> &'static str {
        GROUP
    }

    fn topics(&self) -> &'static [Topic] {
        &[TOPIC]
    }

    fn batch(&self) -> usize {
        self.batch
    }

    async fn process(&self, work: &mut UnitOfWork, records: &[Record]) -> Result<(), ProcessError> {
        let mut counts = Counts::new();
        for record in records {
            let window = Window {
                customer: CustomerId::from(record.event.key),
                hour: hour_of(record.event.time),
                measure: Measure::Usage,
                label: String::new(),
                unit: String::new(),
            };
            count(&mut counts, window, 1, 1);
        }
        store::add(work, &counts).await?;
        Ok(())
    }
}

/// Consumes all that the log holds, from joining the group to the last commit.
pub async fn consume(database: &Store, scope: Scope, batch: usize) -> Result<Figure, StoreError> {
    let (runtime, stop) = (
        Runtime::new(database.clone(), RuntimeConfig::default()),
        CancellationToken::new(),
    );
    let begun = Instant::now();
    let token = stop.clone();
    let run = tokio::spawn(async move { runtime.run(Arc::new(Windows { batch }), token).await });
    let rows = drained(database, &scope, GROUP, || run.is_finished()).await?;
    let elapsed = begun.elapsed();
    stop.cancel();
    let _ = run.await;
    Ok(Figure { rows, elapsed })
}

/// Waits until a group has consumed all that the log holds, or `ended` says that nobody consumes any more; gives how
/// many events it has consumed since it was made.
pub async fn drained(
    database: &Store,
    scope: &Scope,
    group: &str,
    ended: impl Fn() -> bool,
) -> Result<u64, StoreError> {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let session = database.read(scope.clone()).await?;
        let groups = browse::groups(&session).await?;
        session.finish()?;
        let own: Vec<_> = groups.iter().filter(|place| place.group == group).collect();
        if ended() || (!own.is_empty() && own.iter().all(|place| place.lag() == 0)) {
            return Ok(own.iter().map(|place| place.position.unsigned_abs()).sum());
        }
    }
}
