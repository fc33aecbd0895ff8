//! Correlation id and W3C trace context: both go to the application and back to the client.

use std::fmt::Write;

use http::header::{HeaderName, HeaderValue};

use crate::layer::{Layer, Next, Request, Response};

pub const X_CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The id by which client, logs and operator speak of one request (request extension).
#[derive(Debug, Clone)]
pub struct CorrelationId(pub HeaderValue);

/// The trace a request belongs to (request extension), as the `traceparent` header that the application sees.
#[derive(Debug, Clone)]
pub struct TraceContext(pub HeaderValue);

impl CorrelationId {
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

impl TraceContext {
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        self.as_str().get(3..35).unwrap_or_default()
    }
}

/// Keeps the client's ids where they are sane, makes them where not, and returns them.
pub struct Correlation;

impl Layer for Correlation {
    async fn handle<N: Next>(&self, mut request: Request, next: &N) -> Response {
        let given = request
            .headers()
            .get(X_CORRELATION_ID)
            .filter(|id| is_sane(id.as_bytes()));
        let id = given.cloned().unwrap_or_else(|| header(&hex(rand::random())));
        let given = request
            .headers()
            .get(TRACEPARENT)
            .filter(|value| is_traceparent(value.as_bytes()));
        let trace = given.cloned();
        if trace.is_none() {
            // A state belongs to its trace: it means nothing in a new one.
            request.headers_mut().remove(TRACESTATE);
        }
        let trace = trace.unwrap_or_else(new_traceparent);

        request.headers_mut().insert(X_CORRELATION_ID, id.clone());
        request.headers_mut().insert(TRACEPARENT, trace.clone());
        request.extensions_mut().insert(CorrelationId(id.clone()));
        request.extensions_mut().insert(TraceContext(trace.clone()));
        let mut response = next.run(request).await;
        response.headers_mut().insert(X_CORRELATION_ID, id);
        response.headers_mut().insert(TRACEPARENT, trace);
        response
    }
}

/// Short, and of characters that can't break a log line, a header or a shell.
fn is_sane(id: &[u8]) -> bool {
    (1..=128).contains(&id.len())
        && id
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(byte))
}

/// W3C Trace Context §3.2: version, trace id, parent id and flags in lower-case hexadecimal, ids not all zero.
fn is_traceparent(value: &[u8]) -> bool {
    let mut parts = value.split(|byte| *byte == b'-');
    let mut hexadecimal = |length: usize| {
        parts.next().filter(|part| {
            part.len() == length && part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        })
    };
    let (version, trace, parent, flags) = (hexadecimal(2), hexadecimal(32), hexadecimal(16), hexadecimal(2));
    let (Some(version), Some(trace), Some(parent), Some(_)) = (version, trace, parent, flags) else {
        return false;
    };
    // Later versions may append parts; version 00 has exactly four, and ff is forbidden.
    let whole = version != b"ff" && (version != b"00" || value.len() == 55);
    whole && trace.iter().any(|byte| *byte != b'0') && parent.iter().any(|byte| *byte != b'0')
}

fn new_traceparent() -> HeaderValue {
    let (trace, parent) = (rand::random::<u128>().max(1), rand::random::<u64>().max(1));
    header(&format!("00-{trace:032x}-{parent:016x}-01"))
}

fn hex(random: u128) -> String {
    let mut text = String::with_capacity(32);
    // Writing to a string can't fail.
    let _ = write!(text, "{random:032x}");
    text
}

/// Of text that is hexadecimal digits and hyphens, which every header value may hold.
fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trace_contexts() {
        let table = [
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true),
            (
                "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
                true,
            ),
            (
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
                false,
            ),
            ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false),
            ("00-00000000000000000000000000000000-b7ad6b7169203331-01", false),
            ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false),
            ("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", false),
            ("", false),
        ];
        for (text, expected) in table {
            assert_eq!(is_traceparent(text.as_bytes()), expected, "{text}");
        }
        assert!(is_traceparent(new_traceparent().as_bytes()));
    }

    #[test]
    fn sane_correlation_ids() {
        let long = "a".repeat(129);
        let table = [
            ("order-17.b:2", true),
            ("", false),
            ("a b", false),
            ("a\"b", false),
            ("å", false),
            (long.as_str(), false),
        ];
        for (text, expected) in table {
            assert_eq!(is_sane(text.as_bytes()), expected, "{text}");
        }
        assert!(is_sane(hex(7).as_bytes()));
    }
}
