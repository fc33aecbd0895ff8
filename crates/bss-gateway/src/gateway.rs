//! The gateway as a whole: built from its configuration, usable with or without a listener.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::access_log::{Observer, report_route};
use crate::concurrency::WritesAllowed;
use crate::config::{ConfigMistakes, GatewayConfig};
use crate::layer::{Boxed, Inner, Next, Request, Response};
use crate::limit::Buckets;
use crate::stack::{Parts, stack};
use crate::token::{KeySource, Verifier};

/// What the process that runs the gateway hands in.
pub struct Environment {
    pub keys: Arc<dyn KeySource>,
    /// The watcher of the disk reserve; none where nothing writes.
    pub writes: Option<Arc<dyn WritesAllowed>>,
    /// Takes the measurements of answers.
    pub observer: Option<Arc<dyn Observer>>,
}

trait Erased: Send + Sync {
    fn answer(&self, request: Request) -> BoxFuture<'_, Response>;
}

impl<N: Next> Erased for N {
    fn answer(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(self.run(request))
    }
}

/// The application with all layers around it. Clones share limits and caches.
#[derive(Clone)]
pub struct Gateway {
    stack: Arc<dyn Erased>,
    upkeep: Upkeep,
}

impl Gateway {
    /// Around a router: its route templates then name the routes in logs and metrics.
    pub fn around_router(
        config: &GatewayConfig,
        environment: Environment,
        router: axum::Router,
    ) -> Result<Self, ConfigMistakes> {
        let router = router.route_layer(axum::middleware::from_fn(report_route));
        Self::new(config, environment, router)
    }

    /// Around any service that can't fail.
    pub fn new<S: Inner>(
        config: &GatewayConfig,
        environment: Environment,
        application: S,
    ) -> Result<Self, ConfigMistakes> {
        let checked = config.checked()?;
        let keys_max = config.limits.keys_max;
        let upkeep = Upkeep {
            verifier: Arc::new(Verifier::new(&checked.verifier, environment.keys)),
            addresses: Arc::new(Buckets::new(checked.address_rate, keys_max)),
            consumers: Arc::new(Buckets::new(checked.consumer_rate, keys_max)),
        };
        let parts = Parts {
            verifier: Arc::clone(&upkeep.verifier),
            addresses: Arc::clone(&upkeep.addresses),
            consumers: Arc::clone(&upkeep.consumers),
            writes: environment.writes,
            observer: environment.observer,
        };
        let stack = Arc::new(stack(config, &checked, parts, Boxed::new(application)));
        Ok(Self { stack, upkeep })
    }

    /// Answers one request, which carries its [`crate::Peer`] as an extension.
    pub async fn answer(&self, request: Request) -> Response {
        self.stack.answer(request).await
    }

    /// Forgets idle keys of the limits and reads old issuer keys anew, for as long as it is polled.
    pub(crate) async fn keep_up(&self) {
        let mut tick = tokio::time::interval(UPKEEP_INTERVAL);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        tick.tick().await;
        loop {
            tick.tick().await;
            self.upkeep.addresses.prune();
            self.upkeep.consumers.prune();
            self.upkeep.verifier.keys().refresh_if_old().await;
        }
    }
}

const UPKEEP_INTERVAL: Duration = Duration::from_secs(30);

#[derive(Clone)]
struct Upkeep {
    verifier: Arc<Verifier>,
    addresses: Arc<Buckets<std::net::IpAddr>>,
    consumers: Arc<Buckets<Arc<str>>>,
}
