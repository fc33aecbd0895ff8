#![doc = include_str!("../README.md")]

mod line;
pub mod metrics;
pub mod ops;
pub mod propagation;
mod readiness;
mod rotation;
mod setup;

pub use metrics::Metrics;
pub use ops::{Ops, Sampler};
pub use readiness::{Part, PartReport, Readiness, ReadinessReport};
pub use rotation::RotatingFile;
pub use setup::{LogFormat, LogOutput, TelemetryConfig, TelemetryError, TelemetryGuard, init};
