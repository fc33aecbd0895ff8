//! What a bill run reads and what it claims: accounts, lives of products, what was billed, usage.

mod explain;
mod read;
mod usage;

use bss_domain::ids::{BillRunId, BillingAccountId, CustomerBillId, UsageId};
use bss_domain::rating::ClosingState;
use bss_domain::{Instant, Interval, TypedId};
use serde_json::Value;
use uuid::Uuid;

use crate::{Session, StoreError, Timestamptz};

pub use explain::{ClaimedUsage, claimed_usage, watermark_before};
pub use read::{
    AccountRow, BilledRow, DeferredRow, PriceRow, ProductRow, accounts, billed, deferred, late_closings,
    prices, products, watermarks,
};
pub use usage::{ScannedUsage, UsageScan, scan_usage};

/// The consumer group whose positions are the watermarks.
pub const CHARGING_GROUP: &str = "charging";

/// Which periods a run closes, of those that are due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BillRunScope {
    /// Only periods that end by then; none: all of them.
    pub close_through: Option<Instant>,
    /// Only those of this account; none: of all accounts.
    pub account: Option<BillingAccountId>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillRunRow {
    /// Its id.
    pub id: BillRunId,
    /// Its moment in business time: bills are dated by it, however often the run is taken up.
    pub as_of: Instant,
    /// What it closes: as it was begun, whoever takes it up.
    pub scope: BillRunScope,
    /// Whether it was stopped before and goes on now.
    pub resumed: bool,
}

/// Takes up the tenant's unfinished run, or begins one.
pub async fn begin(
    session: &Session,
    id: BillRunId,
    scope: BillRunScope,
    now: Instant,
) -> Result<BillRunRow, StoreError> {
    session
        .execute(
            "INSERT INTO bill_run (tenant_id, id, state, as_of, started_by, close_through, account_id) \
             VALUES ($1, $2, 'running', $3, $4, $5, $6) ON CONFLICT (tenant_id) WHERE state = 'running' DO NOTHING",
            &[
                &session.tenant().uuid(),
                &id.uuid(),
                &Timestamptz(now),
                &session.actor(),
                &scope.close_through.map(Timestamptz),
                &scope.account.map(TypedId::uuid),
            ],
        )
        .await?;
    let found = unfinished(session).await?.ok_or_else(|| StoreError::Changed {
        what: format!("bill run {id}"),
    })?;
    Ok(BillRunRow {
        resumed: found.id != id,
        ..found
    })
}

/// The tenant's run that hasn't ended, as one that is taken up: whoever began it may be at it.
pub async fn unfinished(session: &Session) -> Result<Option<BillRunRow>, StoreError> {
    let sql = "SELECT id, as_of, close_through, account_id FROM bill_run WHERE state = 'running'";
    let row = session.query_opt(sql, &[]).await?;
    Ok(row.map(|row| BillRunRow {
        id: row.get::<_, Uuid>(0).into(),
        as_of: row.get::<_, Timestamptz>(1).0,
        scope: read_scope(&row, 2),
        resumed: true,
    }))
}

/// The moment of the latest run over all accounts.
pub async fn latest(session: &Session) -> Result<Option<Instant>, StoreError> {
    let sql = "SELECT max(as_of) FROM bill_run WHERE account_id IS NULL";
    let row = session.query_one(sql, &[]).await?;
    Ok(row.get::<_, Option<Timestamptz>>(0).map(|at| at.0))
}

/// What a run closes, from its two columns, of which the first stands there.
fn read_scope(row: &tokio_postgres::Row, first: usize) -> BillRunScope {
    BillRunScope {
        close_through: row.get::<_, Option<Timestamptz>>(first).map(|at| at.0),
        account: row.get::<_, Option<Uuid>>(first + 1).map(Into::into),
    }
}

/// Adds to a run's counts.
pub async fn count(session: &Session, id: BillRunId, accounts: i64, bills: i64) -> Result<(), StoreError> {
    session
        .execute(
            "UPDATE bill_run SET accounts = accounts + $2, bills = bills + $3 WHERE id = $1",
            &[&id.uuid(), &accounts, &bills],
        )
        .await?;
    Ok(())
}

/// Ends a run; `failed` lists the accounts that couldn't be closed, as JSON.
pub async fn finish(
    session: &Session,
    id: BillRunId,
    (waiting, failed): (u64, &Value),
    now: Instant,
) -> Result<(), StoreError> {
    session
        .execute(
            "UPDATE bill_run SET state = 'done', finished_at = $2, waiting = $3, failed = $4 WHERE id = $1",
            &[
                &id.uuid(),
                &Timestamptz(now),
                &(waiting as i64),
                &failed.to_string(),
            ],
        )
        .await?;
    Ok(())
}

