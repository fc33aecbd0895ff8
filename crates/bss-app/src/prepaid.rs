//! Prepaid balances: top-ups, and what their use comes to in the ledger.

use bss_domain::ids::{BillingAccountId, PaymentId};
use bss_domain::{Money, Nano, Refusal, TypedId, ledger};
use bss_events::Topic;
use bss_store::StoreError;
use bss_store::bucket::{self, PrepaidBalance, Versioned};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::payment::{head, payer};
use crate::{App, AppError, RequestContext, idempotency};

/// How often a top-up is tried again where charging wrote the same balance meanwhile.
const ATTEMPTS: u32 = 20;

/// A balance after a top-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TopUpReceipt {
    /// The top-up.
    pub id: PaymentId,
    /// The balance now, nano units.
    pub balance_nano: i64,
}

/// Fills an account's prepaid balance; the first top-up makes the account prepaid.
pub async fn top_up(
    app: &App,
    context: &RequestContext,
    account: BillingAccountId,
    amount: Money,
    channel: &str,
) -> Result<TopUpReceipt, AppError> {
    for _ in 1..ATTEMPTS {
        match attempt(app, context, account, amount, channel).await {
            Err(AppError::Unavailable(StoreError::Changed { .. })) => {}
            done => return done,
        }
    }
    attempt(app, context, account, amount, channel).await
}

async fn attempt(
    app: &App,
    context: &RequestContext,
    account: BillingAccountId,
    amount: Money,
    channel: &str,
) -> Result<TopUpReceipt, AppError> {
    let mut work = app.store.begin(context.scope()).await?;
    if let Some(receipt) = idempotency::replay(&work, context).await? {
        return Ok(receipt);
    }
    let now = app.clock.now();
    let payer = payer(&work, account).await?;
    if amount.currency != payer.currency || amount.minor <= 0 {
        let message = format!("a top-up is more than nothing, in {}", payer.currency);
        return Err(Refusal::invalid("wrongAmount", "amount", amount, message).into());
    }
    let known = bucket::balances(&work, &[account]).await?.into_iter().next();
    let mut row = known.unwrap_or(Versioned {
        account,
        version: 0,
        value: PrepaidBalance {
            currency: payer.currency,
            balance: Nano::ZERO,
            limit: Nano::ZERO,
        },
    });
    row.value.balance = row
        .value
        .balance
        .plus(Nano::from_minor(amount.minor, amount.currency)?)?;
    bucket::save_balances(&work, std::slice::from_ref(&row)).await?;
    let id: PaymentId = app.ids.new_id(now, account.slot());
    let entry = ledger::top_up(head(app, &payer, now, id.uuid()), channel, amount.minor)?;
    bss_store::ledger::post(&work, &Vec::from_iter(entry)).await?;
    work.emit(app.event(
        context,
        now,
        (Topic::Payment, "TopupBalanceCreateEvent"),
        (payer.customer.uuid(), id.uuid()),
        json!({"topup": id, "billingAccount": account, "amount": amount}),
    ));
    let receipt = TopUpReceipt {
        id,
        balance_nano: row.value.balance.0,
    };
    idempotency::keep(&work, context, 201, &receipt).await?;
    work.commit().await?;
    Ok(receipt)
}
