//! Sessions: a user's sign-in, from its browser's cookie to its end.

use bss_domain::ids::{TenantId, UserId, UserSessionId};
use bss_domain::{Instant, TypedId};

use super::id;
use crate::{Session, StoreError, Timestamptz};

/// A stored session.
#[derive(Clone)]
pub struct UserSessionRow {
    pub tenant: TenantId,
    pub id: UserSessionId,
    pub user: UserId,
    /// When the password was given.
    pub auth_at: Instant,
    /// When it was last used.
    pub used_at: Instant,
    /// Its end, however much it is used.
    pub ends_at: Instant,
}

const COLUMNS: &str = "tenant_id, id, user_id, auth_at, used_at, ends_at";

fn read(row: &tokio_postgres::Row) -> UserSessionRow {
    let at = |column| row.get::<_, Timestamptz>(column).0;
    UserSessionRow {
        tenant: id(row, "tenant_id"),
        id: id(row, "id"),
        user: id(row, "user_id"),
        auth_at: at("auth_at"),
        used_at: at("used_at"),
        ends_at: at("ends_at"),
    }
}

/// Adds a session.
pub async fn insert(session: &Session, row: &UserSessionRow, secret_digest: &[u8]) -> Result<(), StoreError> {
    let sql = "INSERT INTO user_session (tenant_id, id, user_id, secret_digest, auth_at, used_at, ends_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let (auth_at, used_at, ends_at) = (
        Timestamptz(row.auth_at),
        Timestamptz(row.used_at),
        Timestamptz(row.ends_at),
    );
    session
        .execute(
            sql,
            &[
                &row.tenant.uuid(),
                &row.id.uuid(),
                &row.user.uuid(),
                &secret_digest,
                &auth_at,
                &used_at,
                &ends_at,
            ],
        )
        .await?;
    Ok(())
}

/// The session whose cookie has this digest, ended or not.
pub async fn find(session: &Session, secret_digest: &[u8]) -> Result<Option<UserSessionRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM user_session WHERE secret_digest = $1");
    Ok(session
        .query_opt(&sql, &[&secret_digest])
        .await?
        .as_ref()
        .map(read))
}

/// The session of this id, past its end or not.
pub async fn get(
    session: &Session,
    tenant: TenantId,
    id: UserSessionId,
) -> Result<Option<UserSessionRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM user_session WHERE tenant_id = $1 AND id = $2");
    Ok(session
        .query_opt(&sql, &[&tenant.uuid(), &id.uuid()])
        .await?
        .as_ref()
        .map(read))
}

/// Notes that a session was used.
pub async fn touch(
    session: &Session,
    tenant: TenantId,
    id: UserSessionId,
    now: Instant,
) -> Result<(), StoreError> {
    let sql = "UPDATE user_session SET used_at = greatest(used_at, $3) WHERE tenant_id = $1 AND id = $2";
    session
        .execute(sql, &[&tenant.uuid(), &id.uuid(), &Timestamptz(now)])
        .await?;
    Ok(())
}

/// Ends a session with its codes and refresh tokens.
pub async fn delete(session: &Session, tenant: TenantId, id: UserSessionId) -> Result<(), StoreError> {
    let sql = "DELETE FROM user_session WHERE tenant_id = $1 AND id = $2";
    session.execute(sql, &[&tenant.uuid(), &id.uuid()]).await?;
    Ok(())
}

/// Ends all sessions of a user.
pub async fn delete_of_user(session: &Session, tenant: TenantId, user: UserId) -> Result<(), StoreError> {
    let sql = "DELETE FROM user_session WHERE tenant_id = $1 AND user_id = $2";
    session.execute(sql, &[&tenant.uuid(), &user.uuid()]).await?;
    Ok(())
}

/// Removes sessions that ended before, a bounded number; tells how many.
pub async fn delete_ended(session: &Session, ended_before: Instant, limit: i64) -> Result<u64, StoreError> {
    let sql = "DELETE FROM user_session WHERE ctid = ANY (ARRAY(
                 SELECT ctid FROM user_session WHERE ends_at < $1 LIMIT $2))";
    session.execute(sql, &[&Timestamptz(ended_before), &limit]).await
}
