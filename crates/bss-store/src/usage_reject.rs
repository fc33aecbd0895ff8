//! Rejected usage: kept as it was written, with its reason, until it is mended.

use std::collections::HashSet;

use bss_domain::Instant;
use bss_domain::ids::{TypedId, UsageFileId, UsageId};
use bss_domain::usage::{FileLine, Identity, RecordHash, SourceFormat, UsageState};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{Session, StoreError, Timestamptz};

/// A record that couldn't be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageReject {
    /// The reject's own id.
    pub id: Uuid,
    /// Where it came from.
    pub source: String,
    /// How it is to be read.
    pub format: SourceFormat,
    /// The file and line that it stands in; none for a single record.
    pub origin: Option<FileLine>,
    /// Its first identity, which it keeps.
    pub identity: Identity,
    /// The hash of all that was written; where charging rejected a record that its source names itself, of `raw`.
    pub content: RecordHash,
    /// As it was written.
    pub raw: Vec<u8>,
    /// What it was mended to.
    pub mended: Option<Vec<u8>>,
    /// The reason's code.
    pub code: String,
    /// The reason.
    pub reason: String,
    /// `rejected`, or `recycled` when it was sent in again.
    pub state: UsageState,
    /// What it became.
    pub usage_id: Option<UsageId>,
    /// When it was rejected.
    pub created_at: Instant,
}

const COLUMNS: &str = "id, source, format, file_id, line, hash, own_id, content, raw, mended, code, reason, state, \
                       usage_id, created_at";

/// Writes rejects; one that is there already stays as it is. Gives the ids of those that are new.
pub async fn insert(session: &Session, rejects: &[UsageReject]) -> Result<HashSet<Uuid>, StoreError> {
    if rejects.is_empty() {
        return Ok(HashSet::new());
    }
    let mut columns = Columns::default();
    for reject in rejects {
        columns.push(reject);
    }
    let rows = session
        .query(
            "INSERT INTO usage_reject (tenant_id, id, source, format, file_id, line, hash, own_id, content, raw, \
             code, reason, state, created_at, updated_at, updated_by, usage_id) \
             SELECT $1, r.id, r.source, r.format, r.file_id, r.line, r.hash, r.own_id, r.content, r.raw, r.code, \
             r.reason, 'rejected', r.at, r.at, $2, r.usage_id \
             FROM unnest($3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::integer[], $8::bigint[], $9::boolean[], \
             $10::bigint[], $11::bytea[], $12::text[], $13::text[], $14::timestamptz[], $15::uuid[]) \
             AS r (id, source, format, file_id, line, hash, own_id, content, raw, code, reason, at, usage_id) \
             ON CONFLICT (tenant_id, source, hash, content) DO NOTHING RETURNING id",
            &[
                &Uuid::from(session.tenant()),
                &session.actor(),
                &columns.id,
                &columns.source,
                &columns.format,
                &columns.file,
                &columns.line,
                &columns.hash,
                &columns.own_id,
                &columns.content,
                &columns.raw,
                &columns.code,
                &columns.reason,
                &columns.at,
                &columns.usage_id,
            ],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

#[derive(Default)]
struct Columns {
    id: Vec<Uuid>,
    source: Vec<String>,
    format: Vec<&'static str>,
    file: Vec<Option<Uuid>>,
    line: Vec<Option<i32>>,
    hash: Vec<i64>,
    own_id: Vec<bool>,
    content: Vec<i64>,
    raw: Vec<Vec<u8>>,
    code: Vec<String>,
    reason: Vec<String>,
    at: Vec<Timestamptz>,
    usage_id: Vec<Option<Uuid>>,
}

impl Columns {
    fn push(&mut self, reject: &UsageReject) {
        self.id.push(reject.id);
        self.source.push(reject.source.clone());
        self.format.push(reject.format.name());
        self.file.push(reject.origin.map(|origin| origin.file.uuid()));
        self.line.push(reject.origin.map(|origin| origin.line as i32));
        self.hash.push(reject.identity.hash.sql());
        self.own_id.push(reject.identity.own_id);
        self.content.push(reject.content.sql());
        self.raw.push(reject.raw.clone());
        self.code.push(reject.code.clone());
        self.reason.push(reject.reason.clone());
        self.at.push(Timestamptz(reject.created_at));
        self.usage_id.push(reject.usage_id.map(TypedId::uuid));
    }
}

/// Which of these records were rejected before, whatever became of them since; others of the same hashes may be named,
/// too.
pub async fn known(
    session: &Session,
    source: &str,
    records: &[(RecordHash, RecordHash)],
) -> Result<HashSet<(RecordHash, RecordHash)>, StoreError> {
    // As one condition of one scan of the index, which goes from leaf to leaf: hardly any record is there.
    let hashes: Vec<i64> = records.iter().map(|(hash, _)| hash.sql()).collect();
    let rows = session
        .query(
            "SELECT r.hash, r.content FROM usage_reject r WHERE r.source = $1 AND r.hash = ANY($2)",
            &[&source, &hashes],
        )
        .await?;
    let hash = |value: i64| RecordHash::from_bits(value as u64);
    Ok(rows
        .iter()
        .map(|row| (hash(row.get(0)), hash(row.get(1))))
        .collect())
}

/// In which order a list shows rejects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RejectOrder {
    /// As they came.
    #[default]
    Arrival,
    /// The latest first.
    Latest,
    /// By their lines.
    Line,
    /// By their lines, from the last one.
    LastLine,
}

impl RejectOrder {
    const fn sql(self) -> &'static str {
        match self {
            Self::Arrival => "created_at, file_id, line, id",
            Self::Latest => "created_at DESC, file_id, line DESC, id",
            Self::Line => "line, created_at, id",
            Self::LastLine => "line DESC, created_at, id",
        }
    }
}

