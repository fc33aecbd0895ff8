//! The listener: connections in, and out in peace when the process stops.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use futures::StreamExt;
use http::header::CONTENT_TYPE;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::address::Peer;
use crate::body::Polite;
use crate::config::GatewayConfig;
use crate::gateway::Gateway;
use crate::layer::Response;

/// How a gateway stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut off because their requests took longer than `timeouts.drain_ms`.
    pub cut_off: usize,
}

/// Serves until `stop` is cancelled, then takes no new connection, lets the requests in flight finish for at most
/// `timeouts.drain_ms`, and cuts off what is left. The caller has bound the listener, so that it knows the port and
/// can name who holds a taken one.
pub async fn serve(
    listener: TcpListener,
    gateway: Gateway,
    config: &GatewayConfig,
    stop: CancellationToken,
) -> io::Result<Drained> {
    let places = Arc::new(Semaphore::new(config.limits.connections));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let listening = Arc::new(Connection {
        builder: builder(config),
        gateway: gateway.clone(),
        stop: stop.clone(),
    });
    let mut upkeep = pin!(gateway.keep_up());
    loop {
        let (stream, peer, place) = tokio::select! {
            () = stop.cancelled() => break,
            () = &mut upkeep => continue,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &places) => accepted,
        };
        let (connection, watcher) = (Arc::clone(&listening), graceful.watcher());
        connections.spawn(async move {
            connection.run(stream, peer, watcher).await;
            drop(place);
        });
    }
    drop(listener);
    let drain = Duration::from_millis(config.timeouts.drain_ms);
    let finished = tokio::time::timeout(drain, async {
        graceful.shutdown().await;
        while connections.join_next().await.is_some() {}
    });
    let cut_off = if finished.await.is_ok() {
        0
    } else {
        connections.len()
    };
    connections.shutdown().await;
    Ok(Drained { cut_off })
}

type Place = tokio::sync::OwnedSemaphorePermit;

/// The next connection, once there is a place for it: beyond the limit the kernel's queue holds them.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, SocketAddr, Place) {
    loop {
        let place = match Arc::clone(places).acquire_owned().await {
            Ok(place) => place,
            // The semaphore is never closed.
            Err(_) => std::future::pending().await,
        };
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, place),
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                // Mostly no file descriptors are left: trying again at once would only burn the CPU.
                tracing::error!(%error, "no connection can be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

fn builder(config: &GatewayConfig) -> Builder<TokioExecutor> {
    // Without TLS only HTTP/1.1 is spoken: browsers don't use HTTP/2 there, and guessing the version would wait
    // without a limit for a client's first bytes.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(config.timeouts.head_ms))
        .max_buf_size(HEAD_BYTES_MAX);
    builder
}

const HEAD_BYTES_MAX: usize = 64 << 10;

/// What all connections of a listener have in common.
struct Connection {
    builder: Builder<TokioExecutor>,
    gateway: Gateway,
    stop: CancellationToken,
}

impl Connection {
    async fn run(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, watcher: Watcher) {
        // Answers are small: waiting to fill a packet would delay them by up to 40 ms.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection was lost before its first request");
            return;
        }
        let this = Arc::clone(&self);
        let service = service_fn(move |request| {
            let this = Arc::clone(&this);
            async move { this.answer(request, peer).await }
        });
        let connection = self.builder.serve_connection(TokioIo::new(stream), service);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(error, "a connection ended in the middle");
        }
    }

    async fn answer(
        &self,
        request: http::Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Response, Infallible> {
        let (mut head, body) = request.into_parts();
        let body = if http_body::Body::is_end_stream(&body) {
            Body::empty()
        } else {
            Body::new(Polite::new(body, &head.headers))
        };
        head.extensions.insert(Peer(peer));
        let response = self.gateway.answer(http::Request::from_parts(head, body)).await;
        Ok(self.end_with_the_process(response))
    }

    /// Live pages are streams without an end: they end when the process stops, and their clients come again.
    fn end_with_the_process(&self, response: Response) -> Response {
        let kind = response
            .headers()
            .get(CONTENT_TYPE)
            .map(http::HeaderValue::as_bytes)
            .unwrap_or_default();
        if !kind.starts_with(b"text/event-stream") {
            return response;
        }
        let stop = self.stop.clone();
        response.map(|body| Body::from_stream(body.into_data_stream().take_until(stop.cancelled_owned())))
    }
}
