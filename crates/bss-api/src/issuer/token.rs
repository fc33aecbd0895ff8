//! The token endpoint (RFC 6749 §3.2): codes, refresh tokens and client credentials become tokens.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bss_app::identity::client::Client;
use bss_app::identity::grant::{Grant, NoGrant};
use bss_app::identity::lifetimes::TOKEN_S;
use bss_domain::Instant;
use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;

use super::authorize::is_openid;
use super::error::{Code, OAuthError};
use super::params::{Params, decode};
use super::{Issuer, claims, pkce};

/// A successful answer (RFC 6749 §5.1), with Keycloak's additions.
#[derive(Serialize)]
struct Answer {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_expires_in: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_state: Option<String>,
    scope: String,
}

/// `POST /token`.
pub async fn post_token(
    State(issuer): State<Arc<Issuer>>,
    headers: HeaderMap,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<Response, OAuthError> {
    let Form(pairs) = form.map_err(|_| OAuthError::invalid_request("the body must be a form"))?;
    let params = Params::parse(pairs).map_err(OAuthError::invalid_request)?;
    let client = authenticate(&issuer, &headers, &params).await?;
    let now = Instant::now();
    let answer = match params.get("grant_type") {
        Some("authorization_code") => redeem(&issuer, &client, &params, now).await?,
        Some("refresh_token") => refresh(&issuer, &client, &params, now).await?,
        Some("client_credentials") => service(&issuer, &client, now)?,
        Some(_) => {
            return Err(OAuthError::new(
                Code::UnsupportedGrantType,
                "grant_type is not supported",
            ));
        }
        None => return Err(OAuthError::invalid_request("grant_type is missing")),
    };
    let mut response = Json(answer).into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn redeem(
    issuer: &Issuer,
    client: &Client,
    params: &Params,
    now: Instant,
) -> Result<Answer, OAuthError> {
    let [code, redirect_uri, verifier] =
        ["code", "redirect_uri", "code_verifier"].map(|name| needed(params, name));
    let (code, redirect_uri, verifier) = (code?, redirect_uri?, verifier?);
    let proves = |challenge: &str| pkce::proves(verifier, challenge);
    let grant = issuer
        .identity
        .redeem_code(client, code, redirect_uri, proves, now)
        .await?;
    answer(issuer, client, grant, now)
}

async fn refresh(
    issuer: &Issuer,
    client: &Client,
    params: &Params,
    now: Instant,
) -> Result<Answer, OAuthError> {
    let grant = issuer
        .identity
        .refresh(client, needed(params, "refresh_token")?, now)
        .await?;
    answer(issuer, client, grant, now)
}

/// A token for the client itself (RFC 6749 §4.4); no refresh token, since it can ask again.
fn service(issuer: &Issuer, client: &Client, now: Instant) -> Result<Answer, OAuthError> {
    let Some(tenant) = client
        .tenant
        .filter(|_| !client.public && !client.roles.is_empty())
    else {
        return Err(OAuthError::new(
            Code::UnauthorizedClient,
            "this client has no service account",
        ));
    };
    let claims = claims::client_claims(&issuer.name, client, tenant, now);
    Ok(Answer {
        access_token: issuer.ring.sign(&claims)?,
        token_type: "Bearer",
        expires_in: TOKEN_S,
        refresh_token: None,
        refresh_expires_in: None,
        id_token: None,
        session_state: None,
        scope: String::new(),
    })
}

fn answer(
    issuer: &Issuer,
    client: &Client,
    grant: Result<Grant, NoGrant>,
    now: Instant,
) -> Result<Answer, OAuthError> {
    // Which of the reasons it was helps a thief more than a client: the log has it.
    let grant = grant.map_err(|_| {
        OAuthError::new(
            Code::InvalidGrant,
            "the code or token is not valid, or not any more",
        )
    })?;
    let (signed_in, client_id) = (&grant.signed_in, client.client_id.as_str());
    let access = claims::user_claims(&issuer.name, client_id, signed_in, &grant.scope, now);
    let id_token = if is_openid(&grant.scope) {
        let claims = claims::id_claims(&issuer.name, client_id, signed_in, grant.nonce.as_deref(), now);
        Some(issuer.ring.sign(&claims)?)
    } else {
        None
    };
    Ok(Answer {
        access_token: issuer.ring.sign(&access)?,
        token_type: "Bearer",
        expires_in: TOKEN_S,
        refresh_token: Some(grant.refresh_token),
        refresh_expires_in: Some(grant.refresh_expires_in_s),
        id_token,
        session_state: Some(signed_in.session.to_string()),
        scope: grant.scope,
    })
}

fn needed<'a>(params: &'a Params, name: &str) -> Result<&'a str, OAuthError> {
    params
        .get(name)
        .ok_or_else(|| OAuthError::invalid_request(format!("{name} is missing")))
}

