//! Signing out as a client asks for it (OpenID Connect RP-Initiated Logout 1.0).

use std::sync::Arc;

use axum::extract::{Form, Query, State};
use axum::response::Response;
use bss_app::identity::secret;
use bss_app::identity::sign_in::SignedIn;
use bss_domain::Instant;
use bss_domain::ids::{TenantId, UserSessionId};
use http::{HeaderMap, StatusCode, header};

use super::Issuer;
use super::claims::IdTokenHint;
use super::cookie::{csrf_of, is_csrf_of};
use super::login::{bad_page, failed_page, redirect};
use super::page;
use super::params::{self, Params};

type Pairs = Vec<(String, String)>;

/// `GET /logout`.
pub async fn get_logout(
    State(issuer): State<Arc<Issuer>>,
    headers: HeaderMap,
    Query(pairs): Query<Pairs>,
) -> Response {
    log_out(&issuer, &headers, pairs, None)
        .await
        .unwrap_or_else(|response| response)
}

/// `POST /logout`: the same by a form, or the answer to the question whether to sign out.
pub async fn post_logout(
    State(issuer): State<Arc<Issuer>>,
    headers: HeaderMap,
    Query(mut pairs): Query<Pairs>,
    Form(form): Form<Pairs>,
) -> Response {
    let csrf = form
        .iter()
        .find(|(name, _)| name == "csrf")
        .map(|(_, value)| value.clone());
    pairs.extend(form.into_iter().filter(|(name, _)| name != "csrf"));
    log_out(&issuer, &headers, pairs, csrf)
        .await
        .unwrap_or_else(|response| response)
}

async fn log_out(
    issuer: &Issuer,
    headers: &HeaderMap,
    pairs: Pairs,
    csrf: Option<String>,
) -> Result<Response, Response> {
    let params = Params::parse(pairs).map_err(|problem| bad_page(&problem))?;
    let hint = params
        .get("id_token_hint")
        .and_then(|token| issuer.id_token_hint(token));
    let target = target(issuer, &params, hint.as_ref()).await?;
    let present = present(issuer, headers).await?;
    let confirmed = confirmed(issuer, headers, csrf.as_deref());
    let hinted = hint
        .as_ref()
        .map(|hint| (TenantId::from(hint.tenant), UserSessionId::from(hint.sid)));
    if let Some((tenant, session)) = hinted {
        // Who holds the ID token may end the session that it speaks of.
        issuer
            .identity
            .end_session(tenant, session)
            .await
            .map_err(|error| failed_page(&error))?;
    }
    let other = present.filter(|present| hinted != Some((present.user.tenant, present.session)));
    match other {
        // Nothing proves that the user wants it: any page can send a browser here.
        Some(_) if !confirmed && hinted.is_none() => {
            return Ok(ask(issuer, headers, &params, target.as_deref()));
        }
        Some(other) if confirmed => {
            let ended = issuer
                .identity
                .end_session(other.user.tenant, other.session)
                .await;
            ended.map_err(|error| failed_page(&error))?;
        }
        // The hint's session is over; this browser is somebody else's by now.
        Some(_) => return Ok(finish(&params, target.as_deref())),
        None => {}
    }
    let mut response = finish(&params, target.as_deref());
    response
        .headers_mut()
        .append(header::SET_COOKIE, issuer.cookies.clear_session());
    Ok(response)
}

/// Where the browser goes afterwards: an address that the client registered, or nowhere.
async fn target(
    issuer: &Issuer,
    params: &Params,
    hint: Option<&IdTokenHint>,
) -> Result<Option<String>, Response> {
    let named = params.get("client_id");
    let hinted = hint.map(|hint| hint.aud.as_str());
    if let (Some(named), Some(hinted)) = (named, hinted)
        && named != hinted
    {
        return Err(bad_page(
            "client_id is not the one that the ID token was given to",
        ));
    }
    let Some(uri) = params.get("post_logout_redirect_uri") else {
        return Ok(None);
    };
    let Some(client_id) = named.or(hinted) else {
        return Err(bad_page(
            "post_logout_redirect_uri needs id_token_hint or client_id",
        ));
    };
    let client = issuer
        .identity
        .client(client_id)
        .await
        .map_err(|error| failed_page(&error))?;
    if client.is_some_and(|client| client.post_logout_redirect_uris.iter().any(|known| known == uri)) {
        return Ok(Some(uri.to_owned()));
    }
    Err(bad_page(
        "post_logout_redirect_uri is not one that this client registered",
    ))
}

async fn present(issuer: &Issuer, headers: &HeaderMap) -> Result<Option<SignedIn>, Response> {
    match issuer.cookies.session(headers) {
        Some(secret) => {
            let found = issuer.identity.session_by_secret(secret, Instant::now()).await;
            found.map_err(|error| failed_page(&error))
        }
        None => Ok(None),
    }
}

fn confirmed(issuer: &Issuer, headers: &HeaderMap, csrf: Option<&str>) -> bool {
    csrf.zip(issuer.cookies.login(headers))
        .is_some_and(|(csrf, cookie)| is_csrf_of(csrf, cookie))
}

fn ask(issuer: &Issuer, headers: &HeaderMap, params: &Params, target: Option<&str>) -> Response {
    let cookie = issuer
        .cookies
        .login(headers)
        .map_or_else(secret::generate, str::to_owned);
    let mut response = page::confirm_logout(&params.query_without(&[]), &csrf_of(&cookie), target);
    response
        .headers_mut()
        .append(header::SET_COOKIE, issuer.cookies.set_login(&cookie));
    response
}

fn finish(params: &Params, target: Option<&str>) -> Response {
    let Some(target) = target else {
        return page::message(
            StatusCode::OK,
            "Signed out",
            "You are signed out. You may close this window.",
        );
    };
    let state = params.get("state").map(|state| ("state", state));
    redirect(&params::append(target, &state.into_iter().collect::<Vec<_>>()))
}
