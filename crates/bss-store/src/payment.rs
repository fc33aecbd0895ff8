//! Payments (TMF676), what they pay for, and the credit of accounts.

mod reversal;
mod row;

pub use reversal::{PaidPart, count_reversed, paid_by, reversed};
pub use row::{PaymentRow, allocated, lock, lock_many, set_rest, set_status};

use bss_domain::ids::{BillingAccountId, CustomerBillId, CustomerId, PaymentId};
use bss_domain::payment::PaymentStatus;
use bss_domain::{Currency, Instant, Money, TypedId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::resource::{Column, Kind, Table};
use crate::{Session, StoreError, Timestamptz};

/// The table of payments.
pub const PAYMENT: Table = Table {
    name: "payment",
    sharded: true,
    columns: &[
        Column::new("status", "status", Kind::Text),
        Column::new("paymentDate", "payment_date", Kind::Instant),
        Column::new("account.id", "account_id", Kind::Uuid),
        Column::new("payer.id", "customer_id", Kind::Uuid),
        Column::new("channel.name", "channel", Kind::Text),
    ],
};

/// A payment that is to be written.
#[derive(Debug, Clone)]
pub struct NewPayment {
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
    /// What it paid for nothing yet, minor units.
    pub unallocated_minor: i64,
    /// When.
    pub date: Instant,
    /// The document.
    pub body: Value,
}

/// Writes a payment.
pub async fn insert(session: &Session, new: &NewPayment) -> Result<(), StoreError> {
    session
        .execute(
            "INSERT INTO payment (tenant_id, slot, id, revision, body, created_at, updated_at, updated_by, status, \
             account_id, customer_id, channel, currency, payment_date, amount_minor, unallocated_minor) \
             VALUES ($1, $2, $3, 1, $4, $5, $5, $6, $7, $8, $9, $10, $11, $5, $12, $13)",
            &[
                &session.tenant().uuid(),
                &new.account.slot().sql(),
                &new.id.uuid(),
                &new.body,
                &Timestamptz(new.date),
                &session.actor(),
                &new.status.name(),
                &new.account.uuid(),
                &new.customer.uuid(),
                &new.channel,
                &new.currency.code().to_owned(),
                &new.amount_minor,
                &new.unallocated_minor,
            ],
        )
        .await?;
    Ok(())
}

/// Where the money of an allocation came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllocationKind {
    /// A payment.
    Payment,
    /// The account's credit.
    Credit,
    /// A credit note.
    CreditNote,
    /// Nobody: a debt that was given up.
    WriteOff,
}

impl AllocationKind {
    /// Its name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Credit => "credit",
            Self::CreditNote => "creditNote",
            Self::WriteOff => "writeOff",
        }
    }
}

/// What paid for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAllocation {
    /// Its id.
    pub id: Uuid,
    /// The account.
    pub account: BillingAccountId,
    /// The bill.
    pub bill: CustomerBillId,
    /// Where the money came from.
    pub kind: AllocationKind,
    /// The payment, the credit note; for credit of the account, the bill or call that applied it.
    pub source: Uuid,
    /// How much, minor units; below 0 where an earlier allocation is taken back.
    pub amount_minor: i64,
    /// When.
    pub at: Instant,
}

/// Writes allocations.
pub async fn insert_allocations(session: &Session, rows: &[NewAllocation]) -> Result<(), StoreError> {
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
            "INSERT INTO allocation (tenant_id, slot, id, account_id, bill_id, kind, source_id, amount_minor, at) \
             SELECT $1, * FROM unnest($2::smallint[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::uuid[], \
             $8::bigint[], $9::timestamptz[])",
            &[
                &session.tenant().uuid(),
                &column!(row => row.account.slot().sql()),
                &column!(row => row.id),
                &column!(row => row.account.uuid()),
                &column!(row => row.bill.uuid()),
                &column!(row => row.kind.name()),
                &column!(row => row.source),
                &column!(row => row.amount_minor),
                &column!(row => Timestamptz(row.at)),
            ],
        )
        .await?;
    Ok(())
}

/// What paid for a bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidBy {
    /// The bill.
    pub bill: CustomerBillId,
    /// The kind's name: see [`AllocationKind`].
    pub kind: String,
    /// The payment or credit note; for credit of the account, the bill or call that applied it.
    pub source: Uuid,
    /// How much, minor units; what was taken back is left out of it.
    pub amount_minor: i64,
}

