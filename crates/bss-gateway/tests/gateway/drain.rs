//! Stopping: requests in flight finish, nothing new begins, nothing hangs.

use std::time::{Duration, Instant};

use bss_gateway::Drained;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::support::{CUSTOMER, Setup, read_head, send};

#[tokio::test]
async fn requests_in_flight_finish_and_no_new_ones_begin() {
    let gateway = Setup::new().start().await;
    // A connection that rests, and one with a request in the application.
    let mut resting = gateway.connect().await;
    send(&mut resting, &gateway.head(&format!("GET {CUSTOMER}"), "")).await;
    assert!(read_head(&mut resting).await.starts_with("HTTP/1.1 200 "));
    let request = tokio::spawn(gateway.get("/tmf-api/held").send());
    gateway.gate.entered(1).await;

    gateway.stop.cancel();
    // The resting connection is closed: its reader comes to the end.
    let mut rest = Vec::new();
    resting.read_to_end(&mut rest).await.unwrap();
    assert!(
        TcpStream::connect(gateway.address).await.is_err(),
        "nobody listens"
    );

    gateway.gate.open.add_permits(1);
    let answer = request.await.unwrap().unwrap();
    assert_eq!(answer.text().await.unwrap(), "held");
    assert_eq!(gateway.task.await.unwrap().unwrap(), Drained { cut_off: 0 });
}

#[tokio::test]
async fn what_does_not_finish_is_cut_off_and_counted() {
    let gateway = Setup::with(|config| config.timeouts.drain_ms = 50).start().await;
    let request = tokio::spawn(gateway.get("/tmf-api/held").send());
    gateway.gate.entered(1).await;
    gateway.stop.cancel();
    assert_eq!(gateway.task.await.unwrap().unwrap(), Drained { cut_off: 1 });
    assert!(request.await.unwrap().is_err());
}

#[tokio::test]
async fn live_streams_end_with_the_process() {
    let gateway = Setup::new().start().await;
    let mut stream = gateway.get("/bss-api/v1/live").send().await.unwrap();
    assert_eq!(stream.chunk().await.unwrap().unwrap(), "data: hello\n\n");
    let stopped = Instant::now();
    gateway.stop.cancel();
    assert_eq!(stream.chunk().await.unwrap(), None, "a clean end");
    assert_eq!(gateway.task.await.unwrap().unwrap(), Drained { cut_off: 0 });
    assert!(
        stopped.elapsed() < Duration::from_secs(5),
        "it waited for a stream without an end"
    );
}
