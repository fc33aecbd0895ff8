//! Users, clients, sessions and signing keys of the built-in issuer. All of it runs on real time.

pub mod bootstrap;
pub mod client;
pub mod grant;
pub mod lifetimes;
pub mod lockout;
pub mod password;
pub mod rotation;
pub mod seal;
pub mod secret;
pub mod sign_in;
pub mod signing_key;
pub mod user;

mod error;

use bss_store::Store;

pub use error::IdentityError;

/// The use cases of identity.
pub struct Identity {
    store: Store,
    passwords: password::Passwords,
    sealer: seal::Sealer,
}

impl Identity {
    /// Over a store; `secret` is the text of the secret file that seals the signing keys.
    ///
    /// # Errors
    /// A secret of fewer than 32 characters.
    pub fn new(store: Store, secret: &str) -> Result<Self, IdentityError> {
        Ok(Self {
            store,
            passwords: password::Passwords::new(),
            sealer: seal::Sealer::new(secret)?,
        })
    }
}
