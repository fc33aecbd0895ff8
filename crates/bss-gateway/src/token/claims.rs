//! What a verified token says.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// The claims of a token whose signature, issuer, audience and times are right. The application gets them as the
/// request extension `Arc<VerifiedClaims>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedClaims {
    /// `sub`: the user, or the client's own account.
    pub subject: String,
    /// `tenant`.
    pub tenant: Option<String>,
    /// `realm_access.roles`, where Keycloak puts them, and `roles`; each once.
    pub roles: Vec<String>,
    /// `party_id`: the customer's party that a self-care user is.
    pub party_id: Option<String>,
    /// `azp` (OpenID Connect) or `client_id` (RFC 9068): the program that calls.
    pub client_id: Option<String>,
    /// `exp`, on the real clock.
    pub expires_at: SystemTime,
    /// All claims as the issuer wrote them.
    pub raw: Value,
}

impl VerifiedClaims {
    /// None if `sub` or `exp` is missing or of the wrong type.
    pub(super) fn from_raw(raw: Value) -> Option<Self> {
        let text = |name: &str| raw.get(name).and_then(Value::as_str).map(str::to_owned);
        let subject = text("sub").filter(|subject| !subject.is_empty())?;
        // Some issuers write times as fractions.
        let expires_s = raw
            .get("exp")
            .and_then(|exp| exp.as_u64().or_else(|| exp.as_f64().map(|s| s as u64)))?;
        let mut roles: Vec<String> = Vec::new();
        let listed = [raw.pointer("/realm_access/roles"), raw.get("roles")];
        let named = listed
            .into_iter()
            .flatten()
            .filter_map(Value::as_array)
            .flatten()
            .filter_map(Value::as_str);
        for role in named {
            if !roles.iter().any(|known| known == role) {
                roles.push(role.to_owned());
            }
        }
        Some(Self {
            subject,
            tenant: text("tenant"),
            roles,
            party_id: text("party_id"),
            client_id: text("azp").or_else(|| text("client_id")),
            expires_at: UNIX_EPOCH.checked_add(Duration::from_secs(expires_s))?,
            raw,
        })
    }
}
