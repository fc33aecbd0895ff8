//! Reads what the closing of a group of accounts needs, on one snapshot.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

use bss_domain::ids::{BillingAccountId, ProductId};
use bss_domain::{Instant, TypedId};
use bss_events::PARTITIONS;
use bss_store::bill_run::{self, AccountRow, ScannedUsage, UsageScan, scan_usage};
use bss_store::{Session, StoreError, bucket};

use super::PriceBook;
use super::close::AccountData;

/// For each partition the position that charging has committed, and the log's head.
pub type Watermarks = HashMap<u16, (i64, i64)>;

/// The data of accounts of a range of slots; each closes its next period.
pub async fn load(
    session: &Session,
    slots: RangeInclusive<i16>,
    accounts: Vec<AccountRow>,
    watermarks: &Watermarks,
    prices: &PriceBook,
) -> Result<Vec<AccountData>, StoreError> {
    let only = match accounts.as_slice() {
        [one] => Some(one.id),
        _ => None,
    };
    let mut data: Vec<AccountData> = accounts
        .into_iter()
        .map(|row| {
            let partition = row.id.slot().partition(PARTITIONS);
            AccountData {
                period: row.next_period(),
                products: Vec::new(),
                billed: HashMap::new(),
                usage: Vec::new(),
                late_openings: BTreeMap::new(),
                deferred: Vec::new(),
                used_at_once: Vec::new(),
                watermark: watermarks.get(&partition).map_or(0, |(position, _)| *position),
                row,
            }
        })
        .collect();
    let places: HashMap<BillingAccountId, usize> = data
        .iter()
        .enumerate()
        .map(|(place, data)| (data.row.id, place))
        .collect();
    lives(session, &slots, only, &places, &mut data).await?;
    usage(session, &slots, &places, &mut data).await?;
    late_openings(session, &mut data).await?;
    used_at_once(session, prices, &places, &mut data).await?;
    Ok(data)
}

async fn lives(
    session: &Session,
    slots: &RangeInclusive<i16>,
    only: Option<BillingAccountId>,
    places: &HashMap<BillingAccountId, usize>,
    data: &mut [AccountData],
) -> Result<(), StoreError> {
    let mut payers_of: HashMap<ProductId, Vec<BillingAccountId>> = HashMap::new();
    for row in bill_run::products(session, slots.clone(), only).await? {
        let mut payers: Vec<BillingAccountId> = row
            .product
            .segments
            .iter()
            .map(|segment| segment.account)
            .collect();
        payers.sort_unstable();
        payers.dedup();
        for place in payers.iter().filter_map(|payer| places.get(payer)) {
            data[*place].products.push(row.product.clone());
        }
        payers_of.insert(row.product.id, payers);
    }
    let since = data
        .iter()
        .map(|data| data.period.from)
        .min()
        .unwrap_or(Instant::MAX);
    for row in bill_run::billed(session, slots.clone(), since).await? {
        let payers = payers_of.get(&row.product).into_iter().flatten();
        for place in payers.filter_map(|payer| places.get(payer)) {
            let data = &mut data[*place];
            let before = data.billed.entry(row.product).or_default();
            let known = before.entry((row.charge, row.period_from)).or_default();
            // Revisions count over all accounts, amounts over this one.
            known.revision = row.billed.revision;
            if row.account == data.row.id {
                (known.owed, known.minor) = (row.billed.owed, row.billed.minor);
            }
        }
    }
    for (account, rows) in bill_run::deferred(session, slots.clone()).await? {
        if let Some(place) = places.get(&account) {
            data[*place].deferred = rows;
        }
    }
    Ok(())
}

async fn usage(
    session: &Session,
    slots: &RangeInclusive<i16>,
    places: &HashMap<BillingAccountId, usize>,
    data: &mut [AccountData],
) -> Result<(), StoreError> {
    let Some(from) = data.iter().map(|data| data.period.from).min() else {
        return Ok(());
    };
    let to = data.iter().map(|data| data.period.to).max().unwrap_or(from);
    let behind = data
        .iter()
        .filter_map(|data| data.row.closed)
        .map(|(_, watermark)| watermark)
        .min();
    let mut take = |scanned: ScannedUsage| {
        if let Some(place) = places.get(&scanned.account) {
            let data = &mut data[*place];
            if belongs(data, &scanned) {
                data.usage.push(scanned);
            }
        }
    };
    let scan = UsageScan {
        from: Some(from),
        to,
        slots: slots.clone(),
        behind: -1,
    };
    scan_usage(session, &scan, &mut take).await?;
    // Only an account that was closed before can have late usage.
    if let Some(behind) = behind {
        let earlier = UsageScan {
            from: None,
            to: from,
            behind,
            ..scan
        };
        scan_usage(session, &earlier, &mut take).await?;
    }
    Ok(())
}

/// Whether a record falls to the period that closes: it began in it and was rated up to the watermark, or it began
/// before and was rated behind the last closing.
fn belongs(data: &AccountData, scanned: &ScannedUsage) -> bool {
    let start_ms = bss_domain::ids::unix_ms_of(scanned.id.uuid());
    let in_period = start_ms >= data.period.from.as_millisecond();
    start_ms < data.period.to.as_millisecond()
        && scanned.position <= data.watermark
        && (in_period
            || data
                .row
                .closed
                .is_none_or(|(_, watermark)| scanned.position > watermark))
}

async fn late_openings(session: &Session, data: &mut [AccountData]) -> Result<(), StoreError> {
    for data in data {
        let first = data.period.from.as_millisecond();
        let late: Vec<Instant> = data
            .usage
            .iter()
            .map(|usage| bss_domain::ids::unix_ms_of(usage.id.uuid()))
            .filter(|start_ms| *start_ms < first)
            .filter_map(|start_ms| Instant::from_millisecond(start_ms).ok())
            .map(|start| data.row.cycle.period_of(start).from)
            .collect();
        for period_from in late {
            if data.late_openings.contains_key(&period_from) {
                continue;
            }
            if let Some(state) = bill_run::late_closings(session, data.row.id, period_from).await? {
                data.late_openings.insert(period_from, state);
            }
        }
    }
    Ok(())
}

/// What prepaid accounts took of their allowances: charging took it at once and for good.
async fn used_at_once(
    session: &Session,
    prices: &PriceBook,
    places: &HashMap<BillingAccountId, usize>,
    data: &mut [AccountData],
) -> Result<(), StoreError> {
    let all: Vec<BillingAccountId> = data.iter().map(|data| data.row.id).collect();
    let balances = bucket::balances(session, &all).await?;
    let prepaid: Vec<BillingAccountId> = balances.iter().map(|row| row.account).collect();
    let Some(since) = data.iter().map(|data| data.period.from).min() else {
        return Ok(());
    };
    for row in bucket::buckets(session, &prepaid, since, |price| prices.allowance(price)).await? {
        if let Some(place) = places.get(&row.account) {
            data[*place].used_at_once.push(row.value);
        }
    }
    Ok(())
}
