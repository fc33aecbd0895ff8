//! What TM Forum has no API for, through the real router: usage files and rejects, the event log, previews, changes.

mod support;

use std::time::Duration;

use bss_app::{RequestContext, Role};
use bss_domain::Instant;
use bss_events::Topic;
use bss_store::event_log::browse::{self, MessageFilter};
use bss_store::event_log::parked::{self, Cause};
use http::StatusCode;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use support::api::{Actor, Answer, Api, CATALOG, api};

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(-1)
}

const USAGE_FILE: &str = "/bss-api/v1/usageFile";

/// A line of the switch's file, an hour ago.
fn line(api: &Api, answered: bool, id: u32) -> String {
    let at = Instant::from_second(api.app.clock.now().as_second() - 3_600).unwrap();
    let time = at.to_string()[..19].replace('T', " ");
    let (answer, disposition) = if answered {
        (&*time, "ANSWERED")
    } else {
        ("", "NO ANSWER")
    };
    format!(
        "\"\",\"48500999999\",\"48221234567\",\"out\",\"\",\"SIP/1\",\"SIP/2\",\"Dial\",\"x\",\"{time}\",\"{answer}\",\
         \"{time}\",10,5,\"{disposition}\",\"DOCUMENTATION\",\"{id}\"\n"
    )
}

async fn declared(network: &Actor<'_>) {
    let source = json!({ "format": "asterisk", "zone": "UTC" });
    let put = network.put("/bss-api/v1/usageSource/switch", source).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.body);
}

async fn upload(network: &Actor<'_>, query: &str, content: &str) -> Answer {
    let path = format!("{USAGE_FILE}?{query}");
    let csv = [("content-type", "text/csv")];
    network.call("POST", &path, &csv, content.to_owned()).await
}

/// A file with a call of a number that nobody has, a broken line, and a call that nobody answered.
async fn imported(api: &Api) {
    let network = api.actor(Role::Network);
    declared(&network).await;
    let lines = [
        line(api, true, 1),
        "no call at all\n".to_owned(),
        line(api, false, 2),
    ];
    let sent = upload(&network, "source=switch&name=Master.csv", &lines.concat()).await;
    assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_sent_in_once_whatever_its_size_and_name() {
    let api = api(false).await;
    let network = api.actor(Role::Network);
    declared(&network).await;
    // More than a body usually may have.
    let lines: String = (0..20_000).map(|id| line(&api, false, id)).collect();
    assert!(lines.len() > 2 << 20);
    let first = upload(&network, "source=switch&name=Master.csv", &lines).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    assert_eq!(
        (
            &first.body["state"],
            &first.body["notCharged"],
            &first.body["name"]
        ),
        (&json!("imported"), &json!(20_000), &json!("Master.csv"))
    );
    let again = upload(&network, "source=switch&name=Other.csv", &lines).await;
    assert_eq!((again.status, &again.body), (StatusCode::OK, &first.body));

    for (query, status, field) in [
        ("name=a.csv", StatusCode::BAD_REQUEST, "source"),
        ("source=switch", StatusCode::BAD_REQUEST, "name"),
        ("source=switch&name=", StatusCode::BAD_REQUEST, "name"),
        ("source=switch&name=..%2Fa.csv", StatusCode::BAD_REQUEST, "name"),
    ] {
        let refused = upload(&network, query, "a").await;
        assert_eq!(
            (refused.status, &refused.body["field"]),
            (status, &json!(field)),
            "{query}"
        );
    }
    let unknown = upload(&network, "source=none&name=a.csv", "a").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND, "{}", unknown.body);
    let files = network.get(USAGE_FILE).await;
    assert_eq!(files.header("x-total-count"), "1", "what was refused is no file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_declared_and_keeps_its_format() {
    let api = api(false).await;
    let network = api.actor(Role::Network);
    declared(&network).await;
    let path = "/bss-api/v1/usageSource/switch";
    for (body, status, field) in [
        (
            json!({ "format": "asterisk", "zone": "Nowhere" }),
            400,
            Some("zone"),
        ),
        (json!({ "format": "nothing", "zone": "UTC" }), 400, Some("format")),
        (json!({ "format": "asterisk" }), 400, Some("zone")),
        (
            json!({ "format": "asterisk", "zone": "UTC", "numbers": { "trunkPrefix": 0 } }),
            400,
            Some("numbers"),
        ),
        (
            json!({ "name": "other", "format": "asterisk", "zone": "UTC" }),
            400,
            Some("name"),
        ),
        (json!({ "format": "generic", "zone": "UTC" }), 409, None),
    ] {
        let refused = network.put(path, body).await;
        let (given, _, named) = refused.error();
        assert_eq!((given, named), (status, field), "{}", refused.body);
    }
    let moved = json!({ "format": "asterisk", "zone": "Europe/Warsaw", "numbers":
        { "internationalPrefix": "00", "trunkPrefix": "0", "countryCode": "48" } });
    let put = network.put(path, moved).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.body);
    let listed = network.get("/bss-api/v1/usageSource").await;
    assert_eq!(listed.body, json!([put.body]));
    assert_eq!(listed.body[0]["zone"], "Europe/Warsaw");
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
    session.finish().unwrap();
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
