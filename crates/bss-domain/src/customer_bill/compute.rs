//! The computation of a bill.

use std::collections::BTreeMap;

use super::{BillInputs, BillLine, CustomerBill, lines::lines};
use crate::money::MoneyError;
use crate::tax::{TaxRule, split, totals};
use crate::time::{Instant, Zone};

/// Computes a bill from its inputs: the same inputs give the same bill, byte for byte.
pub fn compute(inputs: &BillInputs) -> Result<CustomerBill, MoneyError> {
    let mut lines = lines(inputs)?;
    share_taxes(&mut lines);
    let taxes = totals(lines.iter().map(|line| (&line.tax, line.amount_minor)));
    let net_minor: i64 = taxes.iter().map(|tax| tax.net_minor).sum();
    let tax_minor: i64 = taxes.iter().map(|tax| tax.tax_minor).sum();
    let total_minor = net_minor.checked_add(tax_minor).ok_or(MoneyError::Overflow)?;
    let payable = total_minor.max(0);
    let credit_applied_minor = inputs.credit_minor.clamp(0, payable);
    Ok(CustomerBill {
        rules_version: inputs.rules_version,
        id: inputs.bill,
        account: inputs.account,
        currency: inputs.currency,
        kind: inputs.kind,
        period: inputs.period,
        bill_date: inputs.drawn_up_at,
        payment_due_date: due_date(inputs.drawn_up_at, inputs.due_days, &inputs.cycle.zone),
        lines,
        taxes,
        net_minor,
        tax_minor,
        total_minor,
        credit_applied_minor,
        due_minor: payable - credit_applied_minor,
    })
}

/// Numbers the lines and gives each its part of its category's net and tax: cumulatively, so that they sum to it.
fn share_taxes(lines: &mut [BillLine]) {
    let mut sums: BTreeMap<TaxRule, i64> = BTreeMap::new();
    for (number, line) in lines.iter_mut().enumerate() {
        line.number = number as u32 + 1;
        let sum = sums.entry(line.tax.clone()).or_default();
        let (net_before, tax_before) = split(*sum, &line.tax);
        *sum += line.amount_minor;
        let (net, tax) = split(*sum, &line.tax);
        (line.net_minor, line.tax_minor) = (net - net_before, tax - tax_before);
    }
}

/// The end of the day that lies so many days ahead, in the account's zone.
fn due_date(from: Instant, days: u16, zone: &Zone) -> Instant {
    let day = zone
        .day_of(from)
        .checked_add(jiff::Span::new().days(i64::from(days) + 1));
    day.map_or(Instant::MAX, |day| zone.start_of(day))
}
