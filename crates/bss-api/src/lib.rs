#![doc = include_str!("../README.md")]

pub mod auth;
pub mod console;
pub mod issuer;
pub mod kit;
pub mod openapi;
pub mod resources;
pub mod v1;

mod router;
mod state;

pub use router::{route_list, router};
pub use state::{ApiConfig, ApiState};
