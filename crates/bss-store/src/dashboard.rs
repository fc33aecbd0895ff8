//! Today in a few figures, for the console's first page.

use bss_domain::Instant;
use uuid::Uuid;

use crate::{Session, StoreError, Timestamptz};

/// Usage records of a day that are counted; beyond it the figure is a lower bound.
const USAGE_MAX: i64 = 1_000_000;

/// Orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderFigures {
    /// Placed since the day's beginning.
    pub today: i64,
    /// Of those, completed.
    pub completed: i64,
    /// Under way, whenever they were placed.
    pub open: i64,
}

/// Bills with something to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueFigures {
    /// The currency.
    pub currency: String,
    /// How many.
    pub count: i64,
    /// Of those, past their due date.
    pub overdue: i64,
    /// What is open, minor units.
    pub open_minor: i64,
}

/// What people have to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureFigures {
    /// Work at the network that fell out.
    pub fallout: i64,
    /// Usage that is rejected.
    pub rejects: i64,
    /// Events that are parked.
    pub parked: i64,
    /// Payments denied or failed since the day's beginning.
    pub denied: i64,
}

/// Orders since the day's beginning.
pub async fn orders(session: &Session, since: Instant) -> Result<OrderFigures, StoreError> {
    let row = session
        .query_one(
            "SELECT count(*), count(*) FILTER (WHERE state = 'completed'), (SELECT count(*) FROM product_order \
             WHERE state IN ('acknowledged', 'pending', 'held', 'inProgress', 'assessingCancellation', \
             'pendingCancellation')) FROM product_order WHERE order_date >= $1",
            &[&Timestamptz(since)],
        )
        .await?;
    Ok(OrderFigures {
        today: row.get(0),
        completed: row.get(1),
        open: row.get(2),
    })
}

/// Net of the bills drawn up since then, by currency, minor units.
pub async fn revenue(session: &Session, since: Instant) -> Result<Vec<(String, i64)>, StoreError> {
    let rows = session
        .query(
            "SELECT currency, sum(net_minor)::bigint FROM customer_bill WHERE bill_date >= $1 \
             AND state <> 'onHold' GROUP BY currency ORDER BY currency",
            &[&Timestamptz(since)],
        )
        .await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Usage that began since then and is rated, counted up to a million.
pub async fn rated_usage(session: &Session, since: Instant) -> Result<i64, StoreError> {
    // An id begins with the record's start, which also names its daily partition.
    let first = Uuid::from_u128(u128::from(since.as_millisecond().unsigned_abs()) << 80);
    let row = session
        .query_one(
            "SELECT count(*) FROM (SELECT FROM usage_record WHERE id >= $1 LIMIT $2) AS today",
            &[&first, &USAGE_MAX],
        )
        .await?;
    Ok(row.get(0))
}

/// Bills with something to pay, by currency.
pub async fn due(session: &Session, now: Instant) -> Result<Vec<DueFigures>, StoreError> {
    let rows = session
        .query(
            "SELECT currency, count(*), count(*) FILTER (WHERE payment_due_date < $1), sum(open_minor)::bigint \
             FROM customer_bill WHERE open_minor > 0 GROUP BY currency ORDER BY currency",
            &[&Timestamptz(now)],
        )
        .await?;
    let of = |row: &tokio_postgres::Row| DueFigures {
        currency: row.get(0),
        count: row.get(1),
        overdue: row.get(2),
        open_minor: row.get(3),
    };
    Ok(rows.iter().map(of).collect())
}

/// What people have to look at.
pub async fn failures(session: &Session, since: Instant) -> Result<FailureFigures, StoreError> {
    let row = session
        .query_one(
            "SELECT (SELECT count(*) FROM activation WHERE state = 'fallout'), \
             (SELECT count(*) FROM usage_reject WHERE state = 'rejected'), \
             (SELECT count(*) FROM parked_event WHERE state = 'parked'), \
             (SELECT count(*) FROM payment WHERE payment_date >= $1 AND status IN ('denied', 'failed'))",
            &[&Timestamptz(since)],
        )
        .await?;
    Ok(FailureFigures {
        fallout: row.get(0),
        rejects: row.get(1),
        parked: row.get(2),
        denied: row.get(3),
    })
}
