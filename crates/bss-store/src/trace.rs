//! What hangs together from an order to the ledger, found by id: the rows that a trace shows. Nothing is locked.

use bss_domain::ids::{
    BillingAccountId, BucketId, CustomerBillId, CustomerId, PaymentId, ProductId, ProductOfferingPriceId,
    ProductOrderId, UsageId,
};
use bss_domain::{Currency, Instant, Slot, TypedId};
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::resource::Stored;
use crate::{Session, StoreError, Timestamptz};

/// What a trace begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A product order.
    ProductOrder(ProductOrderId),
    /// A product.
    Product(ProductId),
    /// A rated usage record.
    Usage(UsageId),
    /// A bill.
    CustomerBill(CustomerBillId),
    /// A payment.
    Payment(PaymentId),
}

/// What an id leads to: its own row; for a part of something (a service, a bill's line, a ledger entry) the whole.
pub async fn subject(session: &Session, id: Uuid) -> Result<Option<Subject>, StoreError> {
    let row = session
        .query_opt(include_str!("trace/subject.sql"), &[&Slot::of(id).sql(), &id])
        .await?;
    Ok(row.and_then(|row| {
        let found: Uuid = row.get(1);
        match row.get(0) {
            "ProductOrder" => Some(Subject::ProductOrder(found.into())),
            "Product" => Some(Subject::Product(found.into())),
            "Usage" => Some(Subject::Usage(found.into())),
            "CustomerBill" => Some(Subject::CustomerBill(found.into())),
            "Payment" => Some(Subject::Payment(found.into())),
            _ => None,
        }
    }))
}

/// The products that an order brought about, oldest first.
pub async fn products_of(session: &Session, order: ProductOrderId) -> Result<Vec<Stored>, StoreError> {
    let rows = session
        .query(
            "SELECT id, revision, body, created_at, updated_at FROM product \
             WHERE slot = $1 AND product_order_id = $2 ORDER BY created_at, id",
            &[&order.slot().sql(), &order.uuid()],
        )
        .await?;
    rows.iter().map(Stored::read).collect()
}

/// The services of a product, oldest first.
pub async fn services_of(session: &Session, product: ProductId) -> Result<Vec<Stored>, StoreError> {
    let rows = session
        .query(
            "SELECT id, revision, body, created_at, updated_at FROM service \
             WHERE slot = $1 AND product_id = $2 ORDER BY created_at, id",
            &[&product.slot().sql(), &product.uuid()],
        )
        .await?;
    rows.iter().map(Stored::read).collect()
}

/// The service orders of an order, oldest first.
pub async fn service_orders_of(session: &Session, order: ProductOrderId) -> Result<Vec<Stored>, StoreError> {
    let rows = session
        .query(
            "SELECT id, revision, body, created_at, updated_at FROM service_order \
             WHERE slot = $1 AND product_order_id = $2 ORDER BY created_at, id",
            &[&order.slot().sql(), &order.uuid()],
        )
        .await?;
    rows.iter().map(Stored::read).collect()
}

/// A piece of work at the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkWork {
    /// The request id that the network knows it by.
    pub id: Uuid,
    /// `activate` or `deactivate`.
    pub action: String,
    /// Where it stands.
    pub state: String,
    /// Attempts begun.
    pub attempts: i32,
    /// Why it was refused or fell out.
    pub reason: Option<String>,
}

/// The work at the network for a service, oldest first.
pub async fn network_work(session: &Session, service: Uuid) -> Result<Vec<NetworkWork>, StoreError> {
    let rows = session
        .query(
            "SELECT id, action, state, attempts, reason FROM activation WHERE slot = $1 AND service_id = $2 \
             ORDER BY created_at, id",
            &[&Slot::of(service).sql(), &service],
        )
        .await?;
    let read = |row: &Row| NetworkWork {
        id: row.get(0),
        action: row.get(1),
        state: row.get(2),
        attempts: row.get(3),
        reason: row.get(4),
    };
    Ok(rows.iter().map(read).collect())
}

/// A segment of a product's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifeSegment {
    /// From when on.
    pub from: Instant,
    /// Until when; none: it is the present one.
    pub to: Option<Instant>,
    /// `active` or `suspended`.
    pub state: String,
    /// Who pays.
    pub account: BillingAccountId,
    /// The pinned price versions.
    pub prices: Vec<ProductOfferingPriceId>,
    /// How many pieces.
    pub quantity: i64,
}

