//! A gateway in front of a small application, an issuer, and clients.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use bss_gateway::{
    Drained, Environment, Gateway, GatewayConfig, KeySource, KeySourceError, Observer, Origin, Tenant,
    VerifiedClaims, WritesAllowed, serve,
};
use futures::future::BoxFuture;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::fmt::MakeWriter;

pub const CUSTOMER: &str = "/tmf-api/customerManagement/v4/customer/4711?name=Ada";

/// A key pair of the issuer's, with its public half as the issuer publishes it.
pub struct Key {
    pub signing: EncodingKey,
    pub public: Jwk,
}

impl Key {
    pub fn generate(id: &str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der = pair.as_der().unwrap();
        let base64 = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
        let signing = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
        let mut public = Jwk::from_encoding_key(&signing, Algorithm::RS256).unwrap();
        public.common.key_id = Some(id.to_owned());
        Self { signing, public }
    }
}

pub static FIRST_KEY: LazyLock<Key> = LazyLock::new(|| Key::generate("first"));
pub static SECOND_KEY: LazyLock<Key> = LazyLock::new(|| Key::generate("second"));

/// An issuer in the same process, which can be away and counts how often it is asked.
pub struct Issuer {
    pub published: Mutex<Vec<Jwk>>,
    pub away: AtomicBool,
    pub asked: AtomicUsize,
}

impl Issuer {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            published: Mutex::new(vec![FIRST_KEY.public.clone()]),
            away: AtomicBool::new(false),
            asked: AtomicUsize::new(0),
        })
    }
}

impl KeySource for Issuer {
    fn key_set(&self) -> BoxFuture<'_, Result<JwkSet, KeySourceError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let away = self.away.load(Ordering::SeqCst);
        let keys = self.published.lock().unwrap().clone();
        Box::pin(async move {
            if away {
                Err(KeySourceError("away".to_owned()))
            } else {
                Ok(JwkSet { keys })
            }
        })
    }
}

pub fn now_s() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

pub fn claims(issuer: &str) -> Value {
    json!({
        "iss": issuer, "aud": ["bss", "account"], "sub": "user-1", "exp": now_s() + 300, "nbf": now_s() - 1,
        "typ": "Bearer", "azp": "console", "tenant": "default", "party_id": "party-9",
        "realm_access": { "roles": ["csr", "billing"] }, "roles": ["csr", "admin"],
    })
}

pub fn sign(key: &Key, claims: &Value) -> String {
    let mut header = Header::new(Algorithm::RS256);
    header.kid.clone_from(&key.public.common.key_id);
    encode(&header, claims, &key.signing).unwrap()
}

/// What a test says about the gateway that it wants.
pub struct Setup {
    pub config: GatewayConfig,
    pub issuer: Arc<dyn KeySource>,
    pub writes: Option<Arc<dyn WritesAllowed>>,
    pub observer: Option<Arc<dyn Observer>>,
}

impl Setup {
    pub fn new() -> Self {
        LazyLock::force(&LOG);
        Self {
            config: GatewayConfig::default(),
            issuer: Issuer::new(),
            writes: None,
            observer: None,
        }
    }

    pub fn with(change: impl FnOnce(&mut GatewayConfig)) -> Self {
        let mut setup = Self::new();
        change(&mut setup.config);
        setup
    }

    pub async fn start(mut self) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let base = format!("http://{address}");
        self.config.listen = address;
        self.config.public_urls = vec![base.clone()];
        let gate = Arc::new(Gate {
            entered: Semaphore::new(0),
            open: Semaphore::new(0),
        });
        let environment = Environment {
            keys: self.issuer,
            writes: self.writes,
            observer: self.observer,
        };
        let gateway =
            Gateway::around_router(&self.config, environment, application(Arc::clone(&gate))).unwrap();
        let stop = CancellationToken::new();
        let (config, stopped) = (self.config, stop.clone());
        let issuer = config.issuer();
        let task = tokio::spawn(async move { serve(listener, gateway, &config, stopped).await });
        Running {
            address,
            base,
            issuer,
            gate,
            stop,
            task,
            client: reqwest::Client::new(),
        }
    }
}

