//! What an operator may set, and the check of it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::address::Network;
use crate::host::normal_authority;
use crate::limit::Rate;
use crate::paths::PathPattern;
use crate::token::VerifierConfig;

/// Settings of the gateway. Every field has a default that is right for one machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewayConfig {
    pub listen: SocketAddr,
    /// The addresses under which clients reach the gateway; requests for other hosts get 421. The first is the
    /// issuer's and the base of `href`s.
    pub public_urls: Vec<String>,
    /// Addresses or ranges of proxies whose `X-Forwarded-…` headers count.
    pub trusted_proxies: Vec<String>,
    /// A proxy before the gateway ends TLS: it may then listen beyond loopback, and answers as under `https`.
    pub behind_tls_proxy: bool,
    /// Paths that need no token: a path, or a beginning of paths with `*` at its end.
    pub public_paths: Vec<String>,
    /// Origins whose pages may read answers, beside our own.
    pub cors_origins: Vec<String>,
    pub content_policy: ContentPolicy,
    pub limits: Limits,
    pub timeouts: TimeoutLimits,
    /// Paths with limits of their own; the first that matches counts.
    pub path_overrides: Vec<PathOverride>,
    pub tokens: Tokens,
    pub layers: Layers,
}

/// Parts of the Content-Security-Policy of pages.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContentPolicy {
    /// Hashes of the console's inline scripts, such as `sha256-…`; the console's build makes them.
    pub script_hashes: Vec<String>,
    /// Origins beside our own that pages may call, such as an external issuer.
    pub connect: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    pub address_per_second: u32,
    pub address_burst: u32,
    pub consumer_per_second: u32,
    pub consumer_burst: u32,
    /// More keys than this make idle ones be forgotten at once, not only by the timer.
    pub keys_max: usize,
    pub body_bytes: u64,
    /// Requests in the application at once.
    pub concurrent: usize,
    /// Requests that wait for a place.
    pub pending: usize,
    pub pending_timeout_ms: u64,
    pub connections: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeoutLimits {
    /// Until a request's head is there, on a new connection and on one that is kept.
    pub head_ms: u64,
    /// Until a request's body is there; it grows by a second for each `body_bytes_per_second` received.
    pub body_ms: u64,
    pub body_bytes_per_second: u64,
    /// Until the application answers, once it has the body.
    pub answer_ms: u64,
    /// How long requests in flight may take when the gateway stops.
    pub drain_ms: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathOverride {
    pub path: String,
    #[serde(default)]
    pub body_bytes: Option<u64>,
    #[serde(default)]
    pub answer_timeout_ms: Option<u64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tokens {
    /// `iss`; by default `/realms/bss` on the first of `public_urls`.
    pub issuer: Option<String>,
    /// Where an external issuer publishes its keys; none for the built-in issuer.
    pub jwks_url: Option<String>,
    pub audiences: Vec<String>,
    /// The tenant of tokens that name none, where an external issuer can't add the claim. None refuses them.
    pub default_tenant: Option<String>,
    pub leeway_s: u64,
    pub cache_entries: usize,
    pub keys_refresh_min_ms: u64,
    pub keys_refresh_max_ms: u64,
}

/// Each layer by its switch.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Layers {
    pub correlation_id: bool,
    pub access_log: bool,
    pub host_check: bool,
    pub security_headers: bool,
    pub cors: bool,
    pub address_limit: bool,
    pub body_limit: bool,
    pub timeouts: bool,
    pub jwt: bool,
    pub tenant: bool,
    pub consumer_limit: bool,
    pub disk_reserve: bool,
    pub concurrency_limit: bool,
    pub compression: bool,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8000)),
            public_urls: owned(&["http://localhost:8000", "http://127.0.0.1:8000"]),
            trusted_proxies: Vec::new(),
            behind_tls_proxy: false,
            public_paths: owned(&PUBLIC_PATHS),
            cors_origins: Vec::new(),
            content_policy: ContentPolicy::default(),
            limits: Limits::default(),
            timeouts: TimeoutLimits::default(),
            path_overrides: Vec::new(),
            tokens: Tokens::default(),
            layers: Layers::default(),
        }
    }
}

