//! Why a bill is what it is: for each line the price, the computation and the records behind it, to the cent.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bss_domain::catalog::Tariff;
use bss_domain::customer_bill::{BillInputs, BillLine, CustomerBill, LineKind};
use bss_domain::ids::{CustomerBillId, ProductId, ProductOfferingPriceId, unix_ms_of};
use bss_domain::obligation::Obligation;
use bss_domain::rating::{Part, RatedItem, Why};
use bss_domain::{Instant, Interval, Money, Nano, TypedId};
use bss_store::bill_run::{ClaimedUsage, claimed_usage, watermark_before};
use bss_store::{Session, customer_bill};
use serde_json::{Value, json};

use crate::bill_run::PriceBook;
use crate::{App, AppError, RequestContext};

/// Records that one explanation shows; the lines' sums are always whole.
const RECORDS_MAX: i64 = 5_000;

/// Explains a bill: its lines, each with what it came from.
pub async fn explain(app: &App, context: &RequestContext, id: CustomerBillId) -> Result<Value, AppError> {
    let session = app.store.snapshot(context.scope()).await?;
    let stored = customer_bill::computation(&session, id).await?;
    let stored = stored.ok_or_else(|| AppError::not_found("CustomerBill", id))?;
    let inputs: BillInputs = serde_json::from_slice(&stored.inputs).map_err(AppError::internal)?;
    let bill: CustomerBill = serde_json::from_slice(&stored.computed).map_err(AppError::internal)?;
    let prices = PriceBook::load(&session).await?;
    let mut records: BTreeMap<Interval, Vec<ClaimedUsage>> = BTreeMap::new();
    for line in bill.lines.iter().filter(|line| line.kind == LineKind::Usage) {
        if let Entry::Vacant(place) = records.entry(line.charge_period) {
            place.insert(usage_of(&session, &inputs, line.charge_period).await?);
        }
    }
    session.finish()?;
    let lines: Vec<Value> = bill
        .lines
        .iter()
        .map(|line| line_of(&inputs, line, &prices, records.get(&line.charge_period)))
        .collect();
    let money = |minor| json!(Money::new(minor, bill.currency));
    Ok(json!({
        "id": bill.id,
        "billNo": stored.number,
        "billingAccount": {"id": bill.account},
        "billingPeriod": {"startDateTime": bill.period.from, "endDateTime": bill.period.to},
        "rulesVersion": bill.rules_version,
        "line": lines,
        "tax": bill.taxes,
        "taxExcludedAmount": money(bill.net_minor),
        "taxAmount": money(bill.tax_minor),
        "taxIncludedAmount": money(bill.total_minor),
        "creditApplied": money(bill.credit_applied_minor),
        "amountDue": money(bill.due_minor),
    }))
}

async fn usage_of(
    session: &Session,
    inputs: &BillInputs,
    period: Interval,
) -> Result<Vec<ClaimedUsage>, AppError> {
    let Some(claim) = inputs.usage_claim else {
        return Ok(Vec::new());
    };
    // Late usage of an earlier period came after the closing before; of this bill's own period, whenever.
    let behind = if period.to <= inputs.period.from {
        watermark_before(session, inputs.account, inputs.period).await?
    } else {
        -1
    };
    let owner = (inputs.account, inputs.bill);
    let marks = (behind, claim.watermark);
    Ok(claimed_usage(session, owner, period, marks, RECORDS_MAX).await?)
}

