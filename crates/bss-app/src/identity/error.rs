//! What can go wrong with identities.

use bss_store::StoreError;

/// A refused or failed use case of identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A value that can't be taken.
    #[error("{field} {reason}")]
    Invalid {
        /// What it was for.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such thing.
    #[error("there is no {what} {name:?}")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// How it was called.
        name: String,
    },
    /// The name is somebody else's.
    #[error("there is a {what} {name:?} already")]
    Taken {
        /// What kind of thing.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Too many passwords are being checked.
    #[error("too many sign-ins at this moment: try again in a few seconds")]
    Busy,
    /// The secret file isn't the one that the signing keys were sealed with.
    #[error(
        "signing key {kid} cannot be opened with this issuer secret: restore the secret file that belongs to the database"
    )]
    WrongSecret {
        /// The key's id.
        kid: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The crypto library refused.
    #[error("{0}")]
    Crypto(String),
}

impl IdentityError {
    /// A value that can't be taken; `reason` reads on after the field's name.
    pub fn invalid(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            reason: reason.into(),
        }
    }

    /// Names what is taken, where the store says that something is.
    pub(super) fn taken(error: StoreError, what: &'static str, name: &str) -> Self {
        match error {
            StoreError::Taken { .. } => Self::Taken {
                what,
                name: name.to_owned(),
            },
            other => Self::Store(other),
        }
    }
}
