//! What charging has to know of accounts: their terms, and the segments of their products with the pinned prices.

use bss_domain::ids::{BillingAccountId, ProductId, ProductOfferingPriceId};
use bss_domain::{Currency, Cycle, Instant, TypedId, Zone};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{Session, StoreError, Timestamptz};

/// What never changes of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountTerms {
    /// The account.
    pub account: BillingAccountId,
    /// The currency of its prices.
    pub currency: Currency,
    /// The zone and the day of its periods.
    pub cycle: Cycle,
}

/// A segment of a product's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedSegment {
    /// Who pays.
    pub account: BillingAccountId,
    /// The product.
    pub product: ProductId,
    /// From when on.
    pub from: Instant,
    /// Until when; none: it is the present one.
    pub to: Option<Instant>,
    /// The pinned price versions.
    pub prices: Vec<ProductOfferingPriceId>,
}

impl PinnedSegment {
    /// Whether the instant lies inside.
    pub fn contains(&self, at: Instant) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }
}

fn keys(accounts: &[BillingAccountId]) -> (Vec<Uuid>, Vec<i16>) {
    accounts
        .iter()
        .map(|account| (account.uuid(), account.slot().sql()))
        .unzip()
}

/// The terms of these accounts, as far as they exist.
pub async fn account_terms(
    session: &Session,
    accounts: &[BillingAccountId],
) -> Result<Vec<AccountTerms>, StoreError> {
    let (ids, slots) = keys(accounts);
    let rows = session
        .query(
            "SELECT b.id, b.currency, b.time_zone, b.cycle_day::integer FROM unnest($1::uuid[], $2::smallint[]) AS a (id, slot) \
             JOIN billing_account b ON b.slot = a.slot AND b.id = a.id",
            &[&ids, &slots],
        )
        .await?;
    rows.iter().map(read_terms).collect()
}

fn read_terms(row: &Row) -> Result<AccountTerms, StoreError> {
    let account = BillingAccountId::from(row.get::<_, Uuid>(0));
    let corrupt = |detail: String| StoreError::Corrupt {
        what: format!("billing account {account}"),
        detail,
    };
    let zone: &str = row.get(2);
    let day: i32 = row.get(3);
    Ok(AccountTerms {
        account,
        currency: Currency::of(row.get(1)).map_err(|error| corrupt(error.to_string()))?,
        cycle: Cycle {
            zone: Zone::named(zone).map_err(|error| corrupt(error.to_string()))?,
            day: u8::try_from(day).map_err(|error| corrupt(error.to_string()))?,
        },
    })
}

/// The segments of all products of these accounts.
pub async fn segments(
    session: &Session,
    accounts: &[BillingAccountId],
) -> Result<Vec<PinnedSegment>, StoreError> {
    let (ids, slots) = keys(accounts);
    let rows = session
        .query(
            "SELECT s.billing_account_id, s.product_id, s.from_at, s.to_at, s.price_ids \
             FROM unnest($1::uuid[], $2::smallint[]) AS a (id, slot) \
             JOIN product_segment s ON s.slot = a.slot AND s.billing_account_id = a.id",
            &[&ids, &slots],
        )
        .await?;
    let prices = |row: &Row| row.get::<_, Vec<Uuid>>(4).into_iter().map(Into::into).collect();
    Ok(rows
        .iter()
        .map(|row| PinnedSegment {
            account: row.get::<_, Uuid>(0).into(),
            product: row.get::<_, Uuid>(1).into(),
            from: row.get::<_, Timestamptz>(2).0,
            to: row.get::<_, Option<Timestamptz>>(3).map(|at| at.0),
            prices: prices(row),
        })
        .collect())
}
