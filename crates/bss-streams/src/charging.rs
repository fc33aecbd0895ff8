//! Charging: usage comes off the log, gets its price, and is kept, with allowances, counters, balances and the
//! position in one transaction.
//!
//! Records are inserted plainly: their primary key is the check against double charging. Only where it speaks up, the
//! transaction is undone, the records that are there already are left out, and the rest is rated anew; so a duplicate
//! never touches an allowance.

mod accounts;
mod outcome;
mod price_book;

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bss_app::App;
use bss_domain::Instant;
use bss_domain::ids::{BillingAccountId, UsageId};
use bss_domain::usage::Usage;
use bss_events::{Record, Topic};
use bss_store::{StoreError, UnitOfWork, usage_record};

use crate::runtime::{Application, Batch, ProcessError};
use accounts::Accounts;
use outcome::Outcome;
use price_book::PriceBook;

/// Most records of a batch.
const BATCH: usize = 4_000;

/// A batch of a thousand records costs little more than one of a hundred: what it asks and writes per account, its
/// position and its commit are shared by more records.
const PACE: Duration = Duration::from_secs(1);

/// How often a batch is rated anew because others wrote the same records or balances meanwhile.
const ATTEMPTS: usize = 8;

/// For how many batches charging looks first after it has found records that were there already.
const WARY: u32 = 64;

/// The charging stream.
pub struct Charging {
    app: App,
    prices: PriceBook,
    /// Batches that look for their records first, since a file seems to be sent again.
    wary: AtomicU32,
}

impl Charging {
    /// The group whose positions bill runs take as their watermark.
    pub const GROUP: &'static str = "charging";

    /// Charging over an application's store and clock.
    pub fn new(app: App) -> Self {
        Self {
            app,
            prices: PriceBook::default(),
            wary: AtomicU32::new(0),
        }
    }

    /// Where records are sent again, they come by the thousand: the next batches look before they write.
    fn remember(&self, found: bool) {
        if found {
            self.wary.store(WARY, Ordering::Relaxed);
        } else {
            // Another batch may have counted down meanwhile; a batch more or less that looks first is no harm.
            let left = self.wary.load(Ordering::Relaxed).saturating_sub(1);
            self.wary.store(left, Ordering::Relaxed);
        }
    }

    /// Rates and writes one tenant's records of a batch; tells whether some were there already.
    async fn charge(
        &self,
        work: &UnitOfWork,
        usages: &[(i64, Usage)],
        (partition, looks_first): (u16, bool),
    ) -> Result<bool, StoreError> {
        let present = if looks_first {
            let ids: Vec<UsageId> = usages.iter().map(|(_, usage)| usage.id).collect();
            usage_record::find(work, &ids).await?
        } else {
            Vec::new()
        };
        let found = !present.is_empty();
        let mut outcome = Outcome::new(work.tenant(), self.app.clock.now(), present);
        let mut fresh = Vec::with_capacity(usages.len());
        for (position, usage) in usages {
            if outcome.admits(usage) {
                fresh.push((*position, usage));
            }
        }
        let mut accounts = self.load(work, &fresh).await?;
        for (position, usage) in fresh {
            match accounts.rate(usage) {
                Ok(rating) => outcome.rated(usage, rating, position),
                Err(reason) => outcome.rejected(usage, &reason),
            }
        }
        // The records first: where one is there already, nothing else was written in vain.
        usage_record::insert(work, outcome.rows()).await?;
        accounts.save(work).await?;
        outcome.save(work, partition).await?;
        Ok(found)
    }

    async fn load(&self, work: &UnitOfWork, usages: &[(i64, &Usage)]) -> Result<Accounts, StoreError> {
        let ids: HashSet<BillingAccountId> = usages.iter().map(|(_, usage)| usage.owner.account).collect();
        let ids: Vec<BillingAccountId> = ids.into_iter().collect();
        let since = usages.iter().map(|(_, usage)| usage.metered.started).min();
        Accounts::load(work, &self.prices, &ids, since.unwrap_or(Instant::MAX)).await
    }

    /// Whether records were there already.
    async fn try_handle(&self, batch: &Batch<'_>, looks_first: bool) -> Result<bool, Failure> {
        let mut found = false;
        let mut work = batch.begin().await?;
        for part in batch.parts() {
            work.enter(part.tenant).await?;
            let usages = part.records.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            found |= self
                .charge(&work, &usages, (batch.partition(), looks_first))
                .await?;
        }
        batch.commit(work).await?;
        Ok(found)
    }
}

/// Why an attempt failed.
enum Failure {
    Store(StoreError),
    Process(ProcessError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ProcessError> for Failure {
    fn from(error: ProcessError) -> Self {
        Self::Process(error)
    }
}

#[async_trait]
impl Application for Charging {
    fn group(&self) -> &'static str {
        Self::GROUP
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::Usage]
    }

    fn joins_partitions(&self) -> bool {
        false
    }

    fn batch(&self) -> usize {
        BATCH
    }

    fn pace(&self) -> Duration {
        PACE
    }

    async fn process(&self, work: &mut UnitOfWork, records: &[Record]) -> Result<(), ProcessError> {
        let Some(first) = records.first() else {
            return Ok(());
        };
        let usages = records.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        self.charge(work, &usages, (first.partition, true)).await?;
        Ok(())
    }

    async fn handle(&self, batch: &Batch<'_>) -> Result<(), ProcessError> {
        let mut looks_first = self.wary.load(Ordering::Relaxed) > 0;
        for _ in 0..ATTEMPTS {
            match self.try_handle(batch, looks_first).await {
                Ok(found) => {
                    self.remember(found);
                    return Ok(());
                }
                Err(Failure::Store(StoreError::Taken { .. })) => looks_first = true,
                Err(Failure::Store(StoreError::Changed { what })) => {
                    tracing::debug!(what, "rating a batch anew");
                }
                Err(Failure::Store(error)) => return Err(error.into()),
                Err(Failure::Process(error)) => return Err(error),
            }
        }
        Err(ProcessError::transient(
            "records and balances of the batch are written by others again and again",
        ))
    }
}

/// Reads a usage event.
fn read(record: &Record) -> Result<(i64, Usage), ProcessError> {
    let usage = record.event.data.read_usage();
    usage
        .map(|usage| (record.position, usage))
        .map_err(|_| ProcessError::poison(record, "the event's data is no usage of a known version"))
}
