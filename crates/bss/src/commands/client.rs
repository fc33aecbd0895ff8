//! `bss client`: machines that sign in with a secret of their own.

use bss_app::identity::client::NewClient;

use super::direct::{self, ACTOR};
use crate::cli::{ClientCommand, ClientOptions};
use crate::config::Config;
use crate::failure::Failure;
use crate::output;

/// Adds a client for the client credentials grant.
pub async fn run(config: &Config, command: ClientCommand) -> Result<(), Failure> {
    let ClientCommand::Add(ClientOptions { id, role, tenant }) = command;
    let roles = direct::roles(&role)?;
    let identity = direct::open_identity(config).await?;
    let new = NewClient {
        name: id.clone(),
        client_id: id,
        tenant: Some(direct::tenant(&identity, &tenant).await?),
        roles,
        ..NewClient::default()
    };
    let (_, secret) = identity.add_client(new, ACTOR).await?;
    output::line(&secret.unwrap_or_default());
    Ok(())
}
