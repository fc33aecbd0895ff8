#![doc = include_str!("../README.md")]

pub mod auth;
pub mod issuer;
pub mod kit;
pub mod resources;

mod router;
mod state;

pub use router::{router, routes};
pub use state::{ApiConfig, ApiState};
