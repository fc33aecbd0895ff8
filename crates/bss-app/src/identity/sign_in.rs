//! Signing in and out: passwords against the lock-out rule, and sessions.

use bss_domain::ids::{TenantId, UserSessionId};
use bss_domain::time::Instant;
use bss_store::identity::user_session::UserSessionRow;
use bss_store::identity::{self as store};
use jiff::SignedDuration;

use super::lifetimes::{SESSION_IDLE_S, SESSION_MAX_S};
use super::lockout::Failures;
use super::user::{User, new_id, user_of};
use super::{Identity, IdentityError, secret};

const ACTOR: &str = "issuer";

/// Ended sessions are removed this many at a time.
const PURGE_AT_ONCE: i64 = 1000;

/// A user with the session that it is signed in by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    pub session: UserSessionId,
    /// When the password was given.
    pub auth_at: Instant,
    /// When the session ends at the latest.
    pub ends_at: Instant,
    pub user: User,
}

impl Identity {
    /// The user of this name and password. None where it is unknown, disabled or locked or the password is wrong:
    /// the answer and its time are the same, so that nobody learns which names exist.
    pub async fn check_password(
        &self,
        name: &str,
        password: &str,
        now: Instant,
    ) -> Result<Option<User>, IdentityError> {
        let name = name.trim().to_lowercase();
        let hash = self.count_attempt(&name, now).await?;
        if !self.passwords.verify(password, hash.as_deref()).await? {
            return Ok(None);
        }
        let work = store::begin(&self.store, ACTOR).await?;
        let found = store::user::find_for_update(&work, &name).await?;
        let Some(row) = found.filter(|row| !row.disabled && Some(&row.password_hash) == hash.as_ref()) else {
            return Ok(None);
        };
        store::user::set_failures(&work, &row, 0, None).await?;
        work.commit().await?;
        Ok(Some(user_of(row)))
    }

    /// Counts an attempt before its password is looked at; gives the hash to compare with, if it may be.
    async fn count_attempt(&self, name: &str, now: Instant) -> Result<Option<String>, IdentityError> {
        let work = store::begin(&self.store, ACTOR).await?;
        let Some(row) = store::user::find_for_update(&work, name).await? else {
            work.rollback().await?;
            return Ok(None);
        };
        let failures = Failures {
            count: row.failures,
            last_at: row.failed_at,
        };
        let Ok(counted) = failures.attempt(now) else {
            tracing::warn!(user = %row.id, "a sign-in during a lock-out was refused");
            work.rollback().await?;
            return Ok(None);
        };
        store::user::set_failures(&work, &row, counted.count, counted.last_at).await?;
        work.commit().await?;
        Ok(Some(row.password_hash))
    }

    /// Opens a session for a user that has just given its password; gives the secret for its browser.
    pub async fn open_session(&self, user: &User, now: Instant) -> Result<(SignedIn, String), IdentityError> {
        let row = UserSessionRow {
            tenant: user.tenant,
            id: new_id(),
            user: user.id,
            auth_at: now,
            used_at: now,
            ends_at: now
                .saturating_add(SignedDuration::from_secs(SESSION_MAX_S))
                .unwrap_or(now),
        };
        let secret = secret::generate();
        let work = store::begin(&self.store, ACTOR).await?;
        store::user_session::delete_ended(&work, now, PURGE_AT_ONCE).await?;
        store::user_session::insert(&work, &row, &secret::digest_of(&secret)).await?;
        work.commit().await?;
        let signed_in = SignedIn {
            session: row.id,
            auth_at: now,
            ends_at: row.ends_at,
            user: user.clone(),
        };
        Ok((signed_in, secret))
    }

    /// Who is signed in by this secret; none where the session has ended, rested too long, or its user is disabled.
    pub async fn session_by_secret(
        &self,
        secret: &str,
        now: Instant,
    ) -> Result<Option<SignedIn>, IdentityError> {
        let work = store::begin(&self.store, ACTOR).await?;
        let row = store::user_session::find(&work, &secret::digest_of(secret)).await?;
        self.live(work, row, now).await
    }

    /// Who is signed in by this session; none as in [`Self::session_by_secret`].
    pub async fn session(
        &self,
        tenant: TenantId,
        id: UserSessionId,
        now: Instant,
    ) -> Result<Option<SignedIn>, IdentityError> {
        let work = store::begin(&self.store, ACTOR).await?;
        let row = store::user_session::get(&work, tenant, id).await?;
        self.live(work, row, now).await
    }

    /// Ends a session with all that was granted in it. An ended one stays ended.
    pub async fn end_session(&self, tenant: TenantId, id: UserSessionId) -> Result<(), IdentityError> {
        let work = store::begin(&self.store, ACTOR).await?;
        store::user_session::delete(&work, tenant, id).await?;
        Ok(work.commit().await?)
    }

    async fn live(
        &self,
        work: bss_store::UnitOfWork,
        row: Option<UserSessionRow>,
        now: Instant,
    ) -> Result<Option<SignedIn>, IdentityError> {
        let signed_in = match row {
            Some(row) => signed_in(&work, &row, now).await?,
            None => None,
        };
        if let Some(found) = &signed_in {
            store::user_session::touch(&work, found.user.tenant, found.session, now).await?;
        }
        work.commit().await?;
        Ok(signed_in)
    }
}

/// The user of a session that is neither over nor rested too long.
pub(super) async fn signed_in(
    work: &bss_store::Session,
    row: &UserSessionRow,
    now: Instant,
) -> Result<Option<SignedIn>, IdentityError> {
    if now >= row.ends_at || now.as_second() - row.used_at.as_second() >= SESSION_IDLE_S {
        return Ok(None);
    }
    let user = store::user::get(work, row.tenant, row.user)
        .await?
        .filter(|user| !user.disabled);
    Ok(user.map(|user| SignedIn {
        session: row.id,
        auth_at: row.auth_at,
        ends_at: row.ends_at,
        user: user_of(user),
    }))
}
