//! Bodies: too large ones, and answers that stand before a body has been read.

use bytes::Bytes;
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Running, Setup, read_head, refusal, send};

async fn small() -> Running {
    Setup::with(|config| config.limits.body_bytes = 1000)
        .start()
        .await
}

#[tokio::test]
async fn bodies_are_taken_up_to_the_limit() {
    let gateway = small().await;
    let sent = async |length: usize| {
        gateway
            .post("/tmf-api/body")
            .body("x".repeat(length))
            .send()
            .await
            .unwrap()
    };
    assert_eq!(sent(1000).await.text().await.unwrap(), "1000");
    assert_eq!(refusal(sent(1001).await, 413).await, "bodyTooLarge");

    let streamed = |parts: usize| {
        let part = |_| Ok::<_, std::io::Error>(Frame::data(Bytes::from("x".repeat(100))));
        let body = StreamBody::new(futures::stream::iter((0..parts).map(part)));
        gateway
            .post("/tmf-api/body")
            .body(reqwest::Body::wrap(body))
            .send()
    };
    assert_eq!(streamed(10).await.unwrap().text().await.unwrap(), "1000");
    assert_eq!(refusal(streamed(11).await.unwrap(), 413).await, "bodyTooLarge");
}

#[tokio::test]
async fn a_path_may_have_a_limit_of_its_own() {
    let change = |config: &mut bss_gateway::GatewayConfig| {
        config.limits.body_bytes = 10;
        config.path_overrides = vec![bss_gateway::PathOverride {
            path: "/tmf-api/bo*".to_owned(),
            body_bytes: Some(100),
            answer_timeout_ms: None,
        }];
    };
    let gateway = Setup::with(change).start().await;
    let sent = async |path: &str| {
        gateway
            .post(path)
            .body("x".repeat(50))
            .send()
            .await
            .unwrap()
            .status()
    };
    assert_eq!(sent("/tmf-api/body").await, 200);
    assert_eq!(sent("/tmf-api/careless").await, 413);
}

/// A client that writes all of a large body before it reads: without the rest being drained, the kernel resets its
/// connection, and it never learns why.
#[tokio::test]
async fn a_client_that_sends_first_still_sees_the_413() {
    let gateway = small().await;
    let body = vec![b'x'; 8 << 20];
    let declared = format!("Content-Length: {}\r\n", body.len());
    let chunked = format!("{:x}\r\n", body.len());
    for (framing, before, after) in [
        (declared.as_str(), "", ""),
        (
            "Transfer-Encoding: chunked\r\n",
            chunked.as_str(),
            "\r\n0\r\n\r\n",
        ),
    ] {
        let mut stream = gateway.connect().await;
        send(&mut stream, &gateway.head("POST /tmf-api/body", framing)).await;
        send(&mut stream, before).await;
        stream.write_all(&body).await.unwrap();
        send(&mut stream, after).await;
        let head = read_head(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
    }
}

#[tokio::test]
async fn the_same_holds_for_every_early_answer() {
    let gateway = Setup::new().start().await;
    let body = vec![b'x'; 900 << 10];
    let mut stream = gateway.connect().await;
    let head = format!("POST /tmf-api/body HTTP/1.1\r\nHost: {}\r\n", gateway.address);
    send(
        &mut stream,
        &format!("{head}Content-Length: {}\r\n\r\n", body.len()),
    )
    .await;
    stream.write_all(&body).await.unwrap();
    let answer = read_head(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");

    // An application that answers without reading: the connection is whole afterwards.
    let mut stream = gateway.connect().await;
    let length = format!("Content-Length: {}\r\n", body.len());
    for _ in 0..2 {
        send(&mut stream, &gateway.head("POST /tmf-api/careless", &length)).await;
        stream.write_all(&body).await.unwrap();
        let mut answer = read_head(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        while !answer.ends_with("done without the body") {
            let mut part = [0; 64];
            let length = stream.read(&mut part).await.unwrap();
            assert!(length > 0, "closed after {answer}");
            answer.push_str(std::str::from_utf8(&part[..length]).unwrap());
        }
    }
}

#[tokio::test]
async fn a_client_that_asks_first_need_not_send() {
    let gateway = small().await;
    let mut stream = gateway.connect().await;
    let asking = "Content-Length: 5000\r\nExpect: 100-continue\r\n";
    send(&mut stream, &gateway.head("POST /tmf-api/body", asking)).await;
    let head = read_head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 413 "), "{head}");

    let mut stream = gateway.connect().await;
    let asking = "Content-Length: 5\r\nExpect: 100-continue\r\n";
    send(&mut stream, &gateway.head("POST /tmf-api/body", asking)).await;
    let head = read_head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 100 "), "{head}");
    send(&mut stream, "12345").await;
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 200 "));
}
