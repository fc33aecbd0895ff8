//! Money's way through its channel: asked for, held, taken, paid out, taken back; and debts that are given up.

mod support;

use bss_app::{Role, ledger_check};
use http::StatusCode;
use serde_json::{Value, json};
use support::api::{Actor, Api, api};
use support::shop::{BILLS, PAYMENTS, id};

const V1: &str = "/bss-api/v1";

/// An account with bills, and those.
async fn billed(api: &Api) -> (Value, Vec<Value>) {
    api.later("2101-01-20T10:00:00Z").await;
    let csr = api.actor(Role::Csr);
    let ann = csr.customer("Ann").await;
    let account = csr.account(&ann).await;
    let offering = api.plan().await;
    api.take_up(&api.order(&ann, &account, &offering).await).await;
    api.later("2101-03-20T10:00:00Z").await;
    let bills = api.bills(&account).await;
    assert!(bills.len() > 1, "{bills:?}");
    (account, bills)
}

fn euros(value: f64) -> Value {
    json!({ "unit": "EUR", "value": value })
}

fn left(bill: &Value) -> &Value {
    &bill["remainingAmount"]
}

fn open(bill: &Value) -> f64 {
    left(bill)["value"].as_f64().unwrap()
}

async fn bill(billing: &Actor<'_>, bill: &Value) -> Value {
    billing.get(&format!("{BILLS}/{}", id(bill))).await.body
}

async fn asked(billing: &Actor<'_>, account: &Value, bill: &Value) -> Value {
    let payment = json!({
        "account": { "id": account["id"] }, "amount": euros(open(bill)), "channel": { "name": "bankCard" },
        "paymentItem": [{ "item": { "id": bill["id"], "@referredType": "CustomerBill" } }],
    });
    billing.made(&format!("{V1}/paymentRequest"), payment).await
}

