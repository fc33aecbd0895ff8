//! Clients: applications that sign users in, and service accounts.

use bss_domain::TypedId;
use bss_domain::ids::{TenantId, UserId};
use uuid::Uuid;

use super::id;
use crate::{Session, StoreError};

/// A stored client.
#[derive(Clone)]
pub struct ClientRow {
    pub client_id: String,
    /// The subject of its service account's tokens.
    pub id: UserId,
    /// None: it serves users of all tenants.
    pub tenant: Option<TenantId>,
    pub name: String,
    /// SHA-256 of its secret; none: a public client.
    pub secret_digest: Option<Vec<u8>>,
    /// Those of its service account.
    pub roles: Vec<String>,
    pub redirect_uris: Vec<String>,
    pub post_logout_redirect_uris: Vec<String>,
    pub disabled: bool,
}

/// Adds a client.
///
/// # Errors
/// [`StoreError::Taken`] with `issuer_client_pkey`.
pub async fn insert(session: &Session, client: &ClientRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO issuer_client (client_id, id, tenant_id, name, secret_digest, roles, redirect_uris, \
               post_logout_redirect_uris, updated_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let (id, tenant) = (client.id.uuid(), client.tenant.map(Uuid::from));
    session
        .execute(
            sql,
            &[
                &client.client_id,
                &id,
                &tenant,
                &client.name,
                &client.secret_digest,
                &client.roles,
                &client.redirect_uris,
                &client.post_logout_redirect_uris,
                &session.actor(),
            ],
        )
        .await?;
    Ok(())
}

/// The client of this id.
pub async fn find(session: &Session, client_id: &str) -> Result<Option<ClientRow>, StoreError> {
    let sql = "SELECT client_id, id, tenant_id, name, secret_digest, roles, redirect_uris, post_logout_redirect_uris, \
               disabled FROM issuer_client WHERE client_id = $1";
    let row = session.query_opt(sql, &[&client_id]).await?;
    Ok(row.map(|row| ClientRow {
        client_id: row.get("client_id"),
        id: id(&row, "id"),
        tenant: row.get::<_, Option<Uuid>>("tenant_id").map(TenantId::from),
        name: row.get("name"),
        secret_digest: row.get("secret_digest"),
        roles: row.get("roles"),
        redirect_uris: row.get("redirect_uris"),
        post_logout_redirect_uris: row.get("post_logout_redirect_uris"),
        disabled: row.get("disabled"),
    }))
}

/// Sets the addresses that a client may be sent back to.
pub async fn set_addresses(
    session: &Session,
    client_id: &str,
    redirect_uris: &[String],
    post_logout_redirect_uris: &[String],
) -> Result<(), StoreError> {
    let sql = "UPDATE issuer_client SET redirect_uris = $2, post_logout_redirect_uris = $3, \
               updated_at = clock_timestamp(), updated_by = $4 WHERE client_id = $1 \
               AND (redirect_uris, post_logout_redirect_uris) IS DISTINCT FROM ($2, $3)";
    session
        .execute(
            sql,
            &[
                &client_id,
                &redirect_uris,
                &post_logout_redirect_uris,
                &session.actor(),
            ],
        )
        .await?;
    Ok(())
}
