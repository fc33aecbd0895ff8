//! Users, clients, sessions, grants and signing keys of the built-in issuer.
//!
//! These tables are looked up before a tenant is known. [`begin`] opens the one kind of transaction that sees all
//! tenants' identities; in any other, row-level security shows those of its own tenant alone.

pub mod authorization_code;
pub mod client;
pub mod refresh_token;
pub mod signing_key;
pub mod tenant;
pub mod user;
pub mod user_session;

use bss_domain::TypedId;
use bss_domain::ids::TenantId;
use uuid::Uuid;

use crate::{Scope, Store, StoreError, UnitOfWork};

/// Begins a unit of work over the identities of all tenants; it sees no other rows.
pub async fn begin(store: &Store, actor: &str) -> Result<UnitOfWork, StoreError> {
    let work = store
        .begin_within_reserve(Scope::new(TenantId::from(Uuid::nil()), actor))
        .await?;
    work.query_one("SELECT set_config('bss.issuer', 'on', true)", &[])
        .await?;
    Ok(work)
}

/// A typed id out of a row.
fn id<T: TypedId>(row: &tokio_postgres::Row, column: &str) -> T {
    T::from(row.get::<_, Uuid>(column))
}
