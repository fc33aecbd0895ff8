//! Commands that open the database of a running stack themselves: what no API offers, for whoever may read the
//! data folder's secrets.

use std::sync::Arc;

use bss_app::identity::Identity;
use bss_app::{App, RequestContext, Role};
use bss_domain::ids::TenantId;
use bss_platform::{ErrorCode, PostgresConfig, ensure_postgres, postgres_status};
use bss_store::{Store, StoreConfig};

use crate::config::Config;
use crate::failure::Failure;
use crate::serve::disk;
use crate::serve::identity::identity;
use crate::stack;

/// Who writes, in the rows that such a command leaves.
pub const ACTOR: &str = "command line";

/// The store of the running stack.
pub async fn store(config: &Config) -> Result<Store, Failure> {
    let owner_url = match &config.database_url {
        Some(url) => url.clone(),
        None => managed_url(config).await?,
    };
    let mut settings = StoreConfig::new(owner_url);
    (settings.app_connections, settings.worker_connections) = (2, 2);
    let store = Store::connect(&settings).await?;
    if config.database_url.is_none() {
        let guard = disk::guard(config);
        // Nobody watches beside a command, so each unit of work asks the file system itself. What can't be asked
        // can't be judged: the server's own process says so.
        store.write_while(Arc::new(move || {
            guard.check().is_ok_and(|status| status.writes_allowed)
        }));
    }
    Ok(store)
}

async fn managed_url(config: &Config) -> Result<String, Failure> {
    let Some(running) = postgres_status(&config.data_dir) else {
        return Err(Failure::coded(
            ErrorCode::StackNotRunning,
            format!(
                "the stack doesn't run: start it with bss up{}",
                stack::data_dir_flag(&config.data_dir)
            ),
        ));
    };
    // It runs, so this only adopts it and gives its address.
    let settings = PostgresConfig {
        data_dir: config.data_dir.clone(),
        bin_dir: config.postgres_bin.clone(),
        port: running.port,
        auto_ports: false,
        memory_mb: config.memory_mb,
    };
    Ok(ensure_postgres(&settings).await?.owner_url)
}

/// The application on the running stack, and a context within a tenant.
pub async fn app(config: &Config, tenant_name: &str) -> Result<(App, RequestContext), Failure> {
    let store = store(config).await?;
    let tenant = tenant(&identity(&config.data_dir, store.clone())?, tenant_name).await?;
    Ok((App::new(store).await?, RequestContext::system(tenant, ACTOR)))
}

/// The use cases of identity on the running stack.
pub async fn open_identity(config: &Config) -> Result<Identity, Failure> {
    identity(&config.data_dir, store(config).await?)
}

/// The tenant of a name.
pub async fn tenant(identity: &Identity, name: &str) -> Result<TenantId, Failure> {
    Ok(identity.tenant(name, ACTOR).await?)
}

/// Roles by their names; every unknown one is listed.
pub fn roles(names: &[String]) -> Result<Vec<Role>, Failure> {
    let mut roles = Vec::new();
    let mut unknown = Vec::new();
    for name in names {
        match name.parse::<Role>() {
            Ok(role) => roles.push(role),
            Err(error) => unknown.push(error.to_string()),
        }
    }
    if unknown.is_empty() {
        Ok(roles)
    } else {
        Err(Failure::Usage(unknown))
    }
}
