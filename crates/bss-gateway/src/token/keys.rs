//! The issuer's public keys: where they come from and how they are kept.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};

/// Where the issuer's published keys (RFC 7517) come from: the issuer in the same process, or its URL.
pub trait KeySource: Send + Sync + 'static {
    fn key_set(&self) -> BoxFuture<'_, Result<JwkSet, KeySourceError>>;
}

#[derive(Debug, Clone, thiserror::Error)]
#[error("the issuer's keys can't be read: {0}")]
pub struct KeySourceError(pub String);

/// The keys of an external issuer, by HTTP from its JWKS address.
pub struct HttpKeys {
    client: reqwest::Client,
    url: String,
}

const KEY_SET_BYTES_MAX: usize = 256 << 10;
const KEY_SET_TIMEOUT: Duration = Duration::from_secs(5);

impl HttpKeys {
    pub fn new(url: impl Into<String>) -> Result<Self, KeySourceError> {
        let client = reqwest::Client::builder()
            .timeout(KEY_SET_TIMEOUT)
            .build()
            .map_err(|error| KeySourceError(error.to_string()))?;
        Ok(Self {
            client,
            url: url.into(),
        })
    }

    async fn fetch(&self) -> Result<JwkSet, reqwest::Error> {
        let mut response = self.client.get(&self.url).send().await?.error_for_status()?;
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await? {
            body.extend_from_slice(&part);
            if body.len() > KEY_SET_BYTES_MAX {
                break;
            }
        }
        // Cut off at the limit, it doesn't parse: a set that large holds no keys for us.
        Ok(serde_json::from_slice(&body).unwrap_or(JwkSet { keys: Vec::new() }))
    }
}

impl KeySource for HttpKeys {
    fn key_set(&self) -> BoxFuture<'_, Result<JwkSet, KeySourceError>> {
        Box::pin(async {
            let set = self
                .fetch()
                .await
                .map_err(|error| KeySourceError(error.to_string()))?;
            if set.keys.is_empty() {
                return Err(KeySourceError(format!("{} publishes no keys", self.url)));
            }
            Ok(set)
        })
    }
}

/// A set of keys as it was once published.
#[derive(Default)]
pub struct KnownKeys {
    by_id: HashMap<String, DecodingKey>,
    /// Counts the changes, so that a token verified by a key since withdrawn is verified again.
    pub version: u64,
}

pub enum Found {
    Key(DecodingKey, u64),
    Unknown,
    /// Nothing is known, and the issuer doesn't answer: nobody can tell whether the token is right.
    IssuerAway,
}

/// The keys in use. An unknown key id makes them be read anew, but not more often than `refresh_min`; a set that
/// is older than `refresh_max` is read anew beside the requests. If the issuer is away, the known keys stay.
pub struct Keys {
    source: Arc<dyn KeySource>,
    known: RwLock<Arc<KnownKeys>>,
    /// When the source was last asked; held while it is asked, so that it is asked once for many requests.
    asked: tokio::sync::Mutex<Option<Instant>>,
    refresh_min: Duration,
    refresh_max: Duration,
}

impl Keys {
    pub fn new(source: Arc<dyn KeySource>, refresh_min: Duration, refresh_max: Duration) -> Self {
        Self {
            source,
            known: RwLock::default(),
            asked: tokio::sync::Mutex::default(),
            refresh_min,
            refresh_max,
        }
    }

    pub fn known(&self) -> Arc<KnownKeys> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub async fn find(&self, id: &str) -> Found {
        let before = self.known();
        if let Some(key) = before.by_id.get(id) {
            return Found::Key(key.clone(), before.version);
        }
        self.refresh(self.refresh_min, before.version).await;
        let known = self.known();
        match known.by_id.get(id) {
            Some(key) => Found::Key(key.clone(), known.version),
            None if known.by_id.is_empty() => Found::IssuerAway,
            None => Found::Unknown,
        }
    }

    /// Reads the keys anew when they are older than `refresh_max`. Called by the gateway's timer.
    pub async fn refresh_if_old(&self) {
        self.refresh(self.refresh_max, self.known().version).await;
    }

    /// `seen` is the version that wasn't good enough: if another request has changed it meanwhile, that will do.
    async fn refresh(&self, interval: Duration, seen: u64) {
        let mut asked = self.asked.lock().await;
        let fresh = asked.is_some_and(|at| at.elapsed() < interval);
        // Without any key every request would fail for the whole interval: ask again after a tenth of it.
        let retry = seen == 0 && asked.is_none_or(|at| at.elapsed() >= interval / 10);
        if (fresh && !retry) || self.known().version != seen {
            return;
        }
        let answer = self.source.key_set().await;
        *asked = Some(Instant::now());
        match answer {
            Ok(set) => self.replace(&set),
            Err(error) => tracing::warn!(%error, "the known keys stay in use"),
        }
    }

    fn replace(&self, set: &JwkSet) {
        let by_id: HashMap<_, _> = set.keys.iter().filter_map(usable).collect();
        if by_id.is_empty() {
            tracing::warn!(
                published = set.keys.len(),
                "the issuer publishes no usable RS256 key: the known ones stay"
            );
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let same = known.by_id.len() == by_id.len()
            && by_id
                .iter()
                .all(|(id, key)| known.by_id.get(id).is_some_and(|other| same_key(key, other)));
        if !same {
            *known = Arc::new(KnownKeys {
                version: known.version + 1,
                by_id,
            });
        }
    }
}

fn same_key(one: &DecodingKey, other: &DecodingKey) -> bool {
    use jsonwebtoken::DecodingKeyKind::{RsaModulusExponent, SecretOrDer};
    match (one.kind(), other.kind()) {
        (RsaModulusExponent { n, e }, RsaModulusExponent { n: n2, e: e2 }) => n == n2 && e == e2,
        (SecretOrDer(one), SecretOrDer(other)) => one == other,
        _ => false,
    }
}

/// Only RSA keys for signatures, of 2048 bits or more, that may be used with RS256.
fn usable(key: &Jwk) -> Option<(String, DecodingKey)> {
    let id = key.common.key_id.clone()?;
    let for_signatures = matches!(key.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let for_rs256 = matches!(key.common.key_algorithm, None | Some(KeyAlgorithm::RS256));
    let AlgorithmParameters::RSA(parameters) = &key.algorithm else {
        return None;
    };
    // 256 bytes are 342 characters in base64url.
    let long = parameters.n.len() >= 342;
    if !(for_signatures && for_rs256 && long) {
        return None;
    }
    Some((id, DecodingKey::from_jwk(key).ok()?))
}
