//! The records behind a bill's usage, each with its final parts.

use bss_domain::ids::{BillingAccountId, CustomerBillId, ProductId, ProductOfferingPriceId, UsageId};
use bss_domain::{Interval, TypedId};
use uuid::Uuid;

use super::usage::least_id;
use crate::{Session, StoreError};

/// A record that a bill claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedUsage {
    /// The record.
    pub id: UsageId,
    /// Its product.
    pub product: ProductId,
    /// The price version.
    pub price: ProductOfferingPriceId,
    /// Base units.
    pub quantity: i64,
    /// The final amount, nano units.
    pub amount_nano: i64,
    /// The final parts, encoded.
    pub parts: Vec<u8>,
    /// Whether the close of the period rated it differently from the stream.
    pub corrected: bool,
    /// The log position that brought it.
    pub position: i64,
}

/// The records that a bill claims, of an interval of starts, in event order: those that the log brought after the
/// watermark of the closing before (`behind`) and up to the bill's own.
pub async fn claimed_usage(
    session: &Session,
    (account, bill): (BillingAccountId, CustomerBillId),
    started: Interval,
    (behind, watermark): (i64, i64),
    limit: i64,
) -> Result<Vec<ClaimedUsage>, StoreError> {
    let rows = session
        .query(
            "SELECT r.id, r.product_id, r.price_id, r.quantity, r.amount_nano + coalesce(c.amount_nano, 0), \
             coalesce(c.parts, r.parts), c.usage_id IS NOT NULL, r.position FROM usage_record r \
             LEFT JOIN usage_correction c ON c.slot = r.slot AND c.usage_id = r.id AND c.bill_id = $3 \
             WHERE r.id >= $4 AND r.id < $5 AND r.slot = $1 AND r.account_id = $2 AND r.provisional \
             AND r.position > $6 AND r.position <= $7 ORDER BY r.id LIMIT $8",
            &[
                &account.slot().sql(),
                &account.uuid(),
                &bill.uuid(),
                &least_id(started.from),
                &least_id(started.to),
                &behind,
                &watermark,
                &limit,
            ],
        )
        .await?;
    let read = |row: &tokio_postgres::Row| ClaimedUsage {
        id: row.get::<_, Uuid>(0).into(),
        product: row.get::<_, Uuid>(1).into(),
        price: row.get::<_, Uuid>(2).into(),
        quantity: row.get(3),
        amount_nano: row.get(4),
        parts: row.get(5),
        corrected: row.get(6),
        position: row.get(7),
    };
    Ok(rows.iter().map(read).collect())
}

/// The watermark of the closing before the one that made this bill; -1 where it was the first.
pub async fn watermark_before(
    session: &Session,
    account: BillingAccountId,
    period: Interval,
) -> Result<i64, StoreError> {
    let row = session
        .query_opt(
            "SELECT watermark FROM usage_claim WHERE slot = $1 AND account_id = $2 AND closed_through <= $3 \
             ORDER BY closed_through DESC LIMIT 1",
            &[
                &account.slot().sql(),
                &account.uuid(),
                &crate::Timestamptz(period.from),
            ],
        )
        .await?;
    Ok(row.map_or(-1, |row| row.get(0)))
}
