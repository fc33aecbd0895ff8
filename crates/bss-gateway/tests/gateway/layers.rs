//! Layers that add or check without counting: ids, log, hosts, headers, CORS, timeouts, compression.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use crate::support::{CUSTOMER, Running, Setup, log_lines, read_head, refusal, send};

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async fn ids(request: reqwest::RequestBuilder) -> (String, String, Value) {
    let response = request.send().await.unwrap();
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    let (id, trace) = (header("x-correlation-id"), header("traceparent"));
    (id, trace, response.json().await.unwrap())
}

#[tokio::test]
async fn ids_are_kept_where_they_are_sane_and_made_where_not() {
    let gateway = Setup::new().start().await;
    let given = gateway
        .get(CUSTOMER)
        .header("x-correlation-id", "order-17")
        .header("traceparent", TRACE);
    let (id, trace, seen) = ids(given).await;
    assert_eq!((id.as_str(), trace.as_str()), ("order-17", TRACE));
    assert_eq!(
        (seen["correlationId"].as_str(), seen["traceparent"].as_str()),
        (Some("order-17"), Some(TRACE))
    );

    let insane = gateway
        .get(CUSTOMER)
        .header("x-correlation-id", "a\"; b")
        .header("traceparent", "00-zz-1-1");
    let (id, trace, seen) = ids(insane).await;
    assert_eq!((id.len(), trace.len()), (32, 55));
    assert_eq!(
        (seen["correlationId"].as_str(), seen["traceparent"].as_str()),
        (Some(&*id), Some(&*trace))
    );
    let (other, another, _) = ids(gateway.get(CUSTOMER)).await;
    assert!(other != id && another[3..35] != trace[3..35]);

    let refused = gateway
        .anonymous(CUSTOMER)
        .header("x-correlation-id", "order-18")
        .send()
        .await
        .unwrap();
    assert_eq!(refused.headers()["x-correlation-id"], "order-18");
}

#[tokio::test]
async fn the_log_names_the_route_and_never_the_caller() {
    let measured: Arc<Mutex<Vec<(String, String, u16)>>> = Arc::default();
    let measurements = Arc::clone(&measured);
    let mut setup = Setup::new();
    setup.observer = Some(Arc::new(
        move |method: &str, route: &str, status: u16, _: Duration| {
            measurements
                .lock()
                .unwrap()
                .push((method.to_owned(), route.to_owned(), status));
        },
    ));
    let gateway = setup.start().await;
    let known = gateway.get(CUSTOMER).header("traceparent", TRACE);
    known.header("x-correlation-id", "logged-1").send().await.unwrap();
    let unknown = gateway
        .anonymous("/tmf-api/ludwik/number-4711")
        .header("x-correlation-id", "logged-2");
    unknown.send().await.unwrap();

    let customer = "/tmf-api/customerManagement/v4/customer/{id}";
    let expected = [("GET", customer, 200), ("GET", "/tmf-api/*", 401)];
    let expected = expected.map(|(method, route, status)| (method.to_owned(), route.to_owned(), status));
    assert_eq!(*measured.lock().unwrap(), expected);

    // All tests of a process write into one log.
    let text: Vec<String> = log_lines()
        .into_iter()
        .filter(|line| line.contains("logged-"))
        .collect();
    let text = text.join("\n");
    let access: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["target"] == "access")
        .collect();
    assert_eq!(access.len(), 2, "{text}");
    assert_eq!(access[0]["fields"]["route"], customer);
    assert_eq!(access[0]["fields"]["status"], 200);
    assert_eq!(access[0]["span"]["trace_id"], TRACE[3..35]);
    assert_eq!(access[1]["fields"]["refusal"], "noToken");
    // None of them can be part of a random trace id.
    for secret in ["number", "ludwik", "customer/4", "name=", "user-1", "eyJ"] {
        assert!(!text.contains(secret), "`{secret}` is in the log: {text}");
    }
}

