//! Users: who signs in, with which roles, for which tenant and party.

use bss_domain::ids::{TenantId, UserId};
use bss_domain::{Instant, TypedId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::id;
use crate::{Session, StoreError, Timestamptz};

/// A stored user.
#[derive(Clone)]
pub struct UserRow {
    pub tenant: TenantId,
    pub id: UserId,
    /// Lower case, unique over all tenants.
    pub name: String,
    pub display_name: String,
    /// A PHC string.
    pub password_hash: String,
    pub roles: Vec<String>,
    /// The party whose data a customer's user sees.
    pub party: Option<Uuid>,
    pub disabled: bool,
    /// Failed sign-ins since the last success, and the last one's time.
    pub failures: u16,
    pub failed_at: Option<Instant>,
}

const COLUMNS: &str =
    "tenant_id, id, name, display_name, password_hash, roles, party_id, disabled, failures, failed_at";

fn read(row: &Row) -> UserRow {
    UserRow {
        tenant: id(row, "tenant_id"),
        id: id(row, "id"),
        name: row.get("name"),
        display_name: row.get("display_name"),
        password_hash: row.get("password_hash"),
        roles: row.get("roles"),
        party: row.get("party_id"),
        disabled: row.get("disabled"),
        failures: row.get::<_, i16>("failures") as u16,
        failed_at: row.get::<_, Option<Timestamptz>>("failed_at").map(|at| at.0),
    }
}

/// Adds a user.
///
/// # Errors
/// [`StoreError::Taken`] with `app_user_name`.
pub async fn insert(session: &Session, user: &UserRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO app_user (tenant_id, id, name, display_name, password_hash, roles, party_id, updated_by) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let (tenant, id) = (user.tenant.uuid(), user.id.uuid());
    session
        .execute(
            sql,
            &[
                &tenant,
                &id,
                &user.name,
                &user.display_name,
                &user.password_hash,
                &user.roles,
                &user.party,
                &session.actor(),
            ],
        )
        .await?;
    Ok(())
}

/// The user of this name, its row locked: attempts to sign in are counted one after the other.
pub async fn find_for_update(session: &Session, name: &str) -> Result<Option<UserRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM app_user WHERE name = $1 FOR UPDATE");
    Ok(session.query_opt(&sql, &[&name]).await?.as_ref().map(read))
}

/// The user with this id.
pub async fn get(session: &Session, tenant: TenantId, id: UserId) -> Result<Option<UserRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM app_user WHERE tenant_id = $1 AND id = $2");
    Ok(session
        .query_opt(&sql, &[&tenant.uuid(), &id.uuid()])
        .await?
        .as_ref()
        .map(read))
}

/// All users of a tenant, by name.
pub async fn list(session: &Session, tenant: TenantId) -> Result<Vec<UserRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM app_user WHERE tenant_id = $1 ORDER BY name");
    Ok(session
        .query(&sql, &[&tenant.uuid()])
        .await?
        .iter()
        .map(read)
        .collect())
}

/// Sets the count of failed sign-ins.
pub async fn set_failures(
    session: &Session,
    user: &UserRow,
    count: u16,
    last_at: Option<Instant>,
) -> Result<(), StoreError> {
    let sql = "UPDATE app_user SET failures = $3, failed_at = $4 WHERE tenant_id = $1 AND id = $2";
    let count = i16::try_from(count).unwrap_or(i16::MAX);
    let last_at = last_at.map(Timestamptz);
    session
        .execute(sql, &[&user.tenant.uuid(), &user.id.uuid(), &count, &last_at])
        .await?;
    Ok(())
}

/// Writes what an administrator may change: names, roles, party, password hash, disabled.
pub async fn update(session: &Session, user: &UserRow) -> Result<(), StoreError> {
    let sql = "UPDATE app_user SET display_name = $3, password_hash = $4, roles = $5, party_id = $6, disabled = $7, \
               failures = $8, updated_at = clock_timestamp(), updated_by = $9 WHERE tenant_id = $1 AND id = $2";
    let (tenant, id, failures) = (
        user.tenant.uuid(),
        user.id.uuid(),
        i16::try_from(user.failures).unwrap_or(i16::MAX),
    );
    session
        .execute(
            sql,
            &[
                &tenant,
                &id,
                &user.display_name,
                &user.password_hash,
                &user.roles,
                &user.party,
                &user.disabled,
                &failures,
                &session.actor(),
            ],
        )
        .await?;
    Ok(())
}
