//! Allowances' instances, tiers' counters and prepaid balances: absolute values, written where the version is the one
//! that was read.

use std::sync::Arc;

use bss_domain::allowance::{AllowanceDefinition, AllowanceInstance};
use bss_domain::ids::{BillingAccountId, ProductOfferingPriceId};
use bss_domain::rating::Counter;
use bss_domain::{Currency, Instant, Interval, Nano, TypedId};
use uuid::Uuid;

use crate::{Session, StoreError, Timestamptz};

/// A row with whose it is and the version that was read; 0 for one that is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The billing account.
    pub account: BillingAccountId,
    /// The version; 0: not stored yet.
    pub version: i64,
    /// The values.
    pub value: T,
}

/// A prepaid balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrepaidBalance {
    /// Its currency.
    pub currency: Currency,
    /// What is left.
    pub balance: Nano,
    /// What it may fall to.
    pub limit: Nano,
}

fn uuids(accounts: &[BillingAccountId]) -> (Vec<Uuid>, Vec<i16>) {
    accounts
        .iter()
        .map(|account| (account.uuid(), account.slot().sql()))
        .unzip()
}

fn changed(what: &str, wanted: usize, written: u64) -> Result<(), StoreError> {
    if wanted as u64 == written {
        Ok(())
    } else {
        Err(StoreError::Changed {
            what: format!("{} of {wanted} {what}", wanted as u64 - written),
        })
    }
}

/// The accounts' buckets whose window ends after `since`. `definition` knows the allowances' prices; a bucket of a
/// price that it doesn't know is corrupt, since price versions are never deleted.
pub async fn buckets(
    session: &Session,
    accounts: &[BillingAccountId],
    since: Instant,
    definition: impl Fn(ProductOfferingPriceId) -> Option<Arc<AllowanceDefinition>>,
) -> Result<Vec<Versioned<AllowanceInstance>>, StoreError> {
    let (ids, slots) = uuids(accounts);
    let rows = session
        .query(
            "SELECT b.id, b.account_id, b.product_id, b.price_id, b.from_at, b.to_at, b.rolled_over, b.granted, \
             b.used, b.reserved, b.version FROM unnest($1::uuid[], $2::smallint[]) AS a (id, slot) \
             JOIN bucket b ON b.slot = a.slot AND b.account_id = a.id AND b.to_at > $3 ORDER BY b.slot, b.id",
            &[&ids, &slots, &Timestamptz(since)],
        )
        .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let price = ProductOfferingPriceId::from(row.get::<_, Uuid>(3));
        let definition = definition(price).ok_or_else(|| StoreError::Corrupt {
            what: format!("bucket {}", row.get::<_, Uuid>(0)),
            detail: format!("{price} is no allowance's price"),
        })?;
        found.push(Versioned {
            account: row.get::<_, Uuid>(1).into(),
            version: row.get(10),
            value: AllowanceInstance {
                id: row.get::<_, Uuid>(0).into(),
                price,
                product: row.get::<_, Option<Uuid>>(2).map(Into::into),
                window: Interval {
                    from: row.get::<_, Timestamptz>(4).0,
                    to: row.get::<_, Timestamptz>(5).0,
                },
                rolled_over: row.get(6),
                granted: row.get::<_, i64>(7).unsigned_abs(),
                used: row.get::<_, i64>(8).unsigned_abs(),
                reserved: row.get::<_, i64>(9).unsigned_abs(),
                definition,
            },
        });
    }
    Ok(found)
}

/// One column of rows that are to be written.
macro_rules! column {
    ($rows:ident, $row:ident => $value:expr) => {
        $rows.iter().map(|$row| $value).collect::<Vec<_>>()
    };
}

/// Writes buckets; [`StoreError::Changed`] where somebody else wrote one since it was read, and the transaction must
/// then be given up. Rows are written in the order of their keys, whatever order they come in.
pub async fn save_buckets(
    session: &Session,
    rows: &[Versioned<AllowanceInstance>],
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut rows: Vec<&Versioned<AllowanceInstance>> = rows.iter().collect();
    rows.sort_unstable_by_key(|row| (row.value.id.slot(), row.value.id));
    let (new, present): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.version == 0);
    insert_buckets(session, &new).await?;
    update_buckets(session, &present).await
}

