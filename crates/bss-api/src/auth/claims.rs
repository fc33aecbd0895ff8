use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// The audience of every access token for the API.
pub const AUDIENCE: &str = "bss-api";

/// What an access token says: Keycloak's claims, with the tenant and the party. Another issuer may leave out what
/// is optional.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// The issuer.
    pub iss: String,
    /// The user's or the service account's id.
    pub sub: String,
    /// A text or a list of texts.
    pub aud: Value,
    /// The client that it was given to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azp: Option<String>,
    /// Its end, in seconds since 1970.
    pub exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// `Bearer`: an ID token is no access token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typ: Option<String>,
    /// When the password was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// The session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The roles, where Keycloak has them.
    #[serde(default)]
    pub realm_access: RealmAccess,
    /// The tenant whose rows are seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Uuid>,
    /// The customer whose data a caller with the role `customer` sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party_id: Option<Uuid>,
}

/// Keycloak's wrapping of the roles.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RealmAccess {
    /// Their names; unknown ones give no right.
    #[serde(default)]
    pub roles: Vec<String>,
}
