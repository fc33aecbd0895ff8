//! Billing accounts (TMF666): currency, zone and cycle of what is billed together.

use crate::resource::{Column, Kind, Table};

/// The table of billing accounts.
pub const BILLING_ACCOUNT: Table = Table {
    name: "billing_account",
    sharded: true,
    columns: &[
        Column::new("name", "name", Kind::Text),
        Column::new("state", "state", Kind::Text),
        Column::new("relatedParty[role=customer].id", "customer_id", Kind::Uuid),
        Column::new("currency", "currency", Kind::Text),
        Column::new("timeZone", "time_zone", Kind::Text),
        Column::new("cycleDay", "cycle_day", Kind::Integer),
    ],
};