/// The console's pages and files, the issuer, the API's description and health.
const PUBLIC_PATHS: [&str; 28] = [
    "/",
    "/index.html",
    "/200.html",
    "/404.html",
    "/favicon.svg",
    "/favicon.ico",
    "/robots.txt",
    "/_nuxt/*",
    "/auth/*",
    "/analytics*",
    "/billing*",
    "/catalog*",
    "/customers*",
    "/events*",
    "/gallery*",
    "/ledger*",
    "/operations*",
    "/orders*",
    "/payments*",
    "/platform*",
    "/sell*",
    "/trace*",
    "/usage*",
    "/docs*",
    "/openapi.json",
    "/realms/*",
    "/health",
    "/health/*",
];

impl Default for Limits {
    fn default() -> Self {
        Self {
            address_per_second: 2_000,
            address_burst: 4_000,
            consumer_per_second: 1_000,
            consumer_burst: 2_000,
            keys_max: 100_000,
            body_bytes: 1 << 20,
            concurrent: 256,
            pending: 1_024,
            pending_timeout_ms: 5_000,
            connections: 10_000,
        }
    }
}

impl Default for TimeoutLimits {
    fn default() -> Self {
        Self {
            head_ms: 30_000,
            body_ms: 30_000,
            body_bytes_per_second: 16 << 10,
            answer_ms: 30_000,
            drain_ms: 10_000,
        }
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            issuer: None,
            jwks_url: None,
            audiences: owned(&["bss"]),
            default_tenant: None,
            leeway_s: 5,
            cache_entries: 20_000,
            keys_refresh_min_ms: 5_000,
            keys_refresh_max_ms: 300_000,
        }
    }
}

impl Default for Layers {
    fn default() -> Self {
        Self {
            correlation_id: true,
            access_log: true,
            host_check: true,
            security_headers: true,
            cors: true,
            address_limit: true,
            body_limit: true,
            timeouts: true,
            jwt: true,
            tenant: true,
            consumer_limit: true,
            disk_reserve: true,
            concurrency_limit: true,
            compression: true,
        }
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// All that is wrong with a configuration, one line each, with the setting's name first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the gateway's configuration is wrong:\n{}", .0.join("\n"))]
pub struct ConfigMistakes(pub Vec<String>);

/// A configuration that has been read into types.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub known_hosts: BTreeSet<String>,
    pub trusted_proxies: Vec<Network>,
    pub public_paths: Vec<PathPattern>,
    pub path_overrides: Vec<(PathPattern, PathOverride)>,
    pub cors_origins: BTreeSet<String>,
    pub address_rate: Rate,
    pub consumer_rate: Rate,
    pub verifier: VerifierConfig,
}

impl GatewayConfig {
    /// Reports all mistakes together.
    pub fn validate(&self) -> Result<(), ConfigMistakes> {
        self.checked().map(drop)
    }

    /// The issuer that tokens must name.
    pub fn issuer(&self) -> String {
        let base = self
            .public_urls
            .first()
            .map_or("", |url| url.trim_end_matches('/'));
        self.tokens
            .issuer
            .clone()
            .unwrap_or_else(|| format!("{base}/realms/bss"))
    }

    /// Whether clients speak TLS, which only a proxy before us can end.
    pub(crate) fn https(&self) -> bool {
        self.behind_tls_proxy
    }