/// A run as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillRunSummary {
    /// Its id.
    pub id: BillRunId,
    /// `running` or `done`.
    pub state: String,
    /// Its moment.
    pub as_of: Instant,
    /// When it ended.
    pub finished_at: Option<Instant>,
    /// Periods closed.
    pub accounts: i64,
    /// Bills drawn up.
    pub bills: i64,
    /// Who started it.
    pub started_by: String,
    /// What it closes.
    pub scope: BillRunScope,
    /// Accounts that waited for charging at its end.
    pub waiting: i64,
    /// The accounts that couldn't be closed, as JSON.
    pub failed: Value,
}

const SUMMARY: &str = "id, state, as_of, finished_at, accounts, bills, started_by, close_through, account_id, \
                       waiting, failed";

fn read_summary(row: &tokio_postgres::Row) -> BillRunSummary {
    BillRunSummary {
        id: row.get::<_, Uuid>(0).into(),
        state: row.get(1),
        as_of: row.get::<_, Timestamptz>(2).0,
        finished_at: row.get::<_, Option<Timestamptz>>(3).map(|at| at.0),
        accounts: row.get(4),
        bills: row.get(5),
        started_by: row.get(6),
        scope: read_scope(row, 7),
        waiting: row.get(9),
        failed: serde_json::from_str(row.get(10)).unwrap_or_default(),
    }
}

/// The runs, the latest first, and how many there are.
pub async fn list(
    session: &Session,
    offset: i64,
    limit: i64,
) -> Result<(Vec<BillRunSummary>, u64), StoreError> {
    let sql = format!("SELECT {SUMMARY} FROM bill_run ORDER BY as_of DESC, id DESC OFFSET $1 LIMIT $2");
    let rows = session.query(&sql, &[&offset, &limit]).await?;
    let total: i64 = session
        .query_one("SELECT count(*) FROM bill_run", &[])
        .await?
        .get(0);
    Ok((rows.iter().map(read_summary).collect(), total as u64))
}

/// A run.
pub async fn get(session: &Session, id: BillRunId) -> Result<Option<BillRunSummary>, StoreError> {
    let sql = format!("SELECT {SUMMARY} FROM bill_run WHERE id = $1");
    Ok(session
        .query_opt(&sql, &[&id.uuid()])
        .await?
        .as_ref()
        .map(read_summary))
}

/// What a run's bills come to in a currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillRunTotal {
    /// The run.
    pub run: BillRunId,
    /// The currency.
    pub currency: String,
    /// With tax, minor units, without those on hold.
    pub total_minor: i64,
    /// How many of the bills are on hold.
    pub on_hold: i64,
}

/// What the bills of runs come to.
pub async fn totals(session: &Session, runs: &[BillRunId]) -> Result<Vec<BillRunTotal>, StoreError> {
    let ids: Vec<Uuid> = runs.iter().map(|run| run.uuid()).collect();
    let rows = session
        .query(
            "SELECT run_id, currency, coalesce(sum(total_minor) FILTER (WHERE state <> 'onHold'), 0)::bigint, \
             count(*) FILTER (WHERE state = 'onHold') \
             FROM customer_bill WHERE run_id = ANY($1) GROUP BY 1, 2 ORDER BY 1, 2",
            &[&ids],
        )
        .await?;
    let read = |row: &tokio_postgres::Row| BillRunTotal {
        run: row.get::<_, Uuid>(0).into(),
        currency: row.get(1),
        total_minor: row.get(2),
        on_hold: row.get(3),
    };
    Ok(rows.iter().map(read).collect())
}

/// All runs of a tenant, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BillRunCounts {
    /// Going on, or stopped.
    pub running: i64,
    /// Ended.
    pub done: i64,
    /// Periods closed.
    pub accounts: i64,
    /// Bills drawn up.
    pub bills: i64,
}

/// Counts the tenant's runs and what they did.
pub async fn counts(session: &Session) -> Result<BillRunCounts, StoreError> {
    let row = session
        .query_one(
            "SELECT count(*) FILTER (WHERE state = 'running'), count(*) FILTER (WHERE state = 'done'), \
             coalesce(sum(accounts), 0)::bigint, coalesce(sum(bills), 0)::bigint FROM bill_run",
            &[],
        )
        .await?;
    Ok(BillRunCounts {
        running: row.get(0),
        done: row.get(1),
        accounts: row.get(2),
        bills: row.get(3),
    })
}

/// The only run of a tenant at a time: false where another transaction holds the lock, which ends with this one.
pub async fn try_lock(session: &Session) -> Result<bool, StoreError> {
    let row = session
        .query_one(
            "SELECT pg_try_advisory_xact_lock(hashtextextended('bill_run ' || current_setting('bss.tenant'), 0))",
            &[],
        )
        .await?;
    Ok(row.get(0))
}

