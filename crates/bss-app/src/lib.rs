#![doc = include_str!("../README.md")]

pub mod activation;
pub mod allowance;
pub mod bill_document;
pub mod bill_run;
pub mod billing_account;
pub mod cancel_product_order;
pub mod catalog;
pub mod credit_note;
pub mod customer;
pub mod customer_bill;
pub mod explain;
pub mod idempotency;
pub mod identity;
pub mod ledger_check;
pub mod notification;
pub mod order_processing;
pub mod party;
pub mod payment;
pub mod prepaid;
pub mod product_order;
pub mod resource;
pub mod resource_pool;
pub mod trace;
pub mod usage;
pub mod usage_import;

mod app;
mod caller;
mod clock;
mod error;
mod ids;

pub use app::App;
pub use caller::{Caller, IdempotencyKey, RequestContext, Role, UnknownRole};
pub use clock::{Clock, ClockError};
pub use error::AppError;
pub use ids::Ids;