/// A product's life, in order.
pub async fn segments(session: &Session, product: ProductId) -> Result<Vec<LifeSegment>, StoreError> {
    let rows = session
        .query(
            "SELECT from_at, to_at, state, billing_account_id, price_ids, quantity FROM product_segment \
             WHERE slot = $1 AND product_id = $2 ORDER BY from_at",
            &[&product.slot().sql(), &product.uuid()],
        )
        .await?;
    let read = |row: &Row| LifeSegment {
        from: row.get::<_, Timestamptz>(0).0,
        to: row.get::<_, Option<Timestamptz>>(1).map(|at| at.0),
        state: row.get(2),
        account: row.get::<_, Uuid>(3).into(),
        prices: row.get::<_, Vec<Uuid>>(4).into_iter().map(Into::into).collect(),
        quantity: row.get(5),
    };
    Ok(rows.iter().map(read).collect())
}

/// The documents of price versions.
pub async fn prices(
    session: &Session,
    ids: &[ProductOfferingPriceId],
) -> Result<Vec<(ProductOfferingPriceId, Value)>, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = session
        .query(
            "SELECT id, body FROM product_offering_price WHERE id = ANY($1)",
            &[&ids],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| (row.get::<_, Uuid>(0).into(), row.get(1)))
        .collect())
}

/// A bill with what it was computed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillRow {
    /// Its id.
    pub id: CustomerBillId,
    /// Its number.
    pub number: String,
    /// Its state's name.
    pub state: String,
    /// Its account.
    pub account: BillingAccountId,
    /// Whose it is.
    pub customer: CustomerId,
    /// What is still to be paid, minor units.
    pub open_minor: i64,
    /// The inputs, JSON.
    pub inputs: Vec<u8>,
    /// The computed bill, JSON.
    pub computed: Vec<u8>,
}

/// A bill.
pub async fn bill(session: &Session, id: CustomerBillId) -> Result<Option<BillRow>, StoreError> {
    let row = session
        .query_opt(
            "SELECT id, bill_no, state, account_id, customer_id, open_minor, inputs, computed \
             FROM customer_bill WHERE slot = $1 AND id = $2",
            &[&id.slot().sql(), &id.uuid()],
        )
        .await?;
    Ok(row.map(|row| BillRow {
        id: row.get::<_, Uuid>(0).into(),
        number: row.get(1),
        state: row.get(2),
        account: row.get::<_, Uuid>(3).into(),
        customer: row.get::<_, Uuid>(4).into(),
        open_minor: row.get(5),
        inputs: row.get(6),
        computed: row.get(7),
    }))
}

/// The ids of a bill's lines, by number.
pub async fn line_ids(session: &Session, bill: CustomerBillId) -> Result<Vec<(u32, Uuid)>, StoreError> {
    let rows = session
        .query(
            "SELECT line, id FROM applied_customer_billing_rate WHERE slot = $1 AND bill_id = $2 ORDER BY line",
            &[&bill.slot().sql(), &bill.uuid()],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| (row.get::<_, i32>(0).unsigned_abs(), row.get(1)))
        .collect())
}

/// The bills of these accounts that charge a product, oldest first.
pub async fn bills_of(
    session: &Session,
    product: ProductId,
    accounts: &[BillingAccountId],
) -> Result<Vec<CustomerBillId>, StoreError> {
    let accounts: Vec<Uuid> = accounts.iter().map(|id| id.uuid()).collect();
    let rows = session
        .query(
            "SELECT b.id FROM customer_bill b WHERE b.slot = $1 AND b.account_id = ANY($2) AND EXISTS \
             (SELECT FROM applied_customer_billing_rate r WHERE r.slot = b.slot AND r.bill_id = b.id \
             AND r.product_id = $3) ORDER BY b.bill_date, b.id",
            &[&product.slot().sql(), &accounts, &product.uuid()],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get::<_, Uuid>(0).into()).collect())
}

/// A closed period of an account's usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimRow {
    /// Its beginning.
    pub from: Instant,
    /// Its end.
    pub through: Instant,
    /// The log position up to which records count.
    pub watermark: i64,
    /// The bill; there is none where there was nothing to bill.
    pub bill: CustomerBillId,
}

/// The periods of an account that were closed, in order.
pub async fn claims(session: &Session, account: BillingAccountId) -> Result<Vec<ClaimRow>, StoreError> {
    let rows = session
        .query(
            "SELECT period_from, closed_through, watermark, bill_id FROM usage_claim \
             WHERE slot = $1 AND account_id = $2 ORDER BY closed_through",
            &[&account.slot().sql(), &account.uuid()],
        )
        .await?;
    let read = |row: &Row| ClaimRow {
        from: row.get::<_, Timestamptz>(0).0,
        through: row.get::<_, Timestamptz>(1).0,
        watermark: row.get(2),
        bill: row.get::<_, Uuid>(3).into(),
    };
    Ok(rows.iter().map(read).collect())
}

