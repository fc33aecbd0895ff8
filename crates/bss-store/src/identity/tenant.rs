//! Tenants by name.

use bss_domain::TypedId;
use bss_domain::ids::TenantId;

use super::id;
use crate::{Session, Store, StoreError};

/// The tenant of this name.
pub async fn find(session: &Session, name: &str) -> Result<Option<TenantId>, StoreError> {
    let row = session
        .query_opt("SELECT tenant_id FROM tenant WHERE name = $1", &[&name])
        .await?;
    Ok(row.map(|row| id(&row, "tenant_id")))
}

/// Every tenant.
pub async fn all(store: &Store) -> Result<Vec<TenantId>, StoreError> {
    let connection = store.worker_connection().await?;
    let rows = connection
        .query("SELECT tenant_id FROM tenant ORDER BY name", &[])
        .await?;
    Ok(rows.iter().map(|row| id(row, "tenant_id")).collect())
}

/// Whether there is such a tenant.
pub async fn exists(session: &Session, tenant: TenantId) -> Result<bool, StoreError> {
    let row = session
        .query_opt("SELECT FROM tenant WHERE tenant_id = $1", &[&tenant.uuid()])
        .await?;
    Ok(row.is_some())
}

/// Adds a tenant unless its name is there already; tells which one has the name then.
pub async fn ensure(session: &Session, tenant: TenantId, name: &str) -> Result<TenantId, StoreError> {
    let insert = "INSERT INTO tenant (tenant_id, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    session.execute(insert, &[&tenant.uuid(), &name]).await?;
    let row = session
        .query_one("SELECT tenant_id FROM tenant WHERE name = $1", &[&name])
        .await?;
    Ok(id(&row, "tenant_id"))
}
