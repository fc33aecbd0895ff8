//! Time limits: 408 for a client that doesn't send, 504 for an application that doesn't answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use http::StatusCode;
use http_body::Body as HttpBody;

use crate::body::{Progress, Watched};
use crate::layer::{Layer, Next, Request, Response};
use crate::paths::PathLimits;
use crate::refusal::Refusal;

/// Bounds the time until the head of the answer is there. The answer's own body may take as long as it likes: live
/// pages are streams without an end.
pub struct Timeouts {
    pub paths: Arc<PathLimits>,
    /// A body may take this long, and a second more for each `body_bytes_per_second` that have come.
    pub body: Duration,
    pub body_bytes_per_second: u64,
}

impl Layer for Timeouts {
    async fn handle<N: Next>(&self, request: Request, next: &N) -> Response {
        let answer = self.paths.answer_timeout(request.uri().path());
        let started = Instant::now();
        let (request, progress) = watched(request);
        let mut response = std::pin::pin!(next.run(request));
        let mut deadline = self.deadline(started, answer, progress.as_deref());
        loop {
            if let Ok(response) = tokio::time::timeout_at(deadline.into(), &mut response).await {
                return response;
            }
            // The deadline moves while a body is coming.
            let moved = self.deadline(started, answer, progress.as_deref());
            if moved > Instant::now() {
                deadline = moved;
                continue;
            }
            return if progress.is_some_and(|progress| progress.waiting()) {
                too_slow()
            } else {
                no_answer()
            };
        }
    }
}

impl Timeouts {
    /// The application's time counts from when it last got something of the body; a client's, from the beginning.
    fn deadline(&self, started: Instant, answer: Duration, progress: Option<&Progress>) -> Instant {
        match progress {
            None => started + answer,
            Some(progress) if progress.waiting() => {
                let earned_s = progress.bytes() / self.body_bytes_per_second.max(1);
                started + self.body + Duration::from_secs(earned_s)
            }
            // Looked at again soon, since a reader that begins to wait has another deadline.
            Some(progress) => (progress.last() + answer).min(Instant::now() + self.body),
        }
    }
}

fn watched(request: Request) -> (Request, Option<Arc<Progress>>) {
    if request.body().is_end_stream() {
        return (request, None);
    }
    let (head, body) = request.into_parts();
    let (body, progress) = Watched::new(body, u64::MAX);
    (Request::from_parts(head, Body::new(body)), Some(progress))
}

fn too_slow() -> Response {
    let message = "The body didn't come in time. Send it faster or in parts.";
    Refusal::new(StatusCode::REQUEST_TIMEOUT, "bodyTimeout", message).into_response()
}

fn no_answer() -> Response {
    let message =
        "The server didn't answer in time. Whether the request took effect is unknown: ask before repeating.";
    Refusal::new(StatusCode::GATEWAY_TIMEOUT, "answerTimeout", message).into_response()
}
