//! How much is done at once: overload is answered early, instead of making everyone slow.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::StatusCode;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::layer::{Layer, Next, Request, Response};
use crate::refusal::Refusal;

/// At most so many requests in the application, at most so many waiting, none longer than `wait_max`. A request
/// counts until the head of its answer is there, so live streams don't hold places.
pub struct ConcurrencyLimit {
    places: Semaphore,
    waiting: AtomicUsize,
    waiting_max: usize,
    wait_max: Duration,
}

impl ConcurrencyLimit {
    pub fn new(requests_max: usize, waiting_max: usize, wait_max: Duration) -> Self {
        Self {
            places: Semaphore::new(requests_max),
            waiting: AtomicUsize::new(0),
            waiting_max,
            wait_max,
        }
    }
}

/// Counts a waiting request for as long as it waits, also when its client goes away.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl ConcurrencyLimit {
    async fn place(&self) -> Option<SemaphorePermit<'_>> {
        if let Ok(place) = self.places.try_acquire() {
            return Some(place);
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        if before >= self.waiting_max {
            return None;
        }
        tokio::time::timeout(self.wait_max, self.places.acquire())
            .await
            .ok()?
            .ok()
    }
}

impl Layer for ConcurrencyLimit {
    async fn handle<N: Next>(&self, request: Request, next: &N) -> Response {
        let Some(place) = self.place().await else {
            return overloaded();
        };
        let response = next.run(request).await;
        drop(place);
        response
    }
}

fn overloaded() -> Response {
    let message = "The server is at its limit. Nothing was done; try again after `Retry-After`.";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", message)
        .retry_after_s(1)
        .into_response()
}

/// Whether there is room to write. Implemented by whoever watches the disk; asked for each writing request, so it
/// must answer from memory.
pub trait WritesAllowed: Send + Sync + 'static {
    fn writes_allowed(&self) -> bool;
}

impl<F: Fn() -> bool + Send + Sync + 'static> WritesAllowed for F {
    fn writes_allowed(&self) -> bool {
        self()
    }
}

/// Refuses writes below the disk reserve, before the database can stop on a full disk.
pub struct DiskReserve {
    pub allowed: Arc<dyn WritesAllowed>,
    pub public: crate::paths::PublicPaths,
}

impl Layer for DiskReserve {
    async fn handle<N: Next>(&self, request: Request, next: &N) -> Response {
        let writes = matches!(request.method().as_str(), "POST" | "PATCH" | "PUT" | "DELETE");
        // Signing in stays possible: it writes little, and an operator must get in to see what is wrong.
        if !writes || self.allowed.writes_allowed() || self.public.contains(request.uri().path()) {
            return next.run(request).await;
        }
        let message = "The disk reserve is reached: nothing is written until there is room. Reading goes on.";
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "diskReserve", message)
            .retry_after_s(30)
            .into_response()
    }
}