fn line_of(
    inputs: &BillInputs,
    line: &BillLine,
    prices: &PriceBook,
    records: Option<&Vec<ClaimedUsage>>,
) -> Value {
    let money = |minor| json!(Money::new(minor, inputs.currency));
    let mut shown = json!({
        "line": line.number,
        "kind": line.kind.name(),
        "description": line.description,
        "product": {"id": line.product},
        "price": price(line.price, prices),
        "period": {"startDateTime": line.period.from, "endDateTime": line.period.to},
        "quantity": line.quantity,
        "exactAmount": line.amount.decimal().to_string(),
        "amount": money(line.amount_minor),
        "taxExcludedAmount": money(line.net_minor),
        "taxAmount": money(line.tax_minor),
        "taxRule": line.tax,
    });
    if let Some(obligation) = obligation_of(inputs, line) {
        shown["obligation"] = json!({
            "revision": obligation.revision,
            "chargePeriod": {"startDateTime": obligation.period.from, "endDateTime": obligation.period.to},
            "owed": obligation.owed.decimal().to_string(),
            "owedBefore": obligation.owed_before.decimal().to_string(),
            "billedBefore": money(obligation.billed_before_minor),
            "piece": obligation.pieces.iter().map(|piece| json!({
                "startDateTime": piece.interval.from, "endDateTime": piece.interval.to, "quantity": piece.quantity,
                "amount": piece.amount.decimal().to_string(),
            })).collect::<Vec<_>>(),
        });
    }
    if line.kind == LineKind::Usage {
        shown["unit"] = json!(line.unit);
        shown["covered"] = json!(line.covered);
        shown["isLate"] = json!(line.late);
        shown["records"] = json!(line.records);
        shown["usage"] = json!(usage_lines(line, prices, records.map_or(&[][..], Vec::as_slice)));
    }
    shown
}

fn price(id: ProductOfferingPriceId, prices: &PriceBook) -> Value {
    prices.get(id).map_or_else(
        || json!({"id": id}),
        |price| json!({"id": id, "name": price.name, "version": price.version}),
    )
}

fn obligation_of<'a>(inputs: &'a BillInputs, line: &BillLine) -> Option<&'a Obligation> {
    matches!(
        line.kind,
        LineKind::Recurring | LineKind::OneTime | LineKind::LeavingFee
    )
    .then(|| {
        inputs.obligations.iter().find(|obligation| {
            obligation.product == line.product
                && obligation.charge == line.price
                && obligation.period == line.charge_period
                && obligation.revision == line.revision
        })
    })
    .flatten()
}

/// The records of a line, each with its parts and their reasons.
fn usage_lines(line: &BillLine, prices: &PriceBook, records: &[ClaimedUsage]) -> Vec<Value> {
    let owner: (ProductId, ProductOfferingPriceId) = (line.product, line.price);
    let Some(tariff) = prices.tariff(line.price) else {
        return Vec::new();
    };
    records
        .iter()
        .filter(|record| (record.product, record.price) == owner)
        .filter_map(|record| Some((record, RatedItem::decode(&record.parts).ok()?)))
        .filter(|(_, item)| line.rate.is_none_or(|rate| rate == item.rate))
        .map(|(record, item)| {
            json!({
                "id": record.id,
                "startDateTime": Instant::from_millisecond(unix_ms_of(record.id.uuid())).unwrap_or(Instant::MIN),
                "quantity": record.quantity,
                "zone": tariff.zones.get(usize::from(item.zone)),
                "amount": Nano(record.amount_nano).decimal().to_string(),
                "isCorrected": record.corrected,
                "position": record.position,
                "part": item.parts.iter().map(|part| part_of(part, &item, tariff)).collect::<Vec<_>>(),
            })
        })
        .collect()
}

/// A part in words: what, how much, at which price.
pub fn part_of(part: &Part, item: &RatedItem, tariff: &Tariff) -> Value {
    let band = |number: u8| {
        let rate = tariff.rates.get(usize::from(item.rate));
        rate.and_then(|rate| rate.bands.get(usize::from(number)))
            .map(|band| band.name.clone())
    };
    let why = match part.why {
        Why::ConnectionFee { band: number } => json!({"kind": "connectionFee", "band": band(number)}),
        Why::Step {
            band: number,
            tier,
            step,
        } => {
            json!({"kind": "step", "band": band(number), "tier": tier, "step": step})
        }
        Why::Package { band: number } => json!({"kind": "package", "band": band(number)}),
        Why::Allowance { bucket } => json!({"kind": "allowance", "bucket": bucket}),
        Why::Uncollected => json!({"kind": "uncollected"}),
    };
    json!({
        "why": why,
        "quantity": part.quantity,
        "charged": part.charged,
        "unit": part.unit,
        "unitPrice": part.unit_price.decimal().to_string(),
        "amount": part.amount.decimal().to_string(),
    })
}
