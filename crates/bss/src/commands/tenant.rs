//! `bss tenant`: operators that share this installation.

use super::direct::{self, ACTOR};
use crate::cli::TenantCommand;
use crate::config::Config;
use crate::failure::Failure;
use crate::output;

/// Adds a tenant and prints its id; one of this name that is there already is given instead.
pub async fn run(config: &Config, command: TenantCommand) -> Result<(), Failure> {
    let TenantCommand::Add { name } = command;
    let identity = direct::open_identity(config).await?;
    output::line(&identity.ensure_tenant(&name, ACTOR).await?.to_string());
    Ok(())
}
