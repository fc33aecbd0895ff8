//! Who a token speaks of (OpenID Connect Core §5.3).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bss_domain::Instant;
use bss_domain::ids::{TenantId, UserSessionId};
use http::{HeaderMap, HeaderValue, header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Issuer;
use super::authorize::is_openid;
use super::error::{Code, OAuthError};
use crate::auth::bearer;

/// `GET` and `POST /userinfo`.
pub async fn userinfo(State(issuer): State<Arc<Issuer>>, headers: HeaderMap) -> Result<Response, OAuthError> {
    let invalid = |why: &str| OAuthError::new(Code::InvalidToken, why);
    let token = bearer(&headers).ok_or_else(|| invalid("the bearer token is missing"))?;
    let claims = issuer
        .verifier
        .verify(token)
        .map_err(|error| invalid(&error.to_string()))?;
    if !is_openid(claims.scope.as_deref().unwrap_or_default()) {
        return Err(invalid("the token was not given for openid"));
    }
    let session = claims
        .sid
        .as_deref()
        .and_then(|sid| sid.parse::<Uuid>().ok())
        .zip(claims.tenant);
    let (sid, tenant) = session.ok_or_else(|| invalid("the token belongs to no session"))?;
    let found = issuer
        .identity
        .session(TenantId::from(tenant), UserSessionId::from(sid), Instant::now())
        .await?;
    let user = found.ok_or_else(|| invalid("the session has ended"))?.user;
    let roles: Vec<&str> = user.roles.iter().map(|role| role.name()).collect();
    let mut body = json!({
        "sub": user.id.to_string(),
        "preferred_username": user.name,
        "name": user.display_name,
        "realm_access": { "roles": roles },
        "tenant": tenant,
    });
    if let Some(party) = user.party {
        body["party_id"] = Value::String(party.to_string());
    }
    let mut response = Json(body).into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
