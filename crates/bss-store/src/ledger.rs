//! The ledger's rows: written in the transaction of their cause, never changed.

use bss_domain::ledger::LedgerEntry;
use bss_domain::{Instant, Slot, TypedId};
use uuid::Uuid;

use crate::{Session, StoreError, Timestamptz};

/// Posts entries. One whose cause and kind were posted before is [`StoreError::Taken`].
pub async fn post(session: &Session, entries: &[LedgerEntry]) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    macro_rules! heads {
        ($entry:ident => $value:expr) => {
            entries.iter().map(|$entry| $value).collect::<Vec<_>>()
        };
    }
    session
        .execute(
            "INSERT INTO ledger_entry (tenant_id, slot, id, kind, cause, account_id, currency, posted_at) \
             SELECT $1, * FROM unnest($2::smallint[], $3::uuid[], $4::text[], $5::uuid[], $6::uuid[], $7::text[], \
             $8::timestamptz[])",
            &[
                &session.tenant().uuid(),
                &heads!(entry => entry.head().account.slot().sql()),
                &heads!(entry => entry.head().id.uuid()),
                &heads!(entry => entry.kind().name()),
                &heads!(entry => entry.head().cause),
                &heads!(entry => entry.head().account.uuid()),
                &heads!(entry => entry.head().currency.code().to_owned()),
                &heads!(entry => Timestamptz(entry.head().at)),
            ],
        )
        .await?;
    let lines: Vec<_> = entries
        .iter()
        .flat_map(|entry| {
            let numbered = entry.lines().iter().enumerate();
            numbered.map(move |(number, line)| (entry.head(), number, line))
        })
        .collect();
    macro_rules! lines {
        ($head:ident, $number:ident, $line:ident => $value:expr) => {
            lines
                .iter()
                .map(|($head, $number, $line)| $value)
                .collect::<Vec<_>>()
        };
    }
    session
        .execute(
            "INSERT INTO ledger_line (tenant_id, slot, entry_id, line, account, detail, amount_minor) \
             SELECT $1, * FROM unnest($2::smallint[], $3::uuid[], $4::smallint[], $5::text[], $6::text[], $7::bigint[])",
            &[
                &session.tenant().uuid(),
                &lines!(head, _number, _line => head.account.slot().sql()),
                &lines!(head, _number, _line => head.id.uuid()),
                &lines!(_head, number, _line => *number as i16 + 1),
                &lines!(_head, _number, line => line.account.name()),
                &lines!(_head, _number, line => line.account.detail()),
                &lines!(_head, _number, line => line.amount_minor),
            ],
        )
        .await?;
    Ok(())
}

/// A sum of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerBalance {
    /// The currency.
    pub currency: String,
    /// The ledger's account.
    pub account: String,
    /// The tax's category and rate, the channel.
    pub detail: String,
    /// Debits, minor units.
    pub debit_minor: i64,
    /// Credits, minor units.
    pub credit_minor: i64,
}

/// The trial balance at an instant.
pub async fn balances(session: &Session, at: Instant) -> Result<Vec<LedgerBalance>, StoreError> {
    let rows = session
        .query(
            "SELECT e.currency, l.account, l.detail, \
             coalesce(sum(l.amount_minor) FILTER (WHERE l.amount_minor > 0), 0)::bigint, \
             coalesce(-sum(l.amount_minor) FILTER (WHERE l.amount_minor < 0), 0)::bigint \
             FROM ledger_entry e JOIN ledger_line l ON (l.tenant_id, l.slot, l.entry_id) = (e.tenant_id, e.slot, e.id) \
             WHERE e.posted_at <= $1 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
            &[&Timestamptz(at)],
        )
        .await?;
    let read = |row: &tokio_postgres::Row| LedgerBalance {
        currency: row.get(0),
        account: row.get(1),
        detail: row.get(2),
        debit_minor: row.get(3),
        credit_minor: row.get(4),
    };
    Ok(rows.iter().map(read).collect())
}

/// A posted entry's line with what it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedLine {
    /// The entry.
    pub entry: Uuid,
    /// What it is about.
    pub kind: String,
    /// What caused it.
    pub cause: Uuid,
    /// When it was posted.
    pub posted_at: Instant,
    /// The currency.
    pub currency: String,
    /// The ledger's account.
    pub account: String,
    /// The tax's category and rate, the channel.
    pub detail: String,
    /// A debit is positive.
    pub amount_minor: i64,
}

/// Which entries a list shows.
#[derive(Debug, Clone, Default)]
pub struct EntryFilter {
    /// This entry alone.
    pub id: Option<Uuid>,
    /// Those that this caused.
    pub cause: Option<Uuid>,
    /// Those of this kind.
    pub kind: Option<String>,
    /// Those of this billing account.
    pub billing_account: Option<Uuid>,
    /// How many to leave out.
    pub offset: i64,
    /// How many at most.
    pub limit: i64,
}

impl EntryFilter {
    /// The slot that holds all that can be found: an entry, its cause and its account share one, and every index begins
    /// with it.
    fn slot(&self) -> Option<i16> {
        let named = self.id.or(self.cause).or(self.billing_account);
        named.map(|id| Slot::of(id).sql())
    }
}

