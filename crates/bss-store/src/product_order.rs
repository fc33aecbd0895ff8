//! Product orders and the service orders that they decompose into.

use crate::resource::{Column, Kind, Table};

/// The table of product orders.
pub const PRODUCT_ORDER: Table = Table {
    name: "product_order",
    sharded: true,
    columns: &[
        Column::new("state", "state", Kind::Text),
        Column::new("relatedParty[role=customer].id", "customer_id", Kind::Uuid),
        Column::new("orderDate", "order_date", Kind::Instant),
        Column::new("completionDate", "completion_date", Kind::Instant),
        Column::new("externalId", "external_id", Kind::Text),
    ],
};

/// The table of service orders.
pub const SERVICE_ORDER: Table = Table {
    name: "service_order",
    sharded: true,
    columns: &[
        Column::new("state", "state", Kind::Text),
        Column::new("relatedParty[role=customer].id", "customer_id", Kind::Uuid),
        Column::new("externalId", "product_order_id", Kind::Uuid),
        Column::new("orderDate", "order_date", Kind::Instant),
    ],
};