async fn insert_buckets(session: &Session, rows: &[&Versioned<AllowanceInstance>]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let written = session
        .execute(
            "INSERT INTO bucket (tenant_id, slot, id, account_id, product_id, price_id, from_at, to_at, rolled_over, \
             granted, used, reserved, version) \
             SELECT $1, * FROM unnest($2::smallint[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], \
             $7::timestamptz[], $8::timestamptz[], $9::boolean[], $10::bigint[], $11::bigint[], $12::bigint[], \
             $13::bigint[]) ON CONFLICT (tenant_id, slot, id) DO NOTHING",
            &[
                &session.tenant().uuid(),
                &column!(rows, row => row.value.id.slot().sql()),
                &column!(rows, row => row.value.id.uuid()),
                &column!(rows, row => row.account.uuid()),
                &column!(rows, row => row.value.product.map(TypedId::uuid)),
                &column!(rows, row => row.value.price.uuid()),
                &column!(rows, row => Timestamptz(row.value.window.from)),
                &column!(rows, row => Timestamptz(row.value.window.to)),
                &column!(rows, row => row.value.rolled_over),
                &column!(rows, row => row.value.granted as i64),
                &column!(rows, row => row.value.used as i64),
                &column!(rows, row => row.value.reserved as i64),
                &column!(rows, row => row.version + 1),
            ],
        )
        .await?;
    changed("buckets", rows.len(), written)
}

/// Half the price of an insert that turns out to be an update.
async fn update_buckets(session: &Session, rows: &[&Versioned<AllowanceInstance>]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let written = session
        .execute(
            "UPDATE bucket b SET granted = n.granted, used = n.used, reserved = n.reserved, version = n.version + 1 \
             FROM unnest($2::smallint[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[]) \
             AS n (slot, id, granted, used, reserved, version) \
             WHERE b.tenant_id = $1 AND b.slot = n.slot AND b.id = n.id AND b.version = n.version",
            &[
                &session.tenant().uuid(),
                &column!(rows, row => row.value.id.slot().sql()),
                &column!(rows, row => row.value.id.uuid()),
                &column!(rows, row => row.value.granted as i64),
                &column!(rows, row => row.value.used as i64),
                &column!(rows, row => row.value.reserved as i64),
                &column!(rows, row => row.version),
            ],
        )
        .await?;
    changed("buckets", rows.len(), written)
}

/// The accounts' counters of periods that end after `since`.
pub async fn counters(
    session: &Session,
    accounts: &[BillingAccountId],
    since: Instant,
) -> Result<Vec<Versioned<Counter>>, StoreError> {
    let (ids, slots) = uuids(accounts);
    let rows = session
        .query(
            "SELECT c.account_id, c.product_id, c.price_id, c.counter, c.from_at, c.to_at, c.value, c.version \
             FROM unnest($1::uuid[], $2::smallint[]) AS a (id, slot) \
             JOIN usage_counter c ON c.slot = a.slot AND c.account_id = a.id AND c.to_at > $3",
            &[&ids, &slots, &Timestamptz(since)],
        )
        .await?;
    let read = |row: &tokio_postgres::Row| {
        let product: Uuid = row.get(1);
        Versioned {
            account: row.get::<_, Uuid>(0).into(),
            version: row.get(7),
            value: Counter {
                window: Interval {
                    from: row.get::<_, Timestamptz>(4).0,
                    to: row.get::<_, Timestamptz>(5).0,
                },
                product: (!product.is_nil()).then(|| product.into()),
                price: row.get::<_, Uuid>(2).into(),
                counter: row.get::<_, i16>(3).unsigned_abs(),
                value: row.get::<_, i64>(6).unsigned_abs(),
                total: None,
            },
        }
    };
    Ok(rows.iter().map(read).collect())
}

