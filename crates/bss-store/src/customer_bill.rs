//! Bills (TMF678), their lines, numbers and claims.

mod held;

use bss_domain::customer_bill::{BillInputs, CustomerBill, CustomerBillState};
use bss_domain::ids::{BillRunId, BillingAccountId, CustomerBillId, CustomerId};
use bss_domain::obligation::Obligation;
use bss_domain::payment::OpenBill;
use bss_domain::{Currency, Instant, TypedId};
use serde_json::Value;
use uuid::Uuid;

use crate::resource::{Column, Kind, Table};
use crate::{Session, StoreError, Timestamptz};

pub use held::{accounts_on_hold, claimed_closing, hold, on_hold_of, take_back, take_claim_back, usual};

/// The table of bills.
pub const CUSTOMER_BILL: Table = Table {
    name: "customer_bill",
    sharded: true,
    columns: &[
        Column::new("state", "state", Kind::Text),
        Column::new("category", "category", Kind::Text),
        Column::new("billNo", "bill_no", Kind::Text),
        Column::new("billDate", "bill_date", Kind::Instant),
        Column::new("paymentDueDate", "payment_due_date", Kind::Instant),
        Column::new("billingAccount.id", "account_id", Kind::Uuid),
        Column::new("relatedParty[role=customer].id", "customer_id", Kind::Uuid),
        Column::new("billingPeriod.startDateTime", "period_from", Kind::Instant),
        Column::new("billingPeriod.endDateTime", "period_to", Kind::Instant),
    ],
};

/// The table of bill lines.
pub const APPLIED_CUSTOMER_BILLING_RATE: Table = Table {
    name: "applied_customer_billing_rate",
    sharded: true,
    columns: &[
        Column::new("bill.id", "bill_id", Kind::Uuid),
        Column::new("billingAccount.id", "account_id", Kind::Uuid),
        Column::new("product.id", "product_id", Kind::Uuid),
        Column::new("type", "kind", Kind::Text),
        Column::new("line", "line", Kind::Integer),
    ],
};

/// A bill that is to be written, still without its number.
#[derive(Debug, Clone)]
pub struct NewBill {
    /// What it was computed from.
    pub inputs: BillInputs,
    /// What was computed.
    pub bill: CustomerBill,
    /// The run that drew it up.
    pub run: Option<BillRunId>,
}

/// Writes obligations; one that was billed before is [`StoreError::Taken`].
pub async fn insert_obligations(
    session: &Session,
    rows: &[(CustomerBillId, BillingAccountId, Currency, &Obligation)],
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    macro_rules! column {
        ($bill:ident, $account:ident, $currency:ident, $row:ident => $value:expr) => {
            rows.iter()
                .map(|($bill, $account, $currency, $row)| $value)
                .collect::<Vec<_>>()
        };
    }
    session
        .execute(
            "INSERT INTO obligation (tenant_id, slot, product_id, charge_id, period_from, revision, period_to, \
             account_id, bill_id, owed_nano, amount_minor) \
             SELECT $1, * FROM unnest($2::smallint[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::integer[], \
             $7::timestamptz[], $8::uuid[], $9::uuid[], $10::bigint[], $11::bigint[])",
            &[
                &session.tenant().uuid(),
                &column!(_bill, account, _currency, _row => account.slot().sql()),
                &column!(_bill, _account, _currency, row => row.product.uuid()),
                &column!(_bill, _account, _currency, row => row.charge.uuid()),
                &column!(_bill, _account, _currency, row => Timestamptz(row.period.from)),
                &column!(_bill, _account, _currency, row => row.revision),
                &column!(_bill, _account, _currency, row => Timestamptz(row.period.to)),
                &column!(_bill, account, _currency, _row => account.uuid()),
                &column!(bill, _account, _currency, _row => bill.uuid()),
                &column!(_bill, _account, _currency, row => row.owed.0),
                &column!(_bill, _account, currency, row => row.amount_minor(*currency)),
            ],
        )
        .await?;
    Ok(())
}