/// What paid for these bills, in order of time.
pub async fn paid_for(session: &Session, bills: &[CustomerBillId]) -> Result<Vec<PaidBy>, StoreError> {
    let (ids, slots): (Vec<Uuid>, Vec<i16>) =
        bills.iter().map(|bill| (bill.uuid(), bill.slot().sql())).unzip();
    let rows = session
        .query(
            "SELECT a.bill_id, a.kind, a.source_id, sum(a.amount_minor)::bigint \
             FROM unnest($1::uuid[], $2::smallint[]) AS b (id, slot) \
             JOIN allocation a ON a.slot = b.slot AND a.bill_id = b.id \
             GROUP BY 1, 2, 3 HAVING sum(a.amount_minor) <> 0 ORDER BY a.bill_id, min(a.at), a.source_id",
            &[&ids, &slots],
        )
        .await?;
    let read = |row: &tokio_postgres::Row| PaidBy {
        bill: row.get::<_, Uuid>(0).into(),
        kind: row.get(1),
        source: row.get(2),
        amount_minor: row.get(3),
    };
    Ok(rows.iter().map(read).collect())
}

/// Locks an account's credit, which serialises all money of the account, and gives the balance in minor units.
pub async fn lock_credit(
    session: &Session,
    account: BillingAccountId,
    currency: Currency,
) -> Result<i64, StoreError> {
    let rows = lock_credits(session, &[(account, currency)]).await?;
    Ok(rows.first().copied().unwrap_or(0))
}

/// Locks the credits of accounts, in the order of their keys, and gives the balances in the order of the question.
pub async fn lock_credits(
    session: &Session,
    accounts: &[(BillingAccountId, Currency)],
) -> Result<Vec<i64>, StoreError> {
    let mut sorted: Vec<(i16, Uuid, String)> = accounts
        .iter()
        .map(|(account, currency)| (account.slot().sql(), account.uuid(), currency.code().to_owned()))
        .collect();
    sorted.sort();
    let slots: Vec<i16> = sorted.iter().map(|row| row.0).collect();
    let ids: Vec<Uuid> = sorted.iter().map(|row| row.1).collect();
    let currencies: Vec<&str> = sorted.iter().map(|row| row.2.as_str()).collect();
    // The update changes nothing: it takes the row's lock where the row was there before.
    let rows = session
        .query(
            "INSERT INTO account_credit (tenant_id, slot, account_id, currency, balance_minor) \
             SELECT $1, a.slot, a.id, a.currency, 0 FROM unnest($2::smallint[], $3::uuid[], $4::text[]) \
             AS a (slot, id, currency) \
             ON CONFLICT (tenant_id, slot, account_id) DO UPDATE SET balance_minor = account_credit.balance_minor \
             RETURNING account_id, balance_minor, currency",
            &[&session.tenant().uuid(), &slots, &ids, &currencies],
        )
        .await?;
    let found: std::collections::HashMap<Uuid, (i64, String)> = rows
        .iter()
        .map(|row| (row.get(0), (row.get(1), row.get(2))))
        .collect();
    accounts
        .iter()
        .map(|(account, currency)| match found.get(&account.uuid()) {
            Some((balance, known)) if known == currency.code() => Ok(*balance),
            _ => Err(StoreError::Corrupt {
                what: format!("credit of account {account}"),
                detail: format!("it isn't in {currency}"),
            }),
        })
        .collect()
}

/// Adds to the credits of accounts that are locked; a balance never falls below 0. What is taken from a credit is
/// taken from what payments left unallocated, the earliest payment in front.
pub async fn add_credits(
    session: &Session,
    rows: &[(BillingAccountId, i64)],
    now: Instant,
) -> Result<(), StoreError> {
    change_balances(session, rows).await?;
    let taken: Vec<(BillingAccountId, i64)> = rows
        .iter()
        .filter(|(_, amount)| *amount < 0)
        .map(|(account, amount)| (*account, -amount))
        .collect();
    if taken.is_empty() {
        return Ok(());
    }
    let rests = rests_after(session, &taken).await?;
    set_rests(session, &rests, now).await
}

/// Takes from one payment's rest, and so from the credit of its account, which is locked.
pub async fn take_rest(
    session: &Session,
    id: PaymentId,
    amount_minor: i64,
    now: Instant,
) -> Result<(), StoreError> {
    let Some(rest) = rest(session, id).await? else {
        return Ok(());
    };
    change_balances(session, &[(rest.account, -amount_minor)]).await?;
    let left = (id, rest.currency, rest.unallocated_minor - amount_minor);
    set_rests(session, &[left], now).await
}

