//! Users, clients, sessions and signing keys of the built-in issuer. All of it runs on real time.

pub mod lifetimes;
pub mod lockout;
pub mod password;
pub mod rotation;
pub mod seal;
pub mod secret;

mod error;

pub use error::IdentityError;
