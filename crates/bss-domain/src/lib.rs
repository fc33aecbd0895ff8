#![doc = include_str!("../README.md")]

pub mod activation;
pub mod allowance;
pub mod billing_account;
pub mod cancel_product_order;
pub mod catalog;
pub mod customer;
pub mod customer_bill;
pub mod document;
pub mod event_subscription;
pub mod fulfilment;
pub mod ids;
pub mod ledger;
pub mod money;
pub mod obligation;
pub mod party;
pub mod payment;
pub mod product;
pub mod product_order;
pub mod proration;
pub mod rating;
pub mod refusal;
pub mod resource;
pub mod segment;
pub mod service;
pub mod shape;
pub mod tax;
pub mod time;
pub mod usage;

mod state;

pub use ids::{Slot, TypedId};
pub use money::{Currency, Money, MoneyError, Nano};
pub use refusal::{Refusal, RefusalKind};
pub use time::{Cycle, Instant, Interval, Zone};