/// The claim of a closed period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewClaim {
    /// The account.
    pub account: BillingAccountId,
    /// The period.
    pub period: Interval,
    /// The log position up to which its usage had been rated.
    pub watermark: i64,
    /// The bill's id, whether or not there was anything to bill.
    pub bill: CustomerBillId,
    /// What allowances and counters came to.
    pub closing: ClosingState,
    /// What those of earlier periods came to, where late usage took from them.
    pub late_closings: Vec<(Instant, ClosingState)>,
}

fn json(state: &ClosingState) -> Result<Value, StoreError> {
    serde_json::to_value(state).map_err(|error| StoreError::Corrupt {
        what: "closing".to_owned(),
        detail: error.to_string(),
    })
}

/// Claims periods; one that was closed before is [`StoreError::Taken`].
pub async fn insert_claims(session: &Session, rows: &[NewClaim], now: Instant) -> Result<(), StoreError> {
    macro_rules! column {
        ($row:ident => $value:expr) => {
            rows.iter().map(|$row| $value).collect::<Vec<_>>()
        };
    }
    let closings: Vec<Value> = rows
        .iter()
        .map(|row| json(&row.closing))
        .collect::<Result<_, _>>()?;
    session
        .execute(
            "INSERT INTO usage_claim (tenant_id, slot, account_id, period_from, closed_through, watermark, bill_id, \
             closing) SELECT $1, * FROM unnest($2::smallint[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], \
             $6::bigint[], $7::uuid[], $8::jsonb[])",
            &[
                &session.tenant().uuid(),
                &column!(row => row.account.slot().sql()),
                &column!(row => row.account.uuid()),
                &column!(row => Timestamptz(row.period.from)),
                &column!(row => Timestamptz(row.period.to)),
                &column!(row => row.watermark),
                &column!(row => row.bill.uuid()),
                &closings,
            ],
        )
        .await?;
    for row in rows {
        for (period_from, state) in &row.late_closings {
            session
                .execute(
                    "INSERT INTO late_closing (tenant_id, slot, account_id, period_from, bill_id, closed_at, closing) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7)",
                    &[
                        &session.tenant().uuid(),
                        &row.account.slot().sql(),
                        &row.account.uuid(),
                        &Timestamptz(*period_from),
                        &row.bill.uuid(),
                        &Timestamptz(now),
                        &json(state)?,
                    ],
                )
                .await?;
        }
    }
    Ok(())
}

/// Where the final rating of a record differs from the provisional one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The bill.
    pub bill: CustomerBillId,
    /// The record.
    pub usage: UsageId,
    /// The final amount less the provisional one, nano units.
    pub amount_nano: i64,
    /// The final parts, encoded.
    pub parts: Vec<u8>,
}

/// Writes corrections.
pub async fn insert_corrections(session: &Session, rows: &[Correction]) -> Result<(), StoreError> {
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
            "INSERT INTO usage_correction (tenant_id, slot, bill_id, usage_id, amount_nano, parts) \
             SELECT $1, * FROM unnest($2::smallint[], $3::uuid[], $4::uuid[], $5::bigint[], $6::bytea[])",
            &[
                &session.tenant().uuid(),
                &column!(row => row.usage.slot().sql()),
                &column!(row => row.bill.uuid()),
                &column!(row => row.usage.uuid()),
                &column!(row => row.amount_nano),
                &column!(row => row.parts.as_slice()),
            ],
        )
        .await?;
    Ok(())
}

/// Writes what was billed for a time to come, with what of it is earned already.
pub async fn insert_deferred(session: &Session, rows: &[DeferredRow]) -> Result<(), StoreError> {
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
            "INSERT INTO deferred_revenue (tenant_id, slot, bill_id, line, account_id, from_at, to_at, net_minor, \
             earned_minor) SELECT $1, * FROM unnest($2::smallint[], $3::uuid[], $4::integer[], $5::uuid[], \
             $6::timestamptz[], $7::timestamptz[], $8::bigint[], $9::bigint[]) \
             ON CONFLICT (tenant_id, slot, bill_id, line) DO UPDATE SET earned_minor = excluded.earned_minor",
            &[
                &session.tenant().uuid(),
                &column!(row => row.account.slot().sql()),
                &column!(row => row.bill.uuid()),
                &column!(row => row.line),
                &column!(row => row.account.uuid()),
                &column!(row => Timestamptz(row.period.from)),
                &column!(row => Timestamptz(row.period.to)),
                &column!(row => row.net_minor),
                &column!(row => row.earned_minor),
            ],
        )
        .await?;
    Ok(())
}