/// The log of this process. One for all tests, since a subscriber of a single thread may miss call sites that another
/// thread reached first.
static LOG: LazyLock<Lines> = LazyLock::new(|| {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_writer(lines.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    lines
});

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

pub fn log_lines() -> Vec<String> {
    let text = String::from_utf8(LOG.0.lock().unwrap().clone()).unwrap();
    text.lines().map(str::to_owned).collect()
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Holds requests to `/tmf-api/held` until the test opens it.
pub struct Gate {
    pub entered: Semaphore,
    pub open: Semaphore,
}

impl Gate {
    /// Waits until so many requests stand in the application.
    pub async fn entered(&self, requests: u32) {
        self.entered.acquire_many(requests).await.unwrap().forget();
    }
}

pub struct Running {
    pub address: SocketAddr,
    pub base: String,
    pub issuer: String,
    pub gate: Arc<Gate>,
    pub stop: CancellationToken,
    pub task: tokio::task::JoinHandle<io::Result<Drained>>,
    pub client: reqwest::Client,
}

impl Running {
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub fn token(&self) -> String {
        sign(&FIRST_KEY, &claims(&self.issuer))
    }

    pub fn token_with(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = claims(&self.issuer);
        change(&mut claims);
        sign(&FIRST_KEY, &claims)
    }

    /// A request without a token.
    pub fn anonymous(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.get(self.url(path))
    }

    pub fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.anonymous(path).bearer_auth(self.token())
    }

    pub fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.post(self.url(path)).bearer_auth(self.token())
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// The head of a request in plain text, with host and token.
    pub fn head(&self, line: &str, more: &str) -> String {
        format!(
            "{line} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n{more}\r\n",
            self.address,
            self.token()
        )
    }
}

/// Everything that comes until the head of an answer is whole.
pub async fn read_head(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.windows(4).any(|window| window == b"\r\n\r\n") {
        let mut part = [0; 4096];
        let length = stream.read(&mut part).await.unwrap();
        assert!(length > 0, "closed after {:?}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&part[..length]);
    }
    String::from_utf8(read).unwrap()
}

pub async fn send(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

/// Checks that an answer is TM Forum's Error, and returns its code.
pub async fn refusal(response: reqwest::Response, status: u16) -> String {
    assert_eq!(response.status().as_u16(), status, "{response:?}");
    assert_eq!(response.headers()["content-type"], "application/json");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["status"], status.to_string());
    assert!(!body["reason"].as_str().unwrap().is_empty() && !body["message"].as_str().unwrap().is_empty());
    body["code"].as_str().unwrap().to_owned()
}

fn application(gate: Arc<Gate>) -> Router {
    let held = move || async move {
        gate.entered.add_permits(1);
        gate.open.acquire().await.unwrap().forget();
        "held"
    };
    Router::new()
        .route("/", get(|| async { Html("<script>1</script>") }))
        .route("/health", get(|| async { "ok" }))
        .route("/realms/bss/token", post(|| async { "token" }))
        .route("/tmf-api/customerManagement/v4/customer/{id}", get(seen))
        .route("/tmf-api/held", get(held))
        .route("/tmf-api/body", post(length))
        .route("/tmf-api/careless", post(|| async { "done without the body" }))
        .route("/tmf-api/panic", get(panics))
        .route("/tmf-api/long", get(|| async { "lorem ipsum ".repeat(1000) }))
        .route("/bss-api/v1/live", get(live))
}

/// What the application sees of a request.
async fn seen(request: Request) -> Json<Value> {
    let (head, _) = request.into_parts();
    let header = |name: &str| {
        head.headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let claims = head.extensions.get::<Arc<VerifiedClaims>>();
    let claims = claims.map(|claims| {
        json!({
            "subject": claims.subject, "tenant": claims.tenant, "roles": claims.roles,
            "partyId": claims.party_id, "clientId": claims.client_id, "raw": claims.raw,
            "expiresAt": claims.expires_at.duration_since(UNIX_EPOCH).unwrap().as_secs(),
        })
    });
    let tenant = head.extensions.get::<Tenant>().map(|tenant| tenant.0.to_string());
    let origin = head.extensions.get::<Origin>().unwrap();
    Json(json!({
        "correlationId": header("x-correlation-id"), "traceparent": header("traceparent"),
        "forwardedFor": header("x-forwarded-for"), "claims": claims, "tenant": tenant,
        "address": origin.address.to_string(), "https": origin.https,
    }))
}

async fn length(body: Body) -> Result<String, (axum::http::StatusCode, String)> {
    let bytes: Bytes = axum::body::to_bytes(body, usize::MAX)
        .await
        .map_err(|error| (axum::http::StatusCode::BAD_REQUEST, error.to_string()))?;
    Ok(bytes.len().to_string())
}

async fn panics() -> String {
    let months = [31, 28, 31];
    let month = std::hint::black_box(12);
    format!("{} days", months[month])
}

/// A stream of events that says one thing and then stays open.
async fn live() -> ([(&'static str, &'static str); 1], Body) {
    use futures::StreamExt;
    let first = futures::stream::iter([Ok::<_, io::Error>("data: hello\n\n")]);
    let body = Body::from_stream(first.chain(futures::stream::pending()));
    ([("content-type", "text/event-stream")], body)
}