    pub(crate) fn checked(&self) -> Result<Checked, ConfigMistakes> {
        let mut mistakes = Mistakes(Vec::new());
        self.check_listen(&mut mistakes);
        self.check_numbers(&mut mistakes);
        self.check_content_policy(&mut mistakes);
        if self.public_urls.is_empty() {
            mistakes.add(
                "public_urls",
                "no address is listed, so no request would be answered",
            );
        }
        let known_hosts = mistakes.each("public_urls", &self.public_urls, |url| {
            let (https, authority) = origin(url)?;
            Ok(normal_authority(&authority, https))
        });
        let cors_origins = mistakes.each("cors_origins", &self.cors_origins, |url| {
            let (https, authority) = origin(url)?;
            let scheme = if https { "https" } else { "http" };
            Ok(format!("{scheme}://{}", normal_authority(&authority, https)))
        });
        let checked = Checked {
            known_hosts: known_hosts.into_iter().collect(),
            cors_origins: cors_origins.into_iter().collect(),
            trusted_proxies: mistakes.each("trusted_proxies", &self.trusted_proxies, |text| text.parse()),
            public_paths: mistakes.each("public_paths", &self.public_paths, |text| {
                PathPattern::parse(text)
            }),
            path_overrides: mistakes.each("path_overrides", &self.path_overrides, |over| {
                Ok((PathPattern::parse(&over.path)?, over.clone()))
            }),
            address_rate: mistakes.rate(
                "address",
                self.limits.address_per_second,
                self.limits.address_burst,
            ),
            consumer_rate: mistakes.rate(
                "consumer",
                self.limits.consumer_per_second,
                self.limits.consumer_burst,
            ),
            verifier: self.verifier(),
        };
        if mistakes.0.is_empty() {
            Ok(checked)
        } else {
            Err(ConfigMistakes(mistakes.0))
        }
    }

    fn check_listen(&self, mistakes: &mut Mistakes) {
        if self.listen.ip().is_loopback() {
            return;
        }
        if !self.https() {
            let why = "sign-in needs a secure context: put a proxy that ends TLS before it, and set `behind_tls_proxy`";
            mistakes.add("listen", &format!("{} isn't loopback; {why}", self.listen));
        }
        if !self.layers.jwt {
            mistakes.add("layers.jwt", "tokens may be switched off on loopback only");
        }
    }

    fn check_numbers(&self, mistakes: &mut Mistakes) {
        let positive = [
            ("limits.keys_max", self.limits.keys_max as u64),
            ("limits.body_bytes", self.limits.body_bytes),
            ("limits.concurrent", self.limits.concurrent as u64),
            ("limits.connections", self.limits.connections as u64),
            ("timeouts.head_ms", self.timeouts.head_ms),
            ("timeouts.body_ms", self.timeouts.body_ms),
            (
                "timeouts.body_bytes_per_second",
                self.timeouts.body_bytes_per_second,
            ),
            ("timeouts.answer_ms", self.timeouts.answer_ms),
            ("tokens.cache_entries", self.tokens.cache_entries as u64),
        ];
        for (name, _) in positive.into_iter().filter(|(_, value)| *value == 0) {
            mistakes.add(name, "must be greater than 0");
        }
        if self.layers.jwt && self.tokens.audiences.is_empty() {
            mistakes.add(
                "tokens.audiences",
                "no audience is listed, so no token would be accepted",
            );
        }
    }

    fn check_content_policy(&self, mistakes: &mut Mistakes) {
        for hash in &self.content_policy.script_hashes {
            let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte);
            let known = ["sha256-", "sha384-", "sha512-"]
                .iter()
                .any(|kind| hash.starts_with(kind));
            if !known || !hash.bytes().all(base64) {
                mistakes.add(
                    "content_policy.script_hashes",
                    &format!("`{hash}` is no hash such as sha256-…"),
                );
            }
        }
        for url in &self.content_policy.connect {
            if let Err(wrong) = origin(url) {
                mistakes.add("content_policy.connect", &wrong);
            }
        }
    }

    fn verifier(&self) -> VerifierConfig {
        VerifierConfig {
            issuer: self.issuer(),
            audiences: self.tokens.audiences.clone(),
            leeway: Duration::from_secs(self.tokens.leeway_s),
            cache_entries: self.tokens.cache_entries,
            keys_refresh_min: Duration::from_millis(self.tokens.keys_refresh_min_ms),
            keys_refresh_max: Duration::from_millis(self.tokens.keys_refresh_max_ms),
        }
    }
}

/// Scheme and authority of an address such as `https://bss.example:8443`.
fn origin(url: &str) -> Result<(bool, String), String> {
    let wrong = || format!("`{url}` is no address such as https://bss.example or http://localhost:8000");
    let uri: http::Uri = url.parse().map_err(|_| wrong())?;
    let https = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return Err(wrong()),
    };
    let authority = uri
        .authority()
        .filter(|authority| !authority.as_str().contains('@'))
        .ok_or_else(wrong)?;
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err(format!("`{url}` must end after host and port"));
    }
    Ok((https, authority.as_str().to_ascii_lowercase()))
}

