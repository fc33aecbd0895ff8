//! The API through its real router and guard: callers with any role, on a database of its own.
#![allow(dead_code)] // each test file uses its part

use axum::Router;
use axum::body::Body;
use bss_api::auth::{AUDIENCE, Guard, Matrix, Verifier};
use bss_api::{ApiConfig, ApiState, router};
use bss_app::identity::signing_key::Rotation;
use bss_app::{App, Role};
use bss_domain::Instant;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt as _;
use uuid::Uuid;

use super::{World, world};

pub const BASE: &str = "https://bss.test";
pub const CATALOG: &str = "/tmf-api/productCatalogManagement/v4";
pub const PARTY: &str = "/tmf-api/party/v4";
pub const CUSTOMER: &str = "/tmf-api/customerManagement/v4/customer";
pub const ACCOUNT: &str = "/tmf-api/accountManagement/v4/billingAccount";

/// A running API.
pub struct Api {
    pub world: World,
    pub app: App,
    pub state: ApiState,
    router: Router,
    kid: String,
    key: EncodingKey,
}

/// Who calls: a role, a tenant and a customer.
#[derive(Clone)]
pub struct Actor<'a> {
    api: &'a Api,
    token: String,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

pub async fn api(require_idempotency_key: bool) -> Api {
    let world = world().await;
    let keys = world
        .identity
        .signing_keys(Rotation::Now, Instant::now())
        .await
        .unwrap();
    let kid = keys.roles.signing.clone().unwrap();
    let pem = &keys.keys.iter().find(|key| key.kid == kid).unwrap().private_pem;
    let key = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
    let verifier = Verifier::new(world.issuer.name(), world.issuer.keys());
    let guard = Guard::new(Matrix::committed().unwrap(), verifier, world.store.clone());
    let app = App::new(world.store.clone()).await.unwrap();
    let config = ApiConfig {
        public_urls: vec![BASE.to_owned(), "https://other.test".to_owned()],
        require_idempotency_key,
        spool_dir: std::env::temp_dir(),
    };
    let state = ApiState::new(app.clone(), config, tokio_util::sync::CancellationToken::new());
    Api {
        router: router(state.clone(), Arc::new(guard)),
        world,
        app,
        state,
        kid,
        key,
    }
}

impl Api {
    pub fn actor(&self, role: Role) -> Actor<'_> {
        self.actor_of(role, self.world.tenant.into(), None)
    }

    pub fn actor_of(&self, role: Role, tenant: Uuid, customer: Option<&str>) -> Actor<'_> {
        let now = Instant::now().as_second();
        let claims = json!({
            "iss": self.world.issuer.name(), "aud": AUDIENCE, "sub": format!("test {role}"), "typ": "Bearer",
            "iat": now, "exp": now + 600, "tenant": tenant, "party_id": customer,
            "realm_access": { "roles": [role.name()] },
        });
        let header = Header {
            kid: Some(self.kid.clone()),
            ..Header::new(Algorithm::RS256)
        };
        let token = jsonwebtoken::encode(&header, &claims, &self.key).unwrap();
        Actor { api: self, token }
    }

    /// A tenant beside the first one.
    pub async fn other_tenant(&self) -> Uuid {
        let tenant = self.world.identity.ensure_tenant("other", "test").await.unwrap();
        tenant.into()
    }
}

impl Actor<'_> {
    pub async fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: String) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.token));
        if headers.iter().all(|(name, _)| *name != "content-type") {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self
            .api
            .router
            .clone()
            .oneshot(request.body(Body::from(body)).unwrap())
            .await
            .unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Answer {
            status,
            headers,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
        }
    }

    /// An answer that goes on: its body is read by the test.
    pub async fn open(&self, path: &str) -> http::Response<Body> {
        let request = Request::builder()
            .uri(path)
            .header("authorization", format!("Bearer {}", self.token));
        let request = request.body(Body::empty()).unwrap();
        self.api.router.clone().oneshot(request).await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &[], String::new()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, &[], body.to_string()).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.call("PUT", path, &[], body.to_string()).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call("PATCH", path, &[], body.to_string()).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, &[], String::new()).await
    }

    /// Creates something and gives it back.
    pub async fn made(&self, path: &str, body: Value) -> Value {
        let shown = body.to_string();
        let answer = self.post(path, body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{shown}: {}", answer.body);
        answer.body
    }

    /// A person who is a customer; gives the customer.
    pub async fn customer(&self, name: &str) -> Value {
        let person = json!({ "givenName": name, "familyName": "Test" });
        let person = self.made(&format!("{PARTY}/individual"), person).await;
        let engaged = json!({ "id": person["id"], "href": person["href"], "name": name, "@referredType": "Individual" });
        self.made(
            CUSTOMER,
            json!({ "name": format!("{name} Test"), "engagedParty": engaged }),
        )
        .await
    }

    pub async fn account(&self, customer: &Value) -> Value {
        let party = json!([{ "id": customer["id"], "name": customer["name"], "role": "customer", "@referredType": "Customer" }]);
        let body = json!({ "name": "Main", "currency": "EUR", "timeZone": "Europe/Warsaw", "cycleDay": 15, "relatedParty": party });
        self.made(ACCOUNT, body).await
    }
}

impl Answer {
    /// Status, code and field of an error.
    pub fn error(&self) -> (u16, &str, Option<&str>) {
        (
            self.status.as_u16(),
            self.body["code"].as_str().unwrap_or_default(),
            self.body["field"].as_str(),
        )
    }

    pub fn etag(&self) -> &str {
        self.headers["etag"].to_str().unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}