async fn check(api: &Api) {
    let report = ledger_check::check(&api.app, &api.system()).await.unwrap();
    let invariants = report.invariants.iter();
    let broken: Vec<_> = invariants.filter(|invariant| !invariant.holds).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_goes_its_way_through_the_channel() {
    let api = api(false).await;
    let (account, bills) = billed(&api).await;
    let billing = api.actor(Role::Billing);
    let payment = asked(&billing, &account, &bills[0]).await;
    assert_eq!(payment["status"], "pendingAuthorization");
    assert!(
        payment["href"]
            .as_str()
            .unwrap()
            .ends_with(&format!("{PAYMENTS}/{}", id(&payment)))
    );
    let act = |what: &str| format!("{V1}/payment/{}/{what}", id(&payment));
    let early = billing.post(&act("capture"), json!({})).await;
    assert_eq!((early.error().0, early.error().1), (409, "illegalTransition"));
    assert_eq!(
        left(&bill(&billing, &bills[0]).await),
        left(&bills[0]),
        "nothing is booked yet"
    );

    let held = billing
        .post(&act("authorize"), json!({ "authorizationCode": "A1" }))
        .await;
    assert_eq!(held.status, StatusCode::OK, "{}", held.body);
    assert_eq!(
        (&held.body["status"], &held.body["authorizationCode"]),
        (&json!("authorized"), &json!("A1"))
    );
    for _ in 0..2 {
        let taken = billing.post(&act("capture"), json!({})).await;
        assert_eq!(
            (taken.status, &taken.body["status"]),
            (StatusCode::OK, &json!("captured"))
        );
    }
    assert_eq!(bill(&billing, &bills[0]).await["state"], "settled");
    check(&api).await;

    let settlement = |fees: f64| {
        json!({ "channel": { "name": "bankCard" }, "payment": [{ "id": payment["id"] }],
                "paid": euros(open(&bills[0]) - 0.5), "fees": euros(fees) })
    };
    let path = format!("{V1}/settlement");
    assert_eq!(
        billing.post(&path, settlement(0.4)).await.error().1,
        "wrongAmount"
    );
    let settled = billing.made(&path, settlement(0.5)).await;
    assert_eq!((&settled["payments"], &settled["fees"]), (&json!(1), &euros(0.5)));
    assert_eq!(
        billing.get(&format!("{PAYMENTS}/{}", id(&payment))).await.body["status"],
        "done"
    );

    let key = [("idempotency-key", "c1")];
    let back = json!({ "amount": euros(2.0) }).to_string();
    let first = billing.call("POST", &act("chargeback"), &key, back.clone()).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    assert_eq!(first.body["reopened"][0]["amount"], euros(2.0));
    assert_eq!(first.body["reopened"][0]["bill"]["id"], bills[0]["id"]);
    let again = billing.call("POST", &act("chargeback"), &key, back).await;
    assert_eq!(again.body, first.body, "the same call again takes nothing more");
    assert_eq!(left(&bill(&billing, &bills[0]).await), &euros(2.0));
    let shown = billing.get(&format!("{PAYMENTS}/{}", id(&payment))).await;
    assert_eq!(shown.body["reversedAmount"], euros(2.0));
    check(&api).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_channel_refuses_books_nothing_and_a_debt_can_be_given_up() {
    let api = api(false).await;
    let (account, bills) = billed(&api).await;
    let billing = api.actor(Role::Billing);
    for (way, wanted) in [
        (&["deny"] as &[&str], "denied"),
        (&["fail"], "failed"),
        (&["authorize", "cancel"], "canceled"),
    ] {
        let payment = asked(&billing, &account, &bills[0]).await;
        let mut last = Value::Null;
        for step in way {
            let path = format!("{V1}/payment/{}/{step}", id(&payment));
            let answer = billing.post(&path, json!({ "reason": "no cover" })).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
            last = answer.body;
        }
        assert_eq!(
            (&last["status"], &last["statusReason"]),
            (&json!(wanted), &json!("no cover"))
        );
    }
    let payment = asked(&billing, &account, &bills[0]).await;
    let nameless = billing
        .post(&format!("{V1}/payment/{}/deny", id(&payment)), json!({}))
        .await;
    assert_eq!(nameless.error(), (400, "missing", Some("reason")));
    assert_eq!(left(&bill(&billing, &bills[0]).await), left(&bills[0]));

    let path = format!("{V1}/writeOff");
    let give_up = json!({ "customerBill": { "id": bills[1]["id"] }, "reason": "insolvent" });
    let written = billing.made(&path, give_up.clone()).await;
    assert_eq!(&written["amount"], left(&bills[1]));
    assert_eq!(bill(&billing, &bills[1]).await["state"], "settled");
    assert_eq!(billing.post(&path, give_up).await.error().1, "nothingOpen");
    check(&api).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credit_note_takes_lines_of_a_bill_back() {
    let api = api(false).await;
    let (_, bills) = billed(&api).await;
    let billing = api.actor(Role::Billing);
    let path = format!("{V1}/creditNote");
    let of =
        |line: Value| json!({ "customerBill": { "id": bills[0]["id"] }, "line": line, "reason": "outage" });
    let note = billing
        .made(&path, of(json!([{ "number": 1, "amount": euros(1.0) }])))
        .await;
    assert_eq!((&note["amount"], &note["applied"]), (&euros(1.0), &euros(1.0)));
    assert_eq!(note["credit"]["value"].as_f64(), Some(0.0));
    let after = bill(&billing, &bills[0]).await;
    assert!((open(&bills[0]) - open(&after) - 1.0).abs() < 1e-9, "{after}");
    let one = billing
        .get(&format!("{path}/{}", note["id"].as_str().unwrap()))
        .await
        .body;
    assert_eq!(one["number"], note["number"]);
    assert_eq!(one["line"][0]["amount"], euros(1.0));
    let of_bill = |bill: &Value| format!("{path}?customerBill.id={}", bill["id"].as_str().unwrap());
    assert_eq!(billing.get(&of_bill(&bills[0])).await.body, json!([one]));
    assert_eq!(billing.get(&of_bill(&bills[1])).await.body, json!([]));
    let rates = format!(
        "/tmf-api/customerBillManagement/v4/appliedCustomerBillingRate?bill.id={}",
        bills[0]["id"].as_str().unwrap()
    );
    for rate in billing.get(&rates).await.body.as_array().unwrap() {
        let taken = if rate["line"] == 1 { 1.0 } else { 0.0 };
        let left = |name: &str| rate[name]["value"].as_f64().unwrap();
        assert!(
            (left("taxIncludedAmount") - taken - left("creditableAmount")).abs() < 1e-9,
            "{rate}"
        );
    }
    for (line, code, field) in [
        (json!([{ "number": 99 }]), "unknownLine", "line[0].number"),
        (
            json!([{ "number": 1, "amount": euros(9_999.0) }]),
            "wrongAmount",
            "line[0].amount",
        ),
        (
            json!([{ "number": 1, "amount": { "unit": "JPY", "value": 1 } }]),
            "wrongAmount",
            "line[0].amount",
        ),
        (
            json!([{ "number": 1 }, { "number": 1 }]),
            "lineTwice",
            "line[1].number",
        ),
        (json!([{ "number": "one" }]), "missing", "line[0].number"),
        (json!(null), "missing", "line"),
    ] {
        let refused = billing.post(&path, of(line)).await;
        assert_eq!(refused.error(), (400, code, Some(field)), "{}", refused.body);
    }
    check(&api).await;
}
