//! The tables of parties (TMF632). A party's slot is a hash of its own id: it may become several customers.

use crate::resource::{Column, Kind, Table};

const STATUS: Column = Column::new("status", "status", Kind::Text);

/// Persons.
pub const INDIVIDUAL: Table = Table {
    name: "individual",
    sharded: true,
    columns: &[
        Column::new("givenName", "given_name", Kind::Text),
        Column::new("familyName", "family_name", Kind::Text),
        STATUS,
    ],
};

/// Companies.
pub const ORGANIZATION: Table = Table {
    name: "organization",
    sharded: true,
    columns: &[
        Column::new("name", "name", Kind::Text),
        Column::new("tradingName", "trading_name", Kind::Text),
        STATUS,
    ],
};