async fn change_balances(session: &Session, rows: &[(BillingAccountId, i64)]) -> Result<(), StoreError> {
    let rows: Vec<&(BillingAccountId, i64)> = rows.iter().filter(|(_, amount)| *amount != 0).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let slots: Vec<i16> = rows.iter().map(|(account, _)| account.slot().sql()).collect();
    let ids: Vec<Uuid> = rows.iter().map(|(account, _)| account.uuid()).collect();
    let amounts: Vec<i64> = rows.iter().map(|(_, amount)| *amount).collect();
    session
        .execute(
            "UPDATE account_credit c SET balance_minor = c.balance_minor + a.amount \
             FROM unnest($1::smallint[], $2::uuid[], $3::bigint[]) AS a (slot, id, amount) \
             WHERE c.slot = a.slot AND c.account_id = a.id",
            &[&slots, &ids, &amounts],
        )
        .await?;
    Ok(())
}

/// Which payments of these accounts are left with what, once these amounts are taken.
async fn rests_after(
    session: &Session,
    taken: &[(BillingAccountId, i64)],
) -> Result<Vec<(PaymentId, Currency, i64)>, StoreError> {
    let slots: Vec<i16> = taken.iter().map(|(account, _)| account.slot().sql()).collect();
    let ids: Vec<Uuid> = taken.iter().map(|(account, _)| account.uuid()).collect();
    let amounts: Vec<i64> = taken.iter().map(|(_, amount)| *amount).collect();
    let rows = session
        .query(
            "WITH rest AS ( \
             SELECT p.id, p.currency, p.unallocated_minor, a.amount, \
             (sum(p.unallocated_minor) OVER (PARTITION BY p.account_id ORDER BY p.payment_date, p.id))::bigint \
             - p.unallocated_minor AS before \
             FROM unnest($1::smallint[], $2::uuid[], $3::bigint[]) AS a (slot, id, amount) \
             JOIN payment p ON p.slot = a.slot AND p.account_id = a.id WHERE p.unallocated_minor > 0) \
             SELECT id, currency, unallocated_minor - least(unallocated_minor, amount - before) FROM rest \
             WHERE before < amount",
            &[&slots, &ids, &amounts],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let id = PaymentId::from(row.get::<_, Uuid>(0));
            Ok((id, currency_of(id, row.get(1))?, row.get(2)))
        })
        .collect()
}

/// Writes what is left of payments, in their documents too.
async fn set_rests(
    session: &Session,
    rests: &[(PaymentId, Currency, i64)],
    now: Instant,
) -> Result<(), StoreError> {
    let slots: Vec<i16> = rests.iter().map(|(id, _, _)| id.slot().sql()).collect();
    let ids: Vec<Uuid> = rests.iter().map(|(id, _, _)| id.uuid()).collect();
    let amounts: Vec<i64> = rests.iter().map(|(_, _, left)| *left).collect();
    let documents: Vec<Value> = rests
        .iter()
        .map(|(_, currency, left)| json!({"unallocatedAmount": Money::new(*left, *currency)}))
        .collect();
    session
        .execute(
            "UPDATE payment p SET unallocated_minor = r.rest, body = p.body || r.document, revision = p.revision + 1, \
             updated_at = $5, updated_by = $6 \
             FROM unnest($1::smallint[], $2::uuid[], $3::bigint[], $4::jsonb[]) AS r (slot, id, rest, document) \
             WHERE p.slot = r.slot AND p.id = r.id",
            &[
                &slots,
                &ids,
                &amounts,
                &documents,
                &Timestamptz(now),
                &session.actor(),
            ],
        )
        .await?;
    Ok(())
}

fn currency_of(id: PaymentId, code: &str) -> Result<Currency, StoreError> {
    Currency::of(code).map_err(|error| StoreError::Corrupt {
        what: format!("payment {id}"),
        detail: error.to_string(),
    })
}

/// An account's credit, minor units, without a lock.
pub async fn credit(session: &Session, account: BillingAccountId) -> Result<i64, StoreError> {
    let row = session
        .query_opt(
            "SELECT balance_minor FROM account_credit WHERE slot = $1 AND account_id = $2",
            &[&account.slot().sql(), &account.uuid()],
        )
        .await?;
    Ok(row.map_or(0, |row| row.get(0)))
}

/// What a payment left unallocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentRest {
    /// Its account.
    pub account: BillingAccountId,
    /// Its currency.
    pub currency: Currency,
    /// Minor units.
    pub unallocated_minor: i64,
}

/// What is left of a payment.
pub async fn rest(session: &Session, id: PaymentId) -> Result<Option<PaymentRest>, StoreError> {
    let sql = "SELECT account_id, unallocated_minor, currency FROM payment WHERE slot = $1 AND id = $2";
    let row = session.query_opt(sql, &[&id.slot().sql(), &id.uuid()]).await?;
    row.map(|row| {
        Ok(PaymentRest {
            account: row.get::<_, Uuid>(0).into(),
            currency: currency_of(id, row.get(2))?,
            unallocated_minor: row.get(1),
        })
    })
    .transpose()
}
