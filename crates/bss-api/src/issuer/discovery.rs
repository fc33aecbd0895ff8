//! What the issuer says about itself (OpenID Connect Discovery 1.0), with Keycloak's paths.

use serde_json::{Value, json};

use super::authorize::SCOPES;

/// The realm's path; the issuer's name is the first public address with it.
pub const REALM: &str = "/realms/bss";
pub const CONFIGURATION: &str = "/realms/bss/.well-known/openid-configuration";
pub const AUTH: &str = "/realms/bss/protocol/openid-connect/auth";
pub const TOKEN: &str = "/realms/bss/protocol/openid-connect/token";
pub const CERTS: &str = "/realms/bss/protocol/openid-connect/certs";
pub const USERINFO: &str = "/realms/bss/protocol/openid-connect/userinfo";
pub const LOGOUT: &str = "/realms/bss/protocol/openid-connect/logout";
/// Where the login form is sent.
pub const LOGIN: &str = "/realms/bss/login-actions/authenticate";
/// The pages' style sheet.
pub const STYLE: &str = "/realms/bss/resources/style.css";

/// The configuration of the issuer at this public address (without a slash at its end).
pub fn configuration(public_url: &str) -> Value {
    let at = |path: &str| format!("{public_url}{path}");
    json!({
        "issuer": at(REALM),
        "authorization_endpoint": at(AUTH),
        "token_endpoint": at(TOKEN),
        "jwks_uri": at(CERTS),
        "userinfo_endpoint": at(USERINFO),
        "end_session_endpoint": at(LOGOUT),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": SCOPES,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "claim_types_supported": ["normal"],
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "sid", "name", "preferred_username",
            "realm_access", "tenant", "party_id"
        ],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "authorization_response_iss_parameter_supported": true,
    })
}
