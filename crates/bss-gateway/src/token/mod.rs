//! Access tokens: RS256 by the issuer's published keys, verified once and remembered until they expire.

mod cache;
mod claims;
mod keys;
mod layer;
mod verify;

pub use claims::VerifiedClaims;
pub use keys::{HttpKeys, KeySource, KeySourceError};
pub use layer::{Consumer, RequireToken};
pub use verify::{Verifier, VerifierConfig};
