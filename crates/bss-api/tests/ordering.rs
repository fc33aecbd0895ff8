//! Orders through the router: cancelled by their request, and refused where they refer to what isn't there.

mod support;

use bss_app::Role;
use http::StatusCode;
use serde_json::{Value, json};
use support::api::{Api, api};
use support::shop::{ORDERING, PAYMENTS, id};

const NOBODY: &str = "019ac000-0000-8000-8000-000000000001";

fn cancel(order: &Value) -> Value {
    json!({ "productOrder": { "id": order["id"] }, "cancellationReason": "changed my mind" })
}

struct Shop {
    api: Api,
    ann: Value,
    account: Value,
    offering: Value,
}

async fn shop() -> Shop {
    let api = api(false).await;
    let csr = api.actor(Role::Csr);
    let ann = csr.customer("Ann").await;
    let account = csr.account(&ann).await;
    let offering = api.plan().await;
    Shop {
        api,
        ann,
        account,
        offering,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_cancels_its_own_order_and_no_other() {
    let Shop {
        api,
        ann,
        account,
        offering,
    } = shop().await;
    let path = format!("{ORDERING}/cancelProductOrder");
    let order = api.order(&ann, &account, &offering).await;
    let bob = api.actor(Role::Csr).customer("Bob").await;
    let caller =
        |customer: &Value| api.actor_of(Role::Customer, api.world.tenant.into(), customer["id"].as_str());
    let (own, stranger) = (caller(&ann), caller(&bob));
    assert_eq!(
        stranger.post(&path, cancel(&order)).await.error(),
        (400, "unknownReference", Some("productOrder.id"))
    );
    let key = [("idempotency-key", "k1")];
    let made = own.call("POST", &path, &key, cancel(&order).to_string()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!(made.body["state"], "done");
    let again = own.call("POST", &path, &key, cancel(&order).to_string()).await;
    assert_eq!(again.body, made.body, "the same call again");
    assert_eq!(own.post(&path, cancel(&order)).await.error().1, "ended");

    let one = format!("{path}/{}", id(&made.body));
    assert_eq!(own.get(&one).await.body, made.body);
    assert_eq!(stranger.get(&one).await.status, StatusCode::NOT_FOUND);
    for (actor, count) in [(&own, "1"), (&stranger, "0")] {
        let list = actor.get(&format!("{path}?productOrder.id={}", id(&order))).await;
        assert_eq!(list.header("x-total-count"), count);
    }
    let cancelled = own
        .get(&format!("{ORDERING}/productOrder/{}", id(&order)))
        .await
        .body;
    assert_eq!(cancelled["state"], "cancelled");
    assert_eq!(cancelled["cancellationReason"], "changed my mind");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_done_is_not_cancelled() {
    let Shop {
        api,
        ann,
        account,
        offering,
    } = shop().await;
    let order = api.order(&ann, &account, &offering).await;
    api.take_up(&order).await;
    let path = format!("{ORDERING}/cancelProductOrder");
    let csr = api.actor(Role::Csr);
    let refused = csr.post(&path, cancel(&order)).await;
    assert_eq!(refused.error(), (409, "ended", Some("productOrder.id")));
    assert!(
        refused.body["message"]
            .as_str()
            .unwrap()
            .contains("is completed already")
    );
    let future =
        json!({ "productOrder": { "id": order["id"] }, "requestedCancellationDate": "2999-01-01T00:00:00Z" });
    for (body, field) in [
        (cancel(&json!({ "id": NOBODY })), "productOrder.id"),
        (json!({}), "productOrder"),
        (future, "requestedCancellationDate"),
    ] {
        let refused = csr.post(&path, body).await;
        assert_eq!((refused.error().0, refused.error().2), (400, Some(field)));
    }
    assert_eq!(
        csr.get(&path).await.header("x-total-count"),
        "0",
        "a refusal leaves no request"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_order_or_a_payment_refers_to_exists() {
    let Shop {
        api,
        ann,
        account,
        offering,
    } = shop().await;
    let order = api.order(&ann, &account, &offering).await;
    api.take_up(&order).await;
    let csr = api.actor(Role::Csr);
    let orders = format!("{ORDERING}/productOrder");
    let done = csr.get(&format!("{orders}/{}", id(&order))).await.body;
    let product = &done["productOrderItem"][0]["product"]["id"];
    let bob = csr.customer("Bob").await;
    let of_bob = csr.account(&bob).await;
    let end = |customer: &Value, account: &Value, product: &Value| {
        json!({
            "relatedParty": [{ "id": customer["id"], "role": "customer" }, { "id": NOBODY, "role": "seller" }],
            "billingAccount": { "id": account["id"] },
            "productOrderItem": [{ "id": "1", "action": "delete", "product": { "id": product } }],
        })
    };
    let mut known = end(&ann, &account, product);
    known["relatedParty"].as_array_mut().unwrap().pop();
    for (body, field) in [
        (
            end(&ann, &account, &json!(NOBODY)),
            "productOrderItem[0].product.id",
        ),
        (end(&bob, &of_bob, product), "productOrderItem[0].product.id"),
        (end(&ann, &of_bob, product), "billingAccount.id"),
        (end(&ann, &account, product), "relatedParty[1].id"),
    ] {
        let refused = csr.post(&orders, body).await;
        assert_eq!(
            refused.error(),
            (400, "unknownReference", Some(field)),
            "{}",
            refused.body
        );
    }
    csr.made(&orders, known).await;

    let billing = api.actor(Role::Billing);
    let money = json!({ "unit": "EUR", "value": 1 });
    let pay = |account: &Value, bill: &str| {
        json!({ "account": { "id": account }, "amount": money, "channel": { "name": "cash" },
                "paymentItem": [{ "item": { "id": bill } }] })
    };
    for (path, body, field) in [
        (PAYMENTS, pay(&json!(NOBODY), NOBODY), "account.id"),
        (PAYMENTS, pay(&account["id"], NOBODY), "paymentItem[0].item.id"),
        (
            "/tmf-api/paymentManagement/v4/refund",
            json!({ "account": { "id": account["id"] }, "amount": money, "channel": { "name": "cash" },
                    "payment": { "id": NOBODY } }),
            "payment.id",
        ),
    ] {
        let refused = billing.post(path, body).await;
        assert_eq!(
            refused.error(),
            (400, "unknownReference", Some(field)),
            "{}",
            refused.body
        );
    }
}
