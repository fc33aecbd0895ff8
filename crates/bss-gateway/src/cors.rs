//! Cross-origin calls, for the origins that the operator lists (the Fetch standard, "CORS protocol").

use std::collections::BTreeSet;

use axum::body::Body;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderValue,
    ORIGIN, VARY,
};
use http::{Method, StatusCode};

use crate::layer::{Layer, Next, Request, Response};

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
const ASKED_HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, Accept, If-Match, If-None-Match, Idempotency-Key, X-Correlation-ID, traceparent, \
     tracestate, Last-Event-ID",
);
const SHOWN_HEADERS: HeaderValue = HeaderValue::from_static(
    "ETag, Location, Link, X-Total-Count, X-Result-Count, X-Correlation-ID, traceparent, Retry-After, \
     RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, RateLimit-Policy, Content-Disposition",
);

/// Lets pages of the listed origins read answers. Tokens travel in a header that a page must set itself, so
/// credentials are never allowed.
pub struct Cors {
    pub origins: BTreeSet<String>,
}

impl Layer for Cors {
    async fn handle<N: Next>(&self, request: Request, next: &N) -> Response {
        let origin = request.headers().get(ORIGIN).cloned();
        let allowed = origin.filter(|origin| {
            origin
                .to_str()
                .is_ok_and(|text| self.origins.contains(&text.to_ascii_lowercase()))
        });
        let asked = request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        let mut response = if request.method() == Method::OPTIONS && asked {
            preflight(allowed.is_some())
        } else {
            next.run(request).await
        };
        let headers = response.headers_mut();
        if !self.origins.is_empty() {
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
        if let Some(origin) = allowed {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, SHOWN_HEADERS);
        }
        response
    }
}

/// An origin that isn't listed gets an answer without permission, which makes its browser refuse the call.
fn preflight(allowed: bool) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if allowed {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, ASKED_HEADERS);
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    response
}