async fn authenticate(issuer: &Issuer, headers: &HeaderMap, params: &Params) -> Result<Client, OAuthError> {
    let (client_id, secret) = credentials(headers, params)?;
    let client = issuer
        .identity
        .authenticate_client(&client_id, secret.as_deref())
        .await?;
    client.ok_or_else(|| {
        OAuthError::new(
            Code::InvalidClient,
            "the client is unknown, or its secret is wrong",
        )
    })
}

/// The client's id and secret, by HTTP Basic or in the body, never by both (RFC 6749 §2.3).
fn credentials(headers: &HeaderMap, params: &Params) -> Result<(String, Option<String>), OAuthError> {
    let (id, secret) = (params.get("client_id"), params.get("client_secret"));
    let Some(authorization) = headers.get(header::AUTHORIZATION) else {
        let id = id.ok_or_else(|| OAuthError::new(Code::InvalidClient, "client_id is missing"))?;
        return Ok((id.to_owned(), secret.map(str::to_owned)));
    };
    let (basic_id, basic_secret) =
        authorization.to_str().ok().and_then(basic).ok_or_else(|| {
            OAuthError::new(Code::InvalidClient, "the Authorization header is no HTTP Basic")
        })?;
    if secret.is_some() || id.is_some_and(|id| id != basic_id) {
        return Err(OAuthError::invalid_request("the client shows itself in two ways"));
    }
    Ok((basic_id, Some(basic_secret)))
}

fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decode(id)?, decode(secret)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(header: Option<&str>, pairs: &[(&str, &str)]) -> Result<(String, Option<String>), Code> {
        let mut headers = HeaderMap::new();
        if let Some(text) = header {
            headers.insert(header::AUTHORIZATION, HeaderValue::try_from(text).unwrap());
        }
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        credentials(&headers, &Params::parse(pairs).unwrap()).map_err(|error| error.code)
    }

    #[test]
    fn a_client_shows_itself_in_one_way() {
        let basic = format!("Basic {}", STANDARD.encode("a%3Ab:s+t"));
        let both = Ok(("a:b".to_owned(), Some("s t".to_owned())));
        for (header, pairs, expected) in [
            (Some(basic.as_str()), &[][..], both.clone()),
            (
                Some(&basic.replace("Basic", "basic")),
                &[("client_id", "a:b")],
                both,
            ),
            (Some(&basic), &[("client_id", "other")], Err(Code::InvalidRequest)),
            (
                Some(&basic),
                &[("client_secret", "s t")],
                Err(Code::InvalidRequest),
            ),
            (Some("Bearer x"), &[("client_id", "a")], Err(Code::InvalidClient)),
            (Some("Basic ???"), &[], Err(Code::InvalidClient)),
            (
                None,
                &[("client_id", "a"), ("client_secret", "s")],
                Ok(("a".to_owned(), Some("s".to_owned()))),
            ),
            (None, &[("client_id", "a")], Ok(("a".to_owned(), None))),
            (None, &[], Err(Code::InvalidClient)),
        ] {
            assert_eq!(of(header, pairs), expected, "{header:?} {pairs:?}");
        }
    }
}
