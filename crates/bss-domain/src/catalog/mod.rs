//! What is sold and what it costs.

pub mod category;
pub mod lifecycle;
mod node;
pub mod prefix;
pub mod price;
pub mod product_offering;
pub mod product_offering_price;
pub mod specification;
pub mod tariff;

pub(crate) use node::Node;
pub use price::{
    AlignedTo, Alteration, AlteredCharges, Commitment, DueOn, OneTimeCharge, PeriodUnit, PriceKind,
    PriceVersion, Proration, RecurringCharge,
};
pub use tariff::{Band, Charge, Direction, Rate, ServiceKind, Step, Tariff, Tier};
