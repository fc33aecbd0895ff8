//! What the gateway answers when it refuses: TM Forum's Error (TMF630 part 1, §"Error handling").

use axum::body::Body;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::json;

use crate::layer::Response;

/// A refusal by the gateway itself. `code` is stable and meant for programs, `message` says what to do next.
#[derive(Debug, Clone)]
pub struct Refusal {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The code of the refusal, left in the response for the access log.
#[derive(Debug, Clone, Copy)]
pub struct RefusalCode(pub &'static str);

impl Refusal {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            headers: Vec::new(),
        }
    }

    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internalError",
            "The server failed to answer. Give the correlation id to its operator.",
        )
    }

    /// Says when to come again, in whole seconds and at least one.
    pub fn retry_after_s(self, seconds: u64) -> Self {
        self.header(RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    /// RFC 6750 §3: a request without a token learns only the scheme, one with a bad token also what is wrong.
    pub fn challenge(self, wrong: Option<&'static str>) -> Self {
        let value = match wrong {
            None => HeaderValue::from_static("Bearer realm=\"bss\""),
            Some(wrong) => HeaderValue::from_str(&format!(
                "Bearer realm=\"bss\", error=\"invalid_token\", error_description=\"{wrong}\""
            ))
            .unwrap_or(HeaderValue::from_static(
                "Bearer realm=\"bss\", error=\"invalid_token\"",
            )),
        };
        self.header(WWW_AUTHENTICATE, value)
    }

    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub fn into_response(self) -> Response {
        let body = json!({
            "code": self.code,
            "reason": self.status.canonical_reason().unwrap_or("Refused"),
            "message": self.message,
            "status": self.status.as_u16().to_string(),
        });
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status;
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().extend(self.headers);
        response.extensions_mut().insert(RefusalCode(self.code));
        response
    }
}
