//! Bill runs and the ledger through the real router: started, watched to their end, every line of the ledger found.

mod support;

use std::time::Duration;

use bss_app::payment::{CapturedPayment, capture};
use bss_app::{RequestContext, Role};
use bss_domain::{Currency, Instant, Money};
use http::StatusCode;
use serde_json::{Map, Value, json};
use support::api::{ACCOUNT, Actor, Api, CUSTOMER, api};

async fn account(csr: &Actor<'_>, name: &str) -> String {
    let engaged = json!({ "id": "https://elsewhere.test/1", "@referredType": "Individual" });
    let customer = csr
        .post(CUSTOMER, json!({ "name": name, "engagedParty": engaged }))
        .await;
    assert_eq!(customer.status, StatusCode::CREATED, "{}", customer.body);
    let body = json!({
        "name": name, "currency": "EUR", "timeZone": "Europe/Warsaw", "cycleDay": 1,
        "relatedParty": [{ "id": customer.body["id"], "role": "customer", "@referredType": "Customer" }],
    });
    let account = csr.post(ACCOUNT, body).await;
    assert_eq!(account.status, StatusCode::CREATED, "{}", account.body);
    account.body["id"].as_str().unwrap().to_owned()
}

async fn pay(api: &Api, account: &str, minor: i64) -> String {
    let context = RequestContext::system(api.world.tenant, "test");
    let payment = CapturedPayment {
        account: account.parse().unwrap(),
        amount: Money::new(minor, Currency::of("EUR").unwrap()),
        channel: "cash".to_owned(),
        bills: Vec::new(),
        extra: Map::new(),
    };
    capture(&api.app, &context, payment).await.unwrap().id.to_string()
}

