//! Answers kept by idempotency key (scope: tenant, subject, route, key), written in the transaction of their effect.
//! The subject is the session's actor.

use serde_json::Value;

use crate::{Session, StoreError};

/// How long an answer is kept, in real time.
const KEPT: &str = "interval '24 hours'";

/// An answer as it was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// SHA-256 of the request's body.
    pub request_hash: Vec<u8>,
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

/// Takes the key for this transaction; false: another one that is still running has it.
pub async fn take(session: &Session, route: &str, key: &str) -> Result<bool, StoreError> {
    let sql = "SELECT pg_try_advisory_xact_lock(hashtextextended($1::text || chr(31) || $2 || chr(31) || $3 || chr(31) || $4, 0))";
    let tenant = session.tenant().to_string();
    let row = session
        .query_one(sql, &[&tenant, &session.actor(), &route, &key])
        .await?;
    Ok(row.try_get(0)?)
}

/// The answer that was given under the key.
pub async fn find(session: &Session, route: &str, key: &str) -> Result<Option<Kept>, StoreError> {
    let sql = format!(
        "SELECT request_hash, status, body FROM idempotency_key \
         WHERE subject = $1 AND route = $2 AND key = $3 AND created_at > clock_timestamp() - {KEPT}"
    );
    let row = session.query_opt(&sql, &[&session.actor(), &route, &key]).await?;
    row.map(|row| {
        let status: i16 = row.try_get(1)?;
        Ok(Kept {
            request_hash: row.try_get(0)?,
            status: status.unsigned_abs(),
            body: row.try_get(2)?,
        })
    })
    .transpose()
}

/// Keeps an answer; one that is older than a day gives way.
pub async fn keep(session: &Session, route: &str, key: &str, answer: &Kept) -> Result<(), StoreError> {
    let sql = "INSERT INTO idempotency_key (tenant_id, subject, route, key, request_hash, status, body) \
               VALUES ($1, $2, $3, $4, $5, $6, $7) \
               ON CONFLICT (tenant_id, subject, route, key) DO UPDATE SET request_hash = excluded.request_hash, \
               status = excluded.status, body = excluded.body, created_at = clock_timestamp()";
    let tenant = uuid::Uuid::from(session.tenant());
    let status = answer.status.cast_signed();
    session
        .execute(
            sql,
            &[
                &tenant,
                &session.actor(),
                &route,
                &key,
                &answer.request_hash,
                &status,
                &answer.body,
            ],
        )
        .await?;
    Ok(())
}

/// How many answers are forgotten at once.
pub const PURGED_MAX: u64 = 10_000;

/// Forgets at most [`PURGED_MAX`] answers that are older than a day, and tells how many.
pub async fn purge(session: &Session) -> Result<u64, StoreError> {
    let sql = format!(
        "DELETE FROM idempotency_key WHERE (tenant_id, subject, route, key) IN (SELECT tenant_id, subject, route, key \
         FROM idempotency_key WHERE created_at <= clock_timestamp() - {KEPT} LIMIT $1)"
    );
    session.execute(&sql, &[&PURGED_MAX.cast_signed()]).await
}
