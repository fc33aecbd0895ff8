//! The issuer's keys in memory: the one that signs, and the set that verifiers need.

use std::sync::{Arc, RwLock};

use bss_app::identity::IdentityError;
use bss_app::identity::signing_key::{SigningKey, SigningKeys};
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use tokio::sync::watch;

/// Signs with the present key and publishes all valid ones.
pub struct KeyRing {
    signing: RwLock<Arc<Signing>>,
    published: watch::Sender<Arc<JwkSet>>,
}

struct Signing {
    kid: String,
    key: EncodingKey,
}

impl KeyRing {
    pub fn new(keys: &SigningKeys) -> Result<Self, IdentityError> {
        let (signing, set) = prepare(keys)?;
        Ok(Self {
            signing: RwLock::new(Arc::new(signing)),
            published: watch::Sender::new(Arc::new(set)),
        })
    }

    /// Takes over the keys as they are now; whoever watches the set is told if it changed.
    pub fn replace(&self, keys: &SigningKeys) -> Result<(), IdentityError> {
        let (signing, set) = prepare(keys)?;
        // First published, then used. A poisoned lock holds a whole value all the same.
        self.published.send_if_modified(|present| {
            let changed = **present != set;
            if changed {
                *present = Arc::new(set);
            }
            changed
        });
        *self
            .signing
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::new(signing);
        Ok(())
    }

    /// The set that verifiers need, and its changes.
    pub fn watch(&self) -> watch::Receiver<Arc<JwkSet>> {
        self.published.subscribe()
    }

    /// A signed token of these claims.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, IdentityError> {
        let signing = self
            .signing
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone();
        let header = Header {
            kid: Some(signing.kid.clone()),
            ..Header::new(Algorithm::RS256)
        };
        jsonwebtoken::encode(&header, claims, &signing.key)
            .map_err(|error| IdentityError::Crypto(format!("cannot sign a token: {error}")))
    }
}

fn prepare(keys: &SigningKeys) -> Result<(Signing, JwkSet), IdentityError> {
    let mut signing = None;
    let mut set = JwkSet { keys: Vec::new() };
    for key in &keys.keys {
        let (encoding, jwk) = parse(key)?;
        set.keys.push(jwk);
        if keys.roles.signing.as_ref() == Some(&key.kid) {
            signing = Some(Signing {
                kid: key.kid.clone(),
                key: encoding,
            });
        }
    }
    let signing = signing.ok_or_else(|| IdentityError::Crypto("no signing key is in force".to_owned()))?;
    Ok((signing, set))
}

fn parse(key: &SigningKey) -> Result<(EncodingKey, Jwk), IdentityError> {
    let unusable = |error| IdentityError::Crypto(format!("signing key {} is unusable: {error}", key.kid));
    let encoding = EncodingKey::from_rsa_pem(key.private_pem.as_bytes()).map_err(unusable)?;
    let mut jwk = Jwk::from_encoding_key(&encoding, Algorithm::RS256).map_err(unusable)?;
    jwk.common.key_id = Some(key.kid.clone());
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    Ok((encoding, jwk))
}
