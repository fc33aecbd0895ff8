//! Bills (TMF678) as the resource kit sees them: drawn up by runs; all that a caller may do is to say that one was sent.

use async_trait::async_trait;
use bss_domain::customer_bill::CustomerBillState;
use bss_domain::ids::{CustomerBillId, TypedId};
use bss_domain::{Currency, Money, Refusal};
use bss_events::Topic;
use bss_store::credit_note;
use bss_store::customer_bill::{self, APPLIED_CUSTOMER_BILLING_RATE, CUSTOMER_BILL};
use bss_store::resource::{self, Stored};
use bss_store::{Session, payment};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::resource::{Computed, Documents, ResourceUseCases, hold};
use crate::{App, AppError, RequestContext};

/// Bills as callers read them: with what paid for them.
pub static CUSTOMER_BILL_READS: Computed = Computed {
    documents: Documents(&CUSTOMER_BILL),
    attributes: &["appliedPayment"],
    fill: |session, page| Box::pin(fill(session, page)),
};

/// Writes what paid for them into the bills of a page.
async fn fill(session: &Session, page: &mut [Stored]) -> Result<(), AppError> {
    let bills: Vec<CustomerBillId> = page.iter().map(|stored| stored.id.into()).collect();
    let paid = payment::paid_for(session, &bills).await?;
    for stored in page {
        let currency = stored.body["amountDue"]["unit"].as_str().unwrap_or_default();
        let currency = Currency::of(currency)?;
        let applied = paid
            .iter()
            .filter(|paid| paid.bill.uuid() == stored.id)
            .map(|paid| {
                let referred = match paid.kind.as_str() {
                    "payment" => "Payment",
                    "creditNote" => "CreditNote",
                    "writeOff" => "WriteOff",
                    _ => "CustomerCredit",
                };
                json!({
                    "appliedAmount": Money::new(paid.amount_minor, currency),
                    "payment": { "id": paid.source, "@referredType": referred },
                })
            });
        let applied: Vec<Value> = applied.collect();
        if !applied.is_empty() {
            stored.body["appliedPayment"] = applied.into();
        }
    }
    Ok(())
}

/// Lines of bills as callers read them: with what can still be taken back of each.
pub static RATE_READS: Computed = Computed {
    documents: Documents(&APPLIED_CUSTOMER_BILLING_RATE),
    attributes: &["creditableAmount"],
    fill: |session, page| Box::pin(fill_rates(session, page)),
};

/// Writes what no credit note has taken back yet into the lines of a page.
async fn fill_rates(session: &Session, page: &mut [Stored]) -> Result<(), AppError> {
    let bill_of = |stored: &Stored| stored.body["bill"]["id"].as_str()?.parse::<CustomerBillId>().ok();
    let mut bills: Vec<CustomerBillId> = page.iter().filter_map(bill_of).collect();
    bills.sort_unstable();
    bills.dedup();
    let credited = credit_note::credited(session, &bills).await?;
    for stored in page {
        let (bill, line) = (bill_of(stored), stored.body["line"].as_u64());
        let billed: Money =
            serde_json::from_value(stored.body["taxIncludedAmount"].clone()).map_err(AppError::internal)?;
        let taken: i64 = credited
            .iter()
            .filter(|(of, known)| Some(*of) == bill && Some(u64::from(known.line)) == line)
            .map(|(_, known)| known.net_minor + known.tax_minor)
            .sum();
        stored.body["creditableAmount"] = json!(Money::new(billed.minor - taken, billed.currency));
    }
    Ok(())
}

/// The commands on bills.
pub struct CustomerBills;

fn by_runs() -> AppError {
    Refusal::conflict(
        "drawnUpByRuns",
        "bills are drawn up by bill runs, and corrected by credit notes",
    )
    .into()
}

/// The state that a patch asks for; any other attribute is read-only.
fn wanted(patch: &Value) -> Result<CustomerBillState, Refusal> {
    let attributes = patch.as_object().ok_or_else(|| Refusal::missing("state"))?;
    if let Some((name, value)) = attributes.iter().find(|(name, _)| *name != "state") {
        return Err(Refusal::invalid(
            "readOnly",
            name,
            value,
            "a bill's amounts and dates never change",
        ));
    }
    let state = patch["state"].as_str().ok_or_else(|| Refusal::missing("state"))?;
    CustomerBillState::named(state)
        .ok_or_else(|| Refusal::invalid("unknownState", "state", state, "a bill has no such state"))
}

#[async_trait]
impl ResourceUseCases for CustomerBills {
    async fn create(&self, _app: &App, _context: &RequestContext, _body: Value) -> Result<Stored, AppError> {
        Err(by_runs())
    }

    async fn patch(
        &self,
        app: &App,
        context: &RequestContext,
        id: Uuid,
        patch: Value,
        expected: Option<i64>,
    ) -> Result<Stored, AppError> {
        let state = wanted(&patch)?;
        let now = app.clock.now();
        let bill = CustomerBillId::from(id);
        let mut work = app.store.begin(context.scope()).await?;
        let not_found = || AppError::not_found("CustomerBill", id);
        let stored = hold(&work, &CUSTOMER_BILL, "CustomerBill", id, expected).await?;
        let row = customer_bill::lock(&work, bill).await?.ok_or_else(not_found)?;
        if state == row.state {
            work.rollback().await?;
            return Ok(stored);
        }
        // What money decides is no caller's to say.
        if state != CustomerBillState::Sent || row.state != CustomerBillState::Validated {
            let refusal = Refusal::illegal_transition("a customerBill", row.state.name(), state.name());
            return Err(refusal.into());
        }
        customer_bill::set_open(&work, &row, row.state.to(state)?, row.open_minor, now).await?;
        let stored = resource::get(&work, &CUSTOMER_BILL, id)
            .await?
            .ok_or_else(not_found)?;
        work.emit(app.event(
            context,
            now,
            (Topic::Invoice, "CustomerBillStateChangeEvent"),
            (row.customer.into(), id),
            json!({"customerBill": bill, "billingAccount": row.account, "state": state.name()}),
        ));
        work.commit().await?;
        Ok(stored)
    }

    async fn delete(
        &self,
        _app: &App,
        _context: &RequestContext,
        _id: Uuid,
        _expected: Option<i64>,
    ) -> Result<(), AppError> {
        Err(by_runs())
    }
}
