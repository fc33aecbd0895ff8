//! A payment as money sees it, held until the end of the transaction, and what becomes of it.

use bss_domain::ids::{BillingAccountId, CustomerBillId, CustomerId, PaymentId};
use bss_domain::payment::PaymentStatus;
use bss_domain::{Currency, Instant, TypedId};
use serde_json::Value;
use uuid::Uuid;

use crate::{Session, StoreError, Timestamptz};

/// A payment.
#[derive(Debug, Clone, PartialEq)]
pub struct PaymentRow {
    /// Its id.
    pub id: PaymentId,
    /// Its account.
    pub account: BillingAccountId,
    /// Whose account it is.
    pub customer: CustomerId,
    /// Its status.
    pub status: PaymentStatus,
    /// How it came.
    pub channel: String,
    /// Its currency.
    pub currency: Currency,
    /// How much, minor units.
    pub amount_minor: i64,
    /// What it left as credit and is there still, minor units.
    pub unallocated_minor: i64,
    /// What went back of it, minor units.
    pub reversed_minor: i64,
    /// The document.
    pub body: Value,
}

impl PaymentRow {
    /// What didn't go back, minor units.
    pub fn kept_minor(&self) -> i64 {
        self.amount_minor - self.reversed_minor
    }
}

const ROW: &str = "id, account_id, customer_id, status, channel, currency, amount_minor, unallocated_minor, \
                   reversed_minor, body";

fn read(row: &tokio_postgres::Row) -> Result<PaymentRow, StoreError> {
    let id = PaymentId::from(row.get::<_, Uuid>(0));
    let corrupt = |detail: &str| StoreError::Corrupt {
        what: format!("payment {id}"),
        detail: detail.to_owned(),
    };
    Ok(PaymentRow {
        id,
        account: row.get::<_, Uuid>(1).into(),
        customer: row.get::<_, Uuid>(2).into(),
        status: PaymentStatus::named(row.get(3)).ok_or_else(|| corrupt("status"))?,
        channel: row.get(4),
        currency: Currency::of(row.get(5)).map_err(|_| corrupt("currency"))?,
        amount_minor: row.get(6),
        unallocated_minor: row.get(7),
        reversed_minor: row.get(8),
        body: row.get(9),
    })
}

/// A payment, held until the end of the transaction.
pub async fn lock(session: &Session, id: PaymentId) -> Result<Option<PaymentRow>, StoreError> {
    Ok(lock_many(session, &[id]).await?.pop())
}

/// Those of these payments that exist, each once, held in the order of their keys.
pub async fn lock_many(session: &Session, ids: &[PaymentId]) -> Result<Vec<PaymentRow>, StoreError> {
    let slots: Vec<i16> = ids.iter().map(|id| id.slot().sql()).collect();
    let uuids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let sql = format!(
        "SELECT {ROW} FROM payment WHERE (slot, id) IN (SELECT * FROM unnest($1::smallint[], $2::uuid[])) \
         ORDER BY slot, id FOR UPDATE"
    );
    let rows = session.query(&sql, &[&slots, &uuids]).await?;
    rows.iter().map(read).collect()
}

/// Writes a status, and merges what was said with it into the document.
pub async fn set_status(
    session: &Session,
    row: &PaymentRow,
    status: PaymentStatus,
    said: &Value,
    now: Instant,
) -> Result<(), StoreError> {
    session
        .execute(
            "UPDATE payment SET status = $3, body = body || $4, revision = revision + 1, updated_at = $5, \
             updated_by = $6 WHERE slot = $1 AND id = $2",
            &[
                &row.id.slot().sql(),
                &row.id.uuid(),
                &status.name(),
                said,
                &Timestamptz(now),
                &session.actor(),
            ],
        )
        .await?;
    Ok(())
}

/// Writes what a payment left as credit when it was captured.
pub async fn set_rest(session: &Session, row: &PaymentRow, rest_minor: i64) -> Result<(), StoreError> {
    let sql = "UPDATE payment SET unallocated_minor = $3 WHERE slot = $1 AND id = $2";
    session
        .execute(sql, &[&row.id.slot().sql(), &row.id.uuid(), &rest_minor])
        .await?;
    Ok(())
}

/// The bills that a payment paid and how much of each, minor units, oldest allocation first.
pub async fn allocated(session: &Session, id: PaymentId) -> Result<Vec<(CustomerBillId, i64)>, StoreError> {
    let rows = session
        .query(
            "SELECT bill_id, sum(amount_minor)::bigint FROM allocation WHERE slot = $1 AND source_id = $2 \
             GROUP BY bill_id HAVING sum(amount_minor) <> 0 ORDER BY min(at), bill_id",
            &[&id.slot().sql(), &id.uuid()],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| (row.get::<_, Uuid>(0).into(), row.get(1)))
        .collect())
}