struct Mistakes(Vec<String>);

impl Mistakes {
    fn add(&mut self, name: &str, wrong: &str) {
        self.0.push(format!("{name}: {wrong}"));
    }

    fn each<T, U>(&mut self, name: &str, values: &[T], read: impl Fn(&T) -> Result<U, String>) -> Vec<U> {
        let mut found = Vec::with_capacity(values.len());
        for value in values {
            match read(value) {
                Ok(value) => found.push(value),
                Err(wrong) => self.add(name, &wrong),
            }
        }
        found
    }

    fn rate(&mut self, name: &str, per_second: u32, burst: u32) -> Rate {
        let mut positive = |field: &str, value: u32| {
            NonZeroU32::new(value).unwrap_or_else(|| {
                self.add(&format!("limits.{name}_{field}"), "must be greater than 0");
                NonZeroU32::MIN
            })
        };
        Rate {
            per_second: positive("per_second", per_second),
            burst: positive("burst", burst),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page is loaded anew by its own address, before anybody has signed in.
    #[test]
    fn every_page_of_the_console_is_public() {
        let pages = concat!(env!("CARGO_MANIFEST_DIR"), "/../../console/app/pages");
        let public = crate::paths::PublicPaths(
            PUBLIC_PATHS
                .iter()
                .map(|path| crate::paths::PathPattern::parse(path).unwrap())
                .collect(),
        );
        let mut count = 0;
        for entry in std::fs::read_dir(pages).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let page = name.trim_end_matches(".vue").trim_start_matches("index");
            assert!(
                public.contains(&format!("/{page}")) || page == "auth",
                "/{page} asks for a token"
            );
            count += 1;
        }
        assert!(count > 10, "{count} pages");
    }

    #[test]
    fn the_default_is_right_and_empty_settings_are_the_default() {
        assert_eq!(GatewayConfig::default().validate(), Ok(()));
        let read: GatewayConfig = serde_json::from_str("{}").unwrap();
        assert_eq!(read.listen.port(), 8000);
        assert_eq!(read.issuer(), "http://localhost:8000/realms/bss");
        assert!(serde_json::from_str::<GatewayConfig>(r#"{"listne": "127.0.0.1:1"}"#).is_err());
    }

    #[test]
    fn all_mistakes_are_reported_together() {
        let mut config = GatewayConfig {
            listen: SocketAddr::from(([0, 0, 0, 0], 8000)),
            public_urls: owned(&["bss.example", "https://bss.example/path"]),
            trusted_proxies: owned(&["10.0.0.0/40"]),
            public_paths: owned(&["health"]),
            cors_origins: owned(&["*"]),
            ..GatewayConfig::default()
        };
        config.content_policy.script_hashes = owned(&["sha256-abc'; script-src *"]);
        config.limits.consumer_burst = 0;
        config.limits.concurrent = 0;
        let ConfigMistakes(mistakes) = config.validate().unwrap_err();
        let names: Vec<&str> = mistakes
            .iter()
            .filter_map(|line| line.split(':').next())
            .collect();
        assert_eq!(
            names,
            [
                "listen",
                "limits.concurrent",
                "content_policy.script_hashes",
                "public_urls",
                "public_urls",
                "cors_origins",
                "trusted_proxies",
                "public_paths",
                "limits.consumer_burst",
            ]
        );
    }

    #[test]
    fn beyond_loopback_only_with_tls() {
        let everywhere = SocketAddr::from(([0, 0, 0, 0], 8000));
        let open = GatewayConfig {
            listen: everywhere,
            ..GatewayConfig::default()
        };
        assert!(open.validate().is_err());
        assert_eq!(
            GatewayConfig {
                behind_tls_proxy: true,
                ..open.clone()
            }
            .validate(),
            Ok(())
        );
        let mut without_tokens = GatewayConfig {
            behind_tls_proxy: true,
            ..open
        };
        without_tokens.layers.jwt = false;
        assert!(without_tokens.validate().is_err());
    }
}
