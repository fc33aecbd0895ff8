//! A running issuer on a database of its own, and a browser that keeps cookies and follows nothing by itself.
#![allow(dead_code)] // each test file uses its part

pub mod api;
pub mod forge;
pub mod shop;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bss_api::issuer::{Issuer, IssuerConfig};
use bss_app::identity::Identity;
use bss_domain::ids::TenantId;
use bss_platform::testing::test_server;
use bss_store::{ClockMode, Store, StoreConfig, migrate};
use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use serde_json::Value;

pub const SECRET: &str = "a secret of the test, 32 characters or more";
/// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A database with identities, and the issuer at an address of its own.
pub struct World {
    pub url: String,
    pub store: Store,
    pub identity: Arc<Identity>,
    pub issuer: Arc<Issuer>,
    pub tenant: TenantId,
    pub passwords: BTreeMap<String, String>,
}

/// Starts the issuer on a free port; `more` adds routes beside it.
pub async fn world_with(more: impl FnOnce(&Store, &Arc<Issuer>) -> Router) -> World {
    let database = test_server().await.database().await;
    migrate(&database, ClockMode::Simulated).await.unwrap();
    let store = Store::connect(&StoreConfig::new(&database)).await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let identity = Arc::new(Identity::new(store.clone(), SECRET).unwrap());
    let made = identity.bootstrap(std::slice::from_ref(&url)).await.unwrap();
    let issuer = Issuer::start(identity.clone(), IssuerConfig::new(vec![url.clone()]))
        .await
        .unwrap();
    let router = issuer.router().merge(more(&store, &issuer));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    World {
        url,
        store,
        identity,
        issuer,
        tenant: made.tenant,
        passwords: made.users.into_iter().collect(),
    }
}

pub async fn world() -> World {
    world_with(|_, _| Router::new()).await
}

impl World {
    pub fn at(&self, path: &str) -> String {
        format!("{}/realms/bss/protocol/openid-connect/{path}", self.url)
    }

    /// The console's request for a code, with some parameters changed; an empty value leaves one out.
    pub fn auth(&self, changes: &[(&str, &str)]) -> String {
        let callback = format!("{}/auth/callback", self.url);
        let mut params = BTreeMap::from([
            ("response_type", "code"),
            ("client_id", "bss-console"),
            ("redirect_uri", callback.as_str()),
            ("scope", "openid profile"),
            ("state", "the state"),
            ("nonce", "the nonce"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        params.extend(changes.iter().copied());
        params.retain(|_, value| !value.is_empty());
        let url = reqwest::Url::parse_with_params(&self.at("auth"), params).unwrap();
        url.to_string()
    }

    /// Signs somebody in by the form and gives the code.
    pub async fn code(&self, browser: &mut Browser, user: &str) -> String {
        let page = browser.get(&self.auth(&[])).await;
        let answer = browser.submit(self, &page, user, &self.passwords[user]).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        answer.redirect()["code"].clone()
    }

    /// Exchanges a code as the console does.
    pub async fn tokens(&self, code: &str) -> Value {
        let callback = format!("{}/auth/callback", self.url);
        let answer = self
            .token(&[
                ("grant_type", "authorization_code"),
                ("client_id", "bss-console"),
                ("code", code),
                ("redirect_uri", &callback),
                ("code_verifier", VERIFIER),
            ])
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    /// Calls the token endpoint.
    pub async fn token(&self, form: &[(&str, &str)]) -> Answer {
        Browser::new().post(&self.at("token"), form).await
    }
}

/// An answer, read whole.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Where it redirects to.
    pub fn location(&self) -> String {
        self.headers
            .get(LOCATION)
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default()
    }

    /// The parameters of the address that it redirects to.
    pub fn redirect(&self) -> BTreeMap<String, String> {
        let url =
            reqwest::Url::parse(&self.location()).unwrap_or_else(|_| panic!("no redirect: {}", self.body));
        url.query_pairs()
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect()
    }

    /// The value of an attribute that follows a text in the page.
    pub fn between(&self, before: &str, after: &str) -> String {
        let start = self
            .body
            .find(before)
            .unwrap_or_else(|| panic!("no {before:?} in {}", self.body))
            + before.len();
        let length = self.body[start..].find(after).unwrap();
        self.body[start..start + length].replace("&amp;", "&")
    }
}

/// A browser without scripts.
pub struct Browser {
    client: reqwest::Client,
    pub cookies: BTreeMap<String, String>,
    /// Sent with every call.
    pub headers: Vec<(&'static str, String)>,
}

impl Browser {
    pub fn new() -> Self {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            client,
            cookies: BTreeMap::new(),
            headers: Vec::new(),
        }
    }

    pub async fn get(&mut self, url: &str) -> Answer {
        self.send(self.client.get(url)).await
    }

    pub async fn post(&mut self, url: &str, form: &[(&str, &str)]) -> Answer {
        self.send(self.client.post(url).form(form)).await
    }

    pub async fn send(&mut self, mut request: reqwest::RequestBuilder) -> Answer {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let (name, value) = cookie
                .to_str()
                .unwrap()
                .split(';')
                .next()
                .unwrap()
                .split_once('=')
                .unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer {
            status,
            headers,
            body: response.text().await.unwrap(),
        }
    }

    /// Fills in the login form of a page and sends it where it says.
    pub async fn submit(&mut self, world: &World, page: &Answer, user: &str, password: &str) -> Answer {
        let action = page.between("action=\"", "\"");
        let csrf = page.between("name=\"csrf\" value=\"", "\"");
        let form = [
            ("csrf", csrf.as_str()),
            ("username", user),
            ("password", password),
        ];
        self.post(&format!("{}{action}", world.url), &form).await
    }
}

/// What a token says, unverified.
pub fn payload(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