/// Writes the lines of bills.
pub async fn insert_lines(session: &Session, bills: &[NewBill], now: Instant) -> Result<(), StoreError> {
    let lines: Vec<_> = bills
        .iter()
        .flat_map(|new| {
            new.bill
                .lines
                .iter()
                .map(move |line| (&new.bill, line, line.id(&new.bill)))
        })
        .collect();
    if lines.is_empty() {
        return Ok(());
    }
    macro_rules! column {
        ($bill:ident, $line:ident, $id:ident => $value:expr) => {
            lines
                .iter()
                .map(|($bill, $line, $id)| $value)
                .collect::<Vec<_>>()
        };
    }
    session
        .execute(
            "INSERT INTO applied_customer_billing_rate (tenant_id, revision, created_at, updated_at, updated_by, slot, \
             id, body, bill_id, line, kind, account_id, product_id, price_id, amount_minor, net_minor, tax_minor) \
             SELECT $1, 1, $2, $2, $3, * FROM unnest($4::smallint[], $5::uuid[], $6::jsonb[], $7::uuid[], \
             $8::integer[], $9::text[], $10::uuid[], $11::uuid[], $12::uuid[], $13::bigint[], $14::bigint[], \
             $15::bigint[])",
            &[
                &session.tenant().uuid(),
                &Timestamptz(now),
                &session.actor(),
                &column!(bill, _line, _id => bill.id.slot().sql()),
                &column!(_bill, _line, id => id.uuid()),
                &column!(bill, line, id => line.document(*id, bill)),
                &column!(bill, _line, _id => bill.id.uuid()),
                &column!(_bill, line, _id => line.number as i32),
                &column!(_bill, line, _id => line.kind.name()),
                &column!(bill, _line, _id => bill.account.uuid()),
                &column!(_bill, line, _id => line.product.uuid()),
                &column!(_bill, line, _id => line.price.uuid()),
                &column!(_bill, line, _id => line.amount_minor),
                &column!(_bill, line, _id => line.net_minor),
                &column!(_bill, line, _id => line.tax_minor),
            ],
        )
        .await?;
    Ok(())
}

/// Draws numbers of a series and holds it to the end of the transaction: gapless, and so the last thing but one that a
/// transaction does. Gives the first of them.
pub async fn draw_numbers(session: &Session, series: &str, count: usize) -> Result<i64, StoreError> {
    let row = session
        .query_one(
            "INSERT INTO bill_number_series (tenant_id, series, next) VALUES ($1, $2, 1 + $3::bigint) \
             ON CONFLICT (tenant_id, series) DO UPDATE SET next = bill_number_series.next + $3::bigint \
             RETURNING next - $3::bigint",
            &[&session.tenant().uuid(), &series, &(count as i64)],
        )
        .await?;
    Ok(row.get(0))
}

/// What a bill is called: `INV-000042`.
pub fn bill_no(series: &str, number: i64) -> String {
    format!("{series}-{number:06}")
}

/// Numbers, names, documents and states of bills, in the order given.
fn named(
    bills: &[NewBill],
    series: &str,
    first: i64,
) -> (Vec<i64>, Vec<String>, Vec<Value>, Vec<&'static str>) {
    let numbers: Vec<i64> = (first..).take(bills.len()).collect();
    let names: Vec<String> = numbers.iter().map(|number| bill_no(series, *number)).collect();
    let bodies = bills
        .iter()
        .zip(&names)
        .map(|(new, name)| new.bill.document(new.inputs.customer, name))
        .collect();
    let states = bills.iter().map(|new| new.bill.first_state().name()).collect();
    (numbers, names, bodies, states)
}

