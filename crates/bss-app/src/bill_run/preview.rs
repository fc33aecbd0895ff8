//! What a bill would be: the closing's own function, without the write.

use std::collections::{BTreeMap, HashMap};

use bss_domain::customer_bill::{CustomerBill, compute};
use bss_domain::fulfilment::decompose;
use bss_domain::ids::{BillingAccountId, CustomerId, ProductId};
use bss_domain::obligation::{Billed, BilledProduct};
use bss_domain::product_order::{ItemAction, NewProductOrder};
use bss_domain::rating::ClosingState;
use bss_domain::segment::{Segment, SegmentState};
use bss_domain::{Instant, Interval, Refusal, TypedId};
use bss_store::Session;
use bss_store::bill_run::{self, AccountRow};
use serde_json::Value;

use super::close::{AccountData, close};
use super::load::load;
use super::round::uncharged;
use super::{BillRunOptions, PriceBook};
use crate::order_processing::facts;
use crate::{App, AppError, RequestContext, product_order};

/// A bill that wasn't drawn up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillPreview {
    /// Whose it is.
    pub customer: CustomerId,
    /// The bill.
    pub bill: CustomerBill,
}

/// The bill of an account's present period as it would be if it closed now: the same function, without the write.
pub async fn preview(
    app: &App,
    context: &RequestContext,
    account: BillingAccountId,
    options: &BillRunOptions,
) -> Result<BillPreview, AppError> {
    let session = app.store.snapshot(context.scope()).await?;
    let slot = account.slot().sql();
    let rows = bill_run::accounts(&session, slot..=slot, Some(account)).await?;
    if rows.is_empty() {
        return Err(AppError::not_found("BillingAccount", account));
    }
    let prices = PriceBook::load(&session).await?;
    let watermarks = bill_run::watermarks(&session).await?;
    let data = load(&session, slot..=slot, rows, &watermarks, &prices).await?;
    let credit = bss_store::payment::credit(&session, account).await?;
    session.finish()?;
    let Some(data) = data.first() else {
        return Err(AppError::not_found("BillingAccount", account));
    };
    if let Some(reason) = uncharged(data, &prices) {
        return Err(Refusal::conflict("priceUnreadable", reason).into());
    }
    let mut closed = close(data, &prices, app.clock.now(), options.due_days)?;
    closed.inputs.credit_minor = credit;
    Ok(BillPreview {
        customer: data.row.customer,
        bill: compute(&closed.inputs)?,
    })
}

/// What an order would put on its first bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPreview {
    /// The bill of the period in which the products become active, with nothing on it but the order.
    pub first: BillPreview,
    /// What a later period without usage comes to, with tax, minor units.
    pub recurring_minor: i64,
}

/// What a product order (as TMF622 has it) would put on its account's bill if its products became active now. Refused
/// as the order itself would be; an order of several accounts, or of changes, has no preview.
pub async fn preview_order(
    app: &App,
    context: &RequestContext,
    body: &Value,
    options: &BillRunOptions,
) -> Result<OrderPreview, AppError> {
    let new = NewProductOrder::read(body)?;
    let now = app.clock.now();
    // Not read-only: references are held while they are looked at, as for the order itself.
    let work = app.store.begin(context.scope()).await?;
    let customer = product_order::check(context, &work, &new).await?;
    let row = payer(&work, &new).await?;
    let products = planned(app, &work, &new, &row, now).await?;
    let prices = PriceBook::load(&work).await?;
    work.rollback().await?;
    let mut data = alone(row.clone(), products, row.cycle.period_of(now));
    let bill = next_bill(&mut data, &prices, now, options)?;
    // The period after the next one is the first that holds nothing of the beginning.
    next_bill(&mut data, &prices, now, options)?;
    let later = next_bill(&mut data, &prices, now, options)?;
    Ok(OrderPreview {
        first: BillPreview { customer, bill },
        recurring_minor: later.total_minor,
    })
}

/// Closes the account's period as if it had ended, and goes on to the next one with what was billed.
fn next_bill(
    data: &mut AccountData,
    prices: &PriceBook,
    now: Instant,
    options: &BillRunOptions,
) -> Result<CustomerBill, AppError> {
    let inputs = close(data, prices, now, options.due_days)?.inputs;
    for obligation in &inputs.obligations {
        let billed = Billed {
            revision: obligation.revision,
            owed: obligation.owed,
            minor: obligation.owed.to_minor(inputs.currency),
        };
        let before = data.billed.entry(obligation.product).or_default();
        before.insert((obligation.charge, obligation.period.from), billed);
    }
    data.period = data.row.cycle.next_period(data.period.from);
    Ok(compute(&inputs)?)
}

/// The account that pays for all items.
async fn payer(session: &Session, new: &NewProductOrder) -> Result<AccountRow, AppError> {
    let mut payers: Vec<BillingAccountId> = new
        .product_order_item
        .iter()
        .filter_map(|item| item.billing_account.as_ref().or(new.billing_account.as_ref()))
        .filter_map(|account| account.id.parse().ok())
        .collect();
    payers.sort_unstable();
    payers.dedup();
    let [account] = payers[..] else {
        let message =
            "productOrderItem: an order of several accounts comes on several bills: preview them one by one";
        return Err(Refusal::invalid("severalAccounts", "productOrderItem", payers.len(), message).into());
    };
    let slot = account.slot().sql();
    let found = bill_run::accounts(session, slot..=slot, Some(account)).await?;
    found
        .into_iter()
        .next()
        .ok_or_else(|| AppError::not_found("BillingAccount", account))
}

/// The products that the order would make, active from now on.
async fn planned(
    app: &App,
    session: &Session,
    new: &NewProductOrder,
    row: &AccountRow,
    now: Instant,
) -> Result<Vec<BilledProduct>, AppError> {
    let mut products = Vec::new();
    for (index, item) in new.product_order_item.iter().enumerate() {
        let field = format!("productOrderItem[{index}]");
        if item.action != ItemAction::Add {
            let message = format!("{field}.action: only what is added has a preview");
            return Err(Refusal::invalid("noPreview", format!("{field}.action"), "", message).into());
        }
        let offering = item
            .product_offering
            .as_ref()
            .ok_or_else(|| Refusal::missing(format!("{field}.productOffering")))?;
        let found = facts(session, &offering.id, now, &field).await?;
        for product in decompose(&found, row.currency, item.quantity, &field)? {
            let id: ProductId = app.ids.new_id(now, row.id.slot());
            products.push(BilledProduct {
                id,
                ordered: now,
                terminated: None,
                segments: vec![Segment {
                    from: now,
                    to: None,
                    state: SegmentState::Active,
                    account: row.id,
                    prices: product.prices,
                    quantity: item.quantity,
                }],
            });
        }
    }
    Ok(products)
}

/// An account with nothing but these products.
fn alone(row: AccountRow, products: Vec<BilledProduct>, period: Interval) -> AccountData {
    AccountData {
        row: AccountRow {
            closed: None,
            closing: ClosingState::default(),
            ..row
        },
        period,
        products,
        billed: HashMap::new(),
        usage: Vec::new(),
        late_openings: BTreeMap::new(),
        deferred: Vec::new(),
        used_at_once: Vec::new(),
        watermark: 0,
    }
}