/// Writes counters, as [`save_buckets`] does.
pub async fn save_counters(session: &Session, rows: &[Versioned<Counter>]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut rows: Vec<&Versioned<Counter>> = rows.iter().collect();
    let product = |row: &Versioned<Counter>| row.value.product.map_or(Uuid::nil(), TypedId::uuid);
    rows.sort_unstable_by_key(|row| {
        (
            row.account,
            product(row),
            row.value.price,
            row.value.counter,
            row.value.window.from,
        )
    });
    let written = session
        .execute(
            "INSERT INTO usage_counter (tenant_id, slot, account_id, product_id, price_id, counter, from_at, to_at, \
             value, version) \
             SELECT $1, * FROM unnest($2::smallint[], $3::uuid[], $4::uuid[], $5::uuid[], $6::smallint[], \
             $7::timestamptz[], $8::timestamptz[], $9::bigint[], $10::bigint[]) \
             ON CONFLICT (tenant_id, slot, account_id, product_id, price_id, counter, from_at) \
             DO UPDATE SET value = excluded.value, version = excluded.version \
             WHERE usage_counter.version = excluded.version - 1",
            &[
                &session.tenant().uuid(),
                &column!(rows, row => row.account.slot().sql()),
                &column!(rows, row => row.account.uuid()),
                &column!(rows, row => product(row)),
                &column!(rows, row => row.value.price.uuid()),
                &column!(rows, row => row.value.counter as i16),
                &column!(rows, row => Timestamptz(row.value.window.from)),
                &column!(rows, row => Timestamptz(row.value.window.to)),
                &column!(rows, row => row.value.value as i64),
                &column!(rows, row => row.version + 1),
            ],
        )
        .await?;
    changed("counters", rows.len(), written)
}

/// The accounts' prepaid balances; an account without one is post-paid.
pub async fn balances(
    session: &Session,
    accounts: &[BillingAccountId],
) -> Result<Vec<Versioned<PrepaidBalance>>, StoreError> {
    let (ids, slots) = uuids(accounts);
    let rows = session
        .query(
            "SELECT p.account_id, p.currency, p.balance_nano, p.limit_nano, p.version \
             FROM unnest($1::uuid[], $2::smallint[]) AS a (id, slot) \
             JOIN prepaid_balance p ON p.slot = a.slot AND p.account_id = a.id",
            &[&ids, &slots],
        )
        .await?;
    let read = |row: &tokio_postgres::Row| {
        let account = BillingAccountId::from(row.get::<_, Uuid>(0));
        let currency = Currency::of(row.get(1)).map_err(|error| StoreError::Corrupt {
            what: format!("prepaid balance of {account}"),
            detail: error.to_string(),
        })?;
        Ok(Versioned {
            account,
            version: row.get(4),
            value: PrepaidBalance {
                currency,
                balance: Nano(row.get(2)),
                limit: Nano(row.get(3)),
            },
        })
    };
    rows.iter().map(read).collect()
}

/// Writes prepaid balances, as [`save_buckets`] does.
pub async fn save_balances(session: &Session, rows: &[Versioned<PrepaidBalance>]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut rows: Vec<&Versioned<PrepaidBalance>> = rows.iter().collect();
    rows.sort_unstable_by_key(|row| (row.account.slot(), row.account));
    let written = session
        .execute(
            "INSERT INTO prepaid_balance (tenant_id, slot, account_id, currency, balance_nano, limit_nano, version) \
             SELECT $1, * FROM unnest($2::smallint[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[]) \
             ON CONFLICT (tenant_id, slot, account_id) DO UPDATE SET balance_nano = excluded.balance_nano, \
             limit_nano = excluded.limit_nano, version = excluded.version \
             WHERE prepaid_balance.version = excluded.version - 1",
            &[
                &session.tenant().uuid(),
                &column!(rows, row => row.account.slot().sql()),
                &column!(rows, row => row.account.uuid()),
                &column!(rows, row => row.value.currency.code().to_owned()),
                &column!(rows, row => row.value.balance.0),
                &column!(rows, row => row.value.limit.0),
                &column!(rows, row => row.version + 1),
            ],
        )
        .await?;
    changed("balances", rows.len(), written)
}
