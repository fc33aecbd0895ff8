//! A channel pays out what it collected: captured payments are done, clearing goes to the bank and to fees.

use bss_domain::ids::PaymentId;
use bss_domain::payment::{PaymentStatus, share_fees};
use bss_domain::{Money, Refusal, TypedId, ledger};
use bss_store::payment::{self, PaymentRow};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{head, payer, status};
use crate::{App, AppError, RequestContext, idempotency};

/// Most payments of one settlement.
const PAYMENTS_MAX: usize = 1_000;

/// What a channel's statement says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The channel.
    pub channel: String,
    /// The payments that it pays out, of one currency.
    pub payments: Vec<PaymentId>,
    /// What it pays into the bank.
    pub paid: Money,
    /// What it keeps, minor units of the same currency.
    pub fees_minor: i64,
}

/// What was settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettlementReceipt {
    /// How many payments are done now.
    pub payments: u64,
    /// What came into the bank, minor units.
    pub paid_minor: i64,
    /// What the channel kept, minor units.
    pub fees_minor: i64,
}

/// Settles payments of a channel. The statement must be right to the cent: what is paid out and kept is what the
/// payments brought, less what went back of them before. Each payment has an entry of its own, so it is settled once.
pub async fn settle_channel(
    app: &App,
    context: &RequestContext,
    settlement: &Settlement,
) -> Result<SettlementReceipt, AppError> {
    let mut work = app.store.begin(context.scope()).await?;
    if let Some(receipt) = idempotency::replay(&work, context).await? {
        return Ok(receipt);
    }
    let now = app.clock.now();
    let rows = payment::lock_many(&work, &settlement.payments).await?;
    check(settlement, &rows)?;
    let amounts: Vec<i64> = rows.iter().map(PaymentRow::kept_minor).collect();
    let fees = share_fees(settlement.fees_minor, &amounts);
    let mut entries = Vec::with_capacity(rows.len());
    for ((row, amount), fee) in rows.iter().zip(&amounts).zip(&fees) {
        let payer = payer(&work, row.account).await?;
        let next = row.status.to(PaymentStatus::Done)?;
        let said = json!({"status": next.name(), "statusDate": now});
        payment::set_status(&work, row, next, &said, now).await?;
        let head = head(app, &payer, now, row.id.uuid());
        entries.extend(ledger::channel_settled(head, &row.channel, amount - fee, *fee)?);
        work.emit(status::changed(app, context, &payer, (row.id, next), now));
    }
    bss_store::ledger::post(&work, &entries).await?;
    let receipt = SettlementReceipt {
        payments: rows.len() as u64,
        paid_minor: settlement.paid.minor,
        fees_minor: settlement.fees_minor,
    };
    idempotency::keep(&work, context, 201, &receipt).await?;
    work.commit().await?;
    Ok(receipt)
}

fn check(settlement: &Settlement, rows: &[PaymentRow]) -> Result<(), Refusal> {
    let named = settlement.payments.len();
    if named == 0 || named > PAYMENTS_MAX {
        let message = format!("a settlement names 1 to {PAYMENTS_MAX} payments");
        return Err(Refusal::invalid("wrongCount", "payments", named, message));
    }
    if rows.len() != named {
        let message = format!("{} of these payments exist, each named once", rows.len());
        return Err(Refusal::invalid("unknownPayment", "payments", named, message));
    }
    let currency = settlement.paid.currency;
    if let Some(row) = rows
        .iter()
        .find(|row| row.channel != settlement.channel || row.currency != currency)
    {
        let message = format!("it isn't a payment by {} in {currency}", settlement.channel);
        return Err(Refusal::invalid("wrongPayment", "payments", row.id, message));
    }
    let kept: i64 = rows.iter().map(PaymentRow::kept_minor).sum();
    let (paid, fees) = (settlement.paid.minor, settlement.fees_minor);
    if paid < 0 || fees < 0 || paid.checked_add(fees) != Some(kept) {
        let message = format!("these payments brought {}", Money::new(kept, currency));
        return Err(Refusal::invalid("wrongAmount", "paid", settlement.paid, message));
    }
    Ok(())
}
