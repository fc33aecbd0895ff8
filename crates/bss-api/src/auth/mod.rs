//! Who calls and what it may do: verified tokens, the authorization matrix, and the one place that enforces it.

mod claims;
mod enforce;
mod matrix;
mod routes;
mod verifier;

pub use claims::{AUDIENCE, Claims, RealmAccess};
pub use enforce::{Access, Guard, bearer};
pub use matrix::{Matrix, MatrixError, Reach, Rule};
pub use routes::Routes;
pub use verifier::{TokenError, Verifier};
