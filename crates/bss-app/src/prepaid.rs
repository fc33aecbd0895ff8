//! Prepaid balances: top-ups, and what their use comes to in the ledger.

use std::collections::BTreeMap;

use bss_domain::ids::{BillingAccountId, LedgerEntryId, PaymentId};
use bss_domain::ledger::{EntryHead, LedgerEntry};
use bss_domain::money::MoneyError;
use bss_domain::tax::{TaxRule, TaxTotal, split};
use bss_domain::{Instant, Money, Nano, Refusal, TypedId, ledger};
use bss_events::Topic;
use bss_store::StoreError;
use bss_store::bucket::{self, PrepaidBalance, Versioned};
use bss_store::prepaid_use::{self, PostedUse, PrepaidUseRow};
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
        let before = prepaid_use::posted(&work, &accounts).await?;
        for own in rows.chunk_by_mut(|a, b| a.key.account == b.key.account) {
            let account = own[0].key.account;
            let mut running = Running::of(before.iter().filter(|posted| posted.account == account))?;
            for day in own.chunk_by_mut(|a, b| (a.key.day, a.currency) == (b.key.day, b.currency)) {
                let cause = app.ids.new_id::<LedgerEntryId>(now, account.slot());
                let id = app.ids.new_id(now, account.slot());
                entries.extend(post_day(day, &mut running, id, (cause, now))?);
            }
        }
        bss_store::ledger::post(&work, &entries).await?;
        prepaid_use::set_posted(&work, &rows).await?;
        work.commit().await?;
        posted += entries.len() as u64;
    }
}

/// What of an account's use the ledger has so far. All use is rounded together, so that the cents of many days never add
/// up to more than was taken.
#[derive(Default)]
struct Running {
    used: Nano,
    posted_minor: i64,
    /// By category and rate: gross and the tax in it.
    taxes: BTreeMap<(String, i64), (i64, i64)>,
}

impl Running {
    fn of<'a>(posted: impl Iterator<Item = &'a PostedUse>) -> Result<Self, MoneyError> {
        let mut running = Self::default();
        for before in posted {
            running.used = running.used.plus(before.used)?;
            running.posted_minor += before.posted_minor;
            let key = (before.tax_category.clone(), before.tax_rate_ppm);
            running
                .taxes
                .insert(key, (before.posted_minor, before.posted_tax_minor));
        }
        Ok(running)
    }

    /// What is to be posted of a day's use at one tax rate: gross, and the tax in it.
    fn take(&mut self, row: &PrepaidUseRow, rule: &TaxRule) -> Result<(i64, i64), MoneyError> {
        self.used = self.used.plus(row.used)?;
        let gross = self.used.to_minor(row.currency) - self.posted_minor;
        self.posted_minor += gross;
        let key = (rule.category.clone(), rule.rate_ppm);
        let (all_gross, all_tax) = self.taxes.entry(key).or_default();
        *all_gross += gross;
        let (_, tax_through) = split(*all_gross, rule);
        let tax = tax_through - *all_tax;
        *all_tax = tax_through;
        Ok((gross, tax))
    }
}

/// The entry of one account's day, and the rows as they are then. None where rounding leaves nothing to post.
fn post_day(
    day: &mut [PrepaidUseRow],
    running: &mut Running,
    id: LedgerEntryId,
    (cause, now): (LedgerEntryId, Instant),
) -> Result<Option<LedgerEntry>, MoneyError> {
    let mut net_minor = 0;
    let mut taxes = Vec::with_capacity(day.len());
    let (account, currency) = (day[0].key.account, day[0].currency);
    for row in day {
        let rule = TaxRule {
            category: row.key.tax_category.clone(),
            rate_ppm: row.key.tax_rate_ppm,
            included: true,
        };
        let (gross, tax) = running.take(row, &rule)?;
        let new_net = (gross - tax) - (row.posted_minor - row.posted_tax_minor);
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

#[cfg(test)]
mod tests {
    use bss_domain::Currency;
    use bss_store::prepaid_use::PrepaidUseKey;

    use super::*;

    fn row(day: i8, rate_ppm: i64, nano: i64) -> PrepaidUseRow {
        PrepaidUseRow {
            key: PrepaidUseKey {
                account: uuid::Uuid::nil().into(),
                day: jiff::civil::date(2026, 1, day),
                tax_category: "S".to_owned(),
                tax_rate_ppm: rate_ppm,
            },
            currency: Currency::of("EUR").unwrap(),
            used: Nano(nano),
            posted_minor: 0,
            posted_tax_minor: 0,
        }
    }

    fn rule(row: &PrepaidUseRow) -> TaxRule {
        TaxRule {
            category: row.key.tax_category.clone(),
            rate_ppm: row.key.tax_rate_ppm,
            included: true,
        }
    }

    #[test]
    fn half_cents_of_many_days_and_rates_never_sum_to_more_than_was_taken() {
        let mut running = Running::default();
        let (mut gross, mut used) = (0, 0);
        for day in 1..=28 {
            for rate_ppm in [230_000, 80_000] {
                let row = row(day, rate_ppm, 5_000_000);
                gross += running.take(&row, &rule(&row)).unwrap().0;
                used += 5_000_000;
                let rounded = (used + 5_000_000) / 10_000_000;
                assert_eq!(gross, rounded, "day {day}: {used} nano units were taken");
            }
        }
        assert_eq!(gross, 28);
    }

    #[test]
    fn a_later_run_goes_on_where_the_ledger_stands() {
        let mut whole = Running::default();
        let days: Vec<PrepaidUseRow> = (1..=10).map(|day| row(day, 230_000, 3_333_333)).collect();
        let at_once: Vec<(i64, i64)> = days
            .iter()
            .map(|row| whole.take(row, &rule(row)).unwrap())
            .collect();
        for cut in 0..days.len() {
            let before = PostedUse {
                account: uuid::Uuid::nil().into(),
                tax_category: "S".to_owned(),
                tax_rate_ppm: 230_000,
                used: Nano(days[..cut].iter().map(|row| row.used.0).sum()),
                posted_minor: at_once[..cut].iter().map(|(gross, _)| gross).sum(),
                posted_tax_minor: at_once[..cut].iter().map(|(_, tax)| tax).sum(),
            };
            let mut running = Running::of([before].iter()).unwrap();
            for (row, wanted) in days.iter().zip(&at_once).skip(cut) {
                assert_eq!(running.take(row, &rule(row)).unwrap(), *wanted);
            }
        }
    }
}
