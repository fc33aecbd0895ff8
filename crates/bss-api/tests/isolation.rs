//! The real API against the matrix, and against strangers: another tenant's ids and another customer's lead nowhere.

mod support;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use bss_api::auth::{Guard, Matrix, Reach, Rule, Verifier};
use bss_api::{ApiConfig, ApiState, route_list, router};
use bss_app::{App, Role};
use bss_domain::ids::TenantId;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use support::forge::{FLAWS, Flaw, Forge};
use support::{World, world};
use tower::ServiceExt as _;
use uuid::Uuid;

struct Api {
    world: World,
    forge: Forge,
    router: Router,
    routes: Vec<(Method, String)>,
}

async fn api() -> Api {
    let world = world().await;
    let forge = Forge::of(&world).await;
    let app = App::new(world.store.clone()).await.unwrap();
    let config = ApiConfig {
        public_urls: vec![world.url.clone()],
        require_idempotency_key: false,
        spool_dir: std::env::temp_dir(),
    };
    let state = ApiState::new(app, config, tokio_util::sync::CancellationToken::new());
    let verifier = Verifier::new(world.issuer.name(), world.issuer.keys());
    let guard = Guard::new(Matrix::committed().unwrap(), verifier, world.store.clone());
    let router = router(state, Arc::new(guard));
    Api {
        world,
        forge,
        router,
        routes: route_list(),
    }
}

