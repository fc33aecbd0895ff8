#![doc = include_str!("../README.md")]

pub mod allowance;
pub mod catalog;
pub mod ids;
pub mod money;
pub mod rating;
pub mod refusal;
pub mod tax;
pub mod time;
pub mod usage;

pub use ids::{Slot, TypedId};
pub use money::{Currency, Money, MoneyError, Nano};
pub use refusal::{Refusal, RefusalKind};
pub use time::{Cycle, Instant, Interval, Zone};
