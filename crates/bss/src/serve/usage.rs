//! Role `usage`: the watched folder, each of its subfolders a source of that name.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use bss_app::RequestContext;
use bss_app::identity::bootstrap::DEFAULT_TENANT;
use bss_app::usage_import::{UsageImport, watch_folder};
use bss_domain::ids::TenantId;
use bss_platform::PlatformError;
use bss_store::usage_source;
use tokio::task::JoinSet;

use super::{Serving, identity};
use crate::failure::Failure;

/// How often a folder is looked at: a file counts as complete when it rests between two looks.
const EVERY: Duration = Duration::from_secs(1);
const ACTOR: &str = "watched folder";

/// Starts the watch: a source that is declared later gets its folder at the next look.
pub async fn start(serving: &Serving, tasks: &mut JoinSet<()>) -> Result<(), Failure> {
    let folder = serving
        .config
        .usage_dir
        .clone()
        .unwrap_or_else(|| serving.config.data_dir.join("usage"));
    std::fs::create_dir_all(&folder).map_err(PlatformError::io("create", &folder))?;
    let part = serving.ops.readiness.register("usage");
    let identity = identity::identity(&serving.config.data_dir, serving.app.store.clone())?;
    let tenant = identity.ensure_tenant(DEFAULT_TENANT, ACTOR).await?;
    let serving = serving.clone();
    tasks.spawn(async move {
        part.ready();
        watch(&serving, tenant, folder).await;
    });
    Ok(())
}

async fn watch(serving: &Serving, tenant: TenantId, folder: PathBuf) {
    let mut watched = BTreeSet::new();
    let mut watches = JoinSet::new();
    let mut ticks = tokio::time::interval(EVERY);
    while serving.stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let names = match sources(serving, tenant).await {
            Ok(names) => names,
            Err(error) => {
                tracing::warn!(%error, "usage sources can't be read");
                continue;
            }
        };
        for name in names {
            let place = folder.join(&name);
            if watched.contains(&name) {
                continue;
            }
            if let Err(error) = std::fs::create_dir_all(&place) {
                tracing::warn!(source = name, %error, "a source's folder can't be made");
                continue;
            }
            watched.insert(name.clone());
            let (app, stop) = (serving.app.clone(), serving.stop.clone());
            watches.spawn(async move {
                let context = RequestContext::system(tenant, ACTOR);
                watch_folder(
                    &app,
                    &context,
                    &UsageImport::default(),
                    (&name, &place),
                    (EVERY, stop),
                )
                .await;
            });
        }
    }
    while watches.join_next().await.is_some() {}
}

/// The declared sources whose names are names of folders.
async fn sources(serving: &Serving, tenant: TenantId) -> Result<Vec<String>, bss_store::StoreError> {
    let context = RequestContext::system(tenant, ACTOR);
    let session = serving.app.store.read(context.scope()).await?;
    let sources = usage_source::list(&session).await?;
    session.finish()?;
    let plain = |name: &String| !name.starts_with('.') && !name.contains('/');
    Ok(sources
        .into_iter()
        .map(|source| source.name)
        .filter(plain)
        .collect())
}
