//! The authorization endpoint and the login form: from a client's request to a code in its redirect.

use std::sync::Arc;

use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Response};
use bss_app::identity::client::Client;
use bss_app::identity::grant::CodeRequest;
use bss_app::identity::sign_in::SignedIn;
use bss_app::identity::{IdentityError, secret};
use bss_domain::Instant;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::Issuer;
use super::authorize::{AuthorizationRequest, Prompt};
use super::cookie::{csrf_of, is_csrf_of};
use super::error::{Code, OAuthError};
use super::page::{self, LoginPage};
use super::params::{self, Params};

type Pairs = Vec<(String, String)>;

/// What the form adds to the request.
const FORM_FIELDS: [&str; 3] = ["username", "password", "csrf"];

/// A request whose client and address are known to belong together: errors may be sent there.
struct Asked {
    client: Client,
    redirect_uri: String,
    state: Option<String>,
    params: Params,
}

/// `GET /auth`.
pub async fn get_auth(
    State(issuer): State<Arc<Issuer>>,
    headers: HeaderMap,
    Query(pairs): Query<Pairs>,
) -> Response {
    authorize(&issuer, &headers, pairs)
        .await
        .unwrap_or_else(|response| response)
}

/// `POST /auth`: the same by a form (OpenID Connect Core §3.1.2.1).
pub async fn post_auth(
    State(issuer): State<Arc<Issuer>>,
    headers: HeaderMap,
    Form(pairs): Form<Pairs>,
) -> Response {
    authorize(&issuer, &headers, pairs)
        .await
        .unwrap_or_else(|response| response)
}

/// `POST /login-actions/authenticate`: the login form.
pub async fn post_login(
    State(issuer): State<Arc<Issuer>>,
    headers: HeaderMap,
    Query(request): Query<Pairs>,
    Form(form): Form<Pairs>,
) -> Response {
    log_in(&issuer, &headers, request, form)
        .await
        .unwrap_or_else(|response| response)
}

/// Answers with a code where a session suffices, with the login form otherwise. `Err` is an early answer.
async fn authorize(issuer: &Issuer, headers: &HeaderMap, pairs: Pairs) -> Result<Response, Response> {
    let now = Instant::now();
    let asked = asked(issuer, pairs).await?;
    let request =
        AuthorizationRequest::parse(&asked.params).map_err(|error| send_error(issuer, &asked, &error))?;
    let session = session(issuer, headers, now)
        .await?
        .filter(|found| serves(&asked.client, found));
    match session {
        Some(signed_in) if suffices(&request, &signed_in, now) => {
            send_code(issuer, &asked, request, &signed_in, now).await
        }
        _ if request.prompt == Prompt::Never => Err(send_error(
            issuer,
            &asked,
            &OAuthError::new(Code::LoginRequired, "nobody is signed in"),
        )),
        _ => {
            let hint = asked.params.get("login_hint").unwrap_or_default().to_owned();
            Ok(show_form(issuer, headers, &asked, &hint, None, StatusCode::OK))
        }
    }
}

/// Takes the login form: a new session and a code, or the form again with what went wrong.
async fn log_in(
    issuer: &Issuer,
    headers: &HeaderMap,
    request: Pairs,
    form: Pairs,
) -> Result<Response, Response> {
    let now = Instant::now();
    let asked = asked(issuer, request).await?;
    let request =
        AuthorizationRequest::parse(&asked.params).map_err(|error| send_error(issuer, &asked, &error))?;
    let form = Params::parse(form).map_err(|problem| bad_page(&problem))?;
    let user_name = form.get("username").unwrap_or_default();
    let again = |problem: &str, status| show_form(issuer, headers, &asked, user_name, Some(problem), status);
    let ours = issuer
        .cookies
        .login(headers)
        .is_some_and(|cookie| is_csrf_of(form.get("csrf").unwrap_or_default(), cookie));
    if !ours || !is_same_origin(issuer, headers) {
        return Err(again(
            "The form was open for too long. Please sign in again.",
            StatusCode::FORBIDDEN,
        ));
    }
    let user = match issuer
        .identity
        .check_password(user_name, form.get("password").unwrap_or_default(), now)
        .await
    {
        Ok(user) => user.filter(|user| asked.client.tenant.is_none_or(|tenant| tenant == user.tenant)),
        Err(IdentityError::Busy) => {
            return Err(again(
                "Many people sign in at this moment. Try again in a few seconds.",
                StatusCode::SERVICE_UNAVAILABLE,
            ));
        }
        Err(error) => return Err(failed_page(&error)),
    };
    let Some(user) = user else {
        let problem = "The user name or password is wrong. After several failures a name is blocked for up to 15 minutes.";
        return Err(again(problem, StatusCode::BAD_REQUEST));
    };
    // Another sign-in of this browser ends with the new one; its secret is never taken over.
    if let Some(old) = session(issuer, headers, now).await? {
        let ended = issuer.identity.end_session(old.user.tenant, old.session).await;
        ended.map_err(|error| failed_page(&error))?;
    }
    let opened = issuer.identity.open_session(&user, now).await;
    let (signed_in, cookie) = opened.map_err(|error| failed_page(&error))?;
    tracing::info!(user = %user.id, client = asked.client.client_id, "signed in");
    let mut response = send_code(issuer, &asked, request, &signed_in, now).await?;
    response
        .headers_mut()
        .append(header::SET_COOKIE, issuer.cookies.set_session(&cookie));
    Ok(response)
}

