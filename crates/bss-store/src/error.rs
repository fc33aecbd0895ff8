use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::types::WrongType;

/// What can go wrong in the store. Its texts are for operators, never for callers of the API.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or did not answer.
    #[error("database: {}", shown(.0))]
    Database(#[from] tokio_postgres::Error),
    /// No connection was to be had.
    #[error("no database connection: {0}")]
    Pool(String),
    /// The disk's reserve is reached: PostgreSQL must not stop on a full disk.
    #[error("the disk's reserve is reached: nothing is written until there is room")]
    NoRoom,
    /// A unique or exclusion constraint was violated.
    #[error("{constraint} is taken already")]
    Taken {
        /// The constraint's name.
        constraint: String,
    },
    /// A reference leads nowhere.
    #[error("{constraint} leads nowhere, or something refers to this row")]
    Reference {
        /// The constraint's name.
        constraint: String,
    },
    /// Somebody else changed the row in the meantime.
    #[error("{what} was changed by somebody else")]
    Changed {
        /// The row.
        what: String,
    },
    /// A row holds what this version can't read.
    #[error("stored {what} can't be read: {detail}")]
    Corrupt {
        /// Which row.
        what: String,
        /// Why.
        detail: String,
    },
    /// A lease was taken by another worker: what was done in its name must not be committed.
    #[error("the lease on {0} was taken by another worker")]
    Fenced(String),
    /// A statement of the transaction failed before, so there is nothing to commit.
    #[error("a statement failed before, and the transaction was undone")]
    Undone,
    /// The schema is newer than this binary, or a migration's text was changed.
    #[error("{0}")]
    Schema(String),
    /// The configuration can't work.
    #[error("{0}")]
    Configuration(String),
}

impl StoreError {
    /// Names a violated constraint, so that the statement's caller can turn it into its client's error.
    pub fn naming_constraints(error: tokio_postgres::Error) -> Self {
        let named = error.as_db_error().and_then(|db| {
            let constraint = db.constraint()?.to_owned();
            match *db.code() {
                SqlState::UNIQUE_VIOLATION | SqlState::EXCLUSION_VIOLATION => {
                    Some(Self::Taken { constraint })
                }
                SqlState::FOREIGN_KEY_VIOLATION => Some(Self::Reference { constraint }),
                _ => None,
            }
        });
        named.unwrap_or(Self::Database(error))
    }

    /// Whether trying the same transaction again may succeed.
    pub fn is_transient(&self) -> bool {
        let Self::Database(error) = self else {
            return matches!(self, Self::Pool(_) | Self::NoRoom | Self::Changed { .. });
        };
        match error.code() {
            // The connection broke; or a value of the wrong type was given, which no repetition mends.
            None => !std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<WrongType>),
            Some(code) => {
                [
                    SqlState::T_R_SERIALIZATION_FAILURE,
                    SqlState::T_R_DEADLOCK_DETECTED,
                    SqlState::ADMIN_SHUTDOWN,
                    SqlState::CRASH_SHUTDOWN,
                    SqlState::CANNOT_CONNECT_NOW,
                    SqlState::TOO_MANY_CONNECTIONS,
                ]
                .contains(code)
                    || code.code().starts_with("08")
            }
        }
    }
}

/// What the server said; the driver's own text is just "db error". Details carry rows' values and stay out.
fn shown(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(
        || error.to_string(),
        |db: &DbError| format!("{} ({})", db.message(), db.code().code()),
    )
}
