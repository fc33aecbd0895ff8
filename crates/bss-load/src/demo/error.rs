use crate::api_client::ApiError;
use crate::catalog_import::CatalogImportError;

/// Why the demonstration stopped. Texts name ids, never names and numbers.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The business clock runs on real time.
    #[error(
        "this database runs on real time, and the demonstration lets months pass: make another with \
         bss up --simulated-clock --data-dir DIR, then run bss demo --data-dir DIR"
    )]
    RealClock,
    /// A call failed or was refused.
    #[error("{_0}{}", hint(_0))]
    Api(#[from] ApiError),
    /// The catalog can't be loaded.
    #[error(transparent)]
    Catalog(#[from] CatalogImportError),
    /// There is no new token.
    #[error("token: {0}")]
    Token(String),
    /// A usage file can't be written.
    #[error("usage file: {0}")]
    File(#[from] std::io::Error),
    /// Something took too long or isn't as it must be.
    #[error("{0}")]
    Stuck(String),
}

impl DemoError {
    pub(super) fn stuck(text: impl Into<String>) -> Self {
        Self::Stuck(text.into())
    }
}

/// What to do about a call's failure.
fn hint(error: &ApiError) -> &'static str {
    match error {
        ApiError::Transport { .. } => "\nis the stack running? bss ps says so, bss up starts it",
        ApiError::Refused { status, .. } if status.as_u16() == 401 || status.as_u16() == 403 => {
            "\nthe demonstration needs a token of the role admin"
        }
        _ => "",
    }
}
