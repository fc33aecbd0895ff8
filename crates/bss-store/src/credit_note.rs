//! Credit notes: what was taken back of bills.

use bss_domain::ids::{BillingAccountId, CustomerBillId, PaymentId};
use bss_domain::{Currency, Instant, TypedId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Session, StoreError, Timestamptz};

/// What a credit note takes back of a line, minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreditedLine {
    /// The line's number.
    pub line: u32,
    /// Without tax.
    pub net_minor: i64,
    /// The tax.
    pub tax_minor: i64,
    /// The part of the net that was deferred still.
    pub deferred_minor: i64,
}

/// A credit note that is to be written.
#[derive(Debug, Clone)]
pub struct NewCreditNote {
    /// Its id.
    pub id: Uuid,
    /// The account.
    pub account: BillingAccountId,
    /// The bill.
    pub bill: CustomerBillId,
    /// Its currency.
    pub currency: Currency,
    /// What it took off the bill; the rest became credit of the account.
    pub applied_minor: i64,
    /// Why.
    pub reason: String,
    /// What it takes back.
    pub lines: Vec<CreditedLine>,
    /// When.
    pub at: Instant,
}

fn json<T: Serialize>(value: &T) -> Result<serde_json::Value, StoreError> {
    serde_json::to_value(value).map_err(|error| StoreError::Corrupt {
        what: "credit note".to_owned(),
        detail: error.to_string(),
    })
}

/// Writes a credit note, lowers what its lines have deferred, and draws its number last. Gives the number.
pub async fn insert(session: &Session, new: &NewCreditNote, series: &str) -> Result<String, StoreError> {
    for line in new.lines.iter().filter(|line| line.deferred_minor != 0) {
        session
            .execute(
                "UPDATE deferred_revenue SET net_minor = net_minor - $4 WHERE slot = $1 AND bill_id = $2 AND line = $3",
                &[
                    &new.bill.slot().sql(),
                    &new.bill.uuid(),
                    &(line.line as i32),
                    &line.deferred_minor,
                ],
            )
            .await?;
    }
    let net: i64 = new.lines.iter().map(|line| line.net_minor).sum();
    let tax: i64 = new.lines.iter().map(|line| line.tax_minor).sum();
    let number = crate::customer_bill::draw_numbers(session, series, 1).await?;
    session
        .execute(
            "INSERT INTO credit_note (tenant_id, slot, id, account_id, bill_id, series, number, currency, net_minor, \
             tax_minor, applied_minor, reason, lines, created_at, created_by) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            &[
                &session.tenant().uuid(),
                &new.account.slot().sql(),
                &new.id,
                &new.account.uuid(),
                &new.bill.uuid(),
                &series,
                &number,
                &new.currency.code().to_owned(),
                &net,
                &tax,
                &new.applied_minor,
                &new.reason,
                &json(&new.lines)?,
                &Timestamptz(new.at),
                &session.actor(),
            ],
        )
        .await?;
    Ok(crate::customer_bill::bill_no(series, number))
}

/// What was taken back of bills so far, with the bill of each.
pub async fn credited(
    session: &Session,
    bills: &[CustomerBillId],
) -> Result<Vec<(CustomerBillId, CreditedLine)>, StoreError> {
    let slots: Vec<i16> = bills.iter().map(|bill| bill.slot().sql()).collect();
    let ids: Vec<Uuid> = bills.iter().map(|bill| bill.uuid()).collect();
    let sql = "SELECT bill_id, lines FROM credit_note WHERE slot = ANY($1) AND bill_id = ANY($2)";
    let mut found = Vec::new();
    for row in &session.query(sql, &[&slots, &ids]).await? {
        let bill = CustomerBillId::from(row.get::<_, Uuid>(0));
        found.extend(
            lines(row, 1, format_args!("of bill {bill}"))?
                .into_iter()
                .map(|line| (bill, line)),
        );
    }
    Ok(found)
}

