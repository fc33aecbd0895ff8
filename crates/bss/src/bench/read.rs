//! Reads through the gateway, beside a handler that answers with the same bytes and asks no database.

use std::io::BufRead;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use bss_load::http_load::{HttpFigures, HttpLoad, closed_loop, fetch, get_request};
use tokio::io::AsyncReadExt;

use super::meter::{Meter, median};
use super::order::Watch;
use super::place::Place;
use super::shop::{Shop, refused};
use super::stack::Stack;
use super::{Bench, Line};
use crate::failure::Failure;

const CONNECTIONS: usize = 64;
const ROUND: Duration = Duration::from_secs(5);
const ROUNDS: usize = 3;
/// Different products that are asked for in turn.
const PRODUCTS: u64 = 100;
const PATH: &str = "/tmf-api/productInventory/v4/product";

/// Figures of one product and of a list of 20.
pub async fn measure(bench: &Bench, place: &Place, stack: &Stack, shop: &Shop) -> Result<Vec<Line>, Failure> {
    let products = products(bench, shop).await?;
    let headers = [format!("Authorization: Bearer {}", stack.token)];
    let host = stack.address.to_string();
    let single: Vec<Vec<u8>> = products
        .iter()
        .map(|id| get_request(&host, &format!("{PATH}/{id}"), &headers))
        .collect();
    let list = vec![get_request(&host, &format!("{PATH}?limit=20"), &headers)];
    let mut lines = compare(bench, place, stack, ("GET of one product", single)).await?;
    lines[0] = lines[0].clone().at_least(20_000.0);
    lines.extend(compare(bench, place, stack, ("list of 20 products", list)).await?);
    Ok(lines)
}

/// Products that are active: ordered, so that they are what the product itself makes.
async fn products(bench: &Bench, shop: &Shop) -> Result<Vec<String>, Failure> {
    let watch = Watch::start(shop).await?;
    let mut products = Vec::new();
    for number in 0..bench.sized(PRODUCTS, 20) {
        let order = shop.order(number).await?;
        watch.completed(order).await?;
        products.push(shop.product_of(order).await?);
    }
    watch.stop().await?;
    Ok(products)
}

/// Measures requests in rounds, in turn with the reference.
async fn compare(
    bench: &Bench,
    place: &Place,
    stack: &Stack,
    (what, requests): (&str, Vec<Vec<u8>>),
) -> Result<Vec<Line>, Failure> {
    let postgres = place.postgres().await?;
    let (status, body) = fetch(stack.address, &requests[0]).await.map_err(refused)?;
    if status != 200 {
        return Err(Failure::refused(format!("{what}: status {status}")));
    }
    let file = place.data_dir.join("body.json");
    std::fs::write(&file, &body).map_err(refused)?;
    let reference = Reference::start(&file)?;
    let plain = Arc::new(vec![get_request(&reference.address.to_string(), "/", &[])]);
    let requests = Arc::new(requests);
    let (mut ours, mut theirs, mut p99, mut cpu) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        theirs.push(load(bench, reference.address, &plain).await?.per_second());
        let meter = Meter::start(postgres.pid);
        let before = super::meter::cpu_s(stack.pid());
        let figures = load(bench, stack.address, &requests).await?;
        let of_bss = super::meter::cpu_s(stack.pid()) - before;
        let of_postgres = meter.stop().postgres_cpu;
        ours.push(figures.per_second());
        p99.push(figures.latency_us.value_at_quantile(0.99) as f64 / 1_000.0);
        cpu.push((of_bss + of_postgres) * 100_000.0 / figures.good as f64);
    }
    Ok(vec![
        Line::new(
            format!("{what} ({} bytes), 64 connections", body.len()),
            median(ours),
            "requests/s",
        )
        .beside("axum handler with the same bytes", median(theirs)),
        Line::new(format!("{what}: p99 under that load"), median(p99), "ms"),
        Line::new(
            format!("{what}: bss and PostgreSQL"),
            median(cpu),
            "CPU s per 100,000",
        ),
    ])
}

async fn load(
    bench: &Bench,
    address: SocketAddr,
    requests: &Arc<Vec<Vec<u8>>>,
) -> Result<HttpFigures, Failure> {
    let figures = closed_loop(HttpLoad {
        address,
        requests: Arc::clone(requests),
        connections: CONNECTIONS,
        duration: bench.timed(ROUND),
    })
    .await
    .map_err(refused)?;
    if figures.bad > 0 {
        return Err(Failure::refused(format!(
            "{} answers had status {}",
            figures.bad, figures.bad_status
        )));
    }
    Ok(figures)
}

/// The reference's process; it ends with its standard input.
struct Reference {
    child: Child,
    address: SocketAddr,
}

impl Reference {
    fn start(body: &Path) -> Result<Self, Failure> {
        let mut child = Command::new(std::env::current_exe().map_err(refused)?)
            .arg("bench")
            .arg("--serve-reference")
            .arg(body)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(refused)?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            std::io::BufReader::new(stdout)
                .read_line(&mut line)
                .map_err(refused)?;
        }
        if let Ok(address) = line.trim().parse() {
            Ok(Self { child, address })
        } else {
            let _ = child.kill();
            let _ = child.wait();
            Err(Failure::refused("the reference's handler did not start"))
        }
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Answers every request with a file's bytes, until the standard input ends.
pub async fn serve_reference(body: PathBuf) -> Result<(), Failure> {
    let body = Bytes::from(std::fs::read(&body).map_err(refused)?);
    let answer = move || {
        let body = body.clone();
        async move { ([(CONTENT_TYPE, "application/json")], body) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .map_err(refused)?;
    crate::output::line(&listener.local_addr().map_err(refused)?.to_string());
    let router = Router::new().fallback(get(answer));
    tokio::select! {
        served = async { axum::serve(listener, router).await } => served.map_err(refused),
        // Whoever started it holds the other end.
        _ = async { tokio::io::stdin().read_to_end(&mut Vec::new()).await } => Ok(()),
    }
}
