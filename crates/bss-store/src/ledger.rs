//! The ledger's rows: written in the transaction of their cause, never changed.

use bss_domain::ledger::LedgerEntry;
use bss_domain::{Instant, TypedId};
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
    /// Those that this caused.
    pub cause: Option<Uuid>,
    /// Those of this billing account.
    pub account: Option<Uuid>,
    /// How many lines to leave out.
    pub offset: i64,
    /// How many lines at most.
    pub limit: i64,
}

/// Lines of entries, the latest entry first.
pub async fn list(session: &Session, filter: &EntryFilter) -> Result<Vec<PostedLine>, StoreError> {
    let rows = session
        .query(
            "SELECT e.id, e.kind, e.cause, e.posted_at, e.currency, l.account, l.detail, l.amount_minor \
             FROM ledger_entry e JOIN ledger_line l ON (l.tenant_id, l.slot, l.entry_id) = (e.tenant_id, e.slot, e.id) \
             WHERE ($1::uuid IS NULL OR e.cause = $1) AND ($2::uuid IS NULL OR e.account_id = $2) \
             ORDER BY e.posted_at DESC, e.id, l.line OFFSET $3 LIMIT $4",
            &[&filter.cause, &filter.account, &filter.offset, &filter.limit],
        )
        .await?;
    let read = |row: &tokio_postgres::Row| PostedLine {
        entry: row.get(0),
        kind: row.get(1),
        cause: row.get(2),
        posted_at: row.get::<_, Timestamptz>(3).0,
        currency: row.get(4),
        account: row.get(5),
        detail: row.get(6),
        amount_minor: row.get(7),
    };
    Ok(rows.iter().map(read).collect())
}
