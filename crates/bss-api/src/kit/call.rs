use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::FromRequestParts;
use axum::response::Response;
use bss_app::{IdempotencyKey, RequestContext};
use bss_domain::Refusal;
use bss_domain::ids::CustomerId;
use bss_events::TraceParent;
use bss_store::Session;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::ApiError;
use crate::ApiState;
use crate::auth::Access;

const CORRELATION_ID: &str = "x-correlation-id";
const IDEMPOTENCY_KEY: &str = "idempotency-key";
const KEY_LENGTH_MAX: usize = 255;

/// An admitted call: who calls, confined to whom, and what came with it.
#[derive(Debug, Clone)]
pub struct Call {
    /// What use cases get.
    pub context: RequestContext,
    /// The customer whose data alone is seen and written; none: the whole tenant is open.
    pub confined_to: Option<CustomerId>,
    headers: HeaderMap,
}

impl<S: Send + Sync> FromRequestParts<S> for Call {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let access = Access::from_request_parts(parts, state).await?;
        let header = |name: &str| {
            parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        // The gateway's own span is the nearer parent where there is one.
        let traceparent =
            TraceParent::current().or_else(|| header("traceparent").and_then(|text| text.parse().ok()));
        Ok(Self {
            confined_to: access.confined_to(),
            context: RequestContext {
                caller: access.caller,
                idempotency: None,
                traceparent,
                correlation_id: header(CORRELATION_ID).unwrap_or_default(),
            },
            headers: parts.headers.clone(),
        })
    }
}

impl Call {
    /// A session that reads in the caller's scope.
    pub async fn read(&self, state: &ApiState) -> Result<Session, ApiError> {
        Ok(state.app.store.read(self.context.scope()).await?)
    }

    /// The context of a POST: with the key by which it may be sent again.
    pub fn creating(
        mut self,
        state: &ApiState,
        route: &str,
        precious: bool,
        body: &[u8],
    ) -> Result<Self, ApiError> {
        let key = self
            .headers
            .get(IDEMPOTENCY_KEY)
            .and_then(|value| value.to_str().ok());
        match key {
            None if precious && state.config.require_idempotency_key => {
                let message =
                    "this call needs the header Idempotency-Key: any text that is new for each call";
                Err(ApiError::new(
                    StatusCode::BAD_REQUEST,
                    "idempotencyKeyMissing",
                    message,
                ))
            }
            None => Ok(self),
            Some(key) if key.is_empty() || key.len() > KEY_LENGTH_MAX => {
                let message = format!("Idempotency-Key has to have 1 to {KEY_LENGTH_MAX} characters");
                Err(Refusal::invalid("wrongIdempotencyKey", "Idempotency-Key", key, message).into())
            }
            Some(key) => {
                self.context.idempotency = Some(IdempotencyKey {
                    key: key.to_owned(),
                    route: format!("POST {route}"),
                    request_hash: digest(&SHA256, body).as_ref().to_vec(),
                });
                Ok(self)
            }
        }
    }

    /// Whether `If-Match` allows a change of this revision (RFC 9110 §13.1.1); `Some` pins it.
    pub fn expected(&self, kind: &'static str, id: &str, current: i64) -> Result<Option<i64>, ApiError> {
        let Some(wanted) = self.headers.get(http::header::IF_MATCH) else {
            return Ok(None);
        };
        let wanted = wanted.to_str().unwrap_or_default();
        if wanted.trim() == "*" {
            return Ok(None);
        }
        if names(wanted, current) {
            return Ok(Some(current));
        }
        Err(bss_app::AppError::PreconditionFailed {
            kind,
            id: id.to_owned(),
            current,
        }
        .into())
    }

    /// Whether the caller has this revision already (RFC 9110 §13.1.2).
    pub fn knows(&self, current: i64) -> bool {
        self.headers
            .get(http::header::IF_NONE_MATCH)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|known| names(known, current))
    }
}

/// The tag of a revision.
pub(super) fn etag(revision: i64) -> String {
    format!("\"{revision}\"")
}

fn names(list: &str, revision: i64) -> bool {
    let tag = etag(revision);
    list.split(',').any(|named| named.trim() == tag)
}

/// Reads a body as a JSON object; what is no JSON is named with its place.
pub(crate) fn json_body(bytes: &[u8]) -> Result<Value, ApiError> {
    let body: Value = serde_json::from_slice(bytes).map_err(|error| {
        ApiError::new(
            StatusCode::BAD_REQUEST,
            "malformed",
            format!("the body is no JSON: {error}"),
        )
    })?;
    if body.is_object() {
        return Ok(body);
    }
    let refusal = Refusal::invalid("notAnObject", "", "", "the body has to be a JSON object");
    Err(refusal.into())
}
