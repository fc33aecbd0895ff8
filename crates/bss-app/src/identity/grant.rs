//! Grants: authorization codes, and refresh tokens that rotate.

use bss_domain::ids::UserSessionId;
use bss_domain::time::Instant;
use bss_store::identity::authorization_code::AuthorizationCodeRow;
use bss_store::identity::refresh_token::TokenFamilyRow;
use bss_store::identity::{self as store};
use bss_store::{Session, UnitOfWork};
use jiff::SignedDuration;
use uuid::Uuid;

use super::client::Client;
use super::lifetimes::{CODE_S, SESSION_IDLE_S};
use super::sign_in::{SignedIn, signed_in};
use super::{Identity, IdentityError, secret};

const ACTOR: &str = "issuer";

/// What a code is bound to.
#[derive(Debug, Clone)]
pub struct CodeRequest {
    pub client_id: String,
    pub redirect_uri: String,
    /// The granted scopes, space-separated.
    pub scope: String,
    pub nonce: Option<String>,
    /// The S256 challenge.
    pub challenge: String,
}

/// What tokens are made from.
#[derive(Debug, Clone)]
pub struct Grant {
    pub signed_in: SignedIn,
    pub scope: String,
    /// Only for a code: a refreshed ID token has none (OpenID Connect Core §12.2).
    pub nonce: Option<String>,
    /// The next refresh token, and how many seconds it lives.
    pub refresh_token: String,
    pub refresh_expires_in_s: i64,
}

/// Why a code or token is no grant. Which of them it was stays in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoGrant {
    /// Never given, or removed.
    Unknown,
    /// Given to another client, or for another address.
    Mismatch,
    /// Too late.
    Expired,
    /// The proof of PKCE fails.
    Proof,
    /// Used before: everything that came from it has been revoked now.
    Reused,
    /// Revoked before.
    Revoked,
    /// The session has ended.
    SessionEnded,
}

impl Identity {
    /// A code for a signed-in user's browser to carry to the client.
    pub async fn issue_code(
        &self,
        signed_in: &SignedIn,
        request: CodeRequest,
        now: Instant,
    ) -> Result<String, IdentityError> {
        let code = secret::generate();
        let row = AuthorizationCodeRow {
            tenant: signed_in.user.tenant,
            session: signed_in.session,
            client_id: request.client_id,
            redirect_uri: request.redirect_uri,
            scope: request.scope,
            nonce: request.nonce,
            challenge: request.challenge,
            expires_at: after(now, CODE_S),
            family: None,
        };
        let work = store::begin(&self.store, ACTOR).await?;
        store::authorization_code::insert(&work, &secret::digest_of(&code), &row).await?;
        work.commit().await?;
        Ok(code)
    }

    /// Redeems a code, once; `proves` says whether the caller knows what the challenge was made from.
    pub async fn redeem_code(
        &self,
        client: &Client,
        code: &str,
        redirect_uri: &str,
        proves: impl Fn(&str) -> bool + Send,
        now: Instant,
    ) -> Result<Result<Grant, NoGrant>, IdentityError> {
        let digest = secret::digest_of(code);
        let work = store::begin(&self.store, ACTOR).await?;
        let Some(row) = store::authorization_code::find_for_update(&work, &digest).await? else {
            return refused(work, NoGrant::Unknown).await;
        };
        if row.client_id != client.client_id || row.redirect_uri != redirect_uri {
            return refused(work, NoGrant::Mismatch).await;
        }
        if let Some(family) = row.family {
            store::refresh_token::revoke_family(&work, row.tenant, family, now).await?;
            return refused(work, NoGrant::Reused).await;
        }
        if now >= row.expires_at {
            return refused(work, NoGrant::Expired).await;
        }
        if !proves(&row.challenge) {
            return refused(work, NoGrant::Proof).await;
        }
        let family = TokenFamilyRow {
            tenant: row.tenant,
            id: Uuid::from(super::user::new_id::<UserSessionId>()),
            session: row.session,
            client_id: row.client_id,
            scope: row.scope,
        };
        store::refresh_token::insert_family(&work, &family).await?;
        store::authorization_code::set_used(&work, &digest, family.id).await?;
        grant(work, family, row.nonce, now).await
    }

    /// Rotates a refresh token. One that was rotated before revokes its whole family: one of its two holders is a
    /// thief, and nobody can tell which (RFC 9700 §4.14.2).
    pub async fn refresh(
        &self,
        client: &Client,
        token: &str,
        now: Instant,
    ) -> Result<Result<Grant, NoGrant>, IdentityError> {
        let digest = secret::digest_of(token);
        let work = store::begin(&self.store, ACTOR).await?;
        let Some(row) = store::refresh_token::find_for_update(&work, &digest).await? else {
            return refused(work, NoGrant::Unknown).await;
        };
        if row.family.client_id != client.client_id {
            return refused(work, NoGrant::Mismatch).await;
        }
        if row.revoked {
            return refused(work, NoGrant::Revoked).await;
        }
        if row.used {
            store::refresh_token::revoke_family(&work, row.family.tenant, row.family.id, now).await?;
            return refused(work, NoGrant::Reused).await;
        }
        if now >= row.expires_at {
            return refused(work, NoGrant::Expired).await;
        }
        store::refresh_token::set_used(&work, &digest, now).await?;
        grant(work, row.family, None, now).await
    }
}

/// Commits what was noted (a revocation) and refuses.
async fn refused(work: UnitOfWork, why: NoGrant) -> Result<Result<Grant, NoGrant>, IdentityError> {
    work.commit().await?;
    tracing::warn!(?why, "a grant was refused");
    Ok(Err(why))
}

/// Gives the next refresh token of a family whose session is alive.
async fn grant(
    work: UnitOfWork,
    family: TokenFamilyRow,
    nonce: Option<String>,
    now: Instant,
) -> Result<Result<Grant, NoGrant>, IdentityError> {
    let Some(signed_in) = live_session(&work, &family, now).await? else {
        return refused(work, NoGrant::SessionEnded).await;
    };
    let expires_at = after(now, SESSION_IDLE_S).min(signed_in.ends_at);
    let refresh_token = secret::generate();
    store::refresh_token::insert(&work, &secret::digest_of(&refresh_token), &family, expires_at).await?;
    work.commit().await?;
    Ok(Ok(Grant {
        signed_in,
        scope: family.scope,
        nonce,
        refresh_token,
        refresh_expires_in_s: expires_at.as_second() - now.as_second(),
    }))
}

async fn live_session(
    work: &Session,
    family: &TokenFamilyRow,
    now: Instant,
) -> Result<Option<SignedIn>, IdentityError> {
    let Some(row) = store::user_session::get(work, family.tenant, family.session).await? else {
        return Ok(None);
    };
    let found = signed_in(work, &row, now).await?;
    if found.is_some() {
        store::user_session::touch(work, row.tenant, row.id, now).await?;
    }
    Ok(found)
}

fn after(now: Instant, seconds: i64) -> Instant {
    now.saturating_add(SignedDuration::from_secs(seconds))
        .unwrap_or(now)
}
