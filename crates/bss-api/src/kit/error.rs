use axum::Json;
use axum::response::{IntoResponse, Response};
use bss_app::AppError;
use bss_domain::{Refusal, RefusalKind};
use bss_store::StoreError;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

/// Seconds after which a refused call may be tried again.
const RETRY_AFTER_S: &str = "1";

/// An error as a caller gets it: TM Forum's Error (TMF630 Part 1) with `code`, `reason`, `message` and `status`, and
/// the attribute and its value where one was wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    code: String,
    message: String,
    field: Option<String>,
    value: Option<String>,
}

impl ApiError {
    /// An error with a stable word and a sentence.
    pub fn new(status: StatusCode, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            field: None,
            value: None,
        }
    }

    /// No such path.
    pub fn no_route() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "notFound",
            "there is nothing at this address",
        )
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.kind {
            RefusalKind::Invalid => StatusCode::BAD_REQUEST,
            RefusalKind::Conflict => StatusCode::CONFLICT,
        };
        Self {
            status,
            code: refusal.code.to_owned(),
            message: refusal.message,
            field: refusal.field,
            value: refusal.value,
        }
    }
}

impl From<AppError> for ApiError {
    fn from(error: AppError) -> Self {
        let (status, code) = match &error {
            AppError::Refused(_) => (StatusCode::BAD_REQUEST, "refused"),
            AppError::NotFound { .. } => (StatusCode::NOT_FOUND, "notFound"),
            AppError::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden"),
            AppError::PreconditionFailed { .. } => (StatusCode::PRECONDITION_FAILED, "changed"),
            AppError::KeyReused(_) => (StatusCode::UNPROCESSABLE_ENTITY, "idempotencyKeyReused"),
            AppError::KeyInFlight(_) => (StatusCode::CONFLICT, "idempotencyKeyInFlight"),
            AppError::Unavailable(cause) => {
                tracing::warn!(%cause, "a call is refused for now");
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
            }
            AppError::Internal(cause) => {
                tracing::error!(%cause, "a call failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "internal")
            }
        };
        match error {
            AppError::Refused(refusal) => refusal.into(),
            other => Self::new(status, code, other.to_string()),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        AppError::from(error).into()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status.as_u16().to_string();
        let reason = self.status.canonical_reason().unwrap_or("Error");
        let mut body = json!({
            "code": self.code, "reason": reason, "message": self.message, "status": status, "@type": "Error",
        });
        for (name, value) in [("field", self.field), ("value", self.value)] {
            if let Some(value) = value {
                body[name] = Value::from(value);
            }
        }
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
        }
        response
    }
}
