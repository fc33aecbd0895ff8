//! Refresh tokens, by their digest, and the families that they rotate in.

use bss_domain::ids::{TenantId, UserSessionId};
use bss_domain::{Instant, TypedId};
use uuid::Uuid;

use super::id;
use crate::{Session, StoreError, Timestamptz};

/// All refresh tokens that one sign-in of one client led to.
#[derive(Clone)]
pub struct TokenFamilyRow {
    pub tenant: TenantId,
    pub id: Uuid,
    pub session: UserSessionId,
    pub client_id: String,
    pub scope: String,
}

/// A stored token with what its family says.
#[derive(Clone)]
pub struct RefreshTokenRow {
    pub family: TokenFamilyRow,
    pub expires_at: Instant,
    /// It was rotated: whoever shows it again is a thief, or was robbed.
    pub used: bool,
    /// Its family was revoked.
    pub revoked: bool,
}

/// Adds a family.
pub async fn insert_family(session: &Session, family: &TokenFamilyRow) -> Result<(), StoreError> {
    let sql =
        "INSERT INTO token_family (tenant_id, id, session_id, client_id, scope) VALUES ($1, $2, $3, $4, $5)";
    session
        .execute(
            sql,
            &[
                &family.tenant.uuid(),
                &family.id,
                &family.session.uuid(),
                &family.client_id,
                &family.scope,
            ],
        )
        .await?;
    Ok(())
}

/// Adds a token to a family.
pub async fn insert(
    session: &Session,
    digest: &[u8],
    family: &TokenFamilyRow,
    expires_at: Instant,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO refresh_token (digest, tenant_id, family, expires_at) VALUES ($1, $2, $3, $4)";
    session
        .execute(
            sql,
            &[
                &digest,
                &family.tenant.uuid(),
                &family.id,
                &Timestamptz(expires_at),
            ],
        )
        .await?;
    Ok(())
}

/// The token with this digest. Its family's row is locked, so that a rotation and a revocation of one family come
/// one after the other, whichever of its tokens they start from.
pub async fn find_for_update(
    session: &Session,
    digest: &[u8],
) -> Result<Option<RefreshTokenRow>, StoreError> {
    let lock = "SELECT f.id FROM token_family f JOIN refresh_token t ON (t.tenant_id, t.family) = (f.tenant_id, f.id) \
                WHERE t.digest = $1 FOR UPDATE OF f";
    if session.query_opt(lock, &[&digest]).await?.is_none() {
        return Ok(None);
    }
    // Read after the lock is held: what the one before us wrote is seen.
    let sql = "SELECT f.tenant_id, f.id, f.session_id, f.client_id, f.scope, f.revoked_at IS NOT NULL AS revoked, \
               t.expires_at, t.used_at IS NOT NULL AS used \
               FROM refresh_token t JOIN token_family f ON (t.tenant_id, t.family) = (f.tenant_id, f.id) \
               WHERE t.digest = $1";
    let row = session.query_opt(sql, &[&digest]).await?;
    Ok(row.map(|row| RefreshTokenRow {
        family: TokenFamilyRow {
            tenant: id(&row, "tenant_id"),
            id: row.get("id"),
            session: id(&row, "session_id"),
            client_id: row.get("client_id"),
            scope: row.get("scope"),
        },
        expires_at: row.get::<_, Timestamptz>("expires_at").0,
        used: row.get("used"),
        revoked: row.get("revoked"),
    }))
}

/// Notes that a token was rotated.
pub async fn set_used(session: &Session, digest: &[u8], now: Instant) -> Result<(), StoreError> {
    session
        .execute(
            "UPDATE refresh_token SET used_at = $2 WHERE digest = $1",
            &[&digest, &Timestamptz(now)],
        )
        .await?;
    Ok(())
}

/// Revokes a family: none of its tokens is good any more.
pub async fn revoke_family(
    session: &Session,
    tenant: TenantId,
    family: Uuid,
    now: Instant,
) -> Result<(), StoreError> {
    let sql =
        "UPDATE token_family SET revoked_at = coalesce(revoked_at, $3) WHERE tenant_id = $1 AND id = $2";
    session
        .execute(sql, &[&tenant.uuid(), &family, &Timestamptz(now)])
        .await?;
    Ok(())
}
