//! The order of the layers.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::access_log::{AccessLog, Observer};
use crate::address::FindOrigin;
use crate::body::BodyLimit;
use crate::concurrency::{ConcurrencyLimit, DiskReserve, WritesAllowed};
use crate::config::{Checked, GatewayConfig};
use crate::cors::Cors;
use crate::host::HostCheck;
use crate::layer::{Application, Boxed, Layer, Next};
use crate::limit::{AddressLimit, Buckets, ConsumerLimit};
use crate::paths::{PathLimits, PublicPaths};
use crate::security_headers::SecurityHeaders;
use crate::tenant::TenantLayer;
use crate::timeouts::Timeouts;
use crate::token::{RequireToken, Verifier};
use crate::trace::Correlation;

/// What the layers share with the gateway's timer, and what the operator's process hands in.
pub struct Parts {
    pub verifier: Arc<Verifier>,
    pub addresses: Arc<Buckets<IpAddr>>,
    pub consumers: Arc<Buckets<Arc<str>>>,
    pub writes: Option<Arc<dyn WritesAllowed>>,
    pub observer: Option<Arc<dyn Observer>>,
}

/// Builds the stack around the application, from the inside out: what stands lowest here sees a request first and
/// its answer last.
pub fn stack(config: &GatewayConfig, checked: &Checked, parts: Parts, application: Boxed) -> impl Next {
    let layers = Built::new(config, checked, parts);

    // Compression stands innermost: only the application's answers are worth it, and every layer outside sees
    // their final headers.
    let next = Application::new(application, config.layers.compression);

    // Concurrency is limited last of all, so that only requests which will really be worked on hold a place.
    let next = layers.concurrency_limit.around(next);

    // A write that the disk has no room for must not wait for a place; only those who may write learn of it.
    let next = layers.disk_reserve.around(next);

    // A consumer's rate needs the consumer's name, so it follows the token.
    let next = layers.consumer_limit.around(next);

    // The tenant is what the token says, never what the request says: no header or path can choose it.
    let next = layers.tenant.around(next);

    // From here inwards it is known who calls. Verifying costs CPU time, so the cheap refusals stand before it.
    let next = layers.require_token.around(next);

    // The time runs for all that may wait: keys of an issuer, a place, the application. It stands inside the body
    // limit, since a body over the limit shall be refused as too large and not as too slow.
    let next = layers.timeouts.around(next);

    // Declared lengths are refused before anybody waits for them or looks at a token.
    let next = layers.body_limit.around(next);

    // An address is limited before the token, since guessing tokens and passwords is what it limits. It stands
    // inside CORS, so that a page can read why it was refused.
    let next = layers.address_limit.around(next);

    // A preflight carries no token and mustn't count against one; refusals of all inner layers must be readable.
    let next = layers.cors.around(next);

    // All answers that a browser may show get them, refusals too.
    let next = layers.security_headers.around(next);

    // A foreign host gets nothing at all, not even a permission or a policy of ours.
    let next = layers.host_check.around(next);

    // Every answer is counted and logged, refusals of all layers too; it needs the ids of the layer outside.
    let next = layers.access_log.around(next);

    // Outermost of the switchable layers: whatever happens inside, client and log have one id to speak of it.
    let next = layers.correlation.around(next);

    // Not switchable: where a request comes from is found, and false claims about it are taken away, before
    // anything can believe them.
    layers.find_origin.around(next)
}

/// The layers, each none where it is switched off.
struct Built {
    find_origin: FindOrigin,
    correlation: Option<Correlation>,
    access_log: AccessLog,
    host_check: Option<HostCheck>,
    security_headers: Option<SecurityHeaders>,
    cors: Option<Cors>,
    address_limit: Option<AddressLimit>,
    body_limit: Option<BodyLimit>,
    timeouts: Option<Timeouts>,
    require_token: Option<RequireToken>,
    tenant: Option<TenantLayer>,
    consumer_limit: Option<ConsumerLimit>,
    disk_reserve: Option<DiskReserve>,
    concurrency_limit: Option<ConcurrencyLimit>,
}

impl Built {
    fn new(config: &GatewayConfig, checked: &Checked, parts: Parts) -> Self {
        let (on, limits, policy) = (&config.layers, &config.limits, &config.content_policy);
        let public = PublicPaths(checked.public_paths.clone());
        let paths = Arc::new(PathLimits {
            overrides: checked.path_overrides.clone(),
            body_bytes: limits.body_bytes,
            answer_timeout_ms: config.timeouts.answer_ms,
        });
        let timeouts = Timeouts {
            paths: Arc::clone(&paths),
            body: Duration::from_millis(config.timeouts.body_ms),
            body_bytes_per_second: config.timeouts.body_bytes_per_second,
        };
        let tenant = TenantLayer {
            default: config.tokens.default_tenant.as_deref().map(Arc::from),
        };
        let wait_max = Duration::from_millis(limits.pending_timeout_ms);
        let concurrency = ConcurrencyLimit::new(limits.concurrent, limits.pending, wait_max);
        let headers = SecurityHeaders::new(&policy.script_hashes, &policy.connect);
        let consumers = ConsumerLimit::new(parts.consumers, checked.consumer_rate);
        let reserve = parts.writes.map(|allowed| DiskReserve {
            allowed,
            public: public.clone(),
        });
        Self {
            find_origin: FindOrigin {
                trusted_proxies: checked.trusted_proxies.clone(),
                https: config.https(),
            },
            correlation: on.correlation_id.then_some(Correlation),
            access_log: AccessLog {
                log: on.access_log,
                observer: parts.observer,
            },
            host_check: on.host_check.then_some(HostCheck {
                known: checked.known_hosts.clone(),
            }),
            security_headers: on.security_headers.then_some(headers),
            cors: on.cors.then_some(Cors {
                origins: checked.cors_origins.clone(),
            }),
            address_limit: on.address_limit.then_some(AddressLimit(parts.addresses)),
            body_limit: on.body_limit.then_some(BodyLimit { paths }),
            timeouts: on.timeouts.then_some(timeouts),
            require_token: on.jwt.then_some(RequireToken {
                verifier: parts.verifier,
                public,
            }),
            tenant: on.tenant.then_some(tenant),
            consumer_limit: on.consumer_limit.then_some(consumers),
            disk_reserve: reserve.filter(|_| on.disk_reserve),
            concurrency_limit: on.concurrency_limit.then_some(concurrency),
        }
    }
}
