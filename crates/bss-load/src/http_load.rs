//! Load on one HTTP/1.1 address over connections that stay open, as cheap for the machine as a client can be: the
//! requests are bytes made before, of an answer only status and length are read. For answers with `Content-Length`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest answer's head.
const HEAD_BYTES_MAX: usize = 16 << 10;
const BUFFER_BYTES: usize = 64 << 10;

/// What is sent where.
#[derive(Debug, Clone)]
pub struct HttpLoad {
    /// The server.
    pub address: SocketAddr,
    /// Whole requests, sent in turn.
    pub requests: Arc<Vec<Vec<u8>>>,
    /// How many are under way at once, each on its connection.
    pub connections: usize,
    /// How long.
    pub duration: Duration,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct HttpFigures {
    /// Answers with a 2xx status.
    pub good: u64,
    /// Answers with another one.
    pub bad: u64,
    /// The last of those statuses; 0: none.
    pub bad_status: u16,
    /// Real time.
    pub elapsed: Duration,
    /// From sending to the whole answer, µs.
    pub latency_us: Histogram<u64>,
}

impl HttpFigures {
    /// Good answers in a second.
    pub fn per_second(&self) -> f64 {
        self.good as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }
}

/// A `GET` over a connection that stays open; `headers` are whole lines.
pub fn get_request(host: &str, path: &str, headers: &[String]) -> Vec<u8> {
    let mut text = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\n");
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// One request on a connection of its own; gives status and body.
pub async fn fetch(address: SocketAddr, request: &[u8]) -> io::Result<(u16, Vec<u8>)> {
    let mut connection = Connection::open(address).await?;
    let (status, body) = connection.call(request).await?;
    Ok((status, connection.buffer[body.0..body.1].to_vec()))
}

/// Sends on every connection the next request as soon as the answer to the last one is there. The load runs on a
/// thread of its own, so that it takes one core at most.
pub async fn closed_loop(load: HttpLoad) -> io::Result<HttpFigures> {
    let on_its_thread = move || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(all_connections(&load))
    };
    tokio::task::spawn_blocking(on_its_thread)
        .await
        .map_err(io::Error::other)?
}

async fn all_connections(load: &HttpLoad) -> io::Result<HttpFigures> {
    let begun = Instant::now();
    let next = Arc::new(AtomicU64::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..load.connections.max(1) {
        tasks.spawn(one_connection(load.clone(), begun, Arc::clone(&next)));
    }
    let mut all = HttpFigures {
        good: 0,
        bad: 0,
        bad_status: 0,
        elapsed: Duration::ZERO,
        latency_us: histogram(),
    };
    while let Some(done) = tasks.join_next().await {
        let part = done.map_err(io::Error::other)??;
        all.good += part.good;
        all.bad += part.bad;
        all.bad_status = all.bad_status.max(part.bad_status);
        all.latency_us += part.latency_us;
    }
    all.elapsed = begun.elapsed();
    Ok(all)
}

/// A histogram of microseconds with three digits, up to an hour: what takes longer counts as that.
pub fn histogram() -> Histogram<u64> {
    const HOUR_US: u64 = 3_600_000_000;
    // Recording saturates, and doesn't make it larger: it has its bounds from the start.
    Histogram::new_with_bounds(1, HOUR_US, 3).expect("bounds and digits that a histogram may have")
}

async fn one_connection(load: HttpLoad, begun: Instant, next: Arc<AtomicU64>) -> io::Result<HttpFigures> {
    let mut connection = Connection::open(load.address).await?;
    let mut figures = HttpFigures {
        good: 0,
        bad: 0,
        bad_status: 0,
        elapsed: Duration::ZERO,
        latency_us: histogram(),
    };
    while begun.elapsed() < load.duration {
        let number = next.fetch_add(1, Ordering::Relaxed) as usize % load.requests.len().max(1);
        let request = load
            .requests
            .get(number)
            .ok_or_else(|| io::Error::other("there is no request to send"))?;
        let sent = Instant::now();
        let (status, _) = connection.call(request).await?;
        figures
            .latency_us
            .saturating_record(u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX));
        if (200..300).contains(&status) {
            figures.good += 1;
        } else {
            figures.bad += 1;
            figures.bad_status = status;
        }
    }
    Ok(figures)
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

impl Connection {
    async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; BUFFER_BYTES],
            filled: 0,
        })
    }

    /// Sends a request and reads its answer; gives the status and where in the buffer the body lies.
    async fn call(&mut self, request: &[u8]) -> io::Result<(u16, (usize, usize))> {
        self.stream.write_all(request).await?;
        self.filled = 0;
        let head = loop {
            if let Some(end) = find_end(&self.buffer[..self.filled]) {
                break end;
            }
            if self.filled > HEAD_BYTES_MAX {
                return Err(io::Error::other("an answer's head is too long"));
            }
            self.read().await?;
        };
        let (status, length) = read_head(&self.buffer[..head])?;
        while self.filled < head + length {
            self.read().await?;
        }
        Ok((status, (head, head + length)))
    }

    async fn read(&mut self) -> io::Result<()> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.filled * 2, 0);
        }
        match self.stream.read(&mut self.buffer[self.filled..]).await? {
            0 => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the server closed the connection",
            )),
            count => {
                self.filled += count;
                Ok(())
            }
        }
    }
}

fn find_end(bytes: &[u8]) -> Option<usize> {
    bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .map(|at| at + 4)
}

fn read_head(head: &[u8]) -> io::Result<(u16, usize)> {
    let text = std::str::from_utf8(head).map_err(io::Error::other)?;
    let mut lines = text.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .ok_or_else(|| io::Error::other("an answer without a status"))?;
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(Ok(0), |(_, value)| value.trim().parse().map_err(io::Error::other))?;
    Ok((status, length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::get;

    #[test]
    fn latencies_are_kept_as_they_were() {
        let mut latencies = histogram();
        for us in [3, 5_000, 2_000_000, u64::MAX] {
            latencies.saturating_record(us);
        }
        let at = |quantile: f64| latencies.value_at_quantile(quantile);
        assert_eq!((at(0.25), at(0.5) / 10), (3, 500));
        assert!(at(0.75) > 1_990_000 && at(1.0) > 3_500_000_000);
    }

    async fn server() -> SocketAddr {
        let long = "x".repeat(200_000);
        let router = Router::new()
            .route("/short", get(|| async { "short" }))
            .route("/long", get(move || async move { long }))
            .route("/no", get(|| async { StatusCode::TOO_MANY_REQUESTS }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    #[tokio::test]
    async fn answers_are_read_whole_and_refusals_are_counted_apart() {
        let address = server().await;
        let request = |path: &str| get_request("localhost", path, &["X-A: b".to_owned()]);
        let (status, body) = fetch(address, &request("/long")).await.unwrap();
        assert_eq!((status, body.len()), (200, 200_000));
        let requests = Arc::new(vec![request("/short"), request("/long"), request("/no")]);
        let load = HttpLoad {
            address,
            requests,
            connections: 3,
            duration: Duration::from_millis(200),
        };
        let figures = closed_loop(load).await.unwrap();
        assert!(figures.good >= 2 && figures.bad >= 1, "{figures:?}");
        assert_eq!(figures.bad_status, 429);
        assert_eq!(figures.latency_us.len(), figures.good + figures.bad);
        assert!(figures.good.abs_diff(figures.bad * 2) <= 6, "{figures:?}");
        assert!(figures.per_second() > 0.0);
    }
}
