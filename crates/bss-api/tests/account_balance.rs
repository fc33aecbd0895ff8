//! What the books say of billing accounts, on one and on a list: open, overdue, left over, prepaid.

mod support;

use bss_app::{Role, prepaid};
use bss_domain::{Currency, Money};
use http::StatusCode;
use serde_json::{Value, json};
use support::api::{ACCOUNT, Actor, api};
use support::shop::{PAYMENTS, id};

/// `paymentStatus`, and each balance's type and value.
fn said(account: &Value) -> (&str, Vec<(&str, f64)>) {
    let balances = account["accountBalance"].as_array().unwrap().iter();
    let balances = balances.map(|balance| {
        assert_eq!(balance["amount"]["unit"], account["currency"]);
        assert!(balance["validFor"]["startDateTime"].is_string());
        (
            balance["balanceType"].as_str().unwrap(),
            balance["amount"]["value"].as_f64().unwrap(),
        )
    });
    (account["paymentStatus"].as_str().unwrap(), balances.collect())
}

async fn read(csr: &Actor<'_>, account: &Value) -> Value {
    let answer = csr.get(&format!("{ACCOUNT}/{}", id(account))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.body
}

async fn pay(billing: &Actor<'_>, account: &Value, euros: f64) {
    let payment = json!({
        "account": { "id": account["id"] }, "amount": { "unit": "EUR", "value": euros }, "channel": { "name": "cash" },
    });
    billing.made(PAYMENTS, payment).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_says_what_is_open_overdue_left_over_and_prepaid() {
    let api = api(false).await;
    api.later("2101-01-20T10:00:00Z").await;
    let (csr, billing) = (api.actor(Role::Csr), api.actor(Role::Billing));
    let (ann, bob) = (csr.customer("Ann").await, csr.customer("Bob").await);
    let (account, other) = (csr.account(&ann).await, csr.account(&bob).await);
    let nothing = vec![("receivable", 0.0), ("customerCredit", 0.0)];
    assert_eq!(
        said(&account),
        ("paid", nothing.clone()),
        "a new account says it at once"
    );

    let offering = api.plan().await;
    api.take_up(&api.order(&ann, &account, &offering).await).await;
    // The account's period from the 20th of January to the 15th of February and the next one.
    api.later("2101-03-20T10:00:00Z").await;
    let bills = api.bills(&account).await;
    let open: f64 = bills
        .iter()
        .map(|bill| bill["remainingAmount"]["value"].as_f64().unwrap())
        .sum();
    assert!(open > 10.0, "{bills:?}");
    assert_eq!(
        said(&read(&csr, &account).await),
        ("due", vec![("receivable", open), ("customerCredit", 0.0)])
    );
    api.later("2101-04-20T10:00:00Z").await;
    pay(&billing, &account, 1.0).await;
    let late = read(&csr, &account).await;
    assert_eq!(
        said(&late),
        (
            "in arrears",
            vec![("receivable", open - 1.0), ("customerCredit", 0.0)]
        )
    );
    pay(&billing, &account, open + 4.0).await;
    let context = api.system();
    let euros = Money::new(1_234, Currency::of("EUR").unwrap());
    let prepaid_account = id(&other).parse().unwrap();
    prepaid::top_up(&api.app, &context, prepaid_account, euros, "card")
        .await
        .unwrap();

    // A page says of each account its own.
    let page = csr.get(&format!("{ACCOUNT}?limit=10")).await.body;
    let of = |wanted: &Value| {
        let mut rows = page.as_array().unwrap().iter();
        said(rows.find(|row| row["id"] == wanted["id"]).unwrap())
    };
    assert_eq!(
        of(&account),
        ("paid", vec![("receivable", 0.0), ("customerCredit", 5.0)])
    );
    let mut topped_up = nothing;
    topped_up.push(("prepaid", 12.34));
    assert_eq!(of(&other), ("paid", topped_up));

    // What is computed is nobody's to write or to filter by; sent back as it was read it is no write.
    let path = format!("{ACCOUNT}/{}", id(&account));
    let mut echo = read(&csr, &account).await;
    echo["name"] = "Renamed".into();
    echo["accountBalance"][1]["amount"]["value"] = 5.into();
    let patched = csr.patch(&path, echo).await;
    assert_eq!(patched.status, StatusCode::OK, "{}", patched.body);
    assert_eq!(
        (said(&patched.body).0, &patched.body["name"]),
        ("paid", &json!("Renamed"))
    );
    let forged = json!({ "accountBalance": [] });
    assert_eq!(
        csr.patch(&path, forged).await.error(),
        (400, "readOnly", Some("accountBalance"))
    );
    for query in [
        "paymentStatus=due",
        "accountBalance.balanceType=prepaid",
        "sort=paymentStatus",
    ] {
        let refused = csr.get(&format!("{ACCOUNT}?{query}")).await;
        assert_eq!(
            (refused.error().0, refused.error().1),
            (400, "wrongQuery"),
            "{query}"
        );
    }

    // Each bill says what paid for it, to the cent; drawing up the next one takes the credit.
    for bill in api.bills(&account).await {
        let of = |name: &str| bill[name]["value"].as_f64().unwrap();
        let applied = bill["appliedPayment"].as_array().unwrap();
        let cents = |amount: f64| (amount * 100.0).round() as i64;
        let paid: i64 = applied
            .iter()
            .map(|one| cents(one["appliedAmount"]["value"].as_f64().unwrap()))
            .sum();
        // A bill takes credit when it is drawn up, which pays for it as well.
        let all = cents(of("taxIncludedAmount")) - cents(of("remainingAmount"));
        assert_eq!(paid, all, "{bill}");
        let mut kinds = applied
            .iter()
            .map(|one| one["payment"]["@referredType"].as_str().unwrap());
        let known = ["Payment", "CustomerCredit"];
        assert!(kinds.all(|kind| known.contains(&kind)), "{bill}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_with_a_product_or_with_money_stays() {
    let api = api(false).await;
    let (csr, billing) = (api.actor(Role::Csr), api.actor(Role::Billing));
    let ann = csr.customer("Ann").await;
    let (served, paid, unused) = (
        csr.account(&ann).await,
        csr.account(&ann).await,
        csr.account(&ann).await,
    );
    let offering = api.plan().await;
    api.take_up(&api.order(&ann, &served, &offering).await).await;
    pay(&billing, &paid, 1.0).await;
    for account in [&served, &paid] {
        let path = format!("{ACCOUNT}/{}", id(account));
        assert_eq!(csr.delete(&path).await.error(), (409, "referred", None));
        assert_eq!(csr.get(&path).await.status, StatusCode::OK);
    }
    let gone = csr.delete(&format!("{ACCOUNT}/{}", id(&unused))).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.body);
}
