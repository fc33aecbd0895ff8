//! What is sold and what it costs.

mod node;
pub mod prefix;
pub mod price;
pub mod tariff;

pub(crate) use node::Node;
pub use price::{
    AlignedTo, Alteration, AlteredCharges, Commitment, DueOn, OneTimeCharge, PeriodUnit, PriceKind,
    PriceVersion, Proration, RecurringCharge,
};
pub use tariff::{Band, Charge, Direction, Rate, ServiceKind, Step, Tariff, Tier};
