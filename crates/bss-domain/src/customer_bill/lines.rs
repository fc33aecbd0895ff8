//! From obligations, usage, minimum spends and alterations to lines, before tax.

use std::collections::BTreeMap;

use super::{AlteredKind, BillAlteration, BillInputs, BillLine, LineKind};
use crate::ids::{ProductId, ProductOfferingPriceId};
use crate::money::{MoneyError, Nano};
use crate::obligation::{Obligation, ObligationKind};
use crate::proration::cumulative_minor;
use crate::tax::TaxRule;
use crate::time::Interval;

/// The lines of a bill without their numbers and taxes.
pub(super) fn lines(inputs: &BillInputs) -> Result<Vec<BillLine>, MoneyError> {
    let mut lines = Vec::new();
    for obligation in &inputs.obligations {
        charge(inputs, obligation, &mut lines)?;
    }
    usage(inputs, &mut lines)?;
    minimum_spends(inputs, &mut lines)?;
    let mut alterations: Vec<&BillAlteration> = inputs.alterations.iter().collect();
    alterations.sort_by_key(|alteration| (alteration.order, alteration.price, alteration.product));
    for alteration in alterations {
        alter(inputs, alteration, &mut lines)?;
    }
    Ok(lines)
}

fn line(
    inputs: &BillInputs,
    kind: LineKind,
    (product, price): (ProductId, ProductOfferingPriceId),
    period: Interval,
    amount: Nano,
) -> BillLine {
    let known = inputs.prices.iter().find(|known| known.id == price);
    BillLine {
        number: 0,
        kind,
        product,
        price,
        rate: None,
        revision: 0,
        description: known.map_or_else(String::new, |known| known.name.clone()),
        charge_period: period,
        period,
        quantity: 1,
        covered: 0,
        unit: None,
        records: 0,
        late: false,
        tax: known.map_or_else(TaxRule::none, |known| known.tax.clone()),
        amount,
        amount_minor: amount.to_minor(inputs.currency),
        net_minor: 0,
        tax_minor: 0,
    }
}

fn charge(inputs: &BillInputs, obligation: &Obligation, lines: &mut Vec<BillLine>) -> Result<(), MoneyError> {
    let kind = match obligation.kind {
        ObligationKind::Recurring => LineKind::Recurring,
        ObligationKind::OneTime => LineKind::OneTime,
        ObligationKind::LeavingFee => LineKind::LeavingFee,
    };
    let owner = (obligation.product, obligation.charge);
    let mut whole = line(inputs, kind, owner, obligation.period, obligation.amount()?);
    whole.revision = obligation.revision;
    if obligation.revision > 0 {
        // Only the difference to what was billed.
        whole.amount_minor = obligation.amount_minor(inputs.currency);
        lines.push(whole);
        return Ok(());
    }
    let amounts: Vec<Nano> = obligation.pieces.iter().map(|piece| piece.amount).collect();
    let minor = cumulative_minor(&amounts, inputs.currency)?;
    for (piece, amount_minor) in obligation.pieces.iter().zip(minor) {
        lines.push(BillLine {
            period: piece.interval,
            quantity: piece.quantity.unsigned_abs(),
            amount: piece.amount,
            amount_minor,
            ..whole.clone()
        });
    }
    Ok(())
}

/// Usage lines, rounded cumulatively over the lines of one product, price version and period.
fn usage(inputs: &BillInputs, lines: &mut Vec<BillLine>) -> Result<(), MoneyError> {
    let mut sums: BTreeMap<(ProductId, ProductOfferingPriceId, Interval), Nano> = BTreeMap::new();
    for usage in &inputs.usage {
        let owner = (usage.product, usage.price);
        let sum = sums
            .entry((usage.product, usage.price, usage.period))
            .or_default();
        let before = sum.to_minor(inputs.currency);
        *sum = sum.plus(usage.amount)?;
        let mut new = line(inputs, LineKind::Usage, owner, usage.period, usage.amount);
        new.amount_minor = sum.to_minor(inputs.currency) - before;
        new.description.clone_from(&usage.description);
        new.rate = Some(usage.rate);
        new.quantity = usage.quantity;
        new.covered = usage.covered;
        new.unit = Some(usage.unit.clone());
        new.records = usage.records;
        new.late = usage.late;
        lines.push(new);
    }
    Ok(())
}

fn minimum_spends(inputs: &BillInputs, lines: &mut Vec<BillLine>) -> Result<(), MoneyError> {
    for minimum in &inputs.minimum_spends {
        // What was charged for the period that closes, whenever it fell due.
        let spent = lines
            .iter()
            .filter(|line| {
                line.product == minimum.product && matches!(line.kind, LineKind::Recurring | LineKind::Usage)
            })
            .try_fold(Nano::ZERO, |sum, line| sum.plus(line.amount))?;
        if spent < minimum.amount {
            let missing = minimum.amount.minus(spent)?;
            let owner = (minimum.product, minimum.price);
            lines.push(line(
                inputs,
                LineKind::MinimumSpend,
                owner,
                inputs.period,
                missing,
            ));
        }
    }
    Ok(())
}

fn applies(alteration: &BillAlteration, line: &BillLine) -> bool {
    let kind = match line.kind {
        LineKind::Recurring => AlteredKind::Recurring,
        LineKind::Usage => AlteredKind::Usage,
        LineKind::OneTime => AlteredKind::OneTime,
        LineKind::LeavingFee | LineKind::MinimumSpend | LineKind::Alteration => return false,
    };
    alteration.product == line.product
        && (alteration.applies_to == AlteredKind::All || alteration.applies_to == kind)
        && (alteration.prices.is_empty() || alteration.prices.contains(&line.price))
        && alteration.valid.contains(line.charge_period.from)
}

/// One line for each tax rule and charge period of what is altered. Later alterations apply to what earlier ones left.
fn alter(
    inputs: &BillInputs,
    alteration: &BillAlteration,
    lines: &mut Vec<BillLine>,
) -> Result<(), MoneyError> {
    let mut bases: BTreeMap<(TaxRule, Interval), Nano> = BTreeMap::new();
    for line in lines.iter().filter(|line| applies(alteration, line)) {
        let base = bases.entry((line.tax.clone(), line.charge_period)).or_default();
        *base = base.plus(line.amount)?;
    }
    for ((tax, period), base) in &mut bases {
        let earlier = lines.iter().filter(|line| {
            line.kind == LineKind::Alteration
                && line.product == alteration.product
                && line.tax == *tax
                && line.charge_period == *period
        });
        for line in earlier {
            *base = base.plus(line.amount)?;
        }
    }
    // A fixed amount is taken once a bill, from what there is.
    let mut left = alteration.amount.unwrap_or(Nano::ZERO);
    for ((tax, period), base) in bases {
        let amount = match alteration.share_ppm {
            Some(share) => base.share(share, 1_000_000)?,
            None if left < Nano::ZERO => Nano(left.0.max(-base.0.max(0))),
            None => left,
        };
        left = left.minus(amount)?;
        if amount == Nano::ZERO {
            continue;
        }
        let owner = (alteration.product, alteration.price);
        let mut new = line(inputs, LineKind::Alteration, owner, period, amount);
        new.tax = tax;
        lines.push(new);
    }
    Ok(())
}
