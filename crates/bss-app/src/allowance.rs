//! Allowances as a customer has them now.

use bss_domain::TypedId;
use bss_domain::allowance::{AllowanceInstance, instances};
use bss_domain::ids::CustomerId;
use bss_store::{bill_run, billing_account, bucket};

use crate::bill_run::PriceBook;
use crate::{App, AppError, RequestContext};

/// A window of an allowance that is open now.
#[derive(Debug, Clone, PartialEq)]
pub struct AllowanceStanding {
    /// The allowance with what was taken of it.
    pub instance: AllowanceInstance,
    /// What its price is called.
    pub name: String,
}

/// The windows that are open now on a customer's accounts, whether or not anything was taken of them.
pub async fn of_customer(
    app: &App,
    context: &RequestContext,
    customer: CustomerId,
) -> Result<Vec<AllowanceStanding>, AppError> {
    let now = app.clock.now();
    let session = app.store.snapshot(context.scope()).await?;
    let accounts = billing_account::of_customer(&session, customer).await?;
    let slot = customer.slot().sql();
    let prices = PriceBook::load(&session).await?;
    let taken = bucket::buckets(&session, &accounts, now, |price| prices.allowance(price)).await?;
    let mut open: Vec<AllowanceInstance> = Vec::new();
    for account in accounts {
        let rows = bill_run::accounts(&session, slot..=slot, Some(account)).await?;
        let products: Vec<_> = bill_run::products(&session, slot..=slot, Some(account))
            .await?
            .into_iter()
            .map(|row| row.product)
            .collect();
        for row in rows {
            let period = row.cycle.period_of(now);
            let find = |price| prices.get(price);
            open.extend(instances(&products, find, account, &row.cycle, period));
        }
    }
    session.finish()?;
    // What was taken stands in the stored ones, and what rolled over exists there alone.
    for stored in taken {
        match open.iter_mut().find(|instance| instance.id == stored.value.id) {
            Some(instance) => *instance = stored.value,
            None => open.push(stored.value),
        }
    }
    open.retain(|instance| instance.window.contains(now));
    open.sort_by_key(|instance| (instance.definition.priority, instance.window.to, instance.id));
    Ok(open
        .into_iter()
        .map(|instance| AllowanceStanding {
            name: prices
                .get(instance.price)
                .map_or_else(String::new, |price| price.name.clone()),
            instance,
        })
        .collect())
}
