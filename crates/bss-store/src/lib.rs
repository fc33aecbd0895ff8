#![doc = include_str!("../README.md")]

pub mod activation;
pub mod bench;
pub mod bill_run;
pub mod billing_account;
pub mod bucket;
pub mod cancel_product_order;
pub mod catalog;
pub mod charging;
pub mod clock;
pub mod credit_note;
pub mod customer;
pub mod customer_analytics;
pub mod customer_bill;
pub mod dashboard;
pub mod event_log;
pub mod idempotency;
pub mod identity;
pub mod ledger;
pub mod ledger_check;
pub mod party;
pub mod payment;
pub mod prepaid_use;
pub mod product;
pub mod product_order;
pub mod refund;
pub mod resource;
pub mod resource_pool;
pub mod search;
pub mod trace;
pub mod usage_file;
pub mod usage_key;
pub mod usage_owner;
pub mod usage_record;
pub mod usage_reject;
pub mod usage_source;

mod error;
mod instant;
mod migrate;
mod pool;
mod session;

pub use error::StoreError;
pub use instant::Timestamptz;
pub use migrate::{ClockMode, Migrated, migrate};
pub use pool::{Room, Store, StoreConfig};
pub use session::{Advance, Savepoint, Scope, Session, UnitOfWork};
