//! What TM Forum has no API for, through the real router: usage files and rejects, the event log, previews, changes.

mod support;

use std::io::Write as _;
use std::time::Duration;

use bss_app::usage_import::{UsageImport, import_file, put_source};
use bss_app::{RequestContext, Role};
use bss_domain::usage::{NumberPlan, SourceFormat, UsageSource};
use bss_domain::{Instant, Zone};
use bss_events::Topic;
use bss_store::event_log::browse::{self, MessageFilter};
use bss_store::event_log::parked::{self, Cause};
use http::StatusCode;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use support::api::{Api, CATALOG, api};

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(-1)
}

/// A file with a call of a number that nobody has, a broken line, and a call that nobody answered.
async fn imported(api: &Api) {
    let context = RequestContext::system(api.world.tenant, "test");
    let source = UsageSource {
        name: "switch".to_owned(),
        format: SourceFormat::Asterisk,
        zone: Zone::utc(),
        numbers: NumberPlan::default(),
    };
    put_source(&api.app, &context, &source).await.unwrap();
    let at = Instant::from_second(api.app.clock.now().as_second() - 3_600).unwrap();
    let time = at.to_string()[..19].replace('T', " ");
    let line = |src: &str, answer: &str, disposition: &str, id: u8| {
        format!(
            "\"\",\"{src}\",\"48221234567\",\"out\",\"\",\"SIP/1\",\"SIP/2\",\"Dial\",\"x\",\"{time}\",\"{answer}\",\
             \"{time}\",10,5,\"{disposition}\",\"DOCUMENTATION\",\"{id}\"\n"
        )
    };
    let mut file = tempfile();
    let lines = [
        line("48500999999", &time, "ANSWERED", 1),
        "no call at all\n".to_owned(),
        line("48500999999", "", "NO ANSWER", 2),
    ];
    file.1.write_all(lines.concat().as_bytes()).unwrap();
    import_file(&api.app, &context, &UsageImport::default(), "switch", &file.0)
        .await
        .unwrap();
    std::fs::remove_file(file.0).unwrap();
}

