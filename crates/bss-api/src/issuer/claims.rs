//! What the issuer's tokens say.

use bss_app::Role;
use bss_app::identity::client::Client;
use bss_app::identity::lifetimes::TOKEN_S;
use bss_app::identity::secret;
use bss_app::identity::sign_in::SignedIn;
use bss_domain::ids::TenantId;
use bss_domain::{Instant, TypedId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::auth::{AUDIENCE, Claims, RealmAccess};

/// An ID token (OpenID Connect Core §2): for the client, never for the API.
#[derive(Debug, Serialize)]
pub struct IdClaims<'a> {
    iss: &'a str,
    sub: String,
    aud: &'a str,
    azp: &'a str,
    exp: i64,
    iat: i64,
    auth_time: i64,
    jti: String,
    typ: &'static str,
    sid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    preferred_username: &'a str,
    name: &'a str,
    tenant: Uuid,
}

/// What a logout needs of an ID token.
#[derive(Debug, Deserialize)]
pub struct IdTokenHint {
    pub aud: String,
    pub sid: Uuid,
    pub tenant: Uuid,
    pub typ: String,
}

/// The ID token of a sign-in.
pub fn id_claims<'a>(
    issuer: &'a str,
    client_id: &'a str,
    signed_in: &'a SignedIn,
    nonce: Option<&'a str>,
    now: Instant,
) -> IdClaims<'a> {
    IdClaims {
        iss: issuer,
        sub: signed_in.user.id.to_string(),
        aud: client_id,
        azp: client_id,
        exp: now.as_second() + TOKEN_S,
        iat: now.as_second(),
        auth_time: signed_in.auth_at.as_second(),
        jti: secret::generate(),
        typ: "ID",
        sid: signed_in.session.to_string(),
        nonce,
        preferred_username: &signed_in.user.name,
        name: &signed_in.user.display_name,
        tenant: signed_in.user.tenant.uuid(),
    }
}

/// The access token of a sign-in.
pub fn user_claims(issuer: &str, client_id: &str, signed_in: &SignedIn, scope: &str, now: Instant) -> Claims {
    let user = &signed_in.user;
    Claims {
        auth_time: Some(signed_in.auth_at.as_second()),
        sid: Some(signed_in.session.to_string()),
        scope: Some(scope.to_owned()),
        name: Some(user.display_name.clone()),
        party_id: user.party,
        ..access_claims(
            issuer,
            client_id,
            (&user.id.to_string(), &user.name),
            user.tenant,
            &user.roles,
            now,
        )
    }
}

/// The access token of a client's service account.
pub fn client_claims(issuer: &str, client: &Client, tenant: TenantId, now: Instant) -> Claims {
    let name = format!("service-account-{}", client.client_id);
    access_claims(
        issuer,
        &client.client_id,
        (&client.id.to_string(), &name),
        tenant,
        &client.roles,
        now,
    )
}

/// An access token for `subject`: its id and its name.
pub fn access_claims(
    issuer: &str,
    client_id: &str,
    subject: (&str, &str),
    tenant: TenantId,
    roles: &[Role],
    now: Instant,
) -> Claims {
    Claims {
        iss: issuer.to_owned(),
        sub: subject.0.to_owned(),
        aud: AUDIENCE.into(),
        azp: Some(client_id.to_owned()),
        exp: now.as_second() + TOKEN_S,
        iat: Some(now.as_second()),
        nbf: Some(now.as_second()),
        jti: Some(secret::generate()),
        typ: Some("Bearer".to_owned()),
        auth_time: None,
        sid: None,
        scope: Some(String::new()),
        preferred_username: Some(subject.1.to_owned()),
        name: None,
        realm_access: RealmAccess {
            roles: roles.iter().map(|role| role.name().to_owned()).collect(),
        },
        tenant: Some(tenant.uuid()),
        party_id: None,
    }
}
