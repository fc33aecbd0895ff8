use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use tokio::sync::watch;

use super::claims::{AUDIENCE, Claims};

/// What the clocks of issuer and verifier may differ by, in seconds.
const LEEWAY_S: i64 = 30;
/// So many verified tokens are remembered.
const REMEMBERED_MAX: usize = 20_000;
/// A longer token isn't looked at.
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// Why a token is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("the token is no signed JWT")]
    Malformed,
    #[error("the token is signed with a key that the issuer doesn't publish, or not by it")]
    Signature,
    #[error("the token has expired")]
    Expired,
    #[error("the token is for another audience")]
    Audience,
    #[error("the token comes from another issuer")]
    Issuer,
    #[error("the token lacks a claim, or is no access token")]
    Claims,
}

/// Verifies access tokens against a key set that may change. A verified token is remembered until its end, so that
/// its signature is checked once.
pub struct Verifier {
    keys: watch::Receiver<Arc<JwkSet>>,
    validation: Validation,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The set that everything below came from.
    set: Option<Arc<JwkSet>>,
    keys: HashMap<String, Arc<DecodingKey>>,
    /// By the token's digest: the claims that it had.
    tokens: HashMap<Vec<u8>, Arc<Claims>>,
}

impl Verifier {
    /// Of this issuer's tokens for the API; `keys` come from the issuer in this process or from another's `jwks_uri`.
    pub fn new(issuer: &str, keys: watch::Receiver<Arc<JwkSet>>) -> Self {
        // The one algorithm: neither `none` nor a public key taken for a shared secret can pass.
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY_S as u64;
        Self {
            keys,
            validation,
            state: Mutex::default(),
        }
    }

    /// The claims of a valid access token.
    pub fn verify(&self, token: &str) -> Result<Arc<Claims>, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Malformed);
        }
        let id = digest(&SHA256, token.as_bytes()).as_ref().to_vec();
        if let Some(claims) = self.remembered(&id) {
            return if is_over(&claims) {
                Err(TokenError::Expired)
            } else {
                Ok(claims)
            };
        }
        let claims = Arc::new(self.decode(token)?);
        self.remember(id, &claims);
        Ok(claims)
    }

    fn decode(&self, token: &str) -> Result<Claims, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Malformed)?;
        let key = header
            .kid
            .and_then(|kid| self.key(&kid))
            .ok_or(TokenError::Signature)?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &self.validation).map_err(|error| {
            match error.kind() {
                ErrorKind::ExpiredSignature | ErrorKind::ImmatureSignature => TokenError::Expired,
                ErrorKind::InvalidAudience => TokenError::Audience,
                ErrorKind::InvalidIssuer => TokenError::Issuer,
                ErrorKind::MissingRequiredClaim(_) | ErrorKind::Json(_) => TokenError::Claims,
                _ => TokenError::Signature,
            }
        })?;
        // Other issuers may not say what it is; ours and Keycloak do.
        if claims.claims.typ.as_deref().is_some_and(|typ| typ != "Bearer") {
            return Err(TokenError::Claims);
        }
        Ok(claims.claims)
    }

    fn key(&self, kid: &str) -> Option<Arc<DecodingKey>> {
        self.state().keys.get(kid).cloned()
    }

    fn remembered(&self, id: &[u8]) -> Option<Arc<Claims>> {
        self.state().tokens.get(id).cloned()
    }

    fn remember(&self, id: Vec<u8>, claims: &Arc<Claims>) {
        let mut state = self.state();
        if state.tokens.len() >= REMEMBERED_MAX {
            state.tokens.retain(|_, claims| !is_over(claims));
        }
        if state.tokens.len() >= REMEMBERED_MAX {
            state.tokens.clear();
        }
        state.tokens.insert(id, claims.clone());
    }

    /// The state that belongs to the present key set: what a withdrawn key signed is forgotten with it.
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Whoever panicked while it held the lock left a whole map.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let present = self.keys.borrow();
        if !state
            .set
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, &present))
        {
            let keys = present.keys.iter().filter_map(|jwk| {
                let key = DecodingKey::from_jwk(jwk).ok()?;
                Some((jwk.common.key_id.clone()?, Arc::new(key)))
            });
            *state = State {
                keys: keys.collect(),
                set: Some(present.clone()),
                tokens: HashMap::new(),
            };
        }
        drop(present);
        state
    }
}

fn is_over(claims: &Claims) -> bool {
    bss_domain::Instant::now().as_second() >= claims.exp + LEEWAY_S
}
