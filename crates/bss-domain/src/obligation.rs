//! What must be billed once: the obligations of a product at the closing of an account's period.
//!
//! The key is (product, charge, period start, revision). Revision 0 is the first billing; a later one bills only the
//! difference between what the segments owe now and what was billed, so nothing is billed twice whatever changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog::{Commitment, DueOn, OneTimeCharge, PriceKind, PriceVersion, Proration, RecurringCharge};
use crate::ids::{BillingAccountId, ProductId, ProductOfferingPriceId};
use crate::money::{Currency, MoneyError, Nano};
use crate::proration::{periods, share};
use crate::segment::{Segment, SegmentState, owner};
use crate::time::{Cycle, Instant, Interval};

/// A charge of a product for a period, or at an instant, in one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Obligation {
    /// The product.
    pub product: ProductId,
    /// The price version.
    pub charge: ProductOfferingPriceId,
    /// The charge's period; from and to are one instant for what is charged once.
    pub period: Interval,
    /// 0 for the first billing.
    pub revision: i32,
    /// What sort of charge.
    pub kind: ObligationKind,
    /// What is owed for the period as the segments stand now.
    pub owed: Nano,
    /// What earlier revisions took into account, in nano units.
    pub owed_before: Nano,
    /// What earlier revisions billed, in minor units.
    pub billed_before_minor: i64,
    /// What the owed sum consists of.
    pub pieces: Vec<Piece>,
}

/// What sort of charge an obligation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ObligationKind {
    /// For a period.
    Recurring,
    /// Once.
    OneTime,
    /// The fee for leaving within a minimum term.
    LeavingFee,
}

/// The part of a charge that one segment owes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Piece {
    /// Its part of the period.
    pub interval: Interval,
    /// How many pieces of the product.
    pub quantity: i64,
    /// What it owes.
    pub amount: Nano,
}

/// What was billed for one charge and period so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Billed {
    /// The last revision.
    pub revision: i32,
    /// Its owed sum.
    pub owed: Nano,
    /// The sum of all revisions, minor units.
    pub minor: i64,
}

/// What was billed, by charge and period start.
pub type BilledBefore = BTreeMap<(ProductOfferingPriceId, Instant), Billed>;

/// A product as billing sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BilledProduct {
    /// Its id.
    pub id: ProductId,
    /// When its order was completed.
    pub ordered: Instant,
    /// When it ended.
    pub terminated: Option<Instant>,
    /// Its life, all of it.
    pub segments: Vec<Segment>,
}

/// The closing of an account's period.
#[derive(Debug, Clone, Copy)]
pub struct Closing<'a> {
    /// The account.
    pub account: BillingAccountId,
    /// Its cycle.
    pub cycle: &'a Cycle,
    /// Its currency.
    pub currency: Currency,
    /// The period that closes.
    pub period: Interval,
    /// From where on charges are looked at: the period's start, or an earlier instant to which a change was dated back.
    pub since: Instant,
}

impl Obligation {
    /// What it bills, in nano units.
    pub fn amount(&self) -> Result<Nano, MoneyError> {
        self.owed.minus(self.owed_before)
    }

    /// What it bills, in minor units: the owed sum, rounded, less what was billed.
    pub fn amount_minor(&self, currency: Currency) -> i64 {
        self.owed.to_minor(currency) - self.billed_before_minor
    }
}

/// The obligations of one product that fall due when the period closes, in order of charge and period.
pub fn fall_due<'a>(
    product: &BilledProduct,
    price: impl Fn(ProductOfferingPriceId) -> Option<&'a PriceVersion>,
    closing: &Closing,
    before: &BilledBefore,
) -> Result<Vec<Obligation>, MoneyError> {
    let mut charges: Vec<ProductOfferingPriceId> = product
        .segments
        .iter()
        .flat_map(|segment| segment.prices.iter().copied())
        .chain(before.keys().map(|(charge, _)| *charge))
        .collect();
    charges.sort_unstable();
    charges.dedup();
    let mut found = Vec::new();
    for charge in charges {
        match price(charge).map(|price| &price.kind) {
            Some(PriceKind::Recurring(rule)) => {
                recurring(product, charge, rule, closing, before, &mut found)?;
            }
            Some(PriceKind::OneTime(rule)) => one_time(product, charge, rule, closing, before, &mut found)?,
            Some(PriceKind::Commitment(rule)) => leaving(product, charge, rule, closing, before, &mut found)?,
            _ => {}
        }
    }
    Ok(found)
}

fn recurring(
    product: &BilledProduct,
    charge: ProductOfferingPriceId,
    rule: &RecurringCharge,
    closing: &Closing,
    before: &BilledBefore,
    found: &mut Vec<Obligation>,
) -> Result<(), MoneyError> {
    let Some(first) = product.segments.first() else {
        return Ok(());
    };
    let until = closing.period.to;
    for period in periods(rule, closing.cycle, first.from, closing.since, until) {
        let due = if rule.in_advance { period.from } else { period.to };
        let billed = before.get(&(charge, period.from));
        if due > until && billed.is_none() {
            continue;
        }
        let pieces = pieces(product, charge, rule, closing, period)?;
        let owed = pieces
            .iter()
            .try_fold(Nano::ZERO, |sum, piece| sum.plus(piece.amount))?;
        let last = billed.copied().unwrap_or_default();
        if owed == last.owed {
            continue;
        }
        found.push(Obligation {
            product: product.id,
            charge,
            period,
            revision: billed.map_or(0, |billed| billed.revision + 1),
            kind: ObligationKind::Recurring,
            owed,
            owed_before: last.owed,
            billed_before_minor: last.minor,
            pieces,
        });
    }
    Ok(())
}

