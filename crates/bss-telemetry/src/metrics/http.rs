//! Requests by route.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status: u16,
}

/// HTTP requests: how many, how long, how many at this moment.
#[derive(Debug, Clone)]
pub struct HttpMetrics {
    duration: Family<RequestLabels, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
}

impl HttpMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            duration: Family::new_with_constructor(|| {
                Histogram::new([
                    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
                ])
            }),
            in_flight: Gauge::default(),
        };
        registry.register_with_unit(
            "http_request_duration",
            "Time to answer a request, by route; its count is the number of requests",
            Unit::Seconds,
            metrics.duration.clone(),
        );
        registry.register(
            "http_requests_in_flight",
            "Requests being answered",
            metrics.in_flight.clone(),
        );
        metrics
    }

    /// Counts a request. `route` is the route's template (`/tmf-api/…/{id}`), never a path with ids; `method` is
    /// one of HTTP's own, anything else counts as `other`.
    pub fn observe(&self, method: &str, route: &str, status: u16, duration: Duration) {
        const METHODS: [&str; 7] = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"];
        let method = if METHODS.contains(&method) {
            method
        } else {
            "other"
        };
        let labels = RequestLabels {
            method: method.to_owned(),
            route: route.to_owned(),
            status,
        };
        self.duration
            .get_or_create(&labels)
            .observe(duration.as_secs_f64());
    }

    /// Counts a request as being answered until the guard is dropped.
    pub fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_route() {
        let metrics = crate::Metrics::default();
        let guard = metrics.http.begin();
        metrics
            .http
            .observe("GET", "/product/{id}", 200, Duration::from_millis(3));
        metrics
            .http
            .observe("GET", "/product/{id}", 200, Duration::from_millis(30));
        metrics.http.observe("BREW", "/product/{id}", 405, Duration::ZERO);
        let text = metrics.encode().unwrap();
        for line in [
            "bss_http_request_duration_seconds_count{method=\"GET\",route=\"/product/{id}\",status=\"200\"} 2",
            "bss_http_request_duration_seconds_bucket{le=\"0.005\",method=\"GET\",route=\"/product/{id}\",status=\"200\"} 1",
            "bss_http_request_duration_seconds_count{method=\"other\",route=\"/product/{id}\",status=\"405\"} 1",
            "bss_http_requests_in_flight 1",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is missing in\n{text}"
            );
        }
        drop(guard);
        assert!(
            metrics
                .encode()
                .unwrap()
                .contains("bss_http_requests_in_flight 0")
        );
    }
}