/// Numbers and writes bills, in the order given.
pub async fn insert(
    session: &Session,
    bills: &[NewBill],
    series: &str,
    now: Instant,
) -> Result<(), StoreError> {
    if bills.is_empty() {
        return Ok(());
    }
    let inputs = bills
        .iter()
        .map(|new| bytes(&new.inputs))
        .collect::<Result<Vec<_>, _>>()?;
    let computed = bills
        .iter()
        .map(|new| bytes(&new.bill))
        .collect::<Result<Vec<_>, _>>()?;
    let first = draw_numbers(session, series, bills.len()).await?;
    let (numbers, names, bodies, states) = named(bills, series, first);
    macro_rules! column {
        ($new:ident => $value:expr) => {
            bills.iter().map(|$new| $value).collect::<Vec<_>>()
        };
    }
    session
        .execute(
            include_str!("customer_bill/insert.sql"),
            &[
                &session.tenant().uuid(),
                &Timestamptz(now),
                &session.actor(),
                &series,
                &column!(new => new.bill.id.slot().sql()),
                &column!(new => new.bill.id.uuid()),
                &bodies,
                &states,
                &column!(new => new.bill.kind.name()),
                &numbers,
                &names,
                &column!(new => new.run.map(TypedId::uuid)),
                &column!(new => new.bill.account.uuid()),
                &column!(new => new.inputs.customer.uuid()),
                &column!(new => new.bill.currency.code().to_owned()),
                &column!(new => Timestamptz(new.bill.bill_date)),
                &column!(new => Timestamptz(new.bill.payment_due_date)),
                &column!(new => Timestamptz(new.bill.period.from)),
                &column!(new => Timestamptz(new.bill.period.to)),
                &column!(new => new.bill.net_minor),
                &column!(new => new.bill.tax_minor),
                &column!(new => new.bill.total_minor),
                &column!(new => new.bill.credit_applied_minor),
                &column!(new => new.bill.due_minor),
                &column!(new => i32::from(new.bill.rules_version)),
                &inputs,
                &computed,
            ],
        )
        .await?;
    Ok(())
}

fn bytes<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| StoreError::Corrupt {
        what: "bill".to_owned(),
        detail: error.to_string(),
    })
}

/// A bill as payments and corrections see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillRow {
    /// Its id.
    pub id: CustomerBillId,
    /// Its number.
    pub number: String,
    /// Its account.
    pub account: BillingAccountId,
    /// Whose it is.
    pub customer: CustomerId,
    /// Its currency.
    pub currency: Currency,
    /// Its state.
    pub state: CustomerBillState,
    /// What was to be paid.
    pub due_minor: i64,
    /// What still is.
    pub open_minor: i64,
}

const ROW: &str = "id, bill_no, account_id, customer_id, currency, state, due_minor, open_minor";

fn read(row: &tokio_postgres::Row) -> Result<BillRow, StoreError> {
    let id = CustomerBillId::from(row.get::<_, Uuid>(0));
    let corrupt = |detail: &str| StoreError::Corrupt {
        what: format!("bill {id}"),
        detail: detail.to_owned(),
    };
    Ok(BillRow {
        id,
        number: row.get(1),
        account: row.get::<_, Uuid>(2).into(),
        customer: row.get::<_, Uuid>(3).into(),
        currency: Currency::of(row.get(4)).map_err(|_| corrupt("currency"))?,
        state: CustomerBillState::named(row.get(5)).ok_or_else(|| corrupt("state"))?,
        due_minor: row.get(6),
        open_minor: row.get(7),
    })
}

/// A bill, held until the end of the transaction.
pub async fn lock(session: &Session, id: CustomerBillId) -> Result<Option<BillRow>, StoreError> {
    let sql = format!("SELECT {ROW} FROM customer_bill WHERE slot = $1 AND id = $2 FOR UPDATE");
    let row = session.query_opt(&sql, &[&id.slot().sql(), &id.uuid()]).await?;
    row.as_ref().map(read).transpose()
}

