use bss_domain::{MoneyError, Refusal};
use bss_store::StoreError;

/// Why a use case gave no result. Everything but `Internal` and `Unavailable` may be told to the caller as it is.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A rule said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no such thing, or the caller may not see it.
    #[error("{kind} {id} doesn't exist")]
    NotFound {
        /// TM Forum's name of the type.
        kind: &'static str,
        /// The id as given.
        id: String,
    },
    /// The caller may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// `If-Match` names another version than the present one.
    #[error("{kind} {id} was changed: its version is {current} now")]
    PreconditionFailed {
        /// TM Forum's name of the type.
        kind: &'static str,
        /// The id.
        id: String,
        /// The present version.
        current: i64,
    },
    /// An idempotency key was used with another body.
    #[error("idempotency key {0:?} was used with another body")]
    KeyReused(String),
    /// A call with the same idempotency key is under way.
    #[error("a call with idempotency key {0:?} is still running")]
    KeyInFlight(String),
    /// Try again later: the database is away, or somebody else changed the same rows again and again.
    #[error("temporarily unavailable")]
    Unavailable(#[source] StoreError),
    /// Something of ours is broken.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl AppError {
    /// Something of ours is broken; the text is for the log.
    pub fn internal(detail: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(detail.into())
    }

    /// There is no such thing.
    pub fn not_found(kind: &'static str, id: impl ToString) -> Self {
        Self::NotFound {
            kind,
            id: id.to_string(),
        }
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        if error.is_transient() {
            Self::Unavailable(error)
        } else {
            Self::internal(error)
        }
    }
}

impl From<MoneyError> for AppError {
    fn from(error: MoneyError) -> Self {
        Self::internal(error)
    }
}
