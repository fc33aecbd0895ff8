//! What was used of prepaid balances, by account, day and tax rate, and how much of it the ledger has.

use bss_domain::ids::BillingAccountId;
use bss_domain::{Currency, Nano, TypedId};
use jiff::civil::Date;
use uuid::Uuid;

use crate::{Session, StoreError};

/// Use of one account, day and tax rate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrepaidUseKey {
    /// The billing account.
    pub account: BillingAccountId,
    /// The day on which the usage began, in the account's zone.
    pub day: Date,
    /// The category of the tax in it, UNTDID 5305.
    pub tax_category: String,
    /// The tax's rate in parts per million.
    pub tax_rate_ppm: i64,
}

/// Use that was added up, and what of it was posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrepaidUseRow {
    /// Whose, when and how taxed.
    pub key: PrepaidUseKey,
    /// The currency.
    pub currency: Currency,
    /// All that was taken, tax included.
    pub used: Nano,
    /// What the ledger has of it, tax included, minor units.
    pub posted_minor: i64,
    /// What of that was tax.
    pub posted_tax_minor: i64,
}

/// Adds use, in the order of the rows' keys; the account's balance must be held, since it is what use is taken from.
pub async fn add(session: &Session, rows: &[(PrepaidUseKey, Currency, Nano)]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_unstable_by(|a, b| (a.0.account.slot(), &a.0).cmp(&(b.0.account.slot(), &b.0)));
    macro_rules! column {
        ($key:ident, $currency:ident, $used:ident => $value:expr) => {
            rows.iter()
                .map(|($key, $currency, $used)| $value)
                .collect::<Vec<_>>()
        };
    }
    session
        .execute(
            "INSERT INTO prepaid_use (tenant_id, slot, account_id, day, tax_category, tax_rate_ppm, currency, used_nano) \
             SELECT $1, u.slot, u.account, u.day::date, u.category, u.rate, u.currency, u.used \
             FROM unnest($2::smallint[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::bigint[]) \
             AS u (slot, account, day, category, rate, currency, used) \
             ON CONFLICT (tenant_id, slot, account_id, day, tax_category, tax_rate_ppm) DO UPDATE \
             SET used_nano = prepaid_use.used_nano + excluded.used_nano, is_posted = false",
            &[
                &session.tenant().uuid(),
                &column!(key, _currency, _used => key.account.slot().sql()),
                &column!(key, _currency, _used => key.account.uuid()),
                &column!(key, _currency, _used => key.day.to_string()),
                &column!(key, _currency, _used => key.tax_category.as_str()),
                &column!(key, _currency, _used => key.tax_rate_ppm),
                &column!(_key, currency, _used => currency.code().to_owned()),
                &column!(_key, _currency, used => used.0),
            ],
        )
        .await?;
    Ok(())
}

/// Accounts behind `after` whose use the ledger doesn't have in full, in order of slot and id.
pub async fn waiting(
    session: &Session,
    after: Option<BillingAccountId>,
    limit: i64,
) -> Result<Vec<BillingAccountId>, StoreError> {
    let (slot, id) = after.map_or((-1, Uuid::nil()), |account| {
        (account.slot().sql(), account.uuid())
    });
    let rows = session
        .query(
            "SELECT DISTINCT slot, account_id FROM prepaid_use WHERE NOT is_posted AND (slot, account_id) > ($1, $2) \
             ORDER BY slot, account_id LIMIT $3",
            &[&slot, &id, &limit],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get::<_, Uuid>(1).into()).collect())
}

