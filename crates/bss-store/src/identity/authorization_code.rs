//! Authorization codes, by their digest.

use bss_domain::ids::{TenantId, UserSessionId};
use bss_domain::{Instant, TypedId};
use uuid::Uuid;

use super::id;
use crate::{Session, StoreError, Timestamptz};

/// A stored code.
#[derive(Clone)]
pub struct AuthorizationCodeRow {
    pub tenant: TenantId,
    pub session: UserSessionId,
    pub client_id: String,
    pub redirect_uri: String,
    pub scope: String,
    pub nonce: Option<String>,
    /// The S256 challenge.
    pub challenge: String,
    pub expires_at: Instant,
    /// The token family that was given for it: it is used.
    pub family: Option<Uuid>,
}

/// Adds a code.
pub async fn insert(session: &Session, digest: &[u8], code: &AuthorizationCodeRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO authorization_code (digest, tenant_id, session_id, client_id, redirect_uri, scope, nonce, \
               challenge, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    session
        .execute(
            sql,
            &[
                &digest,
                &code.tenant.uuid(),
                &code.session.uuid(),
                &code.client_id,
                &code.redirect_uri,
                &code.scope,
                &code.nonce,
                &code.challenge,
                &Timestamptz(code.expires_at),
            ],
        )
        .await?;
    Ok(())
}

/// The code with this digest, its row locked: of two calls with one code, the second sees it used.
pub async fn find_for_update(
    session: &Session,
    digest: &[u8],
) -> Result<Option<AuthorizationCodeRow>, StoreError> {
    let sql = "SELECT tenant_id, session_id, client_id, redirect_uri, scope, nonce, challenge, expires_at, family \
               FROM authorization_code WHERE digest = $1 FOR UPDATE";
    let row = session.query_opt(sql, &[&digest]).await?;
    Ok(row.map(|row| AuthorizationCodeRow {
        tenant: id(&row, "tenant_id"),
        session: id(&row, "session_id"),
        client_id: row.get("client_id"),
        redirect_uri: row.get("redirect_uri"),
        scope: row.get("scope"),
        nonce: row.get("nonce"),
        challenge: row.get("challenge"),
        expires_at: row.get::<_, Timestamptz>("expires_at").0,
        family: row.get("family"),
    }))
}

/// Notes what was given for a code.
pub async fn set_used(session: &Session, digest: &[u8], family: Uuid) -> Result<(), StoreError> {
    session
        .execute(
            "UPDATE authorization_code SET family = $2 WHERE digest = $1",
            &[&digest, &family],
        )
        .await?;
    Ok(())
}