/// A posted entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedEntry {
    /// Its id.
    pub id: Uuid,
    /// What it is about.
    pub kind: String,
    /// What caused it.
    pub cause: Uuid,
    /// Whose money it is.
    pub billing_account: Uuid,
    /// The currency.
    pub currency: String,
    /// When it was posted.
    pub posted_at: Instant,
    /// Its lines: account, detail, and the amount in minor units, a debit being positive.
    pub lines: Vec<(String, String, i64)>,
}

/// Entries with their lines, the latest first.
pub async fn entries(session: &Session, filter: &EntryFilter) -> Result<Vec<PostedEntry>, StoreError> {
    let rows = session
        .query(
            "SELECT e.id, e.kind, e.cause, e.account_id, e.currency, e.posted_at, array_agg(l.account ORDER BY l.line), \
             array_agg(l.detail ORDER BY l.line), array_agg(l.amount_minor ORDER BY l.line) FROM (\
             SELECT * FROM ledger_entry WHERE ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR cause = $2) \
             AND ($3::text IS NULL OR kind = $3) AND ($4::uuid IS NULL OR account_id = $4) \
             AND ($7::smallint IS NULL OR slot = $7) ORDER BY posted_at DESC, id OFFSET $5 LIMIT $6) e \
             JOIN ledger_line l ON (l.tenant_id, l.slot, l.entry_id) = (e.tenant_id, e.slot, e.id) \
             GROUP BY e.id, e.kind, e.cause, e.account_id, e.currency, e.posted_at ORDER BY e.posted_at DESC, e.id",
            &[
                &filter.id,
                &filter.cause,
                &filter.kind,
                &filter.billing_account,
                &filter.offset,
                &filter.limit,
                &filter.slot(),
            ],
        )
        .await?;
    let read = |row: &tokio_postgres::Row| {
        let accounts: Vec<String> = row.get(6);
        let details: Vec<String> = row.get(7);
        let amounts: Vec<i64> = row.get(8);
        let lines = accounts.into_iter().zip(details).zip(amounts);
        PostedEntry {
            id: row.get(0),
            kind: row.get(1),
            cause: row.get(2),
            billing_account: row.get(3),
            currency: row.get(4),
            posted_at: row.get::<_, Timestamptz>(5).0,
            lines: lines
                .map(|((account, detail), amount)| (account, detail, amount))
                .collect(),
        }
    };
    Ok(rows.iter().map(read).collect())
}

/// How many entries a filter finds; counting stops at `most`.
pub async fn count_entries(session: &Session, filter: &EntryFilter, most: i64) -> Result<u64, StoreError> {
    let row = session
        .query_one(
            "SELECT count(*) FROM (SELECT FROM ledger_entry WHERE ($1::uuid IS NULL OR cause = $1) \
             AND ($2::text IS NULL OR kind = $2) AND ($3::uuid IS NULL OR account_id = $3) \
             AND ($5::smallint IS NULL OR slot = $5) LIMIT $4) AS matching",
            &[
                &filter.cause,
                &filter.kind,
                &filter.billing_account,
                &most,
                &filter.slot(),
            ],
        )
        .await?;
    Ok(row.get::<_, i64>(0) as u64)
}

/// A line of an account of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLine {
    /// Its number within its entry.
    pub number: i16,
    /// What it belongs to.
    pub line: PostedLine,
    /// The account's balance after it, minor units.
    pub balance_minor: i64,
}

/// The lines of an account in a currency, the latest first, each with the balance after it, and how many there are.
/// Each call sums the account from its beginning.
pub async fn account_lines(
    session: &Session,
    account: &str,
    currency: &str,
    (offset, limit): (i64, i64),
) -> Result<(Vec<AccountLine>, u64), StoreError> {
    let rows = session
        .query(
            "SELECT e.id, e.kind, e.cause, e.posted_at, e.currency, l.account, l.detail, l.amount_minor, l.line, \
             (sum(l.amount_minor) OVER (ORDER BY e.posted_at, e.id, l.line))::bigint, count(*) OVER () \
             FROM ledger_entry e JOIN ledger_line l ON (l.tenant_id, l.slot, l.entry_id) = (e.tenant_id, e.slot, e.id) \
             WHERE l.account = $1 AND e.currency = $2 \
             ORDER BY e.posted_at DESC, e.id DESC, l.line DESC OFFSET $3 LIMIT $4",
            &[&account, &currency, &offset, &limit],
        )
        .await?;
    let total = rows.first().map_or(0, |row| row.get::<_, i64>(10));
    let read = |row: &tokio_postgres::Row| AccountLine {
        number: row.get(8),
        line: PostedLine {
            entry: row.get(0),
            kind: row.get(1),
            cause: row.get(2),
            posted_at: row.get::<_, Timestamptz>(3).0,
            currency: row.get(4),
            account: row.get(5),
            detail: row.get(6),
            amount_minor: row.get(7),
        },
        balance_minor: row.get(9),
    };
    Ok((rows.iter().map(read).collect(), total as u64))
}

/// The currencies in which an account of the ledger has lines.
pub async fn currencies(session: &Session, account: &str) -> Result<Vec<String>, StoreError> {
    let rows = session
        .query(
            "SELECT DISTINCT e.currency FROM ledger_entry e \
             JOIN ledger_line l ON (l.tenant_id, l.slot, l.entry_id) = (e.tenant_id, e.slot, e.id) \
             WHERE l.account = $1 ORDER BY 1",
            &[&account],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
