//! Role `gateway`: everything public on one address, the layers around the APIs, the issuer and the console.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use bss_api::auth::AUDIENCE;
use bss_api::issuer::Issuer;
use bss_gateway::{
    ContentPolicy, Environment, Gateway, GatewayConfig, HttpKeys, KeySource, KeySourceError, Tokens,
};
use bss_telemetry::Part;
use futures::future::BoxFuture;
use jsonwebtoken::jwk::JwkSet;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Serving, console, identity};
use crate::failure::Failure;

/// The keys of the issuer in this process: no HTTP needed.
struct OwnKeys(watch::Receiver<Arc<JwkSet>>);

impl KeySource for OwnKeys {
    fn key_set(&self) -> BoxFuture<'_, Result<JwkSet, KeySourceError>> {
        let set = (**self.0.borrow()).clone();
        Box::pin(async move { Ok(set) })
    }
}

/// Starts the issuer and the listener.
pub async fn start(serving: &Serving, listener: TcpListener, tasks: &mut JoinSet<()>) -> Result<(), Failure> {
    let part = serving.ops.readiness.register("gateway");
    let public_urls = serving.public_urls();
    let issuer = identity::start(&serving.config.data_dir, serving.app.store.clone(), &public_urls).await?;
    let upkeep = (issuer.clone(), serving.stop.clone());
    tasks.spawn(async move {
        upkeep.1.run_until_cancelled(upkeep.0.keep_up()).await;
    });
    let config = config(serving, public_urls)?;
    let gateway = Gateway::around_router(&config, environment(serving, &issuer)?, router(&issuer))
        .map_err(|mistakes| Failure::Usage(mistakes.0))?;
    tasks.spawn(listen(listener, gateway, config, part, serving.stop.clone()));
    Ok(())
}

/// The table of contents of the public address.
fn router(issuer: &Arc<Issuer>) -> Router {
    Router::new().merge(issuer.router()).fallback(console::answer)
}

fn config(serving: &Serving, public_urls: Vec<String>) -> Result<GatewayConfig, Failure> {
    let ours = &serving.config;
    let external = ours.issuer_url.clone();
    let listen = serving
        .listeners
        .all()
        .get("gateway")
        .and_then(|address| address.parse().ok())
        .ok_or_else(|| Failure::refused("the gateway's listener is not open"))?;
    Ok(GatewayConfig {
        listen,
        public_urls,
        trusted_proxies: ours.trusted_proxies.iter().map(ToString::to_string).collect(),
        behind_tls_proxy: ours.behind_tls_proxy,
        content_policy: ContentPolicy {
            script_hashes: console::script_hashes(),
            connect: external.iter().cloned().collect(),
        },
        tokens: Tokens {
            jwks_url: external
                .as_ref()
                .map(|url| format!("{url}/protocol/openid-connect/certs")),
            issuer: external,
            audiences: vec![AUDIENCE.to_owned()],
            ..Tokens::default()
        },
        ..GatewayConfig::default()
    })
}

fn environment(serving: &Serving, issuer: &Issuer) -> Result<Environment, Failure> {
    let keys: Arc<dyn KeySource> = match &serving.config.issuer_url {
        Some(url) => {
            let keys = HttpKeys::new(format!("{url}/protocol/openid-connect/certs"));
            Arc::new(keys.map_err(|error| Failure::refused(error.to_string()))?)
        }
        None => Arc::new(OwnKeys(issuer.keys())),
    };
    let (disk, http) = (serving.disk.clone(), serving.ops.metrics.http.clone());
    Ok(Environment {
        keys,
        writes: Some(Arc::new(move || disk.writes_allowed())),
        observer: Some(Arc::new(
            move |method: &str, route: &str, status: u16, took: Duration| {
                http.observe(method, route, status, took);
            },
        )),
    })
}

async fn listen(
    listener: TcpListener,
    gateway: Gateway,
    config: GatewayConfig,
    part: Part,
    stop: tokio_util::sync::CancellationToken,
) {
    part.ready();
    match bss_gateway::serve(listener, gateway, &config, stop).await {
        Ok(drained) if drained.cut_off > 0 => tracing::warn!(drained.cut_off, "connections were cut off"),
        Ok(_) => {}
        Err(error) => tracing::error!(%error, "the gateway's listener ended"),
    }
}
