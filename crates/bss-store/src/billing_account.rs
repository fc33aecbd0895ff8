//! Billing accounts (TMF666): currency, zone and cycle of what is billed together.

use std::collections::HashMap;

use bss_domain::billing_account::AccountMoney;
use bss_domain::ids::{BillingAccountId, CustomerId, TypedId};
use bss_domain::{Currency, Nano};
use uuid::Uuid;

use crate::resource::{Column, Kind, Table};
use crate::{Session, StoreError};

/// The table of billing accounts.
pub const BILLING_ACCOUNT: Table = Table {
    name: "billing_account",
    sharded: true,
    columns: &[
        Column::new("name", "name", Kind::Text),
        Column::new("state", "state", Kind::Text),
        Column::new("relatedParty[role=customer].id", "customer_id", Kind::Uuid),
        Column::new("currency", "currency", Kind::Text),
        Column::new("timeZone", "time_zone", Kind::Text),
        Column::new("cycleDay", "cycle_day", Kind::Integer),
    ],
};

/// Whose an account is, and its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountOwner {
    /// The customer.
    pub customer: CustomerId,
    /// The currency.
    pub currency: Currency,
}

/// The owners of these accounts, as far as they exist.
pub async fn owners(
    session: &Session,
    accounts: &[BillingAccountId],
) -> Result<HashMap<BillingAccountId, AccountOwner>, StoreError> {
    let (ids, slots): (Vec<Uuid>, Vec<i16>) = accounts
        .iter()
        .map(|account| (account.uuid(), account.slot().sql()))
        .unzip();
    let rows = session
        .query(
            "SELECT b.id, b.customer_id, b.currency FROM unnest($1::uuid[], $2::smallint[]) AS a (id, slot) \
             JOIN billing_account b ON b.slot = a.slot AND b.id = a.id",
            &[&ids, &slots],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let account = BillingAccountId::from(row.get::<_, Uuid>(0));
            let currency = Currency::of(row.get(2)).map_err(|error| StoreError::Corrupt {
                what: format!("billing account {account}"),
                detail: error.to_string(),
            })?;
            let customer = row.get::<_, Uuid>(1).into();
            Ok((account, AccountOwner { customer, currency }))
        })
        .collect()
}

/// What the books say of these accounts on the business clock now, by one statement for all of them.
pub async fn money(
    session: &Session,
    accounts: &[BillingAccountId],
) -> Result<HashMap<BillingAccountId, AccountMoney>, StoreError> {
    if accounts.is_empty() {
        return Ok(HashMap::new());
    }
    let (ids, slots): (Vec<Uuid>, Vec<i16>) = accounts
        .iter()
        .map(|account| (account.uuid(), account.slot().sql()))
        .unzip();
    let rows = session
        .query(include_str!("billing_account/money.sql"), &[&ids, &slots])
        .await?;
    Ok(rows
        .iter()
        .map(|row| {
            let money = AccountMoney {
                receivable_minor: row.get(1),
                overdue_minor: row.get(2),
                credit_minor: row.get(3),
                prepaid: row.get::<_, Option<i64>>(4).map(Nano),
            };
            (row.get::<_, Uuid>(0).into(), money)
        })
        .collect())
}

/// A customer's accounts.
pub async fn of_customer(
    session: &Session,
    customer: CustomerId,
) -> Result<Vec<BillingAccountId>, StoreError> {
    let rows = session
        .query(
            "SELECT id FROM billing_account WHERE slot = $1 AND customer_id = $2 ORDER BY id",
            &[&customer.slot().sql(), &customer.uuid()],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get::<_, Uuid>(0).into()).collect())
}
