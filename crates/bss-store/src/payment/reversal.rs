//! What a chargeback opens again, and how much of a payment went back.

use bss_domain::TypedId;
use bss_domain::ids::{BillingAccountId, CustomerBillId, PaymentId};
use uuid::Uuid;

use super::AllocationKind;
use crate::{Session, StoreError};

/// What one source paid of one bill and wasn't taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaidPart {
    /// The bill.
    pub bill: CustomerBillId,
    /// Payment or credit.
    pub kind: AllocationKind,
    /// The payment, or what applied the credit.
    pub source: Uuid,
    /// Minor units, above 0.
    pub amount_minor: i64,
}

/// What a reversal of a payment opens again, in this order: what the payment paid, then what credit of its account
/// paid; of each, the last in front.
pub async fn paid_by(
    session: &Session,
    account: BillingAccountId,
    payment: PaymentId,
) -> Result<Vec<PaidPart>, StoreError> {
    let rows = session
        .query(
            "SELECT bill_id, kind, source_id, sum(amount_minor)::bigint FROM allocation \
             WHERE slot = $1 AND account_id = $2 AND (kind = 'credit' OR kind = 'payment' AND source_id = $3) \
             GROUP BY bill_id, kind, source_id HAVING sum(amount_minor) > 0 \
             ORDER BY kind DESC, max(at) DESC, bill_id DESC",
            &[&account.slot().sql(), &account.uuid(), &payment.uuid()],
        )
        .await?;
    let read = |row: &tokio_postgres::Row| PaidPart {
        bill: row.get::<_, Uuid>(0).into(),
        kind: match row.get::<_, &str>(1) {
            "payment" => AllocationKind::Payment,
            _ => AllocationKind::Credit,
        },
        source: row.get(2),
        amount_minor: row.get(3),
    };
    Ok(rows.iter().map(read).collect())
}

/// Counts what went back of a payment, by a refund or a chargeback: never more than came.
pub async fn count_reversed(session: &Session, id: PaymentId, minor: i64) -> Result<(), StoreError> {
    let sql = "UPDATE payment SET reversed_minor = reversed_minor + $3 WHERE slot = $1 AND id = $2";
    session
        .execute(sql, &[&id.slot().sql(), &id.uuid(), &minor])
        .await?;
    Ok(())
}

/// What went back of payments, minor units: those of which something did.
pub async fn reversed(
    session: &Session,
    payments: &[PaymentId],
) -> Result<Vec<(PaymentId, i64)>, StoreError> {
    let slots: Vec<i16> = payments.iter().map(|payment| payment.slot().sql()).collect();
    let ids: Vec<Uuid> = payments.iter().map(|payment| payment.uuid()).collect();
    let sql =
        "SELECT id, reversed_minor FROM payment WHERE slot = ANY($1) AND id = ANY($2) AND reversed_minor > 0";
    let rows = session.query(sql, &[&slots, &ids]).await?;
    Ok(rows
        .iter()
        .map(|row| (row.get::<_, Uuid>(0).into(), row.get(1)))
        .collect())
}