/// What the final rating changed of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrectionRow {
    /// The record.
    pub usage: UsageId,
    /// The final amount less the provisional one, nano units.
    pub amount_nano: i64,
    /// The final parts.
    pub parts: Vec<u8>,
}

/// The corrections of records of one slot.
pub async fn corrections(session: &Session, ids: &[UsageId]) -> Result<Vec<CorrectionRow>, StoreError> {
    let Some(first) = ids.first() else {
        return Ok(Vec::new());
    };
    let list: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = session
        .query(
            "SELECT usage_id, amount_nano, parts FROM usage_correction WHERE slot = $1 AND usage_id = ANY($2)",
            &[&first.slot().sql(), &list],
        )
        .await?;
    let read = |row: &Row| CorrectionRow {
        usage: row.get::<_, Uuid>(0).into(),
        amount_nano: row.get(1),
        parts: row.get(2),
    };
    Ok(rows.iter().map(read).collect())
}

/// The price version that an allowance was granted by.
pub async fn allowance_price(
    session: &Session,
    bucket: BucketId,
) -> Result<Option<ProductOfferingPriceId>, StoreError> {
    let row = session
        .query_opt(
            "SELECT price_id FROM bucket WHERE slot = $1 AND id = $2",
            &[&bucket.slot().sql(), &bucket.uuid()],
        )
        .await?;
    Ok(row.map(|row| row.get::<_, Uuid>(0).into()))
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRow {
    /// Its id.
    pub id: PaymentId,
    /// Its status's name.
    pub status: String,
    /// Whose it is.
    pub customer: CustomerId,
    /// How it came.
    pub channel: String,
    /// Its currency.
    pub currency: Currency,
    /// How much, minor units.
    pub amount_minor: i64,
    /// When.
    pub at: Instant,
}

/// A payment.
pub async fn payment(session: &Session, id: PaymentId) -> Result<Option<PaymentRow>, StoreError> {
    let row = session
        .query_opt(
            "SELECT id, status, customer_id, channel, currency, amount_minor, payment_date FROM payment \
             WHERE slot = $1 AND id = $2",
            &[&id.slot().sql(), &id.uuid()],
        )
        .await?;
    row.map(|row| {
        Ok(PaymentRow {
            id: row.get::<_, Uuid>(0).into(),
            status: row.get(1),
            customer: row.get::<_, Uuid>(2).into(),
            channel: row.get(3),
            currency: currency(row.get(4), id)?,
            amount_minor: row.get(5),
            at: row.get::<_, Timestamptz>(6).0,
        })
    })
    .transpose()
}

fn currency(code: &str, of: impl std::fmt::Display) -> Result<Currency, StoreError> {
    Currency::of(code).map_err(|error| StoreError::Corrupt {
        what: format!("currency of {of}"),
        detail: error.to_string(),
    })
}

/// What paid for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllocationRow {
    /// The bill.
    pub bill: CustomerBillId,
    /// `payment`, `credit`, `creditNote`.
    pub kind: String,
    /// Where the money came from.
    pub source: Uuid,
    /// How much, minor units.
    pub amount_minor: i64,
    /// When.
    pub at: Instant,
}

/// What paid for a bill, oldest first.
pub async fn allocations_to(
    session: &Session,
    bill: CustomerBillId,
) -> Result<Vec<AllocationRow>, StoreError> {
    allocations(session, "bill_id", bill.slot(), bill.uuid()).await
}

/// What a payment paid for, oldest first.
pub async fn allocations_from(
    session: &Session,
    payment: PaymentId,
) -> Result<Vec<AllocationRow>, StoreError> {
    allocations(session, "source_id", payment.slot(), payment.uuid()).await
}

async fn allocations(
    session: &Session,
    column: &'static str,
    slot: Slot,
    id: Uuid,
) -> Result<Vec<AllocationRow>, StoreError> {
    let sql = format!(
        "SELECT bill_id, kind, source_id, amount_minor, at FROM allocation WHERE slot = $1 AND {column} = $2 \
         ORDER BY at, id"
    );
    let rows = session.query(&sql, &[&slot.sql(), &id]).await?;
    let read = |row: &Row| AllocationRow {
        bill: row.get::<_, Uuid>(0).into(),
        kind: row.get(1),
        source: row.get(2),
        amount_minor: row.get(3),
        at: row.get::<_, Timestamptz>(4).0,
    };
    Ok(rows.iter().map(read).collect())
}