/// The run once it has ended.
async fn ended(billing: &Actor<'_>, id: &str) -> Value {
    let path = format!("/bss-api/v1/billRun/{id}");
    let watched = async {
        loop {
            let run = billing.get(&path).await.body;
            if run["state"] != "running" {
                return run;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), watched)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_started_watched_and_closes_only_what_it_was_asked_for() {
    let api = api(false).await;
    let csr = api.actor(Role::Csr);
    let (one, _other) = (account(&csr, "One").await, account(&csr, "Other").await);
    let before = api.app.clock.now();
    let later = Instant::from_second(before.as_second() + 45 * 86_400).unwrap();
    api.app.clock.advance_to(&api.app.store, later).await.unwrap();

    let billing = api.actor(Role::Billing);
    let path = "/bss-api/v1/billRun";
    for (wrong, field) in [
        (json!({ "closeThrough": "tomorrow" }), "closeThrough"),
        (json!({ "billingAccount": { "id": "x" } }), "billingAccount.id"),
        (json!({ "billingAccount": {} }), "billingAccount.id"),
        (json!({ "force": true }), "force"),
    ] {
        let refused = billing.post(path, wrong).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.body);
        assert_eq!(refused.body["field"], field);
    }
    let mut done = Vec::new();
    let mut last = Value::Null;
    for body in [
        json!({ "closeThrough": before.to_string() }),
        json!({ "billingAccount": { "id": one } }),
        json!({}),
    ] {
        let started = billing.post(path, body).await;
        assert_eq!(started.status, StatusCode::CREATED, "{}", started.body);
        last = ended(&billing, started.body["id"].as_str().unwrap()).await;
        assert_eq!(
            (&last["state"], &last["bills"], &last["failed"]),
            (&json!("done"), &json!(0), &json!(0))
        );
        done.push(last["done"].as_i64().unwrap());
    }
    // In 45 days every account has closed once or twice; who was asked for alone leaves the other's periods.
    assert_eq!(done[0], 0, "no period ends before now");
    assert!(done[1] > 0 && done[1] == done[2], "{done:?}");
    let listed = billing.get(&format!("{path}?limit=1")).await;
    assert_eq!(listed.header("x-total-count"), "3");
    assert_eq!(listed.body[0]["id"], last["id"]);
    let wrong = billing.get(&format!("{path}?state=done")).await;
    assert_eq!(
        (wrong.status, &wrong.body["field"]),
        (StatusCode::BAD_REQUEST, &json!("state"))
    );
    let unknown = billing.get(&format!("{path}/nothing")).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_the_ledger_is_found_and_adds_up() {
    let api = api(false).await;
    let account = account(&api.actor(Role::Csr), "One").await;
    let (first, second) = (pay(&api, &account, 1_000).await, pay(&api, &account, 250).await);
    let billing = api.actor(Role::Billing);

    let balances = billing.get("/bss-api/v1/ledger/trialBalance").await.body;
    let of = |name: &str| {
        let rows = balances.as_array().unwrap();
        rows.iter().find(|row| row["account"] == name).unwrap()["balance"]["value"].clone()
    };
    assert_eq!(
        (of("clearing"), of("customerCredit")),
        (json!(12.5), json!(-12.5))
    );
    let before = billing
        .get("/bss-api/v1/ledger/trialBalance?at=2000-01-01T00:00:00Z")
        .await;
    assert_eq!(before.body, json!([]));
    let wrong = billing.get("/bss-api/v1/ledger/trialBalance?at=now").await;
    assert_eq!(
        (wrong.status, &wrong.body["field"]),
        (StatusCode::BAD_REQUEST, &json!("at"))
    );

    let lines = billing
        .get("/bss-api/v1/ledger/account/customerCredit?limit=1")
        .await;
    assert_eq!(lines.header("x-total-count"), "2");
    assert_eq!(lines.body[0]["balance"], json!({ "unit": "EUR", "value": -12.5 }));
    let nothing = billing.get("/bss-api/v1/ledger/account/gold").await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);

    let entries = billing
        .get(&format!("/bss-api/v1/ledger/entry?cause.id={second}"))
        .await;
    assert_eq!(entries.header("x-total-count"), "1");
    let entry = &entries.body[0];
    assert_eq!(
        (&entry["kind"], &entry["cause"]["@referredType"]),
        (&json!("paymentCaptured"), &json!("Payment"))
    );
    assert_eq!(entry["line"].as_array().unwrap().len(), 2);
    let one = billing
        .get(&format!(
            "/bss-api/v1/ledger/entry/{}",
            entry["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(one.body, *entry);
    let all = billing.get("/bss-api/v1/ledger/entry?kind=paymentCaptured").await;
    assert!(
        all.body
            .as_array()
            .unwrap()
            .iter()
            .any(|entry| entry["cause"]["id"] == first.as_str())
    );

    let check = billing.get("/bss-api/v1/ledger/check").await.body;
    assert_eq!(
        (&check["holds"], check["invariants"].as_array().unwrap().len()),
        (&json!(true), 8)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_top_up_fills_the_balance_once_for_its_key() {
    let api = api(true).await;
    let account = account(&api.actor(Role::Csr), "One").await;
    let csr = api.actor(Role::Csr);
    let path = "/bss-api/v1/topUp";
    let body = json!({
        "billingAccount": { "id": account }, "amount": { "unit": "EUR", "value": 12.5 }, "channel": { "name": "voucher" },
    });
    let keyless = csr.post(path, body.clone()).await;
    assert_eq!(keyless.body["code"], "idempotencyKeyMissing");
    let key = [("idempotency-key", "one")];
    let first = csr.call("POST", path, &key, body.to_string()).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    assert_eq!(first.body["balance"], json!({ "unit": "EUR", "value": 12.5 }));
    let again = csr.call("POST", path, &key, body.to_string()).await;
    assert_eq!((again.status, &again.body), (StatusCode::CREATED, &first.body));
    let second = csr
        .call("POST", path, &[("idempotency-key", "two")], body.to_string())
        .await;
    assert_eq!(second.body["balance"]["value"], 25);
    for (name, wrong, field) in [
        ("amount", json!({ "unit": "JPY", "value": 100 }), "amount"),
        ("amount", json!({ "unit": "EUR", "value": -1 }), "amount"),
        ("amount", json!({ "unit": "EUR", "value": 0.001 }), "amount"),
        ("amount", Value::Null, "amount"),
        ("billingAccount", json!({}), "billingAccount.id"),
        ("channel", json!({}), "channel.name"),
    ] {
        let mut broken = body.clone();
        broken[name] = wrong;
        let key = format!("{name} {}", broken[name]);
        let refused = csr
            .call("POST", path, &[("idempotency-key", &key)], broken.to_string())
            .await;
        assert_eq!(
            (refused.status, &refused.body["field"]),
            (StatusCode::BAD_REQUEST, &json!(field)),
            "{}",
            refused.body
        );
    }
    let lines = api.actor(Role::Billing).get("/bss-api/v1/ledger/check").await;
    assert_eq!(lines.body["holds"], true, "{}", lines.body);
}
