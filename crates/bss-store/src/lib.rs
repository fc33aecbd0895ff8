#![doc = include_str!("../README.md")]
#![allow(dead_code)] // removed with the first reader of the log
pub mod billing_account;
pub mod catalog;
pub mod clock;
pub mod customer;
pub mod event_log;
pub mod identity;
pub mod party;
pub mod resource;

mod error;
mod instant;
mod migrate;
mod pool;
mod session;

pub use error::StoreError;
pub use instant::Timestamptz;
pub use migrate::{ClockMode, Migrated, migrate};
pub use pool::{Store, StoreConfig};
pub use session::{Scope, Session, UnitOfWork};
