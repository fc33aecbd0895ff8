//! The accounts of a batch: their terms, their products' pinned prices, and what their usage takes from.

use std::collections::{BTreeMap, HashMap};

use bss_domain::allowance::{AllowanceInstance, AllowanceOwner};
use bss_domain::catalog::PriceKind;
use bss_domain::ids::{BillingAccountId, BucketId, ProductOfferingPriceId};
use bss_domain::rating::{Counter, Plan, RatingState, rate};
use bss_domain::tax::TaxRule;
use bss_domain::usage::{RejectReason, Usage};
use bss_domain::{Instant, Nano, TypedId};
use bss_store::bucket::{self, PrepaidBalance, Versioned};
use bss_store::charging::{self, AccountTerms, PinnedSegment};
use bss_store::prepaid_use::{self, PrepaidUseKey};
use bss_store::usage_record::Rating;
use bss_store::{Session, StoreError};

use super::price_book::{PriceBook, Prices, allowance};

/// One account while a batch is rated.
struct Account {
    terms: AccountTerms,
    segments: Vec<PinnedSegment>,
    state: RatingState,
    /// What was used of a bucket, and its version, when it was loaded.
    stored_buckets: HashMap<BucketId, (u64, i64)>,
    /// A counter's value and version when it was loaded.
    stored_counters: HashMap<CounterKey, (u64, i64)>,
    balance: Option<Versioned<PrepaidBalance>>,
    /// What was taken from the balance.
    used: BTreeMap<PrepaidUseKey, Nano>,
}

type CounterKey = (
    Instant,
    Option<bss_domain::ids::ProductId>,
    ProductOfferingPriceId,
    u16,
);

fn key(counter: &Counter) -> CounterKey {
    (
        counter.window.from,
        counter.product,
        counter.price,
        counter.counter,
    )
}

/// The accounts of a batch.
pub struct Accounts {
    accounts: HashMap<BillingAccountId, Account>,
    prices: Prices,
}

impl Accounts {
    /// Loads accounts with what usage from `since` on may take from.
    pub async fn load(
        session: &Session,
        book: &PriceBook,
        ids: &[BillingAccountId],
        since: Instant,
    ) -> Result<Self, StoreError> {
        let mut accounts: HashMap<BillingAccountId, Account> = book
            .terms(session, ids)
            .await?
            .into_iter()
            .map(|terms| (terms.account, Account::new(terms)))
            .collect();
        for segment in charging::segments(session, ids).await? {
            if let Some(account) = accounts.get_mut(&segment.account) {
                account.segments.push(segment);
            }
        }
        let pinned = accounts
            .values()
            .flat_map(|account| &account.segments)
            .flat_map(|segment| segment.prices.iter().copied());
        let prices = book.load(session, pinned).await?;
        let known = |id| allowance(&prices, id);
        for row in bucket::buckets(session, ids, since, known).await? {
            if let Some(account) = accounts.get_mut(&row.account) {
                let used = (row.value.used, row.version);
                account.stored_buckets.insert(row.value.id, used);
                account.state.allowances.push(row.value);
            }
        }
        for row in bucket::counters(session, ids, since).await? {
            if let Some(account) = accounts.get_mut(&row.account) {
                let value = (row.value.value, row.version);
                account.stored_counters.insert(key(&row.value), value);
                account.state.counters.push(row.value);
            }
        }
        for row in bucket::balances(session, ids).await? {
            if let Some(account) = accounts.get_mut(&row.account) {
                account.balance = Some(row);
            }
        }
        for account in accounts.values_mut() {
            account.state.sort();
        }
        Ok(Self { accounts, prices })
    }

    /// Rates a record; on an error nothing was taken from anything.
    pub fn rate(&mut self, usage: &Usage) -> Result<Rating, RejectReason> {
        let account = self
            .accounts
            .get_mut(&usage.owner.account)
            .ok_or_else(|| unrated("its billing account doesn't exist"))?;
        account.rate(usage, &self.prices)
    }

    /// Writes what was taken. [`StoreError::Changed`] where somebody else wrote the same meanwhile.
    pub async fn save(&self, session: &Session) -> Result<(), StoreError> {
        let mut buckets = Vec::new();
        let mut counters = Vec::new();
        let mut balances = Vec::new();
        let mut uses = Vec::new();
        for account in self.accounts.values() {
            buckets.extend(account.changed_buckets());
            counters.extend(account.changed_counters());
            balances.extend(account.balance.clone().filter(|_| !account.used.is_empty()));
            let currency = account.terms.currency;
            let used = account.used.iter();
            uses.extend(used.map(|(key, used)| (key.clone(), currency, *used)));
        }
        bucket::save_buckets(session, &buckets).await?;
        bucket::save_counters(session, &counters).await?;
        // The balances first: whoever holds them is the only one who adds use.
        bucket::save_balances(session, &balances).await?;
        prepaid_use::add(session, &uses).await
    }
}

fn unrated(reason: impl ToString) -> RejectReason {
    RejectReason::Unrated {
        reason: reason.to_string(),
    }
}

