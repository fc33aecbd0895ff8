//! What a run reads on one snapshot, by ranges of slots.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use bss_domain::ids::{BillingAccountId, CustomerBillId, CustomerId, ProductId, ProductOfferingPriceId};
use bss_domain::obligation::{Billed, BilledProduct};
use bss_domain::rating::ClosingState;
use bss_domain::segment::{Segment, SegmentState};
use bss_domain::{Currency, Cycle, Instant, Interval, Nano, TypedId, Zone};
use bss_events::Topic;
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

use super::CHARGING_GROUP;
use crate::{Session, StoreError, Timestamptz};

fn instant(row: &Row, place: usize) -> Instant {
    row.get::<_, Timestamptz>(place).0
}

fn corrupt(what: String, detail: impl ToString) -> StoreError {
    StoreError::Corrupt {
        what,
        detail: detail.to_string(),
    }
}

/// An account with where its billing stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// The account.
    pub id: BillingAccountId,
    /// Whose it is.
    pub customer: CustomerId,
    /// Its currency.
    pub currency: Currency,
    /// Its zone and day.
    pub cycle: Cycle,
    /// When it was opened: its first period holds this moment.
    pub opened: Instant,
    /// Through when it was closed, and the watermark then.
    pub closed: Option<(Instant, i64)>,
    /// What allowances and counters came to at that close.
    pub closing: ClosingState,
}

impl AccountRow {
    /// The period that closes next.
    pub fn next_period(&self) -> Interval {
        let at = self.closed.map_or(self.opened, |(through, _)| through);
        self.cycle.period_of(at)
    }
}

/// The accounts of a range of slots, in order of slot and id; or one of them.
pub async fn accounts(
    session: &Session,
    slots: RangeInclusive<i16>,
    only: Option<BillingAccountId>,
) -> Result<Vec<AccountRow>, StoreError> {
    let rows = session
        .query(
            "SELECT a.id, a.customer_id, a.currency, a.time_zone, a.cycle_day, a.created_at, c.closed_through, \
             c.watermark, c.closing \
             FROM billing_account a LEFT JOIN LATERAL (SELECT u.closed_through, u.watermark, u.closing \
                 FROM usage_claim u WHERE u.tenant_id = a.tenant_id AND u.slot = a.slot AND u.account_id = a.id \
                 ORDER BY u.closed_through DESC LIMIT 1) c ON true \
             WHERE a.slot BETWEEN $1 AND $2 AND ($3::uuid IS NULL OR a.id = $3) ORDER BY a.slot, a.id",
            &[slots.start(), slots.end(), &only.map(TypedId::uuid)],
        )
        .await?;
    rows.iter().map(account).collect()
}

fn account(row: &Row) -> Result<AccountRow, StoreError> {
    let id = BillingAccountId::from(row.get::<_, Uuid>(0));
    let what = || format!("billing account {id}");
    let closed: Option<Timestamptz> = row.get(6);
    let closing: Option<Value> = row.get(8);
    Ok(AccountRow {
        id,
        customer: row.get::<_, Uuid>(1).into(),
        currency: Currency::of(row.get(2)).map_err(|error| corrupt(what(), error))?,
        cycle: Cycle {
            zone: Zone::named(row.get(3)).map_err(|error| corrupt(what(), error))?,
            day: row.get::<_, i64>(4).clamp(1, 31) as u8,
        },
        opened: instant(row, 5),
        closed: closed.map(|through| (through.0, row.get(7))),
        closing: closing
            .map_or(Ok(ClosingState::default()), serde_json::from_value)
            .map_err(|error| corrupt(what(), error))?,
    })
}

/// A product and the accounts that paid for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductRow {
    /// The product with its whole life.
    pub product: BilledProduct,
}

/// The products of a range of slots that ever became active, with their lives.
pub async fn products(
    session: &Session,
    slots: RangeInclusive<i16>,
    only: Option<BillingAccountId>,
) -> Result<Vec<ProductRow>, StoreError> {
    let rows = session
        .query(
            "SELECT s.product_id, s.from_at, s.to_at, s.state, s.billing_account_id, s.price_ids, s.quantity, \
             p.termination_date, o.completion_date \
             FROM product_segment s JOIN product p ON (p.tenant_id, p.slot, p.id) = (s.tenant_id, s.slot, s.product_id) \
             JOIN product_order o ON (o.tenant_id, o.slot, o.id) = (p.tenant_id, p.slot, p.product_order_id) \
             WHERE s.slot BETWEEN $1 AND $2 AND ($3::uuid IS NULL OR s.product_id IN (SELECT product_id \
                 FROM product_segment WHERE slot BETWEEN $1 AND $2 AND billing_account_id = $3)) \
             ORDER BY s.slot, s.product_id, s.from_at",
            &[slots.start(), slots.end(), &only.map(TypedId::uuid)],
        )
        .await?;
    let mut found: Vec<ProductRow> = Vec::new();
    for row in &rows {
        let id = ProductId::from(row.get::<_, Uuid>(0));
        let from = instant(row, 1);
        if found.last().is_none_or(|last| last.product.id != id) {
            found.push(ProductRow {
                product: BilledProduct {
                    id,
                    ordered: row.get::<_, Option<Timestamptz>>(8).map_or(from, |at| at.0),
                    terminated: row.get::<_, Option<Timestamptz>>(7).map(|at| at.0),
                    segments: Vec::new(),
                },
            });
        }
        let prices: Vec<Uuid> = row.get(5);
        if let Some(last) = found.last_mut() {
            last.product.segments.push(Segment {
                from,
                to: row.get::<_, Option<Timestamptz>>(2).map(|at| at.0),
                state: match row.get::<_, &str>(3) {
                    "suspended" => SegmentState::Suspended,
                    _ => SegmentState::Active,
                },
                account: row.get::<_, Uuid>(4).into(),
                prices: prices.into_iter().map(Into::into).collect(),
                quantity: row.get(6),
            });
        }
    }
    Ok(found)
}

