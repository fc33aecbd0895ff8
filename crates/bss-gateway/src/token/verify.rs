//! Verification of one token.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde_json::Value;

use super::cache::{Cache, Digest};
use super::claims::VerifiedClaims;
use super::keys::{Found, KeySource, Keys};

/// What a token must say, and how it is remembered.
#[derive(Debug, Clone)]
pub struct VerifierConfig {
    pub issuer: String,
    /// One of these must be in `aud`.
    pub audiences: Vec<String>,
    /// Difference of clocks that is allowed for `exp` and `nbf`.
    pub leeway: Duration,
    pub cache_entries: usize,
    /// Unknown key ids make the keys be read anew at most this often.
    pub keys_refresh_min: Duration,
    /// Keys older than this are read anew.
    pub keys_refresh_max: Duration,
}

/// Why a token isn't accepted. The text may be read by whoever sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenRefusal {
    Malformed,
    Algorithm,
    NoKeyId,
    UnknownKey,
    Signature,
    Expired,
    NotYetValid,
    Issuer,
    Audience,
    Claims,
    NotAccessToken,
    /// No refusal of the token: nobody can tell.
    IssuerAway,
}

impl TokenRefusal {
    /// For RFC 6750's `error_description`: printable ASCII without quotes.
    pub fn description(self) -> &'static str {
        match self {
            Self::Malformed => "the token is malformed",
            Self::Algorithm => "the token isn't signed with RS256",
            Self::NoKeyId => "the token names no key (kid)",
            Self::UnknownKey => "the token's key isn't one of the issuer's",
            Self::Signature => "the signature is wrong",
            Self::Expired => "the token has expired",
            Self::NotYetValid => "the token isn't valid yet",
            Self::Issuer => "the token is of another issuer",
            Self::Audience => "the token is for another audience",
            Self::Claims => "a required claim is missing or of the wrong type",
            Self::NotAccessToken => "this is no access token",
            Self::IssuerAway => "the issuer's keys can't be read",
        }
    }
}

/// A token that was right, with what the limits need to know.
#[derive(Debug, Clone)]
pub struct Verified {
    pub claims: Arc<VerifiedClaims>,
    /// Tenant and subject.
    pub consumer: Arc<str>,
    keys_version: u64,
}

pub struct Verifier {
    keys: Keys,
    validation: Validation,
    cache: Cache<Verified>,
}

impl Verifier {
    pub fn new(config: &VerifierConfig, source: Arc<dyn KeySource>) -> Self {
        // The algorithm is ours to name: a token that names another one is refused, whatever its signature.
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[&config.issuer]);
        validation.set_audience(&config.audiences);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = config.leeway.as_secs();
        Self {
            keys: Keys::new(source, config.keys_refresh_min, config.keys_refresh_max),
            validation,
            cache: Cache::new(config.cache_entries),
        }
    }

    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    pub async fn verify(&self, token: &str) -> Result<Verified, TokenRefusal> {
        let digest = digest(token);
        if let Some(found) = self.cache.get(&digest)
            && found.keys_version == self.keys.known().version
            && SystemTime::now() < found.claims.expires_at
        {
            return Ok(found);
        }
        let verified = self.verify_anew(token).await?;
        self.cache.put(digest, verified.clone());
        Ok(verified)
    }

    async fn verify_anew(&self, token: &str) -> Result<Verified, TokenRefusal> {
        let header = decode_header(token).map_err(|error| refusal(error.kind()))?;
        if header.alg != Algorithm::RS256 {
            return Err(TokenRefusal::Algorithm);
        }
        let key_id = header.kid.ok_or(TokenRefusal::NoKeyId)?;
        let (key, keys_version) = match self.keys.find(&key_id).await {
            Found::Key(key, version) => (key, version),
            Found::Unknown => return Err(TokenRefusal::UnknownKey),
            Found::IssuerAway => return Err(TokenRefusal::IssuerAway),
        };
        let raw = decode::<Value>(token, &key, &self.validation)
            .map_err(|error| refusal(error.kind()))?
            .claims;
        // Keycloak says what a token is for: an ID token or a refresh token gives no access.
        let kind = raw.get("typ").and_then(Value::as_str);
        if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(TokenRefusal::NotAccessToken);
        }
        let claims = VerifiedClaims::from_raw(raw).ok_or(TokenRefusal::Claims)?;
        let consumer = format!(
            "{}\n{}",
            claims.tenant.as_deref().unwrap_or_default(),
            claims.subject
        );
        Ok(Verified {
            claims: Arc::new(claims),
            consumer: Arc::from(consumer),
            keys_version,
        })
    }
}

fn digest(token: &str) -> Digest {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    let mut digest = Digest::default();
    digest.copy_from_slice(hash.as_ref());
    digest
}

fn refusal(kind: &ErrorKind) -> TokenRefusal {
    match kind {
        ErrorKind::InvalidSignature => TokenRefusal::Signature,
        ErrorKind::ExpiredSignature => TokenRefusal::Expired,
        ErrorKind::ImmatureSignature => TokenRefusal::NotYetValid,
        ErrorKind::InvalidIssuer => TokenRefusal::Issuer,
        ErrorKind::InvalidAudience => TokenRefusal::Audience,
        ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) => TokenRefusal::Claims,
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName | ErrorKind::UnsupportedAlgorithm => {
            TokenRefusal::Algorithm
        }
        _ => TokenRefusal::Malformed,
    }
}
