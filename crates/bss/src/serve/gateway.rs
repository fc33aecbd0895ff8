//! Role `gateway`: everything public on one address, the layers around the APIs, the issuer and the console. Role `api`:
//! the same layers around the APIs alone.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use bss_api::auth::{AUDIENCE, Guard, Matrix, Verifier};
use bss_api::issuer::Issuer;
use bss_api::{ApiConfig, ApiState};
use bss_gateway::{
    ContentPolicy, Environment, Gateway, GatewayConfig, HttpKeys, KeySource, KeySourceError, Limits,
    PathOverride, Tokens,
};
use bss_telemetry::Part;
use futures::future::BoxFuture;
use jsonwebtoken::jwk::JwkSet;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Serving, identity};
use crate::failure::Failure;

/// A usage file that is sent in; larger ones come by the watched folder.
const USAGE_FILE_BYTES_MAX: u64 = 256 << 20;
/// How long calls may take that go through everything: all lines of a file, all entries of the ledger.
const LONG_WORK_TIMEOUT_MS: u64 = 600_000;
/// How often an external issuer's keys are read again.
const KEYS_EVERY: Duration = Duration::from_mins(1);

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
    let issuer = issuer(serving, &public_urls, tasks).await?;
    let router = router(serving, &issuer, &public_urls)
        .await?
        .merge(issuer.router());
    let config = config(serving, "gateway", public_urls)?;
    let gateway = Gateway::around_router(&config, environment(serving, &issuer)?, router)
        .map_err(|mistakes| Failure::Usage(mistakes.0))?;
    tasks.spawn(listen(listener, gateway, config, part, serving.stop.clone()));
    Ok(())
}

/// The issuer, its keys kept fresh.
async fn issuer(
    serving: &Serving,
    public_urls: &[String],
    tasks: &mut JoinSet<()>,
) -> Result<Arc<Issuer>, Failure> {
    let issuer = identity::start(&serving.config.data_dir, serving.app.store.clone(), public_urls).await?;
    let upkeep = (issuer.clone(), serving.stop.clone());
    tasks.spawn(async move {
        upkeep.1.run_until_cancelled(upkeep.0.keep_up()).await;
    });
    Ok(issuer)
}

/// Starts the APIs on a listener of their own. Clients' addresses are those of the gateway, whose issuer signs their
/// tokens; this listener's own address is answered too.
pub async fn start_api(
    serving: &Serving,
    listener: TcpListener,
    tasks: &mut JoinSet<()>,
) -> Result<(), Failure> {
    let part = serving.ops.readiness.register("api");
    if serving.config.public_urls.is_empty() {
        let mistake = "public_urls: the role api needs the gateway's addresses; the first names the issuer";
        return Err(Failure::Usage(vec![mistake.to_owned()]));
    }
    let mut public_urls = serving.public_urls();
    let issuer = issuer(serving, &public_urls, tasks).await?;
    let router = router(serving, &issuer, &public_urls).await?;
    if let Some(address) = serving.listeners.all().get("api") {
        public_urls.push(format!("http://{address}"));
    }
    let config = config(serving, "api", public_urls)?;
    let gateway = Gateway::around_router(&config, environment(serving, &issuer)?, router)
        .map_err(|mistakes| Failure::Usage(mistakes.0))?;
    tasks.spawn(listen(listener, gateway, config, part, serving.stop.clone()));
    Ok(())
}

/// The APIs and the console.
async fn router(serving: &Serving, issuer: &Arc<Issuer>, public_urls: &[String]) -> Result<Router, Failure> {
    let state = ApiState::new(
        serving.app.clone(),
        ApiConfig {
            public_urls: public_urls.to_vec(),
            require_idempotency_key: serving.config.require_idempotency_key,
            spool_dir: serving.config.data_dir.clone(),
        },
        serving.stop.clone(),
    );
    let matrix = Matrix::committed().map_err(|error| Failure::refused(error.to_string()))?;
    let verifier = match &serving.config.issuer_url {
        Some(url) => Verifier::new(url, follow_keys(serving, url).await?),
        None => Verifier::new(issuer.name(), issuer.keys()),
    };
    let guard = Guard::new(matrix, verifier, serving.app.store.clone());
    Ok(bss_api::router(state, Arc::new(guard)))
}

/// An external issuer's keys, read now and again and again.
async fn follow_keys(serving: &Serving, url: &str) -> Result<watch::Receiver<Arc<JwkSet>>, Failure> {
    let refused = |error: KeySourceError| Failure::refused(format!("issuer_url: {error}"));
    let keys = HttpKeys::new(certs_of(url)).map_err(refused)?;
    let (sender, receiver) = watch::channel(Arc::new(keys.key_set().await.map_err(refused)?));
    let stop = serving.stop.clone();
    tokio::spawn(async move {
        while stop
            .run_until_cancelled(tokio::time::sleep(KEYS_EVERY))
            .await
            .is_some()
        {
            match keys.key_set().await {
                Ok(set) => drop(sender.send_replace(Arc::new(set))),
                Err(error) => tracing::warn!(%error, "the issuer's known keys stay in use"),
            }
        }
    });
    Ok(receiver)
}

fn certs_of(url: &str) -> String {
    format!("{url}/protocol/openid-connect/certs")
}

/// The hashes of the console's inline scripts, for the policy that the gateway sets.
fn script_hashes() -> Vec<String> {
    let hashes = bss_api::console::content_security_policy().split_whitespace();
    hashes
        .filter(|word| word.starts_with("'sha256-"))
        .map(|word| word.trim_matches(['\'', ';']).to_owned())
        .collect()
}

fn config(serving: &Serving, listener: &str, public_urls: Vec<String>) -> Result<GatewayConfig, Failure> {
    let ours = &serving.config;
    let external = ours.issuer_url.clone();
    let listen = serving
        .listeners
        .all()
        .get(listener)
        .and_then(|address| address.parse().ok())
        .ok_or_else(|| Failure::refused(format!("the listener of {listener} is not open")))?;
    Ok(GatewayConfig {
        listen,
        public_urls,
        trusted_proxies: ours.trusted_proxies.iter().map(ToString::to_string).collect(),
        behind_tls_proxy: ours.behind_tls_proxy,
        content_policy: ContentPolicy {
            script_hashes: script_hashes(),
            connect: external.iter().cloned().collect(),
        },
        limits: Limits {
            address_per_second: ours.address_rate,
            address_burst: ours.address_rate.saturating_mul(2),
            consumer_per_second: ours.consumer_rate,
            consumer_burst: ours.consumer_rate.saturating_mul(2),
            ..Limits::default()
        },
        tokens: Tokens {
            jwks_url: external.as_deref().map(certs_of),
            issuer: external,
            audiences: vec![AUDIENCE.to_owned()],
            ..Tokens::default()
        },
        path_overrides: vec![
            PathOverride {
                path: "/bss-api/v1/usageFile".to_owned(),
                body_bytes: Some(USAGE_FILE_BYTES_MAX),
                answer_timeout_ms: Some(LONG_WORK_TIMEOUT_MS),
            },
            PathOverride {
                path: "/bss-api/v1/ledger/check".to_owned(),
                body_bytes: None,
                answer_timeout_ms: Some(LONG_WORK_TIMEOUT_MS),
            },
        ],
        ..GatewayConfig::default()
    })
}

fn environment(serving: &Serving, issuer: &Issuer) -> Result<Environment, Failure> {
    let keys: Arc<dyn KeySource> = match &serving.config.issuer_url {
        Some(url) => {
            let keys = HttpKeys::new(certs_of(url));
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
