//! Request bodies: how large they may be, how slowly they may come, and what becomes of one that nobody reads.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::Bytes;
use http::StatusCode;
use http::header::{EXPECT, HeaderMap};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;

use crate::layer::{Layer, Next, Request, Response};
use crate::paths::PathLimits;
use crate::refusal::Refusal;

/// What one reader of a body may see of it from outside, while another one reads it.
#[derive(Debug)]
pub struct Progress {
    started: Instant,
    /// Microseconds after `started` at which the reader last got something, or the end.
    last_us: AtomicU64,
    bytes: AtomicU64,
    /// The reader asked for more, and it hasn't come.
    waiting: AtomicBool,
    too_large: AtomicBool,
}

impl Progress {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            started: Instant::now(),
            last_us: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            waiting: AtomicBool::new(false),
            too_large: AtomicBool::new(false),
        })
    }

    pub fn last(&self) -> Instant {
        self.started + Duration::from_micros(self.last_us.load(Ordering::Relaxed))
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub fn waiting(&self) -> bool {
        self.waiting.load(Ordering::Relaxed)
    }

    fn got(&self, bytes: u64) -> u64 {
        self.waiting.store(false, Ordering::Relaxed);
        self.last_us
            .store(self.started.elapsed().as_micros() as u64, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes
    }
}

/// A body that says how far it has been read and, with a limit, ends in an error beyond it.
pub struct Watched {
    inner: Body,
    progress: Arc<Progress>,
    limit_bytes: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("the body is larger than {0} bytes")]
struct TooLarge(u64);

impl Watched {
    pub fn new(inner: Body, limit_bytes: u64) -> (Self, Arc<Progress>) {
        let progress = Progress::new();
        (
            Self {
                inner,
                progress: Arc::clone(&progress),
                limit_bytes,
            },
            progress,
        )
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        // Set first: it stays so exactly when the body has nothing now.
        self.progress.waiting.store(true, Ordering::Relaxed);
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        let length = match &frame {
            Some(Ok(frame)) => frame.data_ref().map_or(0, |data| data.len() as u64),
            _ => 0,
        };
        if self.progress.got(length) > self.limit_bytes {
            self.progress.too_large.store(true, Ordering::Relaxed);
            return Poll::Ready(Some(Err(Box::new(TooLarge(self.limit_bytes)))));
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Refuses bodies over the limit: at once if their length is declared, else as soon as they pass it.
pub struct BodyLimit {
    pub paths: Arc<PathLimits>,
}

impl Layer for BodyLimit {
    async fn handle<N: Next>(&self, request: Request, next: &N) -> Response {
        if request.body().is_end_stream() {
            return next.run(request).await;
        }
        let limit = self.paths.body_bytes(request.uri().path());
        if request.body().size_hint().lower() > limit {
            return too_large(limit);
        }
        let (head, body) = request.into_parts();
        let (body, progress) = Watched::new(body, limit);
        let response = next.run(Request::from_parts(head, Body::new(body))).await;
        // Whatever the application made of the error, the client is told what was wrong.
        if progress.too_large.load(Ordering::Relaxed) {
            too_large(limit)
        } else {
            response
        }
    }
}

fn too_large(limit: u64) -> Response {
    let message = format!("The body is larger than the {limit} bytes that are taken here. Send it in parts.");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "bodyTooLarge", message).into_response()
}

/// How much of an unread body is still read, and how long, before its connection is closed.
const LINGER_BYTES: u64 = 64 << 20;
const LINGER: Duration = Duration::from_secs(2);

/// A body whose rest is read and thrown away when the stack answers before its end. Closing the connection instead
/// would make the kernel reset it, and the client would never see the answer (RFC 9112 §9.6).
pub struct Polite<B: HttpBody<Data = Bytes> + Unpin + Send + 'static> {
    inner: Option<B>,
    /// The client waits for `100 Continue`, which hyper sends when the body is first read.
    held_back: bool,
}

impl<B: HttpBody<Data = Bytes> + Unpin + Send + 'static> Polite<B> {
    pub fn new(inner: B, headers: &HeaderMap) -> Self {
        Self {
            inner: Some(inner),
            held_back: headers.contains_key(EXPECT),
        }
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin + Send + 'static> HttpBody for Polite<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        self.held_back = false;
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(inner).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.inner = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or(SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin + Send + 'static> Drop for Polite<B> {
    fn drop(&mut self) {
        let unread = self
            .inner
            .take()
            .filter(|body| !body.is_end_stream() && !self.held_back);
        let (Some(body), Ok(runtime)) = (unread, tokio::runtime::Handle::try_current()) else {
            return;
        };
        // Bounded in bytes and time; there is at most one for each connection or stream that is open anyway.
        runtime.spawn(tokio::time::timeout(LINGER, discard(body)));
    }
}

async fn discard<B: HttpBody<Data = Bytes> + Unpin>(mut body: B) {
    let mut left = LINGER_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}
