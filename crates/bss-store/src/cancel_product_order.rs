//! Requests to cancel product orders.

use bss_domain::TypedId;
use bss_domain::ids::ProductOrderId;

use crate::resource::{Column, Kind, Stored, Table};
use crate::{Session, StoreError};

/// The table of requests.
pub const CANCEL_PRODUCT_ORDER: Table = Table {
    name: "cancel_product_order",
    sharded: true,
    columns: &[
        Column::new("state", "state", Kind::Text),
        Column::new("relatedParty[role=customer].id", "customer_id", Kind::Uuid),
        Column::new("productOrder.id", "product_order_id", Kind::Uuid),
    ],
};

/// The requests to cancel an order that are under way, held until the end of the transaction.
pub async fn under_way(session: &Session, order: ProductOrderId) -> Result<Vec<Stored>, StoreError> {
    let rows = session
        .query(
            "SELECT id, revision, body, created_at, updated_at FROM cancel_product_order \
             WHERE slot = $1 AND product_order_id = $2 AND state = 'inProgress' ORDER BY id FOR UPDATE",
            &[&order.slot().sql(), &order.uuid()],
        )
        .await?;
    rows.iter().map(Stored::read).collect()
}