/// Which rejects a list shows.
#[derive(Debug, Clone, Default)]
pub struct RejectFilter {
    /// Only those of this file.
    pub file: Option<UsageFileId>,
    /// Only those in this state.
    pub state: Option<UsageState>,
    /// Only those with this reason's code.
    pub code: Option<String>,
    /// Only the one of this id.
    pub id: Option<Uuid>,
    /// In which order.
    pub order: RejectOrder,
    /// How many to leave out.
    pub offset: i64,
    /// How many at most.
    pub limit: i64,
}

/// Rejects of a list.
pub async fn list(session: &Session, filter: &RejectFilter) -> Result<Vec<UsageReject>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM usage_reject WHERE ($1::uuid IS NULL OR file_id = $1) \
         AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR code = $3) \
         AND ($4::uuid IS NULL OR id = $4) ORDER BY {} OFFSET $5 LIMIT $6",
        filter.order.sql()
    );
    let rows = session
        .query(
            &sql,
            &[
                &filter.file.map(TypedId::uuid),
                &filter.state.map(UsageState::name),
                &filter.code,
                &filter.id,
                &filter.offset,
                &filter.limit,
            ],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// How many rejects a list has in all.
pub async fn count(session: &Session, filter: &RejectFilter) -> Result<i64, StoreError> {
    let row = session
        .query_one(
            "SELECT count(*) FROM usage_reject WHERE ($1::uuid IS NULL OR file_id = $1) \
             AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR code = $3)",
            &[
                &filter.file.map(TypedId::uuid),
                &filter.state.map(UsageState::name),
                &filter.code,
            ],
        )
        .await?;
    Ok(row.get(0))
}

/// The reject, locked until the transaction's end, so that it is sent in again once.
pub async fn lock(session: &Session, id: Uuid) -> Result<Option<UsageReject>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM usage_reject WHERE id = $1 FOR UPDATE");
    session
        .query_opt(&sql, &[&id])
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// Notes what a locked reject was mended to, and what it became or why it is rejected again.
pub async fn mend(session: &Session, reject: &UsageReject, now: Instant) -> Result<(), StoreError> {
    session
        .execute(
            "UPDATE usage_reject SET mended = $2, code = $3, reason = $4, state = $5, usage_id = $6, updated_at = $7, \
             updated_by = $8 WHERE id = $1",
            &[
                &reject.id,
                &reject.mended,
                &reject.code,
                &reject.reason,
                &reject.state.name(),
                &reject.usage_id.map(TypedId::uuid),
                &Timestamptz(now),
                &session.actor(),
            ],
        )
        .await?;
    Ok(())
}

/// A mended reject that charging refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reopened {
    /// The reject.
    pub reject: Uuid,
    /// The reason's code.
    pub code: String,
    /// The reason.
    pub reason: String,
}

/// Puts recycled rejects back among the rejected ones.
pub async fn reopen(session: &Session, refused: &[Reopened], now: Instant) -> Result<(), StoreError> {
    if refused.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = refused.iter().map(|one| one.reject).collect();
    let codes: Vec<&str> = refused.iter().map(|one| one.code.as_str()).collect();
    let reasons: Vec<&str> = refused.iter().map(|one| one.reason.as_str()).collect();
    session
        .execute(
            "UPDATE usage_reject r SET state = 'rejected', code = n.code, reason = n.reason, updated_at = $4, \
             updated_by = $5 FROM unnest($1::uuid[], $2::text[], $3::text[]) AS n (id, code, reason) \
             WHERE r.id = n.id AND r.state = 'recycled'",
            &[&ids, &codes, &reasons, &Timestamptz(now), &session.actor()],
        )
        .await?;
    Ok(())
}

fn read(row: &Row) -> Result<UsageReject, StoreError> {
    let id: Uuid = row.get(0);
    let corrupt = |what: &str, value: &str| StoreError::Corrupt {
        what: format!("usage reject {id}"),
        detail: format!("{what} {value:?}"),
    };
    let (format, state): (String, String) = (row.get(2), row.get(12));
    let (file, line): (Option<Uuid>, Option<i32>) = (row.get(3), row.get(4));
    Ok(UsageReject {
        id,
        source: row.get(1),
        format: format.parse().map_err(|_| corrupt("format", &format))?,
        origin: file.zip(line).map(|(file, line)| FileLine {
            file: file.into(),
            line: line.unsigned_abs(),
        }),
        identity: Identity {
            hash: RecordHash::from_bits(row.get::<_, i64>(5) as u64),
            own_id: row.get(6),
        },
        content: RecordHash::from_bits(row.get::<_, i64>(7) as u64),
        raw: row.get(8),
        mended: row.get(9),
        code: row.get(10),
        reason: row.get(11),
        state: UsageState::named(&state).ok_or_else(|| corrupt("state", &state))?,
        usage_id: row.get::<_, Option<Uuid>>(13).map(UsageId::from),
        created_at: row.get::<_, Timestamptz>(14).0,
    })
}
