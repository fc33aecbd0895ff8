//! Files of usage: how far each was read, and what became of its lines.

use bss_domain::Instant;
use bss_domain::ids::{TypedId, UsageFileId};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{Session, StoreError, Timestamptz};

/// A file that was imported, or is being imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageFile {
    /// Its id.
    pub id: UsageFileId,
    /// Its source.
    pub source: String,
    /// The name that it was imported by first.
    pub name: String,
    /// The hash of its content, by which it is known again.
    pub sha256: Vec<u8>,
    /// Its length.
    pub size_bytes: i64,
    /// Whether every line was read.
    pub is_done: bool,
    /// What became of its lines so far.
    pub lines: FileLines,
    /// When it was seen first.
    pub created_at: Instant,
    /// When its last line was read.
    pub done_at: Option<Instant>,
}

/// What became of a file's lines at the intake. The first is the sum of the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileLines {
    /// Lines read.
    pub done: i64,
    /// Appended to the log for charging.
    pub accepted: i64,
    /// Rejected at the intake.
    pub rejected: i64,
    /// Rejected already when an earlier file brought them.
    pub duplicates: i64,
    /// Unanswered calls, headers, empty lines.
    pub not_charged: i64,
}

/// What charging made of a file's accepted records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChargedLines {
    /// Rated.
    pub rated: i64,
    /// Rejected by rating, or as conflicts.
    pub rejected: i64,
    /// Charged already when they came before.
    pub duplicates: i64,
}

const COLUMNS: &str = "id, source, name, sha256, size_bytes, state, lines_done, accepted, rejected, duplicates, \
                       not_charged, created_at, done_at";

/// Makes the file's row where its content is new for the source; gives the row that is there.
pub async fn open(session: &Session, file: &UsageFile) -> Result<UsageFile, StoreError> {
    session
        .execute(
            "INSERT INTO usage_file (tenant_id, id, source, name, sha256, size_bytes, state, created_at, updated_by) \
             VALUES ($1, $2, $3, $4, $5, $6, 'importing', $7, $8) ON CONFLICT (tenant_id, source, sha256) DO NOTHING",
            &[
                &Uuid::from(session.tenant()),
                &file.id.uuid(),
                &file.source,
                &file.name,
                &file.sha256,
                &file.size_bytes,
                &Timestamptz(file.created_at),
                &session.actor(),
            ],
        )
        .await?;
    let sql = format!("SELECT {COLUMNS} FROM usage_file WHERE source = $1 AND sha256 = $2");
    let row = session.query_one(&sql, &[&file.source, &file.sha256]).await?;
    Ok(read(&row))
}

/// The file, locked until the transaction's end: whoever holds it appends the next lines. The lock lets charging refer
/// to the file meanwhile.
pub async fn lock(session: &Session, id: UsageFileId) -> Result<Option<UsageFile>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM usage_file WHERE id = $1 FOR NO KEY UPDATE");
    Ok(session.query_opt(&sql, &[&id.uuid()]).await?.as_ref().map(read))
}

/// The file.
pub async fn get(session: &Session, id: UsageFileId) -> Result<Option<UsageFile>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM usage_file WHERE id = $1");
    Ok(session.query_opt(&sql, &[&id.uuid()]).await?.as_ref().map(read))
}

/// A file with what charging has made of it so far, and how its lines are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStanding {
    /// The file.
    pub file: UsageFile,
    /// What charging made of its accepted records; the rest of them waits.
    pub charged: ChargedLines,
    /// The format's name.
    pub format: String,
}

/// Files with where they stand, the latest first, and how many there are; or the one of this id.
pub async fn standings(
    session: &Session,
    id: Option<UsageFileId>,
    (offset, limit): (i64, i64),
) -> Result<(Vec<FileStanding>, u64), StoreError> {
    let rows = session
        .query(
            "SELECT f.id, f.source, f.name, f.sha256, f.size_bytes, f.state, f.lines_done, f.accepted, f.rejected, \
             f.duplicates, f.not_charged, f.created_at, f.done_at, c.rated, c.rejected, c.duplicates, \
             coalesce(s.format, ''), f.total FROM (\
             SELECT *, count(*) OVER () AS total FROM usage_file WHERE ($1::uuid IS NULL OR id = $1) \
             ORDER BY created_at DESC, id DESC OFFSET $2 LIMIT $3) f \
             LEFT JOIN usage_source s ON s.name = f.source \
             CROSS JOIN LATERAL (SELECT coalesce(sum(n.rated), 0)::bigint AS rated, \
                 coalesce(sum(n.rejected), 0)::bigint AS rejected, \
                 coalesce(sum(n.duplicates), 0)::bigint AS duplicates \
                 FROM usage_file_count n WHERE n.tenant_id = f.tenant_id AND n.file_id = f.id) c \
             ORDER BY f.created_at DESC, f.id DESC",
            &[&id.map(TypedId::uuid), &offset, &limit],
        )
        .await?;
    let total = rows.first().map_or(0, |row| row.get::<_, i64>(17));
    let standing = |row: &Row| FileStanding {
        file: read(row),
        charged: ChargedLines {
            rated: row.get(13),
            rejected: row.get(14),
            duplicates: row.get(15),
        },
        format: row.get(16),
    };
    Ok((rows.iter().map(standing).collect(), total.unsigned_abs()))
}

