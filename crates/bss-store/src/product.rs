//! Products and services, and the segments of a product's life.

use bss_domain::document::Reference;
use bss_domain::ids::{
    BillingAccountId, ProductId, ProductOfferingId, ProductOfferingPriceId, ProductOrderId,
};
use bss_domain::{Instant, TypedId};
use uuid::Uuid;

use crate::resource::{Column, Kind, Stored, Table};
use crate::{Session, StoreError, Timestamptz};

/// The table of products.
pub const PRODUCT: Table = Table {
    name: "product",
    sharded: true,
    columns: &[
        Column::new("status", "status", Kind::Text),
        Column::new("name", "name", Kind::Text),
        Column::new("relatedParty[role=customer].id", "customer_id", Kind::Uuid),
        Column::new("billingAccount.id", "billing_account_id", Kind::Uuid),
        Column::new("productOrderItem.productOrderId", "product_order_id", Kind::Uuid),
        Column::new("productOffering.id", "offering_id", Kind::Uuid),
        Column::new("startDate", "start_date", Kind::Instant),
        Column::new("terminationDate", "termination_date", Kind::Instant),
    ],
};

/// The table of services.
pub const SERVICE: Table = Table {
    name: "service",
    sharded: true,
    columns: &[
        Column::new("state", "state", Kind::Text),
        Column::new("relatedParty[role=customer].id", "customer_id", Kind::Uuid),
        Column::new("product.id", "product_id", Kind::Uuid),
        Column::new("serviceOrder.id", "service_order_id", Kind::Uuid),
    ],
};

/// What begins at an instant of a product's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSegment {
    /// The product.
    pub product: ProductId,
    /// From when on.
    pub from: Instant,
    /// Who pays.
    pub account: BillingAccountId,
    /// What it is then.
    pub offering: ProductOfferingId,
    /// The pinned price versions.
    pub prices: Vec<ProductOfferingPriceId>,
    /// How many.
    pub quantity: i64,
}

/// Opens a product's present segment.
pub async fn open_segment(session: &Session, segment: &NewSegment) -> Result<(), StoreError> {
    let prices: Vec<Uuid> = segment.prices.iter().map(|id| id.uuid()).collect();
    session
        .execute(
            "INSERT INTO product_segment (tenant_id, slot, product_id, from_at, state, billing_account_id, \
             offering_id, price_ids, quantity) VALUES ($1, $2, $3, $4, 'active', $5, $6, $7, $8)",
            &[
                &session.tenant().uuid(),
                &segment.product.slot().sql(),
                &segment.product.uuid(),
                &Timestamptz(segment.from),
                &segment.account.uuid(),
                &segment.offering.uuid(),
                &prices,
                &segment.quantity,
            ],
        )
        .await?;
    Ok(())
}

/// Closes a product's present segment; false where there is none.
pub async fn close_segment(session: &Session, product: ProductId, to: Instant) -> Result<bool, StoreError> {
    let closed = session
        .execute(
            "UPDATE product_segment SET to_at = $3 WHERE slot = $1 AND product_id = $2 AND to_at IS NULL",
            &[&product.slot().sql(), &product.uuid(), &Timestamptz(to)],
        )
        .await?;
    Ok(closed == 1)
}

/// The products that an order's items brought about, held until the end of the transaction.
pub async fn of_order(session: &Session, order: ProductOrderId) -> Result<Vec<Stored>, StoreError> {
    let rows = session
        .query(
            "SELECT id, revision, body, created_at, updated_at FROM product \
             WHERE slot = $1 AND product_order_id = $2 ORDER BY id FOR UPDATE",
            &[&order.slot().sql(), &order.uuid()],
        )
        .await?;
    rows.iter().map(Stored::read).collect()
}

/// The services of a product, held until the end of the transaction.
pub async fn services_of(session: &Session, product: ProductId) -> Result<Vec<Stored>, StoreError> {
    let rows = session
        .query(
            "SELECT id, revision, body, created_at, updated_at FROM service \
             WHERE slot = $1 AND product_id = $2 ORDER BY id FOR UPDATE",
            &[&product.slot().sql(), &product.uuid()],
        )
        .await?;
    rows.iter().map(Stored::read).collect()
}

/// Whose a number is from an instant on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAssignment<'a> {
    /// The number, E.164 digits.
    pub number: &'a str,
    /// From when on.
    pub from: Instant,
    /// The customer.
    pub customer: &'a Reference,
    /// Who pays.
    pub account: BillingAccountId,
    /// The product.
    pub product: ProductId,
}

/// Assigns a number to a product.
pub async fn assign_number(session: &Session, new: &NewAssignment<'_>) -> Result<(), StoreError> {
    let customer: Uuid = new.customer.id.parse().map_err(|_| StoreError::Corrupt {
        what: format!("product {}", new.product),
        detail: "its customer's id is no UUID".to_owned(),
    })?;
    session
        .execute(
            "INSERT INTO number_assignment (tenant_id, number, valid_from, slot, customer_id, billing_account_id, \
             product_id) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &[
                &session.tenant().uuid(),
                &new.number,
                &Timestamptz(new.from),
                &new.product.slot().sql(),
                &customer,
                &new.account.uuid(),
                &new.product.uuid(),
            ],
        )
        .await?;
    Ok(())
}

/// Ends the assignments of a product's numbers.
pub async fn end_assignments(session: &Session, product: ProductId, to: Instant) -> Result<u64, StoreError> {
    session
        .execute(
            "UPDATE number_assignment SET valid_to = $3 WHERE slot = $1 AND product_id = $2 AND valid_to IS NULL",
            &[&product.slot().sql(), &product.uuid(), &Timestamptz(to)],
        )
        .await
}
