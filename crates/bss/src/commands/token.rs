//! `bss token`: an access token for curl, signed by the stack's issuer.

use std::sync::Arc;

use bss_api::issuer::{Issuer, IssuerConfig};
use bss_platform::{ErrorCode, read_state};

use super::direct;
use crate::cli::TokenOptions;
use crate::config::Config;
use crate::failure::Failure;
use crate::output;

/// Prints a token of ten minutes.
pub async fn run(config: &Config, options: &TokenOptions) -> Result<(), Failure> {
    output::line(&token(config, &options.role, &options.tenant, options.party).await?);
    Ok(())
}

/// A token as a role, for commands that are clients of the API.
pub async fn token(
    config: &Config,
    role: &str,
    tenant: &str,
    party: Option<uuid::Uuid>,
) -> Result<String, Failure> {
    let role = direct::roles(&[role.to_owned()])?[0];
    let identity = direct::open_identity(config).await?;
    let tenant = direct::tenant(&identity, tenant).await?;
    let issuer = Issuer::start(Arc::new(identity), IssuerConfig::new(vec![public_url(config)?])).await?;
    Ok(issuer.mint_service_token(tenant, role, party)?)
}

/// The first public address of the running stack: the issuer's name begins with it.
pub fn public_url(config: &Config) -> Result<String, Failure> {
    if let Some(url) = config.public_urls.first() {
        return Ok(url.clone());
    }
    let gateway = read_state(&config.data_dir).and_then(|state| state.listeners.get("gateway").cloned());
    let port = gateway
        .as_deref()
        .and_then(|address| address.rsplit(':').next())
        .map(str::to_owned);
    let port = port.ok_or_else(|| {
        Failure::coded(
            ErrorCode::StackNotRunning,
            format!(
                "no gateway runs: start it with bss up{}",
                crate::stack::data_dir_flag(&config.data_dir)
            ),
        )
    })?;
    Ok(format!("http://127.0.0.1:{port}"))
}
