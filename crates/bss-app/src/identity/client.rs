//! Clients as use cases: add one, find the one that calls.

use bss_domain::ids::{TenantId, UserId};
use bss_store::identity::{self as store, client::ClientRow};

use super::user::{check_name, new_id, words_of};
use super::{Identity, IdentityError, secret};
use crate::Role;

/// A client of the issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub client_id: String,
    /// The subject of its service account's tokens.
    pub id: UserId,
    /// None: it serves users of all tenants.
    pub tenant: Option<TenantId>,
    pub name: String,
    /// Whether it has no secret and proves itself by PKCE alone.
    pub public: bool,
    /// Those of its service account; empty: client credentials are refused.
    pub roles: Vec<Role>,
    /// Compared character by character.
    pub redirect_uris: Vec<String>,
    /// Compared character by character.
    pub post_logout_redirect_uris: Vec<String>,
}

/// What a new client needs.
#[derive(Debug, Clone, Default)]
pub struct NewClient {
    pub client_id: String,
    pub name: String,
    /// None: it serves users of all tenants. A service account needs one.
    pub tenant: Option<TenantId>,
    /// Without a secret, as an application in a browser can't keep one.
    pub public: bool,
    /// Those of its service account.
    pub roles: Vec<Role>,
    pub redirect_uris: Vec<String>,
    pub post_logout_redirect_uris: Vec<String>,
}

impl Identity {
    /// Adds a client; gives its secret, unless it is public: it is stored nowhere else and shown this once.
    pub async fn add_client(
        &self,
        new: NewClient,
        actor: &str,
    ) -> Result<(Client, Option<String>), IdentityError> {
        check_new(&new)?;
        let secret = (!new.public).then(secret::generate);
        let row = ClientRow {
            client_id: new.client_id,
            id: new_id(),
            tenant: new.tenant,
            name: new.name,
            secret_digest: secret.as_deref().map(secret::digest_of),
            roles: words_of(&new.roles),
            redirect_uris: new.redirect_uris,
            post_logout_redirect_uris: new.post_logout_redirect_uris,
            disabled: false,
        };
        let work = store::begin(&self.store, actor).await?;
        store::client::insert(&work, &row)
            .await
            .map_err(|error| IdentityError::taken(error, "client", &row.client_id))?;
        work.commit().await?;
        Ok((client_of(row), secret))
    }

    /// Adds a public client for all tenants, or gives the one that is there these addresses: an operator's public
    /// address may change between two starts.
    pub async fn ensure_public_client(&self, new: NewClient, actor: &str) -> Result<(), IdentityError> {
        let (redirects, logouts) = (new.redirect_uris.clone(), new.post_logout_redirect_uris.clone());
        let client_id = new.client_id.clone();
        match self.add_client(NewClient { public: true, ..new }, actor).await {
            Ok(_) => Ok(()),
            Err(IdentityError::Taken { .. }) => {
                let work = store::begin(&self.store, actor).await?;
                store::client::set_addresses(&work, &client_id, &redirects, &logouts).await?;
                Ok(work.commit().await?)
            }
            Err(error) => Err(error),
        }
    }

    /// The client of this id, unless it is unknown or disabled.
    pub async fn client(&self, client_id: &str) -> Result<Option<Client>, IdentityError> {
        Ok(self.client_row(client_id).await?.map(client_of))
    }

    /// The client that proves itself with this secret, or a public one that shows none. None: unknown, disabled, a
    /// wrong secret, none where one is needed, or one where there is none.
    pub async fn authenticate_client(
        &self,
        client_id: &str,
        secret: Option<&str>,
    ) -> Result<Option<Client>, IdentityError> {
        let Some(row) = self.client_row(client_id).await? else {
            return Ok(None);
        };
        let proven = match (&row.secret_digest, secret) {
            (None, None) => true,
            (Some(digest), Some(secret)) => secret::equal(digest, &secret::digest_of(secret)),
            _ => false,
        };
        Ok(proven.then(|| client_of(row)))
    }

    async fn client_row(&self, client_id: &str) -> Result<Option<ClientRow>, IdentityError> {
        let work = store::begin(&self.store, "issuer").await?;
        let found = store::client::find(&work, client_id).await?;
        work.rollback().await?;
        Ok(found.filter(|client| !client.disabled))
    }
}

fn check_new(new: &NewClient) -> Result<(), IdentityError> {
    check_name("client id", &new.client_id)?;
    if !new.roles.is_empty() && (new.public || new.tenant.is_none()) {
        return Err(IdentityError::invalid(
            "roles",
            "need a client with a secret and a tenant",
        ));
    }
    for uri in new.redirect_uris.iter().chain(&new.post_logout_redirect_uris) {
        check_redirect_uri(uri)?;
    }
    Ok(())
}

/// An absolute URI without a fragment (RFC 6749 §3.1.2) and without what could leave a header or an attribute.
fn check_redirect_uri(uri: &str) -> Result<(), IdentityError> {
    let (scheme, rest) = uri.split_once(':').unwrap_or_default();
    let absolute = scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !rest.is_empty();
    let harmless = uri
        .bytes()
        .all(|byte| (0x21..=0x7E).contains(&byte) && !b"#\"<>\\^`{|}*".contains(&byte));
    let dangerous = ["javascript", "data", "vbscript"]
        .iter()
        .any(|word| scheme.eq_ignore_ascii_case(word));
    if absolute && harmless && !dangerous && uri.len() <= 2000 {
        return Ok(());
    }
    Err(IdentityError::invalid(
        "redirect URI",
        format!("{uri:?} must be absolute, without a fragment or wildcard"),
    ))
}

fn client_of(row: ClientRow) -> Client {
    Client {
        public: row.secret_digest.is_none(),
        client_id: row.client_id,
        id: row.id,
        tenant: row.tenant,
        name: row.name,
        roles: row.roles.iter().filter_map(|word| word.parse().ok()).collect(),
        redirect_uris: row.redirect_uris,
        post_logout_redirect_uris: row.post_logout_redirect_uris,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_addresses_are_registered() {
        for (uri, good) in [
            ("https://console.example/auth/callback", true),
            ("http://127.0.0.1:8000/auth/callback?x=1", true),
            ("com.example.app:/callback", true),
            ("/auth/callback", false),
            ("https://a.example/#x", false),
            ("https://*.example/", false),
            ("https://a.example/\r\nSet-Cookie: a", false),
            ("javascript:alert(1)", false),
            ("", false),
            (":x", false),
        ] {
            assert_eq!(check_redirect_uri(uri).is_ok(), good, "{uri}");
        }
    }
}