/// What each segment owes of a period. A charge that isn't prorated is owed whole by the segment that holds the
/// product's first instant in the period, if that segment carries it.
fn pieces(
    product: &BilledProduct,
    charge: ProductOfferingPriceId,
    rule: &RecurringCharge,
    closing: &Closing,
    period: Interval,
) -> Result<Vec<Piece>, MoneyError> {
    let mut pieces = Vec::new();
    for segment in &product.segments {
        let Some(interval) = segment.within(period) else {
            continue;
        };
        let charged = rule.charged_while_suspended || segment.state == SegmentState::Active;
        if charged && segment.account == closing.account && segment.prices.contains(&charge) {
            pieces.push(Piece {
                interval,
                quantity: segment.quantity,
                amount: share(rule, closing.cycle, period, interval, segment.quantity)?,
            });
        }
        if rule.proration == Proration::None && charged {
            break;
        }
    }
    Ok(pieces)
}

fn once(
    product: &BilledProduct,
    charge: ProductOfferingPriceId,
    kind: ObligationKind,
    (at, quantity, amount): (Instant, i64, Nano),
) -> Obligation {
    let period = Interval { from: at, to: at };
    Obligation {
        product: product.id,
        charge,
        period,
        revision: 0,
        kind,
        owed: amount,
        owed_before: Nano::ZERO,
        billed_before_minor: 0,
        pieces: vec![Piece {
            interval: period,
            quantity,
            amount,
        }],
    }
}

/// Whether an instant's charge is due now and wasn't billed.
fn due_now(at: Instant, charge: ProductOfferingPriceId, closing: &Closing, before: &BilledBefore) -> bool {
    closing.since <= at && at < closing.period.to && !before.contains_key(&(charge, at))
}

fn one_time(
    product: &BilledProduct,
    charge: ProductOfferingPriceId,
    rule: &OneTimeCharge,
    closing: &Closing,
    before: &BilledBefore,
    found: &mut Vec<Obligation>,
) -> Result<(), MoneyError> {
    // The first segment that was sold with this price; a termination is the last one's.
    let carries = |segment: &&Segment| segment.prices.contains(&charge) && segment.account == closing.account;
    let segment = match rule.due {
        DueOn::Termination => product.segments.last().filter(carries),
        DueOn::Order | DueOn::Activation => product.segments.iter().find(carries),
    };
    let Some(segment) = segment else {
        return Ok(());
    };
    let at = match rule.due {
        DueOn::Order if segment.from == product.segments[0].from => Some(product.ordered),
        DueOn::Order | DueOn::Activation => Some(segment.from),
        DueOn::Termination => product.terminated,
    };
    if let Some(at) = at.filter(|at| due_now(*at, charge, closing, before)) {
        let amount = rule.amount.share(segment.quantity, 1)?;
        found.push(once(
            product,
            charge,
            ObligationKind::OneTime,
            (at, segment.quantity, amount),
        ));
    }
    Ok(())
}

fn leaving(
    product: &BilledProduct,
    charge: ProductOfferingPriceId,
    rule: &Commitment,
    closing: &Closing,
    before: &BilledBefore,
    found: &mut Vec<Obligation>,
) -> Result<(), MoneyError> {
    let (Some(fee), Some(ended), Some(first)) =
        (rule.leaving_fee, product.terminated, product.segments.first())
    else {
        return Ok(());
    };
    let last = product.segments.last().unwrap_or(first);
    let term_end = term_end(first.from, rule.months, closing.cycle);
    let owes = last.prices.contains(&charge) && last.account == closing.account && ended < term_end;
    if !owes || !due_now(ended, charge, closing, before) {
        return Ok(());
    }
    let amount = if rule.fee_falls {
        let left = term_end.as_second() - ended.as_second();
        fee.share(left, (term_end.as_second() - first.from.as_second()).max(1))?
    } else {
        fee
    };
    found.push(once(
        product,
        charge,
        ObligationKind::LeavingFee,
        (ended, last.quantity, amount.share(last.quantity, 1)?),
    ));
    Ok(())
}

/// The end of a term of calendar months, at the same local time as its beginning.
fn term_end(from: Instant, months: u16, cycle: &Cycle) -> Instant {
    let zone = cycle.zone.rules();
    zone.to_datetime(from)
        .checked_add(jiff::Span::new().months(i64::from(months)))
        .and_then(|local| zone.to_ambiguous_timestamp(local).compatible())
        .unwrap_or(Instant::MAX)
}

/// The prices of a product at an instant.
pub fn prices_at(product: &BilledProduct, at: Instant) -> &[ProductOfferingPriceId] {
    owner(&product.segments, at).map_or(&[], |segment| &segment.prices)
}

#[cfg(test)]
mod tests;