/// The use of these accounts that waits to be posted, held until the end of the transaction, in order of slot,
/// account, day and tax.
pub async fn hold(
    session: &Session,
    accounts: &[BillingAccountId],
) -> Result<Vec<PrepaidUseRow>, StoreError> {
    let slots: Vec<i16> = accounts.iter().map(|account| account.slot().sql()).collect();
    let ids: Vec<Uuid> = accounts.iter().map(|account| account.uuid()).collect();
    let rows = session
        .query(
            "SELECT p.account_id, p.day::text, p.tax_category, p.tax_rate_ppm, p.currency, p.used_nano, \
             p.posted_minor, p.posted_tax_minor FROM prepaid_use p \
             JOIN unnest($1::smallint[], $2::uuid[]) AS a (slot, id) ON a.slot = p.slot AND a.id = p.account_id \
             WHERE NOT p.is_posted ORDER BY p.slot, p.account_id, p.day, p.tax_category, p.tax_rate_ppm \
             FOR UPDATE OF p",
            &[&slots, &ids],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// What the ledger has in full of an account's use at one tax rate, all days together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedUse {
    /// The account.
    pub account: BillingAccountId,
    /// The category of the tax in it.
    pub tax_category: String,
    /// The tax's rate in parts per million.
    pub tax_rate_ppm: i64,
    /// All that was taken, tax included.
    pub used: Nano,
    /// What the ledger has of it, tax included, minor units.
    pub posted_minor: i64,
    /// What of that was tax.
    pub posted_tax_minor: i64,
}

/// What was posted of these accounts' use, as far as nothing was added since.
pub async fn posted(session: &Session, accounts: &[BillingAccountId]) -> Result<Vec<PostedUse>, StoreError> {
    let slots: Vec<i16> = accounts.iter().map(|account| account.slot().sql()).collect();
    let ids: Vec<Uuid> = accounts.iter().map(|account| account.uuid()).collect();
    let rows = session
        .query(
            "SELECT p.account_id, p.tax_category, p.tax_rate_ppm, sum(p.used_nano)::bigint, \
             sum(p.posted_minor)::bigint, sum(p.posted_tax_minor)::bigint FROM prepaid_use p \
             JOIN unnest($1::smallint[], $2::uuid[]) AS a (slot, id) ON a.slot = p.slot AND a.id = p.account_id \
             WHERE p.is_posted GROUP BY 1, 2, 3",
            &[&slots, &ids],
        )
        .await?;
    let read = |row: &tokio_postgres::Row| PostedUse {
        account: row.get::<_, Uuid>(0).into(),
        tax_category: row.get(1),
        tax_rate_ppm: row.get(2),
        used: Nano(row.get(3)),
        posted_minor: row.get(4),
        posted_tax_minor: row.get(5),
    };
    Ok(rows.iter().map(read).collect())
}

fn read(row: &tokio_postgres::Row) -> Result<PrepaidUseRow, StoreError> {
    let account = BillingAccountId::from(row.get::<_, Uuid>(0));
    let corrupt = |detail: String| StoreError::Corrupt {
        what: format!("prepaid use of {account}"),
        detail,
    };
    Ok(PrepaidUseRow {
        key: PrepaidUseKey {
            account,
            day: row
                .get::<_, &str>(1)
                .parse()
                .map_err(|error: jiff::Error| corrupt(error.to_string()))?,
            tax_category: row.get(2),
            tax_rate_ppm: row.get(3),
        },
        currency: Currency::of(row.get(4)).map_err(|error| corrupt(error.to_string()))?,
        used: Nano(row.get(5)),
        posted_minor: row.get(6),
        posted_tax_minor: row.get(7),
    })
}

/// Writes down what the ledger has of rows that are held.
pub async fn set_posted(session: &Session, rows: &[PrepaidUseRow]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    macro_rules! column {
        ($row:ident => $value:expr) => {
            rows.iter().map(|$row| $value).collect::<Vec<_>>()
        };
    }
    session
        .execute(
            "UPDATE prepaid_use p SET posted_minor = u.posted, posted_tax_minor = u.tax, is_posted = true \
             FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[]) \
             AS u (slot, account, day, category, rate, posted, tax) WHERE p.slot = u.slot AND p.account_id = u.account \
             AND p.day = u.day::date AND p.tax_category = u.category AND p.tax_rate_ppm = u.rate",
            &[
                &column!(row => row.key.account.slot().sql()),
                &column!(row => row.key.account.uuid()),
                &column!(row => row.key.day.to_string()),
                &column!(row => row.key.tax_category.as_str()),
                &column!(row => row.key.tax_rate_ppm),
                &column!(row => row.posted_minor),
                &column!(row => row.posted_tax_minor),
            ],
        )
        .await?;
    Ok(())
}
