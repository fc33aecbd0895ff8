//! One line and one measurement for each answer. Neither ever holds a name, a number, a token or a query.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::MatchedPath;
use axum::middleware::Next as AxumNext;
use axum::response::Response as AxumResponse;
use http::Method;
use tracing::Instrument;

use crate::layer::{Layer, Next, Request, Response};
use crate::refusal::RefusalCode;
use crate::trace::{CorrelationId, TraceContext};

/// Takes the measurement of each answer: method, route, status and how long it took until its head was ready.
/// Method and route come from bounded sets, so they may be labels of a metric.
pub trait Observer: Send + Sync + 'static {
    fn answered(&self, method: &str, route: &str, status: u16, duration: Duration);
}

impl<F: Fn(&str, &str, u16, Duration) + Send + Sync + 'static> Observer for F {
    fn answered(&self, method: &str, route: &str, status: u16, duration: Duration) {
        self(method, route, status, duration);
    }
}

/// The template of the route that answered (response extension), such as `/tmf-api/party/v4/individual/{id}`.
#[derive(Debug, Clone)]
pub struct Route(pub Arc<str>);

/// Axum middleware for the application's router: leaves the matched route in the response, since only the router
/// knows it.
pub async fn report_route(request: axum::extract::Request, next: AxumNext) -> AxumResponse {
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(matched) = matched {
        response
            .extensions_mut()
            .insert(Route(Arc::from(matched.as_str())));
    }
    response
}

pub struct AccessLog {
    pub log: bool,
    pub observer: Option<Arc<dyn Observer>>,
}

impl Layer for AccessLog {
    async fn handle<N: Next>(&self, request: Request, next: &N) -> Response {
        let started = Instant::now();
        let method = method_name(request.method());
        let class = path_class(request.uri().path());
        let span = span_of(&request, method);
        let response = next.run(request).instrument(span.clone()).await;

        let duration = started.elapsed();
        let status = response.status().as_u16();
        let route = response
            .extensions()
            .get::<Route>()
            .map_or(class, |route| &route.0);
        if let Some(observer) = &self.observer {
            observer.answered(method, route, status, duration);
        }
        if self.log {
            let refusal = response.extensions().get::<RefusalCode>().map(|code| code.0);
            let duration_us = duration.as_micros() as u64;
            span.in_scope(|| {
                tracing::info!(target: "access", method, route, status, duration_us, refusal, "answered");
            });
        }
        response
    }
}

fn span_of(request: &Request, method: &str) -> tracing::Span {
    let extensions = request.extensions();
    let correlation_id = extensions.get::<CorrelationId>().map(CorrelationId::as_str);
    let trace = extensions.get::<TraceContext>();
    let trace_id = trace.map(TraceContext::trace_id);
    let span = tracing::info_span!("request", method, correlation_id, trace_id);
    if let Some(trace) = trace {
        // Where traces are exported, the request's span continues the caller's trace; elsewhere this does nothing.
        bss_telemetry::propagation::set_parent(&span, trace.as_str());
    }
    span
}

/// Methods are text of the client's choice; as a label only the known ones count.
fn method_name(method: &Method) -> &'static str {
    const KNOWN: [&str; 8] = [
        "GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE",
    ];
    KNOWN
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or("other")
}

/// Stands for the route where no router has named one: the first segment if it is one of ours, since anything
/// further may hold what a client typed.
pub fn path_class(path: &str) -> &'static str {
    const ROOTS: [(&str, &str); 8] = [
        ("tmf-api", "/tmf-api/*"),
        ("bss-api", "/bss-api/*"),
        ("realms", "/realms/*"),
        ("graphql", "/graphql"),
        ("health", "/health/*"),
        ("openapi.json", "/openapi.json"),
        ("_nuxt", "/_nuxt/*"),
        ("", "/"),
    ];
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    ROOTS
        .into_iter()
        .find(|(root, _)| *root == first)
        .map_or("other", |(_, class)| class)
}
