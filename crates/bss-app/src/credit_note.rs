//! Credit notes: a bill never changes, so what was wrong on it is taken back by a document of its own.

use bss_domain::customer_bill::{CustomerBill, CustomerBillState};
use bss_domain::ids::{CustomerBillId, PaymentId};
use bss_domain::ledger::{self, CreditedAmounts};
use bss_domain::payment::allocate;
use bss_domain::tax::{TaxRule, TaxTotal, split};
use bss_domain::{Currency, Instant, Money, Refusal, TypedId};
use bss_events::{NewEvent, Topic};
use bss_store::credit_note::{self, CreditedLine, NewCreditNote};
use bss_store::payment::AllocationKind;
use bss_store::{customer_bill, payment as store_payment};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::payment::{Payer, head, payer, settle};
use crate::{App, AppError, RequestContext, idempotency};

/// The series of credit notes' numbers.
const SERIES: &str = "CN";

/// What is to be taken back of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreditRequest {
    /// The line's number.
    pub line: u32,
    /// How much with tax; none: all that is left of it.
    pub amount: Option<Money>,
}

/// A credit note that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreditReceipt {
    /// Its id.
    pub id: Uuid,
    /// Its number.
    pub number: String,
    /// What its amounts are in.
    pub currency: Currency,
    /// The whole with tax, minor units.
    pub gross_minor: i64,
    /// What it took off the bill.
    pub applied_minor: i64,
    /// What became credit of the account.
    pub credit_minor: i64,
}

/// Takes back lines of a bill, wholly or in part: first what is open of the bill, the rest becomes credit of the
/// account. Never more than was billed and not taken back before.
pub async fn create(
    app: &App,
    context: &RequestContext,
    bill: CustomerBillId,
    requests: &[CreditRequest],
    reason: &str,
) -> Result<CreditReceipt, AppError> {
    let mut work = app.store.begin(context.scope()).await?;
    if let Some(receipt) = idempotency::replay(&work, context).await? {
        return Ok(receipt);
    }
    let now = app.clock.now();
    let not_found = || AppError::not_found("CustomerBill", bill);
    let stored = customer_bill::computation(&work, bill)
        .await?
        .ok_or_else(not_found)?;
    let computed: CustomerBill = serde_json::from_slice(&stored.computed).map_err(AppError::internal)?;
    let payer = payer(&work, computed.account).await?;
    store_payment::lock_credit(&work, payer.account, payer.currency).await?;
    let row = customer_bill::lock(&work, bill).await?.ok_or_else(not_found)?;
    if row.state == CustomerBillState::OnHold {
        let message = "a bill on hold takes nothing yet: have it computed anew";
        return Err(Refusal::conflict("billOnHold", message).into());
    }
    let before = credit_note::credited(&work, &[bill]).await?;
    let before: Vec<_> = before.into_iter().map(|(_, line)| line).collect();
    let deferred = credit_note::deferred(&work, bill).await?;
    let lines = credit_lines(&computed, requests, &before, &deferred)?;
    let credited = amounts(&computed, &lines);
    let gross_minor = credited.gross_minor();
    if gross_minor <= 0 {
        return Err(Refusal::conflict(
            "nothingToCredit",
            "nothing is left of these lines to be taken back",
        )
        .into());
    }
    let allocation = allocate(gross_minor, &customer_bill::open(std::slice::from_ref(&row)));
    let rest_minor = allocation.rest_minor;
    let applied_minor = gross_minor - rest_minor;
    let id: PaymentId = app.ids.new_id(now, payer.account.slot());
    let source = (AllocationKind::CreditNote, id.uuid());
    settle(app, &work, &payer, &[row], &allocation, source, now).await?;
    store_payment::add_credits(&work, &[(payer.account, rest_minor)], now).await?;
    let entry = ledger::credit_note(head(app, &payer, now, id.uuid()), &credited, applied_minor)?;
    bss_store::ledger::post(&work, &Vec::from_iter(entry)).await?;
    work.emit(created(app, context, &payer, (id.uuid(), bill), gross_minor, now));
    let new = NewCreditNote {
        id: id.uuid(),
        account: payer.account,
        bill,
        currency: payer.currency,
        applied_minor,
        reason: reason.to_owned(),
        lines,
        at: now,
    };
    let number = credit_note::insert(&work, &new, SERIES).await?;
    let receipt = CreditReceipt {
        id: id.uuid(),
        number,
        currency: payer.currency,
        gross_minor,
        applied_minor,
        credit_minor: rest_minor,
    };
    idempotency::keep(&work, context, 201, &receipt).await?;
    work.commit().await?;
    Ok(receipt)
}

