//! The scan over a range of slots: rated usage as the server streams it, without an index.

use std::ops::RangeInclusive;
use std::pin::pin;

use bss_domain::Instant;
use bss_domain::ids::{BillingAccountId, ProductId, ProductOfferingPriceId, UsageId};
use bss_domain::usage::{Direction, ServiceKind};
use futures::TryStreamExt;
use tokio_postgres::binary_copy::{BinaryCopyOutRow, BinaryCopyOutStream};
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::{Session, StoreError};

/// Which records are scanned.
#[derive(Debug, Clone)]
pub struct UsageScan {
    /// Those that began then or later; none: however early.
    pub from: Option<Instant>,
    /// Those that began before.
    pub to: Instant,
    /// Of these slots.
    pub slots: RangeInclusive<i16>,
    /// Brought by a later position of the log.
    pub behind: i64,
}

/// A provisionally rated record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedUsage {
    /// Its id, with its start.
    pub id: UsageId,
    /// Its account.
    pub account: BillingAccountId,
    /// Its product.
    pub product: ProductId,
    /// The price version that rated it.
    pub price: ProductOfferingPriceId,
    /// What was used.
    pub service: ServiceKind,
    /// Which way.
    pub direction: Direction,
    /// Base units.
    pub quantity: u64,
    /// The other party's number.
    pub other_party: Box<str>,
    /// The visited network.
    pub network: Option<Box<str>>,
    /// The provisional amount, nano units.
    pub amount_nano: i64,
    /// The log position that brought it.
    pub position: i64,
}

pub(super) fn least_id(at: Instant) -> Uuid {
    Uuid::from_u64_pair((at.as_millisecond().max(0) as u64) << 16, 0)
}

/// Streams the provisionally rated records of a scan, in no order, to `each`.
pub async fn scan_usage(
    session: &Session,
    scan: &UsageScan,
    mut each: impl FnMut(ScannedUsage),
) -> Result<(), StoreError> {
    // COPY takes no parameters; what is put in here are UUIDs and integers of ours.
    let sql = format!(
        "COPY (SELECT id, account_id, product_id, price_id, service, direction, quantity, \
         CASE direction WHEN {outgoing} THEN called ELSE calling END, visited, amount_nano, position \
         FROM usage_record WHERE id >= '{from}' AND id < '{to}' AND slot BETWEEN {first} AND {last} \
         AND position > {behind} AND provisional) TO STDOUT (FORMAT binary)",
        outgoing = Direction::Outgoing.sql(),
        from = scan.from.map_or(Uuid::nil(), least_id),
        to = least_id(scan.to),
        first = scan.slots.start(),
        last = scan.slots.end(),
        behind = scan.behind,
    );
    let stream = session.send(session.client().copy_out(&sql)).await?;
    let types = [
        Type::UUID,
        Type::UUID,
        Type::UUID,
        Type::UUID,
        Type::INT2,
        Type::INT2,
        Type::INT8,
        Type::TEXT,
        Type::TEXT,
        Type::INT8,
        Type::INT8,
    ];
    let mut rows = pin!(BinaryCopyOutStream::new(stream, &types));
    while let Some(row) = rows.try_next().await? {
        each(read(&row)?);
    }
    Ok(())
}

fn read(row: &BinaryCopyOutRow) -> Result<ScannedUsage, StoreError> {
    let id = UsageId::from(row.get::<Uuid>(0));
    let corrupt = |detail: &str| StoreError::Corrupt {
        what: format!("usage record {id}"),
        detail: detail.to_owned(),
    };
    Ok(ScannedUsage {
        id,
        account: row.get::<Uuid>(1).into(),
        product: row.get::<Uuid>(2).into(),
        price: row.get::<Uuid>(3).into(),
        service: ServiceKind::from_sql(row.get(4)).ok_or_else(|| corrupt("service"))?,
        direction: Direction::from_sql(row.get(5)).ok_or_else(|| corrupt("direction"))?,
        quantity: row.get::<i64>(6).unsigned_abs(),
        other_party: row.get::<&str>(7).into(),
        network: row.get::<Option<&str>>(8).map(Into::into),
        amount_nano: row.get(9),
        position: row.get(10),
    })
}
