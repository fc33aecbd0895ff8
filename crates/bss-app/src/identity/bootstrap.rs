//! What a new database gets at its first start: a tenant, the console as a client, one user per role.

use bss_domain::ids::TenantId;

use super::client::NewClient;
use super::user::NewUser;
use super::{Identity, IdentityError, secret};
use crate::Role;

/// The tenant that the first start makes.
pub const DEFAULT_TENANT: &str = "default";
/// The console's client.
pub const CONSOLE_CLIENT: &str = "bss-console";
const ACTOR: &str = "bootstrap";

/// What the first start made.
#[derive(Debug, Clone)]
pub struct Bootstrapped {
    pub tenant: TenantId,
    /// Sign-in names with their generated passwords, for a file that only the operator reads. Empty: nothing was
    /// made, since users are there already.
    pub users: Vec<(String, String)>,
}

impl Identity {
    /// Makes the tenant `default`, the client `bss-console` with the public addresses (no slash at their ends), and
    /// one user per role unless the tenant has users. Every start may call it.
    pub async fn bootstrap(&self, public_urls: &[String]) -> Result<Bootstrapped, IdentityError> {
        let tenant = self.ensure_tenant(DEFAULT_TENANT, ACTOR).await?;
        let addresses = |path: &str| public_urls.iter().map(|url| format!("{url}{path}")).collect();
        let console = NewClient {
            client_id: CONSOLE_CLIENT.to_owned(),
            name: "BSS console".to_owned(),
            redirect_uris: addresses("/auth/callback"),
            post_logout_redirect_uris: addresses("/"),
            ..NewClient::default()
        };
        self.ensure_public_client(console, ACTOR).await?;
        let mut users = Vec::new();
        if self.users(tenant, ACTOR).await?.is_empty() {
            for role in Role::ALL {
                users.push(self.add_first_user(tenant, role).await?);
            }
        }
        Ok(Bootstrapped { tenant, users })
    }

    async fn add_first_user(&self, tenant: TenantId, role: Role) -> Result<(String, String), IdentityError> {
        let password = secret::generate_password();
        let new = NewUser {
            tenant,
            name: role.name().to_owned(),
            display_name: display_name(role).to_owned(),
            roles: vec![role],
            party: None,
        };
        let user = self.add_user(new, &password, ACTOR).await?;
        Ok((user.name, password))
    }
}

const fn display_name(role: Role) -> &'static str {
    match role {
        Role::Admin => "Administrator",
        Role::Csr => "Customer service",
        Role::ProductManager => "Product manager",
        Role::Billing => "Billing",
        Role::Network => "Network",
        Role::Operations => "Operations",
        Role::Customer => "Customer",
    }
}