fn tempfile() -> (std::path::PathBuf, std::fs::File) {
    let path = std::env::temp_dir().join(format!("bss-v1-{}.csv", uuid::Uuid::new_v4()));
    let file = std::fs::File::create(&path).unwrap();
    (path, file)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_a_file_is_accounted_for_and_a_reject_comes_in_again() {
    let api = api(false).await;
    imported(&api).await;
    let network = api.actor(Role::Network);
    let files = network.get("/bss-api/v1/usageFile").await;
    assert_eq!(files.header("x-total-count"), "1");
    let file = &files.body[0];
    assert_eq!(
        (&file["state"], &file["format"]),
        (&json!("imported"), &json!("asterisk"))
    );
    let of = |name: &str| number(&file[name]);
    assert_eq!(
        (of("records"), of("rejected"), of("notCharged")),
        (2, 2, 1),
        "{file}"
    );
    assert_eq!(
        of("records"),
        of("rated") + of("waiting") + of("rejected") + of("duplicates")
    );
    let id = file["id"].as_str().unwrap();
    let one = network.get(&format!("/bss-api/v1/usageFile/{id}")).await;
    assert_eq!(one.body, *file);
    let unknown = network.get("/bss-api/v1/usageFile/none").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);

    let path = "/bss-api/v1/usageReject";
    let rejects = network
        .get(&format!("{path}?file.id={id}&state=open&sort=line"))
        .await;
    assert_eq!(rejects.header("x-total-count"), "2", "{}", rejects.body);
    assert_eq!(
        (&rejects.body[0]["line"], &rejects.body[1]["raw"]),
        (&json!(1), &json!("no call at all"))
    );
    let code = rejects.body[1]["code"].as_str().unwrap();
    let by_code = network.get(&format!("{path}?code={code}")).await;
    assert_eq!(by_code.header("x-total-count"), "1");
    let wrong = network.get(&format!("{path}?state=lost")).await;
    assert_eq!(
        (wrong.status, &wrong.body["field"]),
        (StatusCode::BAD_REQUEST, &json!("state"))
    );

    // Mended to what is still wrong it stays open, with the new reason.
    let reject = format!("{path}/{}", rejects.body[1]["id"].as_str().unwrap());
    let replayed = network
        .post(
            &format!("{reject}/replay"),
            json!({ "raw": rejects.body[0]["raw"] }),
        )
        .await;
    assert_eq!(replayed.status, StatusCode::OK, "{}", replayed.body);
    assert_eq!(
        (&replayed.body["state"], &replayed.body["code"]),
        (&json!("open"), &rejects.body[0]["code"])
    );
    assert_eq!(network.get(&reject).await.body, replayed.body);
    let odd = network
        .post(&format!("{reject}/replay"), json!({ "raw": 5 }))
        .await;
    assert_eq!(
        (odd.status, &odd.body["field"]),
        (StatusCode::BAD_REQUEST, &json!("raw"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_browsed_and_parked_events_are_retried_or_skipped() {
    let api = api(false).await;
    let csr = api.actor(Role::Csr);
    let customer = csr.customer("One").await;
    csr.customer("Other").await;
    let operations = api.actor(Role::Operations);
    let path = format!("/bss-api/v1/events/topics/{}/messages", Topic::Customer);
    let topics = operations.get("/bss-api/v1/events/topics").await.body;
    let topics = topics.as_array().unwrap();
    assert!(topics.iter().any(|topic| topic["name"] == Topic::Customer.name()));
    let key = customer["id"].as_str().unwrap();
    let of_key = operations.get(&format!("{path}?key={key}")).await.body;
    assert_eq!(of_key.as_array().unwrap().len(), 1, "{of_key}");
    assert_eq!(of_key[0]["type"], "CustomerCreateEvent");
    let place = format!("{}:{}", of_key[0]["partition"], of_key[0]["position"]);
    let before = operations
        .get(&format!("{path}?before={place}&key={key}"))
        .await
        .body;
    assert_eq!(before, json!([]), "nothing of the key stands before it");
    for (query, field) in [
        ("partition=64", "partition"),
        ("before=now", "before"),
        ("key=x", "key"),
    ] {
        let wrong = operations.get(&format!("{path}?{query}")).await;
        assert_eq!(
            (wrong.status, &wrong.body["field"]),
            (StatusCode::BAD_REQUEST, &json!(field))
        );
    }
    let unknown = operations.get("/bss-api/v1/events/topics/none/messages").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);

    park_all(&api).await;
    let parked = "/bss-api/v1/events/parked";
    let list = operations.get(parked).await;
    assert_eq!(
        list.header("x-total-count"),
        "4",
        "two people, two customers: {}",
        list.body
    );
    let id = list.body[0]["id"].as_str().unwrap().to_owned();
    let retried = operations.post(&format!("{parked}/{id}/retry"), json!({})).await;
    assert_eq!(retried.status, StatusCode::ACCEPTED);
    let without = operations.post(&format!("{parked}/{id}/skip"), json!({})).await;
    assert_eq!(
        (without.status, &without.body["field"]),
        (StatusCode::BAD_REQUEST, &json!("reason"))
    );
    let skipped = operations
        .post(&format!("{parked}/{id}/skip"), json!({ "reason": "a test's" }))
        .await;
    assert_eq!(skipped.status, StatusCode::ACCEPTED);
    assert_eq!(operations.get(parked).await.header("x-total-count"), "3");
    let gone = operations.post(&format!("{parked}/{id}/retry"), json!({})).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);

    let dashboard = operations.get("/bss-api/v1/dashboard").await.body;
    assert_eq!(dashboard["failures"]["parked"], 3, "{dashboard}");
    assert!(
        dashboard.get("revenue").is_none(),
        "money is not operations' business"
    );
}

/// Parks every customer's event, as a group that can't process them would.
async fn park_all(api: &Api) {
    let scope = RequestContext::system(api.world.tenant, "test").scope();
    let session = api.app.store.read(scope.clone()).await.unwrap();
    let records = browse::messages(&session, Topic::Customer, MessageFilter::default(), 10)
        .await
        .unwrap();
    session.finish().await.unwrap();
    let work = api.app.store.begin_work(scope).await.unwrap();
    for record in records {
        let cause = Cause::Failed {
            reason: "it can't be read".to_owned(),
            attempts: 3,
        };
        parked::park(&work, "test", &record, &cause).await.unwrap();
    }
    work.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_told_to_those_who_may_read_them() {
    let api = api(false).await;
    let csr = api.actor(Role::Csr);
    let mut manager = api
        .actor(Role::ProductManager)
        .open("/bss-api/v1/live")
        .await
        .into_body();
    let mut listening = csr.open("/bss-api/v1/live").await;
    assert_eq!(listening.headers()["content-type"], "text/event-stream");
    let hello = next(listening.body_mut()).await;
    assert!(hello.starts_with("event: hello\ndata: {\"at\":"), "{hello}");
    next(&mut manager).await;
    // The reader begins at the log's end, which it looks for first: what comes until it is heard repeats.
    let change = loop {
        csr.customer("New").await;
        let heard = tokio::time::timeout(Duration::from_secs(1), next(listening.body_mut())).await;
        if let Ok(heard) = heard {
            assert!(heard.contains("event: change\n"), "{heard}");
            let data = heard
                .lines()
                .find_map(|line| line.strip_prefix("data: "))
                .unwrap();
            break serde_json::from_str::<Value>(data).unwrap();
        }
    };
    // A new customer is two changes: the person and the customer.
    let kind = change["type"].as_str().unwrap();
    assert!(["Individual", "Customer"].contains(&kind), "{change}");
    assert_eq!(change["event"], format!("{}CreateEvent", kind.to_lowercase()));
    assert!(change["id"].is_string() && change["at"].is_string(), "{change}");
    let unheard = tokio::time::timeout(Duration::from_millis(700), next(&mut manager)).await;
    assert!(
        unheard.is_err(),
        "a product manager may not read customers: {unheard:?}"
    );
    let refused = api.actor(Role::Customer).get("/bss-api/v1/live").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

/// The next piece of a stream.
async fn next(body: &mut axum::body::Body) -> String {
    let frame = body.frame().await.unwrap().unwrap();
    String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_order_would_cost_is_told_before_it_is_placed() {
    let api = api(false).await;
    let manager = api.actor(Role::ProductManager);
    let csr = api.actor(Role::Csr);
    let customer = csr.customer("Buyer").await;
    let account = csr.account(&customer).await;
    let price = |name: &str, kind: &str, value: f64| {
        json!({
            "name": name, "version": "1", "priceType": kind, "lifecycleStatus": "Launched",
            "price": { "unit": account["currency"], "value": value }, "proration": "none", "inAdvance": true,
        })
    };
    let mut prices = Vec::new();
    for body in [price("Monthly", "recurring", 20.0), price("Once", "oneTime", 5.0)] {
        let made = manager
            .made(&format!("{CATALOG}/productOfferingPrice"), body)
            .await;
        prices.push(json!({ "id": made["id"] }));
    }
    let offering = manager
        .made(
            &format!("{CATALOG}/productOffering"),
            json!({
                "name": "Plan", "version": "1", "lifecycleStatus": "Launched", "productOfferingPrice": prices,
            }),
        )
        .await;
    let order = |offering: &Value| {
        json!({ "productOrder": {
            "relatedParty": [{ "id": customer["id"], "role": "customer", "@referredType": "Customer" }],
            "billingAccount": { "id": account["id"] },
            "productOrderItem": [{ "id": "1", "action": "add", "quantity": 1,
                "productOffering": { "id": offering } }],
        } })
    };
    let path = "/bss-api/v1/billPreview";
    let shown = csr.post(path, order(&offering["id"])).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
    let (bill, rates) = (&shown.body["bill"], shown.body["rate"].as_array().unwrap());
    // In advance: the period that goes on, the next one, and what falls due once.
    assert_eq!(rates.len(), 3, "{}", shown.body);
    assert_eq!(bill["taxIncludedAmount"]["value"], 45.0, "{bill}");
    assert_eq!(shown.body["recurring"][0]["value"], 20.0, "{}", shown.body);
    assert!(bill.get("id").is_none() && bill.get("billNo").is_none());
    let unknown = csr.post(path, order(&json!("nothing"))).await;
    assert_eq!(
        (unknown.status, &unknown.body["field"]),
        (
            StatusCode::BAD_REQUEST,
            &json!("productOrderItem[0].productOffering.id")
        )
    );
    let empty = csr.post(path, json!({})).await;
    assert_eq!(
        (empty.status, &empty.body["field"]),
        (StatusCode::BAD_REQUEST, &json!("productOrder"))
    );

    let id = account["id"].as_str().unwrap();
    let next = csr.get(&format!("{path}?billingAccount.id={id}")).await;
    assert_eq!(next.status, StatusCode::OK, "{}", next.body);
    assert_eq!(
        (&next.body["rate"], &next.body["bill"]["amountDue"]["value"]),
        (&json!([]), &json!(0.0))
    );
    let customer = customer["id"].as_str().unwrap();
    let allowances = csr
        .get(&format!("/bss-api/v1/allowance?customer.id={customer}"))
        .await;
    assert_eq!(allowances.body, json!([]));
    let analytics = csr
        .get(&format!("/bss-api/v1/analytics/customer/{customer}"))
        .await;
    assert_eq!(
        (&analytics.body["latePayer"], &analytics.body["usage"]),
        (&json!(false), &json!([]))
    );
    let nothing = api
        .actor(Role::Billing)
        .post(
            "/bss-api/v1/allocation",
            json!({ "billingAccount": { "id": id } }),
        )
        .await;
    assert_eq!(
        (nothing.status, &nothing.body["applied"]),
        (StatusCode::CREATED, &json!([]))
    );
}