async fn status_for_host(gateway: &Running, host: &str, more: &str) -> String {
    let mut stream = gateway.connect().await;
    send(
        &mut stream,
        &format!("GET /health HTTP/1.1\r\nHost: {host}\r\n{more}\r\n"),
    )
    .await;
    let head = read_head(&mut stream).await;
    head.split(' ').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn foreign_hosts_get_nothing() {
    let gateway = Setup::new().start().await;
    let own = gateway.address.to_string();
    assert_eq!(status_for_host(&gateway, &own, "").await, "200");
    assert_eq!(status_for_host(&gateway, "evil.example", "").await, "421");
    assert_eq!(
        status_for_host(&gateway, "127.0.0.1", "").await,
        "421",
        "another port is another host"
    );
    let forwarded = format!("X-Forwarded-Host: {own}\r\n");
    assert_eq!(
        status_for_host(&gateway, "inside", &forwarded).await,
        "421",
        "nobody is trusted"
    );

    let trusting = Setup::with(|config| config.trusted_proxies = vec!["127.0.0.0/8".to_owned()])
        .start()
        .await;
    let forwarded = format!("X-Forwarded-Host: {}\r\n", trusting.address);
    assert_eq!(status_for_host(&trusting, "inside", &forwarded).await, "200");
    let response = trusting
        .anonymous("/health")
        .header("x-forwarded-host", "evil.example")
        .send()
        .await
        .unwrap();
    assert_eq!(refusal(response, 421).await, "unknownHost");

    let open = Setup::with(|config| config.layers.host_check = false)
        .start()
        .await;
    assert_eq!(status_for_host(&open, "evil.example", "").await, "200");
}

#[tokio::test]
async fn browsers_are_told_what_pages_may_do() {
    let change = |config: &mut bss_gateway::GatewayConfig| {
        config.content_policy.script_hashes = vec!["sha256-AbC=".to_owned()];
        config.trusted_proxies = vec!["127.0.0.1".to_owned()];
    };
    let gateway = Setup::with(change).start().await;
    let page = gateway.anonymous("/").send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self' 'sha256-AbC=';"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    assert_eq!(page.headers()["referrer-policy"], "same-origin");
    assert!(
        !page.headers().contains_key("strict-transport-security"),
        "plain HTTP"
    );

    let data = gateway.get(CUSTOMER).send().await.unwrap();
    assert_eq!(
        data.headers()["content-security-policy"],
        "default-src 'none'; frame-ancestors 'none'"
    );
    assert_eq!(data.headers()["cache-control"], "no-store");

    let tls = gateway
        .anonymous("/")
        .header("x-forwarded-proto", "https")
        .send()
        .await
        .unwrap();
    assert!(tls.headers().contains_key("strict-transport-security"));

    let bare = Setup::with(|config| config.layers.security_headers = false)
        .start()
        .await;
    assert!(
        !bare
            .anonymous("/")
            .send()
            .await
            .unwrap()
            .headers()
            .contains_key("content-security-policy")
    );
}

#[tokio::test]
async fn only_listed_origins_may_read() {
    let setup = Setup::with(|config| config.cors_origins = vec!["https://shop.example".to_owned()]);
    let gateway = setup.start().await;
    let preflight = async |origin: &str| {
        let request = gateway.client.request(Method::OPTIONS, gateway.url(CUSTOMER));
        let request = request
            .header("origin", origin)
            .header("access-control-request-method", "PATCH");
        request.send().await.unwrap()
    };
    let allowed = preflight("https://shop.example").await;
    assert_eq!(allowed.status(), 204);
    assert_eq!(
        allowed.headers()["access-control-allow-origin"],
        "https://shop.example"
    );
    assert!(
        allowed.headers()["access-control-allow-methods"]
            .to_str()
            .unwrap()
            .contains("PATCH")
    );
    let foreign = preflight("https://evil.example").await;
    assert!(!foreign.headers().contains_key("access-control-allow-origin"));
    assert!(!foreign.headers().contains_key("access-control-allow-methods"));

    // A page must be able to read refusals too.
    let refused = gateway
        .anonymous(CUSTOMER)
        .header("origin", "https://shop.example")
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 401);
    assert_eq!(
        refused.headers()["access-control-allow-origin"],
        "https://shop.example"
    );
    let read = gateway
        .get(CUSTOMER)
        .header("origin", "https://evil.example")
        .send()
        .await
        .unwrap();
    assert!(!read.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn an_application_that_does_not_answer_is_given_up() {
    let gateway = Setup::with(|config| config.timeouts.answer_ms = 50).start().await;
    let response = gateway.get("/tmf-api/held").send().await.unwrap();
    assert_eq!(refusal(response, 504).await, "answerTimeout");
    assert_eq!(gateway.get(CUSTOMER).send().await.unwrap().status(), 200);

    // With a limit of its own, the path may take longer.
    let own = bss_gateway::PathOverride {
        path: "/tmf-api/held".to_owned(),
        body_bytes: None,
        answer_timeout_ms: Some(60_000),
    };
    let change = move |config: &mut bss_gateway::GatewayConfig| {
        config.timeouts.answer_ms = 50;
        config.path_overrides = vec![own];
    };
    let patient = Setup::with(change).start().await;
    let request = tokio::spawn(patient.get("/tmf-api/held").send());
    patient.gate.entered(1).await;
    tokio::time::sleep(Duration::from_millis(150)).await; // longer than the general limit: that is what is tested
    patient.gate.open.add_permits(1);
    assert_eq!(request.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn a_client_that_does_not_send_is_told_so() {
    let gateway = Setup::with(|config| config.timeouts.body_ms = 50).start().await;
    let mut stream = gateway.connect().await;
    send(
        &mut stream,
        &gateway.head("POST /tmf-api/body", "Content-Length: 10\r\n"),
    )
    .await;
    send(&mut stream, "12345").await;
    let head = read_head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 408 "), "{head}");
    assert_eq!(
        gateway
            .post("/tmf-api/body")
            .body("1234567890")
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap(),
        "10"
    );
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_can_read_it() {
    let gateway = Setup::new().start().await;
    let plain = gateway.get("/tmf-api/long").send().await.unwrap();
    assert!(!plain.headers().contains_key("content-encoding"));
    let plain = plain.bytes().await.unwrap();
    let small = gateway
        .get("/tmf-api/long")
        .header("accept-encoding", "gzip")
        .send()
        .await
        .unwrap();
    assert_eq!(small.headers()["content-encoding"], "gzip");
    let small = small.bytes().await.unwrap();
    assert!(
        small.len() * 10 < plain.len() && small.starts_with(&[0x1f, 0x8b]),
        "{} bytes",
        small.len()
    );

    let off = Setup::with(|config| config.layers.compression = false)
        .start()
        .await;
    let response = off
        .get("/tmf-api/long")
        .header("accept-encoding", "gzip")
        .send()
        .await
        .unwrap();
    assert!(!response.headers().contains_key("content-encoding"));
}

#[tokio::test]
async fn a_panic_is_an_answer_and_not_a_lost_connection() {
    let gateway = Setup::new().start().await;
    let response = gateway.get("/tmf-api/panic").send().await.unwrap();
    assert_eq!(refusal(response, 500).await, "internalError");
    assert_eq!(gateway.get(CUSTOMER).send().await.unwrap().status(), 200);
}
