//! Refunds (TMF676): money that was given back from an account's credit.

use bss_domain::ids::{BillingAccountId, CustomerId, PaymentId, RefundId};
use bss_domain::payment::PaymentStatus;
use bss_domain::{Currency, Instant, TypedId};
use serde_json::Value;

use crate::resource::{Column, Kind, Table};
use crate::{Session, StoreError, Timestamptz};

/// The table of refunds.
pub const REFUND: Table = Table {
    name: "refund",
    sharded: true,
    columns: &[
        Column::new("status", "status", Kind::Text),
        Column::new("refundDate", "refund_date", Kind::Instant),
        Column::new("account.id", "account_id", Kind::Uuid),
        Column::new("payment.id", "payment_id", Kind::Uuid),
        Column::new("relatedParty[role=customer].id", "customer_id", Kind::Uuid),
        Column::new("channel.name", "channel", Kind::Text),
    ],
};

/// A refund that is to be written.
#[derive(Debug, Clone)]
pub struct NewRefund {
    /// Its id.
    pub id: RefundId,
    /// Its account.
    pub account: BillingAccountId,
    /// Whose account it is.
    pub customer: CustomerId,
    /// The payment whose rest it gives back; none: the account's credit as a whole.
    pub payment: Option<PaymentId>,
    /// Its status.
    pub status: PaymentStatus,
    /// How it goes back.
    pub channel: String,
    /// Its currency.
    pub currency: Currency,
    /// How much, minor units.
    pub amount_minor: i64,
    /// When.
    pub date: Instant,
    /// The document.
    pub body: Value,
}

/// Writes a refund.
pub async fn insert(session: &Session, new: &NewRefund) -> Result<(), StoreError> {
    session
        .execute(
            "INSERT INTO refund (tenant_id, slot, id, revision, body, created_at, updated_at, updated_by, status, \
             account_id, customer_id, payment_id, channel, currency, refund_date, amount_minor) \
             VALUES ($1, $2, $3, 1, $4, $5, $5, $6, $7, $8, $9, $10, $11, $12, $5, $13)",
            &[
                &session.tenant().uuid(),
                &new.account.slot().sql(),
                &new.id.uuid(),
                &new.body,
                &Timestamptz(new.date),
                &session.actor(),
                &new.status.name(),
                &new.account.uuid(),
                &new.customer.uuid(),
                &new.payment.map(TypedId::uuid),
                &new.channel,
                &new.currency.code().to_owned(),
                &new.amount_minor,
            ],
        )
        .await?;
    Ok(())
}
