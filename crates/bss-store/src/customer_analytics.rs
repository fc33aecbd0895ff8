//! What the customer analytics stream has counted: hours of event time by customer and segment.

use std::collections::BTreeMap;

use bss_domain::Instant;
use bss_domain::ids::{CustomerBillId, CustomerId, TypedId, UsageId};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{Session, StoreError, Timestamptz};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Usage records, and their quantity in base units.
    Usage,
    /// What usage cost as it was first rated, in nano units of a currency.
    Charged,
    /// Orders that entered a state, less those that left it.
    Order,
    /// Bills and their totals in minor units.
    Billed,
    /// Payments in minor units.
    Paid,
}

impl Measure {
    const ALL: [Self; 5] = [Self::Usage, Self::Charged, Self::Order, Self::Billed, Self::Paid];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Charged => "charged",
            Self::Order => "order",
            Self::Billed => "billed",
            Self::Paid => "paid",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|measure| measure.name() == name)
    }
}

/// The window and the kind of a count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// Whose.
    pub customer: CustomerId,
    /// The hour's beginning.
    pub hour: Instant,
    /// What.
    pub measure: Measure,
    /// The service, or the state.
    pub label: String,
    /// The base unit, or the currency.
    pub unit: String,
}

/// What is added to a window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub number: i64,
    /// How much, in the window's unit.
    pub quantity: i64,
}

/// Counts by window, added up before they are written, and written in one order whoever writes.
pub type Counts = BTreeMap<Window, Count>;

/// Adds to a window.
pub fn count(counts: &mut Counts, window: Window, number: i64, quantity: i64) {
    let count = counts.entry(window).or_default();
    count.number += number;
    count.quantity = count.quantity.saturating_add(quantity);
}

/// The hour that holds an instant.
pub fn hour_of(at: Instant) -> Instant {
    let second = at.as_second();
    Instant::from_second(second - second.rem_euclid(3_600)).unwrap_or(at)
}

/// The segment is that of the customer's party at the moment: enriched here, so that events needn't carry it.
pub(crate) const ADD: &str = "\
    INSERT INTO analytics_hour AS a
        (tenant_id, slot, customer_id, hour, measure, label, unit, segment, number, quantity)
    SELECT $1, f.slot, f.customer_id, f.hour, f.measure, f.label, f.unit,
           CASE WHEN c.body #>> '{engagedParty,@referredType}' = 'Organization' THEN 'business' ELSE 'residential' END,
           f.number, f.quantity
    FROM unnest($2::smallint[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::bigint[],
                $9::bigint[]) AS f (slot, customer_id, hour, measure, label, unit, number, quantity)
    LEFT JOIN customer c ON c.tenant_id = $1 AND c.slot = f.slot AND c.id = f.customer_id
    ORDER BY f.slot, f.customer_id, f.hour, f.measure, f.label, f.unit
    ON CONFLICT (tenant_id, slot, customer_id, hour, measure, label, unit, segment)
    DO UPDATE SET number = a.number + excluded.number, quantity = a.quantity + excluded.quantity";

/// Adds counts to their windows.
pub async fn add(session: &Session, counts: &Counts) -> Result<(), StoreError> {
    if counts.is_empty() {
        return Ok(());
    }
    let slots: Vec<i16> = counts.keys().map(|window| window.customer.slot().sql()).collect();
    let customers: Vec<Uuid> = counts.keys().map(|window| window.customer.uuid()).collect();
    let hours: Vec<Timestamptz> = counts.keys().map(|window| Timestamptz(window.hour)).collect();
    let measures: Vec<&str> = counts.keys().map(|window| window.measure.name()).collect();
    let labels: Vec<&str> = counts.keys().map(|window| window.label.as_str()).collect();
    let units: Vec<&str> = counts.keys().map(|window| window.unit.as_str()).collect();
    let numbers: Vec<i64> = counts.values().map(|count| count.number).collect();
    let quantities: Vec<i64> = counts.values().map(|count| count.quantity).collect();
    session
        .execute(
            ADD,
            &[
                &session.tenant().uuid(),
                &slots,
                &customers,
                &hours,
                &measures,
                &labels,
                &units,
                &numbers,
                &quantities,
            ],
        )
        .await?;
    Ok(())
}

/// A usage record as it was rated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RatedUsage {
    /// The record.
    pub id: UsageId,
    /// What it cost, in nano units.
    pub amount_nano: i64,
    /// The account's currency.
    pub currency: String,
}

/// A record counts where the log's position that brought it is the one it was rated from: a duplicate's isn't.
pub(crate) const RATED: &str = "\
    SELECT r.id, r.amount_nano, a.currency
    FROM unnest($1::uuid[], $2::smallint[], $3::bigint[]) AS w (id, slot, position)
    JOIN usage_record r ON r.id = w.id AND r.slot = w.slot AND r.position = w.position
    JOIN billing_account a ON a.tenant_id = r.tenant_id AND a.slot = r.slot AND a.id = r.account_id";

/// Which of these records were rated from these positions of the log, and at what.
pub async fn rated(session: &Session, records: &[(UsageId, i64)]) -> Result<Vec<RatedUsage>, StoreError> {
    let ids: Vec<Uuid> = records.iter().map(|(id, _)| id.uuid()).collect();
    let slots: Vec<i16> = records.iter().map(|(id, _)| id.slot().sql()).collect();
    let positions: Vec<i64> = records.iter().map(|(_, position)| *position).collect();
    let rows = session.query(RATED, &[&ids, &slots, &positions]).await?;
    let of = |row: &Row| RatedUsage {
        id: row.get::<_, Uuid>(0).into(),
        amount_nano: row.get(1),
        currency: row.get(2),
    };
    Ok(rows.iter().map(of).collect())
}

