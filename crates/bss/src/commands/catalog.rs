//! `bss catalog`: tariffs from files, over the public API.

use bss_load::api_client::ApiClient;
use bss_load::catalog_import;
use serde_json::json;

use super::token::{public_url, token};
use crate::cli::{CatalogCommand, CatalogImportOptions};
use crate::config::Config;
use crate::failure::Failure;
use crate::output;

/// Loads files; what stands there already by name and version is left as it is.
pub async fn run(config: &Config, command: CatalogCommand) -> Result<(), Failure> {
    let CatalogCommand::Import(CatalogImportOptions { place, tenant, json }) = command;
    let token = token(config, "product-manager", &tenant, None).await?;
    let client =
        ApiClient::new(&public_url(config)?, token).map_err(|error| Failure::refused(error.to_string()))?;
    let imported = catalog_import::import(&client, &place)
        .await
        .map_err(|error| Failure::refused(error.to_string()))?;
    if json {
        return output::json(&json!({
            "created": imported.created,
            "known": imported.known,
            "ids": imported.ids,
        }));
    }
    eprintln!("{} created, {} there already", imported.created, imported.known);
    Ok(())
}