impl Api {
    async fn call(
        &self,
        method: &Method,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let response = self
            .router
            .clone()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap();
        let status = response.status();
        // A stream of events goes on for ever.
        if response
            .headers()
            .get(http::header::CONTENT_TYPE)
            .is_some_and(|kind| kind == "text/event-stream")
        {
            return (status, Value::Null);
        }
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn get(&self, path: &str, token: &str) -> (StatusCode, Value) {
        self.call(&Method::GET, path, Some(token), None).await
    }

    async fn create(&self, path: &str, token: &str, body: &Value) -> Uuid {
        let (status, created) = self.call(&Method::POST, path, Some(token), Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{path} {body}: {created}");
        created["id"].as_str().unwrap().parse().unwrap()
    }
}

const CATALOG: &str = "/tmf-api/productCatalogManagement/v4";
const INDIVIDUAL: &str = "/tmf-api/party/v4/individual";
const CUSTOMER: &str = "/tmf-api/customerManagement/v4/customer";
const ACCOUNT: &str = "/tmf-api/accountManagement/v4/billingAccount";

/// A path with this id in every place that takes one.
fn filled(template: &str, id: Uuid) -> String {
    let fill = |part: &str| {
        if part.starts_with('{') {
            id.to_string()
        } else {
            part.to_owned()
        }
    };
    template.split('/').map(fill).collect::<Vec<_>>().join("/")
}

/// A customer with its person and its account.
struct Seeded {
    individual: Uuid,
    customer: Uuid,
    account: Uuid,
}

fn customer_body(name: &str, individual: Uuid) -> Value {
    json!({ "name": name, "engagedParty": { "id": individual, "@referredType": "Individual" } })
}

fn account_body(name: &str, customer: Uuid) -> Value {
    json!({
        "name": name, "currency": "EUR", "timeZone": "Europe/Warsaw",
        "relatedParty": [{ "id": customer, "role": "customer", "@referredType": "Customer" }],
    })
}

async fn seed(api: &Api, token: &str, name: &str) -> Seeded {
    let person = json!({ "givenName": name, "familyName": "Test" });
    let individual = api.create(INDIVIDUAL, token, &person).await;
    let customer = api
        .create(CUSTOMER, token, &customer_body(name, individual))
        .await;
    let account = api.create(ACCOUNT, token, &account_body(name, customer)).await;
    Seeded {
        individual,
        customer,
        account,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_the_api_stands_in_the_matrix_and_keeps_to_it() {
    let api = api().await;
    let matrix = Matrix::committed().unwrap();
    let missing: Vec<_> = api
        .routes
        .iter()
        .filter(|(method, path)| matrix.rule(method, path).is_none())
        .collect();
    assert!(missing.is_empty(), "missing from authorization.txt: {missing:#?}");

    let good = Role::ALL.map(|role| (role, api.forge.token(role, None)));
    let flawed = FLAWS.map(|(flaw, status)| {
        (
            flaw,
            status,
            Role::ALL.map(|role| (flaw != Flaw::Missing).then(|| api.forge.token(role, Some(flaw)))),
        )
    });
    let body = json!({});
    for (method, template) in &api.routes {
        let path = filled(template, Uuid::nil());
        let Some(Rule::Roles(granted)) = matrix.rule(method, template) else {
            continue;
        };
        for (flaw, expected, tokens) in &flawed {
            for token in tokens {
                let (status, _) = api.call(method, &path, token.as_deref(), Some(&body)).await;
                assert_eq!(status, *expected, "{method} {path} with {flaw:?}");
            }
        }
        for (role, token) in &good {
            let (status, answer) = api.call(method, &path, Some(token), Some(&body)).await;
            let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
            match granted.get(role) {
                None => assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path} as {role}"),
                Some(Reach::All) => assert!(!refused, "{method} {path} as {role}: {answer}"),
                // A customer without anything: its list is empty, and it may create nothing for others.
                Some(Reach::Own) if method == Method::GET && !template.contains('{') => {
                    assert_eq!(
                        (status, &answer),
                        (StatusCode::OK, &json!([])),
                        "{method} {path} as {role}"
                    );
                }
                Some(Reach::Own) => assert!(!status.is_success(), "{method} {path} as {role}: {answer}"),
            }
            assert!(!status.is_server_error(), "{method} {path} as {role}: {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_ids_lead_nowhere() {
    let api = api().await;
    let mine = api.forge.token(Role::Admin, None);
    let stranger: TenantId = api
        .world
        .identity
        .ensure_tenant("stranger", "test")
        .await
        .unwrap();
    let theirs = api
        .world
        .issuer
        .mint_service_token(stranger, Role::Admin, None)
        .unwrap();

    let seeded = seed(&api, &mine, "Anna").await;
    let mut ids = vec![seeded.individual, seeded.customer, seeded.account];
    for path in ["category", "productSpecification", "productOffering"] {
        ids.push(
            api.create(&format!("{CATALOG}/{path}"), &mine, &json!({ "name": "Mine" }))
                .await,
        );
    }
    let mut seen = 0;
    for (method, template) in &api.routes {
        if !template.contains('{') {
            if *method == Method::GET {
                let (_, body) = api.get(template, &theirs).await;
                let shown = body.to_string();
                let leaked = ids.iter().find(|id| shown.contains(&id.to_string()));
                assert_eq!(leaked, None, "{template} shows {body}");
            }
            continue;
        }
        // Whoever declares a source by any name declares one of its own.
        if (method, template.as_str()) == (&Method::PUT, "/bss-api/v1/usageSource/{id}") {
            continue;
        }
        for id in &ids {
            let path = filled(template, *id);
            let (status, body) = api
                .call(method, &path, Some(&theirs), Some(&json!({ "name": "Theirs" })))
                .await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{method} {path}: {body}");
            // Its owner does find it where it is: the ids are real.
            if *method == Method::GET && api.get(&path, &mine).await.0 == StatusCode::OK {
                seen += 1;
            }
        }
    }
    // A customer has its analytics beside.
    assert_eq!(seen, ids.len() + 1);
    // Nor can they be referred to.
    for (path, body) in [
        (CUSTOMER, customer_body("Theirs", seeded.individual)),
        (ACCOUNT, account_body("Theirs", seeded.customer)),
    ] {
        let (status, answer) = api.call(&Method::POST, path, Some(&theirs), Some(&body)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_sees_its_own_and_nobody_elses() {
    let api = api().await;
    let admin = api.forge.token(Role::Admin, None);
    let anna = seed(&api, &admin, "Anna").await;
    let bert = seed(&api, &admin, "Bert").await;
    let token = api
        .world
        .issuer
        .mint_service_token(api.world.tenant, Role::Customer, Some(anna.customer))
        .unwrap();
    for (collection, own, other) in [
        (CUSTOMER, anna.customer, bert.customer),
        (ACCOUNT, anna.account, bert.account),
    ] {
        let listed = |body: &Value| -> Vec<Uuid> {
            body.as_array()
                .unwrap()
                .iter()
                .map(|one| one["id"].as_str().unwrap().parse().unwrap())
                .collect()
        };
        assert_eq!(
            listed(&api.get(collection, &admin).await.1).len(),
            2,
            "{collection}"
        );
        assert_eq!(
            listed(&api.get(collection, &token).await.1),
            [own],
            "{collection}"
        );
        for filter in [
            format!("id={other}"),
            format!("relatedParty.id={}", bert.customer),
            "name=Bert".to_owned(),
        ] {
            let (status, body) = api.get(&format!("{collection}?{filter}"), &token).await;
            assert!(
                status == StatusCode::BAD_REQUEST || body == json!([]),
                "{collection}?{filter}: {body}"
            );
        }
        assert_eq!(
            api.get(&format!("{collection}/{own}"), &token).await.0,
            StatusCode::OK
        );
        let (hidden, missing) = (
            api.get(&format!("{collection}/{other}"), &token).await,
            api.get(&format!("{collection}/{}", Uuid::nil()), &token).await,
        );
        assert_eq!(
            (hidden.0, missing.0),
            (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND)
        );
    }
}
