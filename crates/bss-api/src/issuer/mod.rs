//! The built-in OpenID Connect issuer, with Keycloak's paths: authorization code with PKCE, client credentials,
//! rotating refresh tokens, logout. Tokens and sessions run on real time.

mod authorize;
mod claims;
mod cookie;
mod discovery;
mod error;
mod keys;
mod login;
mod logout;
mod page;
mod params;
mod pkce;
mod token;
mod userinfo;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bss_app::Role;
use bss_app::identity::signing_key::Rotation;
use bss_app::identity::{Identity, IdentityError};
use bss_domain::Instant;
use bss_domain::ids::TenantId;
use http::header;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use tokio::sync::watch;
use uuid::Uuid;

use self::claims::IdTokenHint;
use self::cookie::Cookies;
use self::keys::KeyRing;
use crate::auth::Verifier;

/// How the issuer is reached and how often its keys follow each other.
#[derive(Debug, Clone)]
pub struct IssuerConfig {
    /// The public addresses, without a slash at their ends. The first one names the issuer.
    pub public_urls: Vec<String>,
    /// A signing key is followed by a new one after so many seconds.
    pub rotate_every_s: i64,
}

impl IssuerConfig {
    /// At these addresses, with a new key every 90 days.
    pub fn new(public_urls: Vec<String>) -> Self {
        Self {
            public_urls,
            rotate_every_s: 90 * 24 * 60 * 60,
        }
    }
}

/// The client that tokens of the command line are given to.
const COMMAND_LINE: &str = "bss-cli";

/// How often keys are read again: another process may have added one. Far below the time that a new key is
/// announced for.
const UPKEEP_EVERY: Duration = Duration::from_mins(1);

/// The issuer: its keys are in memory, everything else in the database.
pub struct Issuer {
    identity: Arc<Identity>,
    /// The `iss` of every token.
    name: String,
    public_url: String,
    /// The origins of its own pages.
    origins: Vec<String>,
    cookies: Cookies,
    ring: KeyRing,
    verifier: Verifier,
    rotation: Rotation,
}

impl Issuer {
    /// Reads the signing keys, or makes the first one.
    ///
    /// # Errors
    /// [`IdentityError::WrongSecret`] where the secret isn't the one that the keys were sealed with; no public
    /// address.
    pub async fn start(identity: Arc<Identity>, config: IssuerConfig) -> Result<Arc<Self>, IdentityError> {
        let Some(public_url) = config.public_urls.first().cloned() else {
            return Err(IdentityError::invalid("public_urls", "names no address"));
        };
        let rotation = Rotation::WhenDue {
            every_s: config.rotate_every_s,
        };
        let ring = KeyRing::new(&identity.signing_keys(rotation, Instant::now()).await?)?;
        let name = format!("{public_url}{}", discovery::REALM);
        let verifier = Verifier::new(&name, ring.watch());
        Ok(Arc::new(Self {
            identity,
            name,
            cookies: Cookies::new(&public_url),
            public_url,
            origins: config.public_urls,
            ring,
            verifier,
            rotation,
        }))
    }

    /// All endpoints. They are open to everybody: each checks what it needs itself.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route(discovery::CONFIGURATION, get(configuration))
            .route(discovery::CERTS, get(certs))
            .route(discovery::AUTH, get(login::get_auth).post(login::post_auth))
            .route(discovery::LOGIN, post(login::post_login))
            .route(discovery::TOKEN, post(token::post_token))
            .route(
                discovery::USERINFO,
                get(userinfo::userinfo).post(userinfo::userinfo),
            )
            .route(
                discovery::LOGOUT,
                get(logout::get_logout).post(logout::post_logout),
            )
            .route(discovery::STYLE, get(style))
            .with_state(self.clone())
    }

    /// The `iss` of every token.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key set for verifiers in this process, and its changes: no HTTP needed.
    pub fn keys(&self) -> watch::Receiver<Arc<JwkSet>> {
        self.ring.watch()
    }

    /// An access token of ten minutes for the command line and the demonstration; `party` for the role `customer`.
    pub fn mint_service_token(
        &self,
        tenant: TenantId,
        role: Role,
        party: Option<Uuid>,
    ) -> Result<String, IdentityError> {
        let subject = format!("{COMMAND_LINE}:{role}");
        let name = format!("service-account-{COMMAND_LINE}");
        let mut claims = claims::access_claims(
            &self.name,
            COMMAND_LINE,
            (&subject, &name),
            tenant,
            &[role],
            Instant::now(),
        );
        claims.party_id = party;
        self.ring.sign(&claims)
    }

    /// Takes over keys that others added, lets a new one follow when it is due, removes spent ones.
    pub async fn upkeep(&self) -> Result<(), IdentityError> {
        self.ring
            .replace(&self.identity.signing_keys(self.rotation, Instant::now()).await?)
    }

    /// Adds a key now: it signs once it has been announced.
    pub async fn rotate_keys(&self) -> Result<(), IdentityError> {
        self.ring
            .replace(&self.identity.signing_keys(Rotation::Now, Instant::now()).await?)
    }

    /// Runs [`Self::upkeep`] every minute, for as long as it is polled.
    pub async fn keep_up(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(UPKEEP_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.upkeep().await {
                tracing::warn!(%error, "the issuer's keys could not be read; the known ones go on");
            }
        }
    }

    /// What an ID token of ours says, expired or not: a hint for whom to sign out.
    fn id_token_hint(&self, token: &str) -> Option<IdTokenHint> {
        let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
        let set = self.ring.watch().borrow().clone();
        let key = DecodingKey::from_jwk(set.find(&kid)?).ok()?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[&self.name]);
        validation.validate_exp = false;
        validation.validate_aud = false;
        let hint = jsonwebtoken::decode::<IdTokenHint>(token, &key, &validation)
            .ok()?
            .claims;
        (hint.typ == "ID").then_some(hint)
    }
}

async fn configuration(State(issuer): State<Arc<Issuer>>) -> Response {
    let headers = [(header::CACHE_CONTROL, "public, max-age=300")];
    (headers, Json(discovery::configuration(&issuer.public_url))).into_response()
}

/// Cached for less than a new key is announced for.
async fn certs(State(issuer): State<Arc<Issuer>>) -> Response {
    let set = issuer.ring.watch().borrow().clone();
    ([(header::CACHE_CONTROL, "public, max-age=300")], Json(&*set)).into_response()
}

async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, page::CSS).into_response()
}
