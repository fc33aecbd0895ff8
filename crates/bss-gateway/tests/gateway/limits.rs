//! Layers that count: addresses, consumers, concurrency; and the disk reserve.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::support::{CUSTOMER, Running, Setup, refusal};

#[tokio::test]
async fn an_address_may_ask_only_so_often() {
    let change = |config: &mut bss_gateway::GatewayConfig| {
        config.limits.address_per_second = 1;
        config.limits.address_burst = 3;
    };
    let gateway = Setup::with(change).start().await;
    for _ in 0..3 {
        // Guessing tokens counts.
        assert_eq!(
            gateway
                .anonymous(CUSTOMER)
                .bearer_auth("guess")
                .send()
                .await
                .unwrap()
                .status(),
            401
        );
    }
    let refused = gateway
        .get(CUSTOMER)
        .header("x-forwarded-for", "198.51.100.7")
        .send()
        .await
        .unwrap();
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(
        refusal(refused, 429).await,
        "addressRateLimit",
        "claims about the address don't count"
    );

    let trusting = Setup::with(|config| {
        change(config);
        config.trusted_proxies = vec!["127.0.0.1".to_owned()];
    });
    let trusting = trusting.start().await;
    let from = async |address: &str| {
        let request = trusting.get(CUSTOMER).header("x-forwarded-for", address);
        request.send().await.unwrap().status().as_u16()
    };
    for _ in 0..3 {
        assert_eq!(from("198.51.100.7").await, 200);
    }
    assert_eq!(from("198.51.100.7").await, 429);
    assert_eq!(
        from("198.51.100.8").await,
        200,
        "another client of the same proxy"
    );

    let off = Setup::with(|config| {
        change(config);
        config.layers.address_limit = false;
    });
    let off = off.start().await;
    for _ in 0..5 {
        assert_eq!(off.get(CUSTOMER).send().await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_consumer_is_told_where_it_stands() {
    let change = |config: &mut bss_gateway::GatewayConfig| {
        config.limits.consumer_per_second = 1;
        config.limits.consumer_burst = 3;
    };
    let gateway = Setup::with(change).start().await;
    for remaining in ["2", "1", "0"] {
        let response = gateway.get(CUSTOMER).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let headers = response.headers();
        assert_eq!(headers["ratelimit-limit"], "3");
        assert_eq!(headers["ratelimit-policy"], "3;w=3");
        assert_eq!(headers["ratelimit-remaining"], remaining);
        assert_eq!(
            headers["ratelimit-reset"],
            (3 - remaining.parse::<u32>().unwrap()).to_string()
        );
    }
    let refused = gateway.get(CUSTOMER).send().await.unwrap();
    assert_eq!(refused.headers()["ratelimit-remaining"], "0");
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(refusal(refused, 429).await, "consumerRateLimit");

    // Others aren't touched: another user, and the same name in another tenant.
    for (claim, value) in [("sub", "user-2"), ("tenant", "other")] {
        let token = gateway.token_with(|claims| claims[claim] = json!(value));
        let response = gateway
            .anonymous(CUSTOMER)
            .bearer_auth(token)
            .send()
            .await
            .unwrap();
        assert_eq!(response.headers()["ratelimit-remaining"], "2", "{claim}");
    }
    let public = gateway.anonymous("/health").send().await.unwrap();
    assert!(!public.headers().contains_key("ratelimit-limit"));
}

fn held(gateway: &Running) -> tokio::task::JoinHandle<reqwest::Result<reqwest::Response>> {
    tokio::spawn(gateway.get("/tmf-api/held").send())
}

#[tokio::test]
async fn overload_is_answered_early() {
    let change = |config: &mut bss_gateway::GatewayConfig| {
        config.limits.concurrent = 1;
        config.limits.pending = 1;
    };
    let gateway = Setup::with(change).start().await;
    let first = held(&gateway);
    gateway.gate.entered(1).await;
    // One of the next two waits, the other finds the queue full; which is which is theirs to settle.
    let (second, third) = (held(&gateway), held(&gateway));
    let both = futures::future::select(second, third).await;
    let (refused, waiting) = both.factor_first();
    let refused = refused.unwrap().unwrap();
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(refusal(refused, 503).await, "overloaded");

    gateway.gate.open.add_permits(2);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    assert_eq!(waiting.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn nobody_waits_for_a_place_for_ever() {
    let change = |config: &mut bss_gateway::GatewayConfig| {
        config.limits.concurrent = 1;
        config.limits.pending_timeout_ms = 20;
    };
    let gateway = Setup::with(change).start().await;
    let first = held(&gateway);
    gateway.gate.entered(1).await;
    assert_eq!(
        refusal(gateway.get(CUSTOMER).send().await.unwrap(), 503).await,
        "overloaded"
    );
    gateway.gate.open.add_permits(1);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    assert_eq!(gateway.get(CUSTOMER).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn below_the_disk_reserve_only_reading_goes_on() {
    let room = Arc::new(AtomicBool::new(false));
    let watched = Arc::clone(&room);
    let mut setup = Setup::new();
    setup.writes = Some(Arc::new(move || watched.load(Ordering::SeqCst)));
    let gateway = setup.start().await;
    let refused = gateway.post("/tmf-api/body").body("x").send().await.unwrap();
    assert_eq!(refused.headers()["retry-after"], "30");
    assert_eq!(refusal(refused, 503).await, "diskReserve");
    assert_eq!(gateway.get(CUSTOMER).send().await.unwrap().status(), 200);
    let sign_in = gateway.client.post(gateway.url("/realms/bss/token"));
    assert_eq!(sign_in.send().await.unwrap().status(), 200);

    room.store(true, Ordering::SeqCst);
    assert_eq!(
        gateway
            .post("/tmf-api/body")
            .body("x")
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}
