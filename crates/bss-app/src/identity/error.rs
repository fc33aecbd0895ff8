//! What can go wrong with identities.

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
}
