#![doc = include_str!("../README.md")]

pub mod bench;
pub mod charging;
pub mod customer_analytics;
pub mod notifications;
pub mod order_processing;
pub mod runtime;
