//! Product orders and the service orders that they decompose into.

use bss_domain::TypedId;
use bss_domain::ids::ProductOrderId;

use crate::resource::{Column, Kind, Stored, Table};
use crate::{Session, StoreError};

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

/// The service orders of a product order, held until the end of the transaction.
pub async fn service_orders_of(session: &Session, order: ProductOrderId) -> Result<Vec<Stored>, StoreError> {
    let rows = session
        .query(
            "SELECT id, revision, body, created_at, updated_at FROM service_order \
             WHERE slot = $1 AND product_order_id = $2 ORDER BY id FOR UPDATE",
            &[&order.slot().sql(), &order.uuid()],
        )
        .await?;
    rows.iter().map(Stored::read).collect()
}
