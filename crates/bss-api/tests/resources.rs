//! TM Forum's resources through the real router on a real database: answers, conflicts, confinement.

mod support;

use bss_app::Role;
use http::StatusCode;
use serde_json::{Value, json};
use support::api::{ACCOUNT, Api, BASE, CATALOG, CUSTOMER, PARTY, api};

/// An id of our form that names nothing.
const NOBODY: &str = "019ac000-0000-8000-8000-000000000001";

fn price(name: &str) -> Value {
    json!({
        "name": name, "priceType": "recurring", "price": { "unit": "EUR", "value": 9.99 }, "recurringChargePeriodType": "month",
        "recurringChargePeriodLength": 1, "tax": [{ "taxCategory": "S", "taxRate": 23 }],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_is_created_read_changed_and_removed() {
    let api = api(false).await;
    let csr = api.actor(Role::Csr);
    let path = format!("{PARTY}/organization");
    let sent = json!({ "tradingName": "Acme", "x-own": { "deep": [1, 2.5, null] }, "@type": "Company", "@baseType": "Organization" });
    let created = csr.post(&path, sent).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.body);
    let id = created.body["id"].as_str().unwrap();
    let one = format!("{path}/{id}");
    assert_eq!(created.header("location"), format!("{BASE}{one}"));
    assert_eq!(created.body["href"], format!("{BASE}{one}"));
    assert_eq!(
        (created.etag(), &created.body["status"]),
        ("\"1\"", &json!("initialized"))
    );

    let read = csr.get(&one).await;
    assert_eq!(read.body, created.body);
    assert_eq!(
        read.body["x-own"],
        json!({ "deep": [1, 2.5, null] }),
        "unknown attributes are kept"
    );
    assert_eq!(read.body["@type"], "Company");
    let known = csr
        .call("GET", &one, &[("if-none-match", "\"1\"")], String::new())
        .await;
    assert_eq!(known.status, StatusCode::NOT_MODIFIED);
    let few = csr.get(&format!("{one}?fields=tradingName")).await.body;
    let mut names: Vec<&String> = few.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["@type", "href", "id", "tradingName"]);

    // The whole document sent back with one change is a change of that one.
    let mut whole = read.body.clone();
    whole["tradingName"] = "Acme 2".into();
    whole["x-own"] = Value::Null;
    let patched = csr.patch(&one, whole).await;
    assert_eq!(
        (patched.status, patched.etag()),
        (StatusCode::OK, "\"2\""),
        "{}",
        patched.body
    );
    assert_eq!(patched.body["tradingName"], "Acme 2");
    assert!(patched.body.get("x-own").is_none());

    assert_eq!(csr.delete(&one).await.status, StatusCode::NO_CONTENT);
    assert_eq!(csr.get(&one).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_has_its_status_and_names_field_and_value() {
    let api = api(false).await;
    let csr = api.actor(Role::Csr);
    let customer = csr.customer("Ann").await;
    let account = csr.account(&customer).await;
    let account_path = format!("{ACCOUNT}/{}", account["id"].as_str().unwrap());
    let party = |id: &str| json!([{ "id": id, "role": "customer" }]);
    let new = |name: &str, value: Value| {
        let mut body = json!({ "name": "A", "currency": "EUR", "timeZone": "UTC", "relatedParty": party(customer["id"].as_str().unwrap()) });
        body[name] = value;
        body
    };
    for (body, error) in [
        (
            new("currency", json!("EUX")),
            (400, "unknownCurrency", Some("currency")),
        ),
        (new("currency", Value::Null), (400, "missing", Some("currency"))),
        (
            new("timeZone", json!("Mars/Base")),
            (400, "unknownTimeZone", Some("timeZone")),
        ),
        (new("cycleDay", json!(32)), (400, "outOfRange", Some("cycleDay"))),
        (
            new("paymentStatus", json!("paid")),
            (400, "readOnly", Some("paymentStatus")),
        ),
        (new("id", json!(NOBODY)), (400, "readOnly", Some("id"))),
        (
            new("relatedParty", party(NOBODY)),
            (400, "unknownReference", Some("relatedParty[0].id")),
        ),
        (
            new("relatedParty", party("elsewhere")),
            (400, "unknownReference", Some("relatedParty[role=customer].id")),
        ),
        (
            new(
                "relatedParty",
                json!([{ "id": "x", "href": format!("{BASE}/x"), "role": "seller" }]),
            ),
            (400, "unknownReference", Some("relatedParty[0].id")),
        ),
    ] {
        let answer = csr.post(ACCOUNT, body.clone()).await;
        assert_eq!(answer.error(), error, "{body}: {}", answer.body);
        assert_eq!(answer.body["status"], "400");
        assert!(!answer.body["reason"].as_str().unwrap().is_empty());
        assert!(!answer.body["message"].as_str().unwrap().is_empty());
    }
    let malformed = csr.call("POST", ACCOUNT, &[], "{".to_owned()).await;
    assert_eq!(malformed.error(), (400, "malformed", None));
    assert_eq!(
        csr.call("POST", ACCOUNT, &[], "[]".to_owned()).await.error().0,
        400
    );
    let fixed = csr.patch(&account_path, json!({ "currency": "JPY" })).await;
    assert_eq!(fixed.error(), (409, "fixed", Some("currency")));
    assert_eq!(fixed.body["value"], "JPY");
    let stale = csr
        .call(
            "PATCH",
            &account_path,
            &[("if-match", "\"7\"")],
            json!({ "name": "B" }).to_string(),
        )
        .await;
    assert_eq!(stale.error(), (412, "changed", None));
    let customer_path = format!("{CUSTOMER}/{}", customer["id"].as_str().unwrap());
    assert_eq!(csr.delete(&customer_path).await.error(), (409, "referred", None));
    let person = format!(
        "{PARTY}/individual/{}",
        customer["engagedParty"]["id"].as_str().unwrap()
    );
    assert_eq!(csr.delete(&person).await.error(), (409, "referred", None));
    for path in [format!("{ACCOUNT}/{NOBODY}"), format!("{ACCOUNT}/no-id")] {
        assert_eq!(csr.get(&path).await.error(), (404, "notFound", None));
    }
    for (query, field) in [
        ("limit=5000", "limit"),
        ("offset=-1", "offset"),
        ("sort=description", "sort"),
        ("cycleDay=x", "cycleDay"),
    ] {
        assert_eq!(
            csr.get(&format!("{ACCOUNT}?{query}")).await.error(),
            (400, "wrongQuery", Some(field))
        );
    }
    let manager = api.actor(Role::ProductManager);
    assert_eq!(manager.get(ACCOUNT).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_published_never_changes() {
    let api = api(false).await;
    let manager = api.actor(Role::ProductManager);
    let prices = format!("{CATALOG}/productOfferingPrice");
    let wrong = manager
        .post(
            &prices,
            json!({ "name": "M", "priceType": "recurring", "price": { "unit": "EUR", "value": "nine" } }),
        )
        .await;
    assert_eq!(
        (wrong.error().0, wrong.error().2),
        (400, Some("price.value")),
        "{}",
        wrong.body
    );
    let made = manager.made(&prices, price("M")).await;
    let one = format!("{prices}/{}", made["id"].as_str().unwrap());
    assert_eq!(made["lifecycleStatus"], "In design");
    assert!(made["lastUpdate"].is_string());
    let status = |word: &str| json!({ "lifecycleStatus": word });
    assert_eq!(
        manager.patch(&one, status("Launched")).await.error(),
        (409, "illegalTransition", Some("lifecycleStatus"))
    );
    for word in ["In test", "Active", "Launched"] {
        assert_eq!(
            manager.patch(&one, status(word)).await.status,
            StatusCode::OK,
            "{word}"
        );
    }
    let dearer = json!({ "price": { "unit": "EUR", "value": 10.99 } });
    assert_eq!(
        manager.patch(&one, dearer).await.error(),
        (409, "published", Some("price"))
    );
    let end = json!({ "validFor": { "endDateTime": "2030-01-01T00:00:00Z" } });
    assert_eq!(manager.patch(&one, end).await.status, StatusCode::OK);
    assert_eq!(manager.delete(&one).await.error(), (409, "published", None));

    let offerings = format!("{CATALOG}/productOffering");
    let offering = json!({ "name": "Mobile M", "productOfferingPrice": [{ "id": made["id"] }], "place": [{ "name": "Warsaw" }] });
    let offering = manager.made(&offerings, offering).await;
    assert_eq!(
        (&offering["isBundle"], &offering["place"][0]["name"]),
        (&json!(false), &json!("Warsaw"))
    );
    let lost = json!({ "name": "Lost", "productOfferingPrice": [{ "id": NOBODY }] });
    assert_eq!(
        manager.post(&offerings, lost).await.error(),
        (400, "unknownReference", Some("productOfferingPrice[0].id"))
    );
    let draft = manager.made(&prices, price("draft")).await;
    let second = json!({ "productOfferingPrice": [{ "id": made["id"] }, { "id": draft["id"] }] });
    let one = format!("{offerings}/{}", offering["id"].as_str().unwrap());
    assert_eq!(manager.patch(&one, second).await.status, StatusCode::OK);
    let used = manager
        .delete(&format!("{prices}/{}", draft["id"].as_str().unwrap()))
        .await;
    assert_eq!(used.error(), (409, "referred", None));
    let found = manager
        .get(&format!(
            "{offerings}?productOfferingPrice.id={}",
            draft["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(
        (found.header("x-total-count"), &found.body[0]["id"]),
        ("1", &offering["id"])
    );

    let categories = format!("{CATALOG}/category");
    let root = manager.made(&categories, json!({ "name": "Mobile" })).await;
    let leaf = manager
        .made(&categories, json!({ "name": "Plans", "parentId": root["id"] }))
        .await;
    assert_eq!((&root["isRoot"], &leaf["isRoot"]), (&json!(true), &json!(false)));
    let one = format!("{categories}/{}", root["id"].as_str().unwrap());
    assert_eq!(
        manager
            .patch(&one, json!({ "parentId": leaf["id"] }))
            .await
            .error(),
        (400, "circle", Some("parentId"))
    );
    assert_eq!(manager.delete(&one).await.error(), (409, "referred", None));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clients_changing_one_resource_lose_no_update() {
    let api = api(false).await;
    let csr = api.actor(Role::Csr);
    let customer = csr.customer("Ann").await;
    let path = format!("{CUSTOMER}/{}", customer["id"].as_str().unwrap());
    let patch = |name: &str| {
        let (csr, path) = (csr.clone(), path.clone());
        let body = json!({ name: true }).to_string();
        async move {
            csr.call("PATCH", &path, &[("if-match", "\"1\"")], body)
                .await
                .status
                .as_u16()
        }
    };
    let (one, other) = tokio::join!(patch("a"), patch("b"));
    let mut statuses = [one, other];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    // Without If-Match both merge patches count, since each says only what it changes.
    let names: Vec<String> = (0..8).map(|number| format!("n{number}")).collect();
    futures::future::join_all(names.iter().map(|name| csr.patch(&path, json!({ name: true })))).await;
    let read = csr.get(&path).await;
    assert!(names.iter().all(|name| read.body[name] == true), "{}", read.body);
    assert_eq!(read.etag(), "\"10\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_sent_again_with_its_key_is_one_call() {
    let api = api(false).await;
    let csr = api.actor(Role::Csr);
    let path = format!("{PARTY}/individual");
    let send = |key: &'static str, body: Value| {
        let (csr, path) = (csr.clone(), path.clone());
        async move {
            csr.call("POST", &path, &[("idempotency-key", key)], body.to_string())
                .await
        }
    };
    let ann = json!({ "givenName": "Ann" });
    let first = send("k1", ann.clone()).await;
    let again = send("k1", ann.clone()).await;
    assert_eq!(
        (first.status, again.status),
        (StatusCode::CREATED, StatusCode::CREATED)
    );
    assert_eq!((&first.body, first.etag()), (&again.body, again.etag()));
    assert_eq!(
        send("k1", json!({ "givenName": "Bob" })).await.error(),
        (422, "idempotencyKeyReused", None)
    );
    // What had no effect isn't kept: the mended call counts.
    assert_eq!(send("k2", json!({})).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(send("k2", ann.clone()).await.status, StatusCode::CREATED);
    let answers = futures::future::join_all((0..6).map(|_| send("k3", ann.clone()))).await;
    let made = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::CREATED);
    let ids: std::collections::BTreeSet<&str> =
        made.map(|answer| answer.body["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 1);
    let others = answers
        .iter()
        .filter(|answer| answer.status != StatusCode::CREATED);
    assert!(
        others
            .into_iter()
            .all(|answer| answer.error() == (409, "idempotencyKeyInFlight", None))
    );
    assert_eq!(csr.get(&path).await.header("x-total-count"), "3");
    let admin = api.actor(Role::Admin);
    let own = admin
        .call("POST", &path, &[("idempotency-key", "k1")], ann.to_string())
        .await;
    assert_ne!(
        own.body["id"], first.body["id"],
        "another subject's key is another key"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_filtered_sorted_and_paged() {
    let api = api(false).await;
    let csr = api.actor(Role::Csr);
    for name in ["Cid", "Ann", "Bob", "Dan", "Eve"] {
        csr.customer(name).await;
    }
    let page = csr
        .get(&format!("{CUSTOMER}?sort=-name&limit=2&offset=2&fields=name"))
        .await;
    let names: Vec<&str> = page
        .body
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Cid Test", "Bob Test"]);
    assert_eq!(
        (page.header("x-total-count"), page.header("x-result-count")),
        ("5", "2")
    );
    let next = format!("<{BASE}{CUSTOMER}?sort=-name&limit=2&fields=name&offset=4>; rel=\"next\"");
    assert!(page.header("link").contains(&next), "{}", page.header("link"));
    let counted = csr
        .get(&format!("{CUSTOMER}?name=Ann%20Test,Bob%20Test&limit=0"))
        .await;
    assert_eq!(
        (counted.body, counted.headers["x-total-count"].to_str().unwrap()),
        (json!([]), "2")
    );
    let later = csr.get(&format!("{CUSTOMER}?name%3E=Dan%20Test")).await;
    assert_eq!(later.header("x-total-count"), "2");
}

async fn two_customers(api: &Api) -> [(Value, Value); 2] {
    let csr = api.actor(Role::Csr);
    let (ann, bob) = (csr.customer("Ann").await, csr.customer("Bob").await);
    let accounts = (csr.account(&ann).await, csr.account(&bob).await);
    [(ann, accounts.0), (bob, accounts.1)]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_sees_its_own_data_alone() {
    let api = api(false).await;
    let [(ann, own), (bob, foreign)] = two_customers(&api).await;
    let caller = api.actor_of(Role::Customer, api.world.tenant.into(), ann["id"].as_str());
    let customers = caller.get(CUSTOMER).await;
    assert_eq!(
        (customers.header("x-total-count"), &customers.body[0]["id"]),
        ("1", &ann["id"])
    );
    let accounts = caller.get(ACCOUNT).await;
    assert_eq!(
        (accounts.header("x-total-count"), &accounts.body[0]["id"]),
        ("1", &own["id"])
    );
    let asked = caller
        .get(&format!(
            "{ACCOUNT}?relatedParty.id={}",
            bob["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(asked.body, json!([]));
    for (path, id, status) in [
        (CUSTOMER, &ann["id"], StatusCode::OK),
        (CUSTOMER, &bob["id"], StatusCode::NOT_FOUND),
        (ACCOUNT, &own["id"], StatusCode::OK),
        (ACCOUNT, &foreign["id"], StatusCode::NOT_FOUND),
    ] {
        assert_eq!(
            caller
                .get(&format!("{path}/{}", id.as_str().unwrap()))
                .await
                .status,
            status
        );
    }
    let csr = api.actor(Role::Csr);
    let of_bob = csr
        .get(&format!(
            "{ACCOUNT}?relatedParty.id={}",
            bob["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(
        (of_bob.header("x-total-count"), &of_bob.body[0]["id"]),
        ("1", &foreign["id"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_sees_and_changes_nothing() {
    let api = api(false).await;
    let [(ann, account), _] = two_customers(&api).await;
    let other = api.other_tenant().await;
    let admin = api.actor_of(Role::Admin, other, None);
    for path in [CUSTOMER, ACCOUNT] {
        assert_eq!(admin.get(path).await.header("x-total-count"), "0");
    }
    let one = format!("{ACCOUNT}/{}", account["id"].as_str().unwrap());
    assert_eq!(admin.get(&one).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        admin.patch(&one, json!({ "name": "B" })).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(admin.delete(&one).await.status, StatusCode::NOT_FOUND);
    let party = json!([{ "id": ann["id"], "role": "customer" }]);
    let body = json!({ "name": "B", "currency": "EUR", "timeZone": "UTC", "relatedParty": party });
    assert_eq!(
        admin.post(ACCOUNT, body).await.error(),
        (400, "unknownReference", Some("relatedParty[0].id"))
    );
}

#[test]
fn every_route_stands_in_the_authorization_matrix() {
    let matrix = bss_api::auth::Matrix::committed().unwrap();
    let missing: Vec<String> = bss_api::route_list()
        .iter()
        .filter(|(method, path)| matrix.rule(method, path).is_none())
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}
