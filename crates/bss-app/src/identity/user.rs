//! Users as use cases: add, change, lock, unlock.

use bss_domain::ids::{TenantId, UserId, compose};
use bss_domain::time::Instant;
use bss_domain::{Slot, TypedId};
use bss_store::identity::{self as store, user::UserRow};
use uuid::Uuid;

use super::{Identity, IdentityError};
use crate::Role;

/// A user as others see it: without its password's hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub tenant: TenantId,
    pub id: UserId,
    /// What is typed at sign-in.
    pub name: String,
    pub display_name: String,
    pub roles: Vec<Role>,
    /// The party whose data a user with the role `customer` sees.
    pub party: Option<Uuid>,
    pub disabled: bool,
}

/// What a new user needs.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub tenant: TenantId,
    pub name: String,
    pub display_name: String,
    pub roles: Vec<Role>,
    pub party: Option<Uuid>,
}

/// What of a user changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserChange {
    /// May not sign in any more; the sessions end.
    Disable,
    /// May sign in again.
    Enable,
    /// Failed sign-ins are forgiven.
    Unlock,
    /// Has these roles from the next token on.
    Roles(Vec<Role>),
    /// Sees this party's data from the next token on.
    Party(Option<Uuid>),
}

impl Identity {
    /// The tenant of this name.
    pub async fn tenant(&self, name: &str, actor: &str) -> Result<TenantId, IdentityError> {
        let work = store::begin(&self.store, actor).await?;
        let found = store::tenant::find(&work, name).await?;
        work.rollback().await?;
        found.ok_or_else(|| IdentityError::Unknown {
            what: "tenant",
            name: name.to_owned(),
        })
    }

    /// Adds a tenant; one of this name that is there already is given instead.
    pub async fn ensure_tenant(&self, name: &str, actor: &str) -> Result<TenantId, IdentityError> {
        check_name("tenant", name)?;
        let work = store::begin(&self.store, actor).await?;
        let tenant = store::tenant::ensure(&work, new_id(), name).await?;
        work.commit().await?;
        Ok(tenant)
    }

    /// Adds a user.
    ///
    /// # Errors
    /// A name that is taken in any tenant, or can't be one; an unknown tenant; a weak password.
    pub async fn add_user(&self, new: NewUser, password: &str, actor: &str) -> Result<User, IdentityError> {
        let name = new.name.trim().to_lowercase();
        check_name("user name", &name)?;
        if new.roles.is_empty() {
            return Err(IdentityError::invalid(
                "roles",
                "names none: a user needs at least one",
            ));
        }
        let row = UserRow {
            tenant: new.tenant,
            id: new_id(),
            name,
            display_name: new.display_name.trim().to_owned(),
            password_hash: self.passwords.hash(password).await?,
            roles: words_of(&new.roles),
            party: new.party,
            disabled: false,
            failures: 0,
            failed_at: None,
        };
        let work = store::begin(&self.store, actor).await?;
        if !store::tenant::exists(&work, new.tenant).await? {
            return Err(IdentityError::Unknown {
                what: "tenant",
                name: new.tenant.to_string(),
            });
        }
        store::user::insert(&work, &row)
            .await
            .map_err(|error| IdentityError::taken(error, "user", &row.name))?;
        work.commit().await?;
        Ok(user_of(row))
    }

    /// All users of a tenant, by name.
    pub async fn users(&self, tenant: TenantId, actor: &str) -> Result<Vec<User>, IdentityError> {
        let work = store::begin(&self.store, actor).await?;
        let rows = store::user::list(&work, tenant).await?;
        work.rollback().await?;
        Ok(rows.into_iter().map(user_of).collect())
    }

    /// Sets a password: the user's sessions end, failed sign-ins are forgiven.
    pub async fn set_password(&self, name: &str, password: &str, actor: &str) -> Result<(), IdentityError> {
        let hash = self.passwords.hash(password).await?;
        self.update(name, actor, true, |row| {
            row.password_hash = hash;
            row.failures = 0;
        })
        .await?;
        Ok(())
    }

    /// Changes a user; tells how it is then.
    pub async fn change_user(
        &self,
        name: &str,
        change: UserChange,
        actor: &str,
    ) -> Result<User, IdentityError> {
        let ends_sessions = change == UserChange::Disable;
        self.update(name, actor, ends_sessions, |row| match change {
            UserChange::Disable => row.disabled = true,
            UserChange::Enable => row.disabled = false,
            UserChange::Unlock => row.failures = 0,
            UserChange::Roles(roles) => row.roles = words_of(&roles),
            UserChange::Party(party) => row.party = party,
        })
        .await
    }

    async fn update(
        &self,
        name: &str,
        actor: &str,
        ends_sessions: bool,
        change: impl FnOnce(&mut UserRow),
    ) -> Result<User, IdentityError> {
        let name = name.trim().to_lowercase();
        let work = store::begin(&self.store, actor).await?;
        let Some(mut row) = store::user::find_for_update(&work, &name).await? else {
            return Err(IdentityError::Unknown { what: "user", name });
        };
        change(&mut row);
        store::user::update(&work, &row).await?;
        if ends_sessions {
            store::user_session::delete_of_user(&work, row.tenant, row.id).await?;
        }
        work.commit().await?;
        Ok(user_of(row))
    }
}

/// A new id of an identity; identities have no customer, so the slot is drawn.
pub(super) fn new_id<T: TypedId>() -> T {
    let random = rand::random::<u64>();
    T::from(compose(
        Instant::now().as_millisecond(),
        Slot::hash(&random.to_be_bytes()),
        random,
    ))
}

pub(super) fn user_of(row: UserRow) -> User {
    User {
        tenant: row.tenant,
        id: row.id,
        name: row.name,
        display_name: row.display_name,
        // A role that this version doesn't know gives no right.
        roles: row.roles.iter().filter_map(|word| word.parse().ok()).collect(),
        party: row.party,
        disabled: row.disabled,
    }
}

pub(super) fn words_of(roles: &[Role]) -> Vec<String> {
    let mut words: Vec<String> = roles.iter().map(|role| role.name().to_owned()).collect();
    words.sort();
    words.dedup();
    words
}

/// Names are typed, logged and stand in commands: short, and of few characters.
pub(super) fn check_name(what: &'static str, name: &str) -> Result<(), IdentityError> {
    let allowed = |letter: char| letter.is_alphanumeric() || ".-_@+".contains(letter);
    if name.is_empty() || name.chars().count() > 64 || !name.chars().all(allowed) {
        let reason = format!("{name:?} must have 1 to 64 letters, digits or any of . - _ @ +");
        return Err(IdentityError::invalid(what, reason));
    }
    Ok(())
}
