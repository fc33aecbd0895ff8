#![doc = include_str!("../README.md")]
// The layers are nested as types: the stack is a deep one.
#![recursion_limit = "256"]

mod access_log;
mod address;
mod body;
mod concurrency;
mod config;
mod cors;
mod gateway;
mod host;
mod layer;
mod limit;
mod paths;
mod refusal;
mod security_headers;
mod serve;
mod stack;
mod tenant;
mod timeouts;
mod token;
mod trace;

pub use access_log::{Observer, Route, report_route};
pub use address::{Origin, Peer};
pub use concurrency::WritesAllowed;
pub use config::{
    ConfigMistakes, ContentPolicy, GatewayConfig, Layers, Limits, PathOverride, TimeoutLimits, Tokens,
};
pub use gateway::{Environment, Gateway};
pub use layer::{Inner, Request, Response};
pub use serve::{Drained, serve};
pub use tenant::Tenant;
pub use token::{HttpKeys, KeySource, KeySourceError, VerifiedClaims};
pub use trace::{CorrelationId, TraceContext};
