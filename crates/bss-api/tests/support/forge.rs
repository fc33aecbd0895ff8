//! Tokens of every kind, good and flawed, signed with the issuer's own key.

use bss_api::auth::AUDIENCE;
use bss_app::Role;
use bss_app::identity::signing_key::Rotation;
use bss_domain::Instant;
use http::StatusCode;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::World;

/// What may be wrong with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    Missing,
    Expired,
    NotYetValid,
    Audience,
    Issuer,
    Signature,
    IdToken,
    NoTenant,
    UnknownTenant,
    NoRole,
}

pub const FLAWS: [(Flaw, StatusCode); 10] = [
    (Flaw::Missing, StatusCode::UNAUTHORIZED),
    (Flaw::Expired, StatusCode::UNAUTHORIZED),
    (Flaw::NotYetValid, StatusCode::UNAUTHORIZED),
    (Flaw::Audience, StatusCode::UNAUTHORIZED),
    (Flaw::Issuer, StatusCode::UNAUTHORIZED),
    (Flaw::Signature, StatusCode::UNAUTHORIZED),
    (Flaw::IdToken, StatusCode::UNAUTHORIZED),
    (Flaw::NoTenant, StatusCode::FORBIDDEN),
    (Flaw::UnknownTenant, StatusCode::FORBIDDEN),
    (Flaw::NoRole, StatusCode::FORBIDDEN),
];

/// Signs any claims with the issuer's own key.
pub struct Forge {
    pub kid: String,
    pub key: EncodingKey,
    other_key: EncodingKey,
    pub issuer: String,
    pub tenant: Uuid,
}

pub const PARTY: Uuid = Uuid::from_u128(0x0199_0000_0000_8001_8000_0000_0000_0001);

impl Forge {
    pub async fn of(world: &World) -> Self {
        let pem_of = async |rotation| {
            let keys = world
                .identity
                .signing_keys(rotation, Instant::now())
                .await
                .unwrap();
            let signing = keys.roles.signing.clone().unwrap();
            let pem = |kid: &dyn Fn(&str) -> bool| {
                keys.keys
                    .iter()
                    .find(|key| kid(&key.kid))
                    .map(|key| key.private_pem.clone())
            };
            (
                signing.clone(),
                pem(&|kid| kid == signing),
                pem(&|kid| kid != signing),
            )
        };
        let (kid, pem, other) = pem_of(Rotation::Now).await;
        let key = |pem: Option<String>| EncodingKey::from_rsa_pem(pem.unwrap().as_bytes()).unwrap();
        Self {
            kid,
            key: key(pem),
            other_key: key(other),
            issuer: world.issuer.name().to_owned(),
            tenant: world.tenant.into(),
        }
    }

    pub fn token(&self, role: Role, flaw: Option<Flaw>) -> String {
        let now = Instant::now().as_second();
        let mut claims = json!({
            "iss": self.issuer, "aud": AUDIENCE, "sub": format!("test {role}"), "typ": "Bearer", "iat": now, "nbf": now,
            "exp": now + 600, "tenant": self.tenant, "party_id": PARTY, "realm_access": { "roles": [role.name()] },
        });
        match flaw {
            Some(Flaw::Expired) => claims["exp"] = json!(now - 60),
            Some(Flaw::NotYetValid) => claims["nbf"] = json!(now + 60),
            Some(Flaw::Audience) => claims["aud"] = json!("bss-console"),
            Some(Flaw::Issuer) => claims["iss"] = json!("https://evil.example/realms/bss"),
            Some(Flaw::IdToken) => claims["typ"] = json!("ID"),
            Some(Flaw::NoTenant) => claims["tenant"] = Value::Null,
            Some(Flaw::UnknownTenant) => claims["tenant"] = json!(Uuid::nil()),
            Some(Flaw::NoRole) => claims["realm_access"]["roles"] = json!(["offline_access"]),
            Some(Flaw::Missing | Flaw::Signature) | None => {}
        }
        let header = Header {
            kid: Some(self.kid.clone()),
            ..Header::new(Algorithm::RS256)
        };
        let key = if flaw == Some(Flaw::Signature) {
            &self.other_key
        } else {
            &self.key
        };
        jsonwebtoken::encode(&header, &claims, key).unwrap()
    }
}
