//! The authorization matrix, walked: every route, every role, every kind of token, through the guard.

mod support;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::Body;
use bss_api::auth::{AUDIENCE, Access, Guard, Matrix, Reach, Routes, Rule, Verifier};
use bss_app::Role;
use bss_domain::Instant;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use jsonwebtoken::{Algorithm, Header};
use serde_json::{Value, json};
use support::forge::{FLAWS, Flaw, Forge, PARTY};
use support::{World, world};
use tower::ServiceExt as _;
use uuid::Uuid;

fn guard(world: &World, matrix: Matrix) -> Arc<Guard> {
    let verifier = Verifier::new(world.issuer.name(), world.issuer.keys());
    Arc::new(Guard::new(matrix, verifier, world.store.clone()))
}

async fn call(router: &Router, method: &str, path: &str, token: Option<&str>) -> (StatusCode, Value) {
    let path = path.replace("{id}", &PARTY.to_string());
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = router
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// What the guard gave the handler.
async fn echo(access: Access) -> Json<Value> {
    let roles: Vec<&str> = access.caller.roles.iter().map(|role| role.name()).collect();
    let confined_to = access.confined_to().map(|customer| customer.to_string());
    Json(json!({ "tenant": access.caller.tenant, "roles": roles, "confinedTo": confined_to }))
}

async fn open() -> Json<Value> {
    Json(json!({}))
}

/// A router that has every route of the committed table.
fn every_route(matrix: &Matrix) -> Routes {
    matrix
        .routes()
        .fold(Routes::new(), |routes, (method, path, rule)| {
            let method = method.parse::<Method>().unwrap();
            match rule {
                Rule::Anyone => routes.add(method, path, open),
                Rule::Roles(_) => routes.add(method, path, echo),
            }
        })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_lets_in_whom_the_table_names_and_nobody_else() {
    let world = world().await;
    let forge = Forge::of(&world).await;
    let matrix = Matrix::committed().unwrap();
    let router = every_route(&matrix).guarded(guard(&world, matrix.clone()));
    let good = Role::ALL.map(|role| (role, forge.token(role, None)));
    let flawed = FLAWS.map(|(flaw, status)| {
        (
            flaw,
            status,
            Role::ALL.map(|role| (flaw != Flaw::Missing).then(|| forge.token(role, Some(flaw)))),
        )
    });
    for (method, path, rule) in matrix.routes() {
        let Rule::Roles(granted) = rule else {
            assert_eq!(
                call(&router, method, path, None).await.0,
                StatusCode::OK,
                "{method} {path}"
            );
            continue;
        };
        for (role, token) in &good {
            let (status, body) = call(&router, method, path, Some(token)).await;
            let expected = match granted.get(role) {
                None => (StatusCode::FORBIDDEN, json!(null)),
                Some(Reach::All) => (StatusCode::OK, json!(null)),
                Some(Reach::Own) => (StatusCode::OK, json!(PARTY.to_string())),
            };
            assert_eq!(
                (status, body["confinedTo"].clone()),
                expected,
                "{method} {path} as {role}"
            );
            if status == StatusCode::OK {
                assert_eq!(
                    (&body["tenant"], &body["roles"]),
                    (&json!(world.tenant), &json!([role.name()]))
                );
            }
        }
        for (flaw, expected, tokens) in &flawed {
            for token in tokens {
                let (status, body) = call(&router, method, path, token.as_deref()).await;
                assert_eq!(status, *expected, "{method} {path} with {flaw:?}");
                assert_eq!(
                    body["status"],
                    expected.as_u16().to_string(),
                    "TM Forum's error body"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_was_forgotten_is_refused_even_to_an_administrator() {
    let world = world().await;
    let forge = Forge::of(&world).await;
    let routes = Routes::new()
        .add(Method::GET, "/forgotten", open)
        .add(Method::GET, "/openapi.json", open);
    let router = routes.guarded(guard(&world, Matrix::committed().unwrap()));
    let admin = forge.token(Role::Admin, None);
    assert_eq!(
        call(&router, "GET", "/forgotten", Some(&admin)).await.0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        call(&router, "GET", "/openapi.json", None).await.0,
        StatusCode::OK
    );
    assert_eq!(
        call(&router, "HEAD", "/openapi.json", None).await.0,
        StatusCode::OK
    );
    assert_eq!(
        call(&router, "GET", "/nothing", None).await.0,
        StatusCode::NOT_FOUND
    );
}

const SMALL: &str = "method path admin csr product-manager billing network operations customer\n\
                     GET /bills all - - all - - own\n\
                     GET /offers all - - - - - all\n";

#[tokio::test(flavor = "multi_thread")]
async fn several_roles_reach_as_far_as_the_widest_that_counts_on_the_route() {
    let world = world().await;
    let forge = Forge::of(&world).await;
    let routes = Routes::new()
        .add(Method::GET, "/bills", echo)
        .add(Method::GET, "/offers", echo);
    let router = routes.guarded(guard(&world, Matrix::parse(SMALL).unwrap()));
    let token = |roles: &[&str], party: Option<Uuid>| {
        let now = Instant::now().as_second();
        let claims = json!({
            "iss": forge.issuer, "aud": ["account", AUDIENCE], "sub": "test", "exp": now + 600, "tenant": forge.tenant,
            "party_id": party, "realm_access": { "roles": roles },
        });
        let header = Header {
            kid: Some(forge.kid.clone()),
            ..Header::new(Algorithm::RS256)
        };
        jsonwebtoken::encode(&header, &claims, &forge.key).unwrap()
    };
    let own = json!(PARTY.to_string());
    for (path, roles, party, expected) in [
        (
            "/bills",
            &["customer", "billing"][..],
            Some(PARTY),
            Ok((json!(["billing", "customer"]), json!(null))),
        ),
        // That somebody is customer service elsewhere doesn't widen what it sees here.
        (
            "/bills",
            &["customer", "csr"],
            Some(PARTY),
            Ok((json!(["customer"]), own)),
        ),
        ("/bills", &["customer"], None, Err(StatusCode::FORBIDDEN)),
        (
            "/offers",
            &["customer"],
            None,
            Ok((json!(["customer"]), json!(null))),
        ),
        ("/bills", &["csr"], None, Err(StatusCode::FORBIDDEN)),
    ] {
        let (status, body) = call(&router, "GET", path, Some(&token(roles, party))).await;
        let got = if status == StatusCode::OK {
            Ok((body["roles"].clone(), body["confinedTo"].clone()))
        } else {
            Err(status)
        };
        assert_eq!(got, expected, "{path} as {roles:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_keys_tokens_are_withdrawn_with_it() {
    let world = world().await;
    let forge = Forge::of(&world).await;
    let (publish, keys) = tokio::sync::watch::channel(world.issuer.keys().borrow().clone());
    let guard = Guard::new(
        Matrix::parse(SMALL).unwrap(),
        Verifier::new(world.issuer.name(), keys),
        world.store.clone(),
    );
    let router = Routes::new()
        .add(Method::GET, "/bills", echo)
        .guarded(Arc::new(guard));
    let token = forge.token(Role::Admin, None);
    assert_eq!(
        call(&router, "GET", "/bills", Some(&token)).await.0,
        StatusCode::OK
    );
    publish.send_replace(Arc::new(jsonwebtoken::jwk::JwkSet { keys: Vec::new() }));
    assert_eq!(
        call(&router, "GET", "/bills", Some(&token)).await.0,
        StatusCode::UNAUTHORIZED
    );
}