/// Under which day and tax rate the use of a balance is added up. What is taken from a balance includes the tax,
/// since the balance is what the customer paid.
fn use_key(terms: &AccountTerms, at: Instant, tax: TaxRule) -> PrepaidUseKey {
    PrepaidUseKey {
        account: terms.account,
        day: terms.cycle.zone.rules().to_datetime(at).date(),
        tax_category: tax.category,
        tax_rate_ppm: tax.rate_ppm,
    }
}

impl Account {
    fn new(terms: AccountTerms) -> Self {
        Self {
            terms,
            segments: Vec::new(),
            state: RatingState::default(),
            stored_buckets: HashMap::new(),
            stored_counters: HashMap::new(),
            balance: None,
            used: BTreeMap::new(),
        }
    }

    fn rate(&mut self, usage: &Usage, prices: &Prices) -> Result<Rating, RejectReason> {
        let at = usage.metered.started;
        let segment = self
            .segments
            .iter()
            .find(|segment| segment.product == usage.owner.product && segment.contains(at))
            .ok_or_else(|| unrated("its product didn't live when it began"))?;
        let (price, tariff) = segment
            .prices
            .iter()
            .find_map(|id| match &prices.get(id)?.kind {
                PriceKind::Usage(tariff) => Some((*id, tariff)),
                _ => None,
            })
            .ok_or_else(|| unrated("its product has no price for usage"))?;
        let version = prices.get(&price);
        if version.and_then(|price| price.currency) != Some(self.terms.currency) {
            return Err(unrated("its product's prices aren't in the account's currency"));
        }
        open_allowances(&mut self.state, &self.segments, &self.terms, (usage, prices));
        let plan = Plan {
            product: usage.owner.product,
            price,
            tariff,
        };
        let mut item = rate(&usage.measured(), &plan, &self.terms.cycle, &mut self.state).map_err(unrated)?;
        if let Some(balance) = &mut self.balance {
            let value = &mut balance.value;
            let left = item.pay_from(value.balance, value.limit).map_err(unrated)?;
            if item.amount != Nano::ZERO {
                let tax = version.map_or_else(TaxRule::none, |price| price.tax.clone());
                let sum = self.used.entry(use_key(&self.terms, at, tax)).or_default();
                *sum = sum.plus(item.amount).map_err(unrated)?;
                value.balance = left;
            }
        }
        let mut parts = Vec::with_capacity(32);
        item.encode(&mut parts);
        Ok(Rating {
            price,
            amount: item.amount,
            parts,
            is_provisional: self.balance.is_none(),
        })
    }

    fn changed_buckets(&self) -> impl Iterator<Item = Versioned<AllowanceInstance>> {
        self.state.allowances.iter().filter_map(|bucket| {
            let (used, version) = self.stored_buckets.get(&bucket.id).copied().unwrap_or_default();
            (bucket.used != used).then(|| Versioned {
                account: self.terms.account,
                version,
                value: bucket.clone(),
            })
        })
    }

    fn changed_counters(&self) -> impl Iterator<Item = Versioned<Counter>> {
        self.state.counters.iter().filter_map(|counter| {
            let (value, version) = self
                .stored_counters
                .get(&key(counter))
                .copied()
                .unwrap_or_default();
            (counter.value != value).then(|| Versioned {
                account: self.terms.account,
                version,
                value: counter.clone(),
            })
        })
    }
}

/// Opens the windows that hold the usage, of its product's own allowances and of all that the account shares. One that
/// nothing is taken from isn't kept.
fn open_allowances(
    state: &mut RatingState,
    segments: &[PinnedSegment],
    terms: &AccountTerms,
    (usage, prices): (&Usage, &Prices),
) {
    let at = usage.metered.started;
    let mut opened = false;
    for segment in segments.iter().filter(|segment| segment.contains(at)) {
        for id in &segment.prices {
            let Some(definition) = allowance(prices, *id) else {
                continue;
            };
            if !definition.shared && segment.product != usage.owner.product {
                continue;
            }
            let product = (!definition.shared).then_some(segment.product);
            let is_open = state.allowances.iter().any(|known| {
                known.price == *id
                    && known.product == product
                    && !known.rolled_over
                    && known.window.contains(at)
            });
            if is_open {
                continue;
            }
            // A window belongs to the price from its first sale to this product on, through later segments.
            let activated = segments
                .iter()
                .filter(|first| first.product == segment.product && first.prices.contains(id))
                .map(|first| first.from)
                .min()
                .unwrap_or(segment.from);
            let Some(window) = definition.window_of(at, activated, &terms.cycle) else {
                continue;
            };
            let owner = AllowanceOwner {
                slot: terms.account.slot(),
                account_or_product: product.map_or(terms.account.uuid(), TypedId::uuid),
            };
            state.allowances.push(AllowanceInstance::open(
                *id,
                &definition,
                segment.product,
                owner,
                window,
                activated,
            ));
            opened = true;
        }
    }
    if opened {
        state.sort();
    }
}