fn created(
    app: &App,
    context: &RequestContext,
    payer: &Payer,
    (id, bill): (Uuid, CustomerBillId),
    gross_minor: i64,
    now: Instant,
) -> NewEvent {
    app.event(
        context,
        now,
        (Topic::Invoice, "CreditNoteCreateEvent"),
        (payer.customer.uuid(), id),
        json!({"creditNote": id, "customerBill": bill, "billingAccount": payer.account,
               "amount": Money::new(gross_minor, payer.currency)}),
    )
}

fn credit_lines(
    bill: &CustomerBill,
    requests: &[CreditRequest],
    before: &[CreditedLine],
    deferred: &[(u32, i64)],
) -> Result<Vec<CreditedLine>, Refusal> {
    let mut lines: Vec<CreditedLine> = Vec::with_capacity(requests.len());
    for (place, request) in requests.iter().enumerate() {
        let line = credit_line(bill, request, before, deferred);
        let line = line.map_err(|refusal| refusal.below(&format!("line[{place}]")))?;
        if lines.iter().any(|known| known.line == line.line) {
            let (field, message) = (format!("line[{place}].number"), "the line is named twice");
            return Err(Refusal::invalid("lineTwice", field, line.line, message));
        }
        lines.push(line);
    }
    Ok(lines)
}

fn credit_line(
    bill: &CustomerBill,
    request: &CreditRequest,
    before: &[CreditedLine],
    deferred: &[(u32, i64)],
) -> Result<CreditedLine, Refusal> {
    let Some(line) = bill.lines.iter().find(|line| line.number == request.line) else {
        return Err(Refusal::invalid(
            "unknownLine",
            "number",
            request.line,
            "the bill has no such line",
        ));
    };
    let taken = |part: fn(&CreditedLine) -> i64| -> i64 {
        before
            .iter()
            .filter(|known| known.line == line.number)
            .map(part)
            .sum()
    };
    let net_left = line.net_minor - taken(|known| known.net_minor);
    let tax_left = line.tax_minor - taken(|known| known.tax_minor);
    let left = net_left + tax_left;
    let wanted = match request.amount {
        None => left,
        Some(amount) if amount.currency == bill.currency && amount.minor > 0 && amount.minor <= left => {
            amount.minor
        }
        Some(amount) => {
            let left = Money::new(left, bill.currency);
            let message = format!("{left} is left of the line");
            return Err(Refusal::invalid("wrongAmount", "amount", amount, message));
        }
    };
    let rule = TaxRule {
        included: true,
        ..line.tax.clone()
    };
    // The line's own tax was rounded with its category: what is taken back never exceeds either part.
    let net_minor = if wanted == left {
        net_left
    } else {
        split(wanted, &rule).0.clamp(wanted - tax_left, net_left)
    };
    let tax_minor = wanted - net_minor;
    let unearned = deferred
        .iter()
        .find(|(number, _)| *number == line.number)
        .map_or(0, |(_, net)| *net);
    Ok(CreditedLine {
        line: line.number,
        net_minor,
        tax_minor,
        deferred_minor: net_minor.min(unearned).max(0),
    })
}

fn amounts(bill: &CustomerBill, lines: &[CreditedLine]) -> CreditedAmounts {
    let mut credited = CreditedAmounts::default();
    for line in lines {
        credited.deferred_minor += line.deferred_minor;
        credited.revenue_minor += line.net_minor - line.deferred_minor;
        let Some(of) = bill.lines.iter().find(|of| of.number == line.line) else {
            continue;
        };
        credited.taxes.push(TaxTotal {
            category: of.tax.category.clone(),
            rate_ppm: of.tax.rate_ppm,
            net_minor: line.net_minor,
            tax_minor: line.tax_minor,
        });
    }
    credited
}