/// Who asks, and whether the address is one of its own: until that is known, nothing is sent anywhere.
async fn asked(issuer: &Issuer, pairs: Pairs) -> Result<Asked, Response> {
    let pairs = pairs
        .into_iter()
        .filter(|(name, _)| !FORM_FIELDS.contains(&name.as_str()))
        .collect();
    let params = Params::parse(pairs).map_err(|problem| bad_page(&problem))?;
    let Some(client_id) = params.get("client_id") else {
        return Err(bad_page("client_id is missing"));
    };
    let client = issuer
        .identity
        .client(client_id)
        .await
        .map_err(|error| failed_page(&error))?;
    let Some(client) = client else {
        return Err(bad_page("there is no such client"));
    };
    let redirect_uri = params.get("redirect_uri").unwrap_or_default().to_owned();
    // Character by character (RFC 9700 §4.1.3).
    if !client.redirect_uris.contains(&redirect_uri) {
        return Err(bad_page(
            "redirect_uri is missing, or not one that this client registered",
        ));
    }
    let state = params.get("state").map(str::to_owned);
    Ok(Asked {
        client,
        redirect_uri,
        state,
        params,
    })
}

async fn session(issuer: &Issuer, headers: &HeaderMap, now: Instant) -> Result<Option<SignedIn>, Response> {
    match issuer.cookies.session(headers) {
        Some(secret) => issuer
            .identity
            .session_by_secret(secret, now)
            .await
            .map_err(|error| failed_page(&error)),
        None => Ok(None),
    }
}

fn serves(client: &Client, signed_in: &SignedIn) -> bool {
    client.tenant.is_none_or(|tenant| tenant == signed_in.user.tenant)
}

/// Whether a session answers the request without asking the user again.
fn suffices(request: &AuthorizationRequest, signed_in: &SignedIn, now: Instant) -> bool {
    let age_s = now.as_second() - signed_in.auth_at.as_second();
    request.prompt != Prompt::Always && request.max_age_s.is_none_or(|max| age_s <= max)
}

/// A form posted by another site's page is refused, where the browser says whose page it was.
fn is_same_origin(issuer: &Issuer, headers: &HeaderMap) -> bool {
    headers
        .get(header::ORIGIN)
        .is_none_or(|origin| issuer.origins.iter().any(|ours| origin == ours.as_str()))
}

async fn send_code(
    issuer: &Issuer,
    asked: &Asked,
    request: AuthorizationRequest,
    signed_in: &SignedIn,
    now: Instant,
) -> Result<Response, Response> {
    let wanted = CodeRequest {
        client_id: asked.client.client_id.clone(),
        redirect_uri: asked.redirect_uri.clone(),
        scope: request.scope,
        nonce: request.nonce,
        challenge: request.challenge,
    };
    let code = issuer.identity.issue_code(signed_in, wanted, now).await;
    let code = code.map_err(|error| send_error(issuer, asked, &OAuthError::from(error)))?;
    let session = signed_in.session.to_string();
    Ok(send_back(
        issuer,
        asked,
        &[("code", &code), ("session_state", &session)],
    ))
}

fn send_error(issuer: &Issuer, asked: &Asked, error: &OAuthError) -> Response {
    send_back(
        issuer,
        asked,
        &[
            ("error", error.code.as_str()),
            ("error_description", &error.description),
        ],
    )
}

/// Redirects to the client with `state` and `iss` (RFC 9207). 303: the password isn't posted on.
fn send_back(issuer: &Issuer, asked: &Asked, answer: &[(&str, &str)]) -> Response {
    let mut pairs = answer.to_vec();
    pairs.extend(asked.state.as_deref().map(|state| ("state", state)));
    pairs.push(("iss", &issuer.name));
    redirect(&params::append(&asked.redirect_uri, &pairs))
}

pub fn redirect(address: &str) -> Response {
    let Ok(location) = HeaderValue::try_from(address) else {
        return bad_page("the address to return to can't stand in a header");
    };
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// Shows the form, bound to a cookie that the browser has or gets.
fn show_form(
    issuer: &Issuer,
    headers: &HeaderMap,
    asked: &Asked,
    user_name: &str,
    problem: Option<&str>,
    status: StatusCode,
) -> Response {
    // One that is there is kept, so that forms in two tabs both work.
    let cookie = issuer
        .cookies
        .login(headers)
        .map_or_else(secret::generate, str::to_owned);
    let page = LoginPage {
        client: &asked.client.name,
        request: &asked.params.query_without(&[]),
        redirect_uri: &asked.redirect_uri,
        csrf: &csrf_of(&cookie),
        user_name,
        problem,
    };
    let mut response = page.respond(status);
    response
        .headers_mut()
        .append(header::SET_COOKIE, issuer.cookies.set_login(&cookie));
    response
}

pub fn bad_page(problem: &str) -> Response {
    let text =
        format!("The application that sent you here made a request that can't be answered: {problem}.");
    page::message(StatusCode::BAD_REQUEST, "This sign-in can't go on", &text)
}

pub fn failed_page(error: &IdentityError) -> Response {
    tracing::error!(%error, "the issuer failed");
    let text = "Signing in doesn't work at this moment. Please try again, and tell your administrator if it goes on.";
    page::message(StatusCode::SERVICE_UNAVAILABLE, "Sorry", text)
}