fn lines(
    row: &tokio_postgres::Row,
    place: usize,
    of: impl std::fmt::Display,
) -> Result<Vec<CreditedLine>, StoreError> {
    serde_json::from_value(row.get(place)).map_err(|error| StoreError::Corrupt {
        what: format!("credit note {of}"),
        detail: error.to_string(),
    })
}

/// A credit note as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditNoteRow {
    /// Its id.
    pub id: Uuid,
    /// Its number.
    pub number: String,
    /// The account.
    pub account: BillingAccountId,
    /// The bill.
    pub bill: CustomerBillId,
    /// What its amounts are in.
    pub currency: Currency,
    /// The whole with tax, minor units.
    pub gross_minor: i64,
    /// What it took off the bill; the rest became credit of the account.
    pub applied_minor: i64,
    /// Why.
    pub reason: String,
    /// What it took back.
    pub lines: Vec<CreditedLine>,
    /// When.
    pub at: Instant,
}

fn read(row: &tokio_postgres::Row) -> Result<CreditNoteRow, StoreError> {
    let id: Uuid = row.get(0);
    let currency = Currency::of(row.get(5)).map_err(|error| StoreError::Corrupt {
        what: format!("credit note {id}"),
        detail: error.to_string(),
    })?;
    Ok(CreditNoteRow {
        id,
        number: crate::customer_bill::bill_no(row.get(1), row.get(2)),
        account: row.get::<_, Uuid>(3).into(),
        bill: row.get::<_, Uuid>(4).into(),
        currency,
        gross_minor: row.get(6),
        applied_minor: row.get(7),
        reason: row.get(8),
        lines: lines(row, 9, id)?,
        at: row.get::<_, Timestamptz>(10).0,
    })
}

/// A credit note.
pub async fn get(session: &Session, id: Uuid) -> Result<Option<CreditNoteRow>, StoreError> {
    let row = session
        .query_opt(
            "SELECT id, series, number, account_id, bill_id, currency, net_minor + tax_minor, applied_minor, reason, \
             lines, created_at FROM credit_note WHERE slot = $1 AND id = $2",
            &[&PaymentId::from(id).slot().sql(), &id],
        )
        .await?;
    row.as_ref().map(read).transpose()
}

/// Credit notes, the latest first, of a bill or an account where one is named; and how many there are.
pub async fn list(
    session: &Session,
    (bill, account): (Option<CustomerBillId>, Option<BillingAccountId>),
    offset: i64,
    limit: i64,
) -> Result<(Vec<CreditNoteRow>, u64), StoreError> {
    let (bill, account) = (bill.map(TypedId::uuid), account.map(TypedId::uuid));
    let rows = session
        .query(
            "SELECT id, series, number, account_id, bill_id, currency, net_minor + tax_minor, applied_minor, reason, \
             lines, created_at FROM credit_note WHERE ($1::uuid IS NULL OR bill_id = $1) \
             AND ($2::uuid IS NULL OR account_id = $2) ORDER BY created_at DESC, id DESC OFFSET $3 LIMIT $4",
            &[&bill, &account, &offset, &limit],
        )
        .await?;
    let total: i64 = session
        .query_one(
            "SELECT count(*) FROM credit_note WHERE ($1::uuid IS NULL OR bill_id = $1) \
             AND ($2::uuid IS NULL OR account_id = $2)",
            &[&bill, &account],
        )
        .await?
        .get(0);
    let found = rows.iter().map(read).collect::<Result<_, _>>()?;
    Ok((found, total.unsigned_abs()))
}

/// What a bill's lines have deferred still: (line, net not yet earned).
pub async fn deferred(session: &Session, bill: CustomerBillId) -> Result<Vec<(u32, i64)>, StoreError> {
    let rows = session
        .query(
            "SELECT line, net_minor - earned_minor FROM deferred_revenue WHERE slot = $1 AND bill_id = $2 FOR UPDATE",
            &[&bill.slot().sql(), &bill.uuid()],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| (row.get::<_, i32>(0).unsigned_abs(), row.get(1)))
        .collect())
}