/// What became of the lines of all files of the tenant: at the intake, and in charging.
pub async fn totals(session: &Session) -> Result<(FileLines, ChargedLines), StoreError> {
    let taken = "SELECT coalesce(sum(lines_done), 0)::bigint, coalesce(sum(accepted), 0)::bigint, \
                 coalesce(sum(rejected), 0)::bigint, coalesce(sum(duplicates), 0)::bigint, \
                 coalesce(sum(not_charged), 0)::bigint FROM usage_file";
    let taken = session.query_one(taken, &[]).await?;
    let charged = "SELECT coalesce(sum(rated), 0)::bigint, coalesce(sum(rejected), 0)::bigint, \
                   coalesce(sum(duplicates), 0)::bigint FROM usage_file_count";
    let charged = session.query_one(charged, &[]).await?;
    let lines = FileLines {
        done: taken.get(0),
        accepted: taken.get(1),
        rejected: taken.get(2),
        duplicates: taken.get(3),
        not_charged: taken.get(4),
    };
    let charged = ChargedLines {
        rated: charged.get(0),
        rejected: charged.get(1),
        duplicates: charged.get(2),
    };
    Ok((lines, charged))
}

/// Adds what became of the next lines of a locked file.
pub async fn advance(session: &Session, id: UsageFileId, by: FileLines) -> Result<(), StoreError> {
    session
        .execute(
            "UPDATE usage_file SET lines_done = lines_done + $2, accepted = accepted + $3, rejected = rejected + $4, \
             duplicates = duplicates + $5, not_charged = not_charged + $6, updated_by = $7 WHERE id = $1",
            &[
                &id.uuid(),
                &by.done,
                &by.accepted,
                &by.rejected,
                &by.duplicates,
                &by.not_charged,
                &session.actor(),
            ],
        )
        .await?;
    Ok(())
}

/// Notes that every line was read.
pub async fn finish(session: &Session, id: UsageFileId, now: Instant) -> Result<(), StoreError> {
    session
        .execute(
            "UPDATE usage_file SET state = 'done', done_at = $2 WHERE id = $1 AND state = 'importing'",
            &[&id.uuid(), &Timestamptz(now)],
        )
        .await?;
    Ok(())
}

/// Adds what charging made of records of several files, in one partition of the log.
pub async fn count_charged(
    session: &Session,
    partition: u16,
    counts: &[(UsageFileId, ChargedLines)],
) -> Result<(), StoreError> {
    if counts.is_empty() {
        return Ok(());
    }
    let column = |of: fn(&ChargedLines) -> i64| counts.iter().map(|(_, count)| of(count)).collect::<Vec<_>>();
    let files: Vec<Uuid> = counts.iter().map(|(file, _)| file.uuid()).collect();
    session
        .execute(
            "INSERT INTO usage_file_count AS c (tenant_id, file_id, partition, rated, rejected, duplicates) \
             SELECT $1, n.file_id, $2, n.rated, n.rejected, n.duplicates \
             FROM unnest($3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[]) \
             AS n (file_id, rated, rejected, duplicates) \
             ON CONFLICT (tenant_id, file_id, partition) DO UPDATE SET rated = c.rated + excluded.rated, \
             rejected = c.rejected + excluded.rejected, duplicates = c.duplicates + excluded.duplicates",
            &[
                &Uuid::from(session.tenant()),
                &(partition as i16),
                &files,
                &column(|count| count.rated),
                &column(|count| count.rejected),
                &column(|count| count.duplicates),
            ],
        )
        .await?;
    Ok(())
}

fn read(row: &Row) -> UsageFile {
    let state: String = row.get(5);
    UsageFile {
        id: row.get::<_, Uuid>(0).into(),
        source: row.get(1),
        name: row.get(2),
        sha256: row.get(3),
        size_bytes: row.get(4),
        is_done: state == "done",
        lines: FileLines {
            done: row.get(6),
            accepted: row.get(7),
            rejected: row.get(8),
            duplicates: row.get(9),
            not_charged: row.get(10),
        },
        created_at: row.get::<_, Timestamptz>(11).0,
        done_at: row.get::<_, Option<Timestamptz>>(12).map(|at| at.0),
    }
}
