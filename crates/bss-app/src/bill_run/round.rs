//! One pass of a run over all accounts: each closes one period at most.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use bss_domain::ids::SLOTS;
use bss_domain::{Instant, TypedId};
use bss_events::PARTITIONS;
use bss_store::bill_run::{self as store, AccountRow};
use bss_store::customer_bill;
use futures::future::ready as at_once;
use futures::{StreamExt, TryStreamExt, stream};
use tokio_util::sync::CancellationToken;

use super::close::{AccountData, ClosedPeriod, close};
use super::load::{Watermarks, load};
use super::write::{Writing, Written, write};
use super::{BillRunOptions, BillRunReport, BillRunScope, FailedAccount, PriceBook};
use crate::{App, AppError, RequestContext};

/// So many failed accounts are named in a report.
const FAILED_MAX: usize = 100;

/// So many transactions are written at the same moment: the database has work while others are read and computed.
const WRITERS: usize = 3;

/// What a pass works with.
pub struct Round<'a> {
    pub app: &'a App,
    pub context: &'a RequestContext,
    pub options: &'a BillRunOptions,
    pub scope: BillRunScope,
    pub writing: &'a Writing,
}

/// Accounts of a range of slots.
type Group = (RangeInclusive<i16>, Vec<AccountRow>);

/// What became of the accounts of one transaction.
struct Done {
    closed: u64,
    written: Written,
    failed: Vec<FailedAccount>,
}

impl Round<'_> {
    /// Closes what is due where charging is ready, until it is stopped. Gives how many periods were closed.
    pub async fn close(
        &self,
        ready: &HashSet<u16>,
        stop: &CancellationToken,
        report: &mut BillRunReport,
    ) -> Result<u64, AppError> {
        let (due, prices) = self.due().await?;
        let (due, waiting): (Vec<AccountRow>, Vec<AccountRow>) = due
            .into_iter()
            .partition(|row| ready.contains(&row.id.slot().partition(PARTITIONS)));
        report.waiting = waiting.len() as u64;
        report.failed.clear();
        let prices = &prices;
        let mut written = stream::iter(groups(due, self.options.accounts_per_scan))
            .then(|group| self.load(group, prices))
            .map_ok(|chunks| stream::iter(chunks.into_iter().map(Ok)))
            .try_flatten()
            .try_take_while(|_| at_once(Ok(!stop.is_cancelled())))
            .map_ok(|chunk| self.write(chunk, prices))
            .try_buffer_unordered(WRITERS)
            .boxed();
        let mut closed = 0;
        while let Some(done) = written.try_next().await? {
            closed += done.closed;
            report.add(done);
        }
        report.stopped = stop.is_cancelled();
        Ok(closed)
    }

    /// The accounts whose period is due, in the order of their slots, and the prices of all. Where a bill is on hold,
    /// no further period closes.
    async fn due(&self) -> Result<(Vec<AccountRow>, PriceBook), AppError> {
        let session = self.app.store.snapshot(self.context.scope()).await?;
        let prices = PriceBook::load(&session).await?;
        let slots = self.scope.account.map_or(0..=SLOTS as i16 - 1, |account| {
            account.slot().sql()..=account.slot().sql()
        });
        let mut accounts = store::accounts(&session, slots, self.scope.account).await?;
        let on_hold = customer_bill::accounts_on_hold(&session).await?;
        session.finish()?;
        let is_due = |row: &AccountRow| is_due(row, self.writing.as_of, self.options.grace, self.scope);
        accounts.retain(|row| !on_hold.contains(&row.id) && is_due(row));
        Ok((accounts, prices))
    }

    /// What the closing of a group needs, in the portions in which it is written.
    async fn load(
        &self,
        (slots, accounts): Group,
        prices: &PriceBook,
    ) -> Result<Vec<Vec<AccountData>>, AppError> {
        let session = self.app.store.snapshot(self.context.scope()).await?;
        let watermarks: Watermarks = store::watermarks(&session).await?;
        let mut data = load(&session, slots, accounts, &watermarks, prices).await?;
        session.finish()?;
        let most = self.options.accounts_per_transaction.max(1);
        let mut chunks = Vec::with_capacity(data.len().div_ceil(most));
        while !data.is_empty() {
            let behind = data.split_off(data.len().min(most));
            chunks.push(std::mem::replace(&mut data, behind));
        }
        Ok(chunks)
    }

    async fn write(&self, chunk: Vec<AccountData>, prices: &PriceBook) -> Result<Done, AppError> {
        let (periods, failed) = self.close_all(&chunk, prices);
        let closed = periods.len() as u64;
        let written = match closed {
            0 => Written::default(),
            _ => write(self.app, self.context, periods, self.writing).await?,
        };
        Ok(Done {
            closed,
            written,
            failed,
        })
    }

    /// Closes the periods of these accounts as far as they can be. One that can't doesn't hold up the others: it is
    /// named with the reason.
    fn close_all(
        &self,
        chunk: &[AccountData],
        prices: &PriceBook,
    ) -> (Vec<ClosedPeriod>, Vec<FailedAccount>) {
        let (mut periods, mut failed) = (Vec::with_capacity(chunk.len()), Vec::new());
        for data in chunk {
            let outcome = match uncharged(data, prices) {
                Some(reason) => Err(reason),
                None => close(data, prices, self.writing.as_of, self.options.due_days)
                    .map_err(|error| error.to_string()),
            };
            match outcome {
                Ok(closed) => periods.push(closed),
                Err(reason) => {
                    tracing::error!(account = %data.row.id, reason, "an account's period can't be closed");
                    failed.push(FailedAccount {
                        billing_account: data.row.id,
                        reason,
                    });
                }
            }
        }
        (periods, failed)
    }
}

impl BillRunReport {
    fn add(
        &mut self,
        Done {
            closed,
            written,
            failed,
        }: Done,
    ) {
        self.closed += closed;
        self.bills += (written.bills.len() + written.on_hold.len()) as u64;
        self.on_hold += written.on_hold.len() as u64;
        let room = FAILED_MAX.saturating_sub(self.failed.len());
        self.failed.extend(failed.into_iter().take(room));
        for bill in written.bills {
            let total = self.total_minor.entry(bill.currency.code().to_owned());
            *total.or_default() += bill.total_minor;
        }
    }
}

/// Why what an account's products are pinned to can't be charged.
pub fn uncharged(data: &AccountData, prices: &PriceBook) -> Option<String> {
    let segments = data.products.iter().flat_map(|product| &product.segments);
    let pinned = segments.filter(|segment| segment.account == data.row.id);
    pinned
        .flat_map(|segment| segment.prices.iter().copied())
        .find_map(|id| prices.why_not(id))
}

fn is_due(row: &AccountRow, as_of: Instant, grace: Duration, scope: BillRunScope) -> bool {
    let grace = jiff::SignedDuration::try_from(grace).unwrap_or(jiff::SignedDuration::MAX);
    let end = row.next_period().to;
    scope.close_through.is_none_or(|through| end <= through)
        && end.checked_add(grace).is_ok_and(|due| due <= as_of)
}

/// Ranges of slots with about so many accounts; the accounts come in order of slot, and a slot is never cut.
fn groups(accounts: Vec<AccountRow>, size: usize) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for row in accounts {
        let slot = row.id.slot().sql();
        match groups.last_mut() {
            Some((slots, rows)) if rows.len() < size || *slots.end() == slot => {
                *slots = *slots.start()..=slot;
                rows.push(row);
            }
            _ => groups.push((slot..=slot, vec![row])),
        }
    }
    groups
}