/// Whose bill it is.
pub async fn account(session: &Session, id: CustomerBillId) -> Result<Option<BillingAccountId>, StoreError> {
    let sql = "SELECT account_id FROM customer_bill WHERE slot = $1 AND id = $2";
    let row = session.query_opt(sql, &[&id.slot().sql(), &id.uuid()]).await?;
    Ok(row.map(|row| row.get::<_, Uuid>(0).into()))
}

/// An account's open bills, the one that is due first in front, held until the end of the transaction.
pub async fn lock_open(session: &Session, account: BillingAccountId) -> Result<Vec<BillRow>, StoreError> {
    let sql = format!(
        "SELECT {ROW} FROM customer_bill WHERE slot = $1 AND account_id = $2 AND open_minor > 0 \
         ORDER BY payment_due_date, id FOR UPDATE"
    );
    let rows = session
        .query(&sql, &[&account.slot().sql(), &account.uuid()])
        .await?;
    rows.iter().map(read).collect()
}

/// What allocation needs to know of open bills.
pub fn open(rows: &[BillRow]) -> Vec<OpenBill> {
    rows.iter()
        .map(|row| OpenBill {
            bill: row.id,
            open_minor: row.open_minor,
        })
        .collect()
}

/// Writes down what is open of a bill now, and its state.
pub async fn set_open(
    session: &Session,
    bill: &BillRow,
    state: CustomerBillState,
    open_minor: i64,
    now: Instant,
) -> Result<(), StoreError> {
    let document = CustomerBill::open_document(state, open_minor, bill.currency);
    session
        .execute(
            "UPDATE customer_bill SET state = $3, open_minor = $4, body = body || $5, revision = revision + 1, \
             updated_at = $6, updated_by = $7 WHERE slot = $1 AND id = $2",
            &[
                &bill.id.slot().sql(),
                &bill.id.uuid(),
                &state.name(),
                &open_minor,
                &document,
                &Timestamptz(now),
                &session.actor(),
            ],
        )
        .await?;
    Ok(())
}

/// What a bill was computed from, and what was computed: bytes, as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredComputation {
    /// The bill.
    pub id: CustomerBillId,
    /// Its number.
    pub number: String,
    /// [`BillInputs`] as JSON.
    pub inputs: Vec<u8>,
    /// [`CustomerBill`] as JSON.
    pub computed: Vec<u8>,
}

/// A bill's computation.
pub async fn computation(
    session: &Session,
    id: CustomerBillId,
) -> Result<Option<StoredComputation>, StoreError> {
    let sql = "SELECT id, bill_no, inputs, computed FROM customer_bill WHERE slot = $1 AND id = $2";
    let row = session.query_opt(sql, &[&id.slot().sql(), &id.uuid()]).await?;
    Ok(row.as_ref().map(stored))
}

/// The computations of bills behind an id, in order of ids: bills are verified page by page.
pub async fn computations(
    session: &Session,
    after: Option<CustomerBillId>,
    limit: i64,
) -> Result<Vec<StoredComputation>, StoreError> {
    let after = after.map_or(Uuid::nil(), TypedId::uuid);
    let sql = "SELECT id, bill_no, inputs, computed FROM customer_bill WHERE id > $1 ORDER BY id LIMIT $2";
    let rows = session.query(sql, &[&after, &limit]).await?;
    Ok(rows.iter().map(stored).collect())
}

fn stored(row: &tokio_postgres::Row) -> StoredComputation {
    StoredComputation {
        id: row.get::<_, Uuid>(0).into(),
        number: row.get(1),
        inputs: row.get(2),
        computed: row.get(3),
    }
}

/// What is open on a customer's bills, by currency.
pub async fn open_of_customer(
    session: &Session,
    customer: CustomerId,
) -> Result<Vec<(String, i64)>, StoreError> {
    let rows = session
        .query(
            "SELECT currency, sum(open_minor)::bigint FROM customer_bill \
             WHERE slot = $1 AND customer_id = $2 AND open_minor > 0 GROUP BY currency ORDER BY currency",
            &[&customer.slot().sql(), &customer.uuid()],
        )
        .await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