/// What was billed of a charge and period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BilledRow {
    /// The product.
    pub product: ProductId,
    /// The price version.
    pub charge: ProductOfferingPriceId,
    /// The period's start.
    pub period_from: Instant,
    /// To whom.
    pub account: BillingAccountId,
    /// How much; the revision is the last one of all accounts.
    pub billed: Billed,
}

/// What was billed in a range of slots of periods that end at or after `since`.
pub async fn billed(
    session: &Session,
    slots: RangeInclusive<i16>,
    since: Instant,
) -> Result<Vec<BilledRow>, StoreError> {
    let rows = session
        .query(
            "SELECT product_id, charge_id, period_from, account_id, \
             max(max(revision)) OVER (PARTITION BY product_id, charge_id, period_from), \
             (array_agg(owed_nano ORDER BY revision DESC))[1], sum(amount_minor)::bigint \
             FROM obligation WHERE slot BETWEEN $1 AND $2 AND period_to >= $3 GROUP BY 1, 2, 3, 4",
            &[slots.start(), slots.end(), &Timestamptz(since)],
        )
        .await?;
    let read = |row: &Row| BilledRow {
        product: row.get::<_, Uuid>(0).into(),
        charge: row.get::<_, Uuid>(1).into(),
        period_from: instant(row, 2),
        account: row.get::<_, Uuid>(3).into(),
        billed: Billed {
            revision: row.get(4),
            owed: Nano(row.get(5)),
            minor: row.get(6),
        },
    };
    Ok(rows.iter().map(read).collect())
}

/// Net of a line that was billed for a time to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeferredRow {
    /// The account.
    pub account: BillingAccountId,
    /// The bill.
    pub bill: CustomerBillId,
    /// The line.
    pub line: i32,
    /// The time.
    pub period: Interval,
    /// The whole, minor units.
    pub net_minor: i64,
    /// What of it is earned.
    pub earned_minor: i64,
}

/// What is deferred still, in a range of slots.
pub async fn deferred(
    session: &Session,
    slots: RangeInclusive<i16>,
) -> Result<HashMap<BillingAccountId, Vec<DeferredRow>>, StoreError> {
    let rows = session
        .query(
            "SELECT account_id, bill_id, line, from_at, to_at, net_minor, earned_minor FROM deferred_revenue \
             WHERE slot BETWEEN $1 AND $2 AND earned_minor <> net_minor ORDER BY bill_id, line",
            &[slots.start(), slots.end()],
        )
        .await?;
    let mut found: HashMap<BillingAccountId, Vec<DeferredRow>> = HashMap::new();
    for row in &rows {
        let account = BillingAccountId::from(row.get::<_, Uuid>(0));
        found.entry(account).or_default().push(DeferredRow {
            account,
            bill: row.get::<_, Uuid>(1).into(),
            line: row.get(2),
            period: Interval {
                from: instant(row, 3),
                to: instant(row, 4),
            },
            net_minor: row.get(5),
            earned_minor: row.get(6),
        });
    }
    Ok(found)
}

/// The last closings of an account's periods, by the period's start.
pub async fn late_closings(
    session: &Session,
    account: BillingAccountId,
    period_from: Instant,
) -> Result<Option<ClosingState>, StoreError> {
    let row = session
        .query_opt(
            "SELECT closing FROM (SELECT closing, closed_at FROM late_closing \
                 WHERE slot = $1 AND account_id = $2 AND period_from = $3 \
                 UNION ALL SELECT closing, '-infinity' FROM usage_claim \
                 WHERE slot = $1 AND account_id = $2 AND period_from = $3) c ORDER BY closed_at DESC LIMIT 1",
            &[&account.slot().sql(), &account.uuid(), &Timestamptz(period_from)],
        )
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    serde_json::from_value(row.get(0))
        .map(Some)
        .map_err(|error| corrupt(format!("closing of account {account}"), error))
}

/// A stored price version.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceRow {
    /// Its id.
    pub id: ProductOfferingPriceId,
    /// The document.
    pub body: Value,
}

/// All price versions of the tenant.
pub async fn prices(session: &Session) -> Result<Vec<PriceRow>, StoreError> {
    let rows = session
        .query("SELECT id, body FROM product_offering_price", &[])
        .await?;
    let read = |row: &Row| PriceRow {
        id: row.get::<_, Uuid>(0).into(),
        body: row.get(1),
    };
    Ok(rows.iter().map(read).collect())
}

/// For each partition of the usage topic the position that charging has committed, and the head of the log.
pub async fn watermarks(session: &Session) -> Result<HashMap<u16, (i64, i64)>, StoreError> {
    let rows = session
        .query(
            "SELECT l.partition, coalesce(g.position, 0), l.head FROM log_partition l \
             LEFT JOIN group_position g ON g.group_name = $1 AND (g.topic, g.partition) = (l.topic, l.partition) \
             WHERE l.topic = $2",
            &[&CHARGING_GROUP, &Topic::Usage.sql()],
        )
        .await?;
    let read = |row: &Row| (row.get::<_, i16>(0).unsigned_abs(), (row.get(1), row.get(2)));
    Ok(rows.iter().map(read).collect())
}
