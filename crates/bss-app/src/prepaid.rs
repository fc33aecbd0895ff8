//! Prepaid balances: top-ups, and what their use comes to in the ledger.

use bss_domain::ids::{BillingAccountId, LedgerEntryId, PaymentId};
use bss_domain::ledger::{EntryHead, LedgerEntry};
use bss_domain::money::MoneyError;
use bss_domain::tax::{TaxRule, TaxTotal, split};
use bss_domain::{Instant, Money, Nano, Refusal, TypedId, ledger};
use bss_events::Topic;
use bss_store::StoreError;
use bss_store::bucket::{self, PrepaidBalance, Versioned};
use bss_store::prepaid_use::{self, PrepaidUseRow};
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

/// Accounts whose use is posted in one transaction.
const PAGE: i64 = 500;

/// Posts what charging took from prepaid balances and the ledger doesn't have yet: per account and day the use so far,
/// rounded once, less what was posted of that day before. Gives the number of entries; a second call posts nothing.
pub async fn post_use(app: &App, context: &RequestContext) -> Result<u64, AppError> {
    let mut after = None;
    let mut posted = 0;
    loop {
        let work = app.store.begin_work(context.scope()).await?;
        let accounts = prepaid_use::waiting(&work, after, PAGE).await?;
        let Some(last) = accounts.last() else {
            work.rollback().await?;
            return Ok(posted);
        };
        after = Some(*last);
        let mut rows = prepaid_use::hold(&work, &accounts).await?;
        let now = app.clock.now();
        let mut entries = Vec::new();
        let same_day = |a: &PrepaidUseRow, b: &PrepaidUseRow| {
            (a.key.account, a.key.day, a.currency) == (b.key.account, b.key.day, b.currency)
        };
        for day in rows.chunk_by_mut(same_day) {
            let cause = app.ids.new_id::<LedgerEntryId>(now, day[0].key.account.slot());
            let id = app.ids.new_id(now, day[0].key.account.slot());
            entries.extend(post_day(day, id, (cause, now))?);
        }
        bss_store::ledger::post(&work, &entries).await?;
        prepaid_use::set_posted(&work, &rows).await?;
        work.commit().await?;
        posted += entries.len() as u64;
    }
}

/// The entry of one account's day, and the rows as they are then. None where rounding leaves nothing to post.
fn post_day(
    day: &mut [PrepaidUseRow],
    id: LedgerEntryId,
    (cause, now): (LedgerEntryId, Instant),
) -> Result<Option<LedgerEntry>, MoneyError> {
    let mut net_minor = 0;
    let mut taxes = Vec::with_capacity(day.len());
    let (account, currency) = (day[0].key.account, day[0].currency);
    for row in day {
        let gross = row.used.to_minor(row.currency);
        let rule = TaxRule {
            category: row.key.tax_category.clone(),
            rate_ppm: row.key.tax_rate_ppm,
            included: true,
        };
        let (net, tax) = split(gross, &rule);
        let new_net = net - (row.posted_minor - row.posted_tax_minor);
        net_minor += new_net;
        taxes.push(TaxTotal {
            category: rule.category,
            rate_ppm: rule.rate_ppm,
            net_minor: new_net,
            tax_minor: tax - row.posted_tax_minor,
        });
        (row.posted_minor, row.posted_tax_minor) = (gross, tax);
    }
    let head = EntryHead {
        id,
        account,
        currency,
        at: now,
        cause: cause.uuid(),
    };
    ledger::prepaid_use(head, net_minor, &taxes)
}
