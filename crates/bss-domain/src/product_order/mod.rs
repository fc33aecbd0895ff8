//! ProductOrder (TMF622): what a customer asks for, item by item, and how far it has come.

mod cancellation;
mod item;
mod order;
mod state;

pub use item::{ItemAction, ProductOrderItem};
pub use order::{NewProductOrder, OrderMessage, ProductOrder, SHAPE};
pub use state::{ItemState, OrderState};
