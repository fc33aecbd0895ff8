//! The operations listener: metrics and health, on loopback, apart from the public one.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::metrics::Metrics;
use crate::readiness::Readiness;

/// How long figures that must be asked for may take before a scrape goes without them.
const SAMPLING_TIMEOUT: Duration = Duration::from_secs(2);

/// Something that knows figures only when it is asked: pools, the log's head, streams' lag.
pub trait Sampler: Send + Sync {
    /// Writes its figures into the metrics.
    fn sample<'a>(&'a self, metrics: &'a Metrics) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
}

/// What the operations listener shows.
#[derive(Clone, Default)]
pub struct Ops {
    /// The process's metrics.
    pub metrics: Metrics,
    /// The process's parts.
    pub readiness: Readiness,
    /// Asked at every scrape.
    pub samplers: Vec<Arc<dyn Sampler>>,
}

/// The routes: `/metrics`, `/health/live`, `/health/ready`.
pub fn router(ops: Ops) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .with_state(Arc::new(ops))
}

async fn metrics(State(ops): State<Arc<Ops>>) -> Response {
    let sampling = async {
        for sampler in &ops.samplers {
            sampler.sample(&ops.metrics).await;
        }
    };
    // A database that is away must not hide the other figures.
    if tokio::time::timeout(SAMPLING_TIMEOUT, sampling).await.is_err() {
        tracing::warn!("figures were not sampled in time");
    }
    match ops.metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, Metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn live() -> Response {
    Json(json!({"live": true, "pid": std::process::id(), "version": env!("CARGO_PKG_VERSION")}))
        .into_response()
}

async fn ready(State(ops): State<Arc<Ops>>) -> Response {
    let report = ops.readiness.report();
    let status = if report.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(report)).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt;
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;

    async fn ask(ops: &Ops, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router(ops.clone()).oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    struct Backlog;

    impl Sampler for Backlog {
        fn sample<'a>(&'a self, metrics: &'a Metrics) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
            Box::pin(async { metrics.streams.set_lag("charging", "bss.usage.events", 7) })
        }
    }

    #[tokio::test]
    async fn health_says_which_part_is_not_ready() {
        let ops = Ops::default();
        let database = ops.readiness.register("database");
        database.not_ready("connection refused");
        let (status, text) = ask(&ops, "/health/ready").await;
        let body: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(
            body["parts"][0],
            json!({"name": "database", "ready": false, "reason": "connection refused"})
        );
        assert_eq!(
            ask(&ops, "/health/live").await.0,
            StatusCode::OK,
            "alive all the same"
        );
        database.ready();
        assert_eq!(ask(&ops, "/health/ready").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn a_scrape_asks_the_samplers() {
        let ops = Ops {
            samplers: vec![Arc::new(Backlog)],
            ..Ops::default()
        };
        let (status, text) = ask(&ops, "/metrics").await;
        assert_eq!(status, StatusCode::OK);
        let line = "bss_stream_lag_records{group=\"charging\",topic=\"bss.usage.events\"} 7";
        assert!(text.lines().any(|found| found == line), "{text}");
        assert!(text.ends_with("# EOF\n"));
    }
}