/// What one event tells of a bill: that it is due, or that something of it was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BillFact {
    /// The bill.
    pub id: CustomerBillId,
    /// Whose.
    pub customer: CustomerId,
    /// When it is due, and how much of it in minor units.
    pub due: Option<(Instant, i64)>,
    /// When something of it was paid, and how much in minor units.
    pub paid: Option<(Instant, i64)>,
}

pub(crate) const NOTE_BILL: &str = "\
    INSERT INTO analytics_bill AS b
        (tenant_id, slot, id, customer_id, due_at, due_minor, paid_at, paid_minor)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (tenant_id, slot, id) DO UPDATE SET
        due_at = coalesce(excluded.due_at, b.due_at), due_minor = coalesce(excluded.due_minor, b.due_minor),
        paid_at = greatest(b.paid_at, excluded.paid_at), paid_minor = b.paid_minor + excluded.paid_minor";

/// Notes what an event tells of a bill.
pub async fn note_bill(session: &Session, fact: &BillFact) -> Result<(), StoreError> {
    session
        .execute(
            NOTE_BILL,
            &[
                &session.tenant().uuid(),
                &fact.id.slot().sql(),
                &fact.id.uuid(),
                &fact.customer.uuid(),
                &fact.due.map(|(at, _)| Timestamptz(at)),
                &fact.due.map(|(_, minor)| minor),
                &fact.paid.map(|(at, _)| Timestamptz(at)),
                &fact.paid.map_or(0, |(_, minor)| minor),
            ],
        )
        .await?;
    Ok(())
}

/// A customer's count over all hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// What.
    pub measure: Measure,
    /// The service, or the state.
    pub label: String,
    /// The base unit, or the currency.
    pub unit: String,
    /// How many.
    pub number: i64,
    /// How much.
    pub quantity: i64,
}

/// One hour of a customer's usage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hour {
    /// Its beginning.
    pub start: Instant,
    /// What.
    pub count: Total,
}

pub(crate) const TOTALS: &str = "\
    SELECT measure, label, unit, sum(number)::bigint, sum(quantity)::bigint FROM analytics_hour
    WHERE slot = $1 AND customer_id = $2 GROUP BY measure, label, unit ORDER BY measure, label, unit";
pub(crate) const HOURS: &str = "\
    SELECT measure, label, unit, sum(number)::bigint, sum(quantity)::bigint, hour FROM analytics_hour
    WHERE slot = $1 AND customer_id = $2 AND measure IN ('usage', 'charged')
      AND hour IN (SELECT DISTINCT hour FROM analytics_hour
                   WHERE slot = $1 AND customer_id = $2 AND measure IN ('usage', 'charged')
                   ORDER BY hour DESC LIMIT $3)
    GROUP BY hour, measure, label, unit ORDER BY hour, measure, label, unit";
pub(crate) const IS_LATE: &str = "\
    SELECT EXISTS (SELECT FROM analytics_bill
                   WHERE slot = $1 AND customer_id = $2
                     AND due_at < CASE WHEN paid_minor >= due_minor THEN coalesce(paid_at, due_at) ELSE $3 END)";
pub(crate) const SEGMENTS: &str = "\
    SELECT segment, measure, label, unit, sum(number)::bigint, sum(quantity)::bigint FROM analytics_hour
    WHERE hour >= $1 AND hour < $2 GROUP BY segment, measure, label, unit ORDER BY segment, measure, label, unit";

fn total_of(row: &Row, first: usize) -> Option<Total> {
    Some(Total {
        measure: Measure::named(row.get(first))?,
        label: row.get(first + 1),
        unit: row.get(first + 2),
        number: row.get(first + 3),
        quantity: row.get(first + 4),
    })
}

/// A customer's counts over all hours.
pub async fn totals(session: &Session, customer: CustomerId) -> Result<Vec<Total>, StoreError> {
    let rows = session
        .query(TOTALS, &[&customer.slot().sql(), &customer.uuid()])
        .await?;
    Ok(rows.iter().filter_map(|row| total_of(row, 0)).collect())
}

/// A customer's usage in the last hours that have any, oldest first.
pub async fn hours(session: &Session, customer: CustomerId, most: i64) -> Result<Vec<Hour>, StoreError> {
    let rows = session
        .query(HOURS, &[&customer.slot().sql(), &customer.uuid(), &most])
        .await?;
    let of = |row: &Row| {
        Some(Hour {
            start: row.get::<_, Timestamptz>(5).0,
            count: total_of(row, 0)?,
        })
    };
    Ok(rows.iter().filter_map(of).collect())
}

/// Whether the customer has paid a bill after it was due, or has one open that is.
pub async fn is_late_payer(
    session: &Session,
    customer: CustomerId,
    now: Instant,
) -> Result<bool, StoreError> {
    let row = session
        .query_one(
            IS_LATE,
            &[&customer.slot().sql(), &customer.uuid(), &Timestamptz(now)],
        )
        .await?;
    Ok(row.get(0))
}

/// The counts of each segment between two hours.
pub async fn segments(
    session: &Session,
    from: Instant,
    to: Instant,
) -> Result<Vec<(String, Total)>, StoreError> {
    let rows = session
        .query(SEGMENTS, &[&Timestamptz(from), &Timestamptz(to)])
        .await?;
    Ok(rows
        .iter()
        .filter_map(|row| Some((row.get(0), total_of(row, 1)?)))
        .collect())
}
