//! Customers (TMF629): their slot is what everything of theirs is placed by.

use crate::resource::{Column, Kind, Table};

/// The table of customers.
pub const CUSTOMER: Table = Table {
    name: "customer",
    sharded: true,
    columns: &[
        Column::new("name", "name", Kind::Text),
        Column::new("status", "status", Kind::Text),
        Column::new("engagedParty.id", "engaged_party_id", Kind::Uuid),
    ],
};
