//! One immutable version of a price, read from TMF620's ProductOfferingPrice.
//!
//! TMF620's own attributes are used where they exist: `name`, `version`, `priceType`, `price {unit, value}` (the value
//! as a number or, to be exact beyond 15 digits, as a text), `percentage`, `recurringChargePeriodType` and `-Length`,
//! `tax [{taxCategory, taxRate}]` (the first counts; none means out of scope of tax: category `O`, rate 0). The rest
//! are extension attributes; quantities are whole base units (seconds, messages, bytes) or texts as `"min"`, `"10 GB"`.
//!
//! ```json
//! {"name": "Mobile M, monthly", "version": "1", "priceType": "recurring",
//!  "recurringChargePeriodType": "month", "recurringChargePeriodLength": 1,
//!  "price": {"unit": "EUR", "value": 19.99}, "tax": [{"taxCategory": "S", "taxRate": 23}], "taxIncluded": true,
//!  "inAdvance": true, "alignedTo": "cycle", "proration": "seconds", "chargedWhileSuspended": true}
//! ```
//! - `priceType` `recurring`: period type `day`, `week`, `month` (default) or `year`; `inAdvance` (default false);
//!   `alignedTo` `cycle` (default; a month only) or `start`; `proration` `seconds` (default), `days` or `none`.
//! - `oneTime`: `dueOn` `activation` (default), `order` or `termination`.
//! - `usage`: `tariff` as [`super::tariff`] shows; `price {unit}` names the currency, a value isn't needed.
//! - `allowance`: `allowance` as [`crate::allowance`] shows; no price.
//! - `discount`, `surcharge`: `percentage`, or `price` for an amount taken once a bill; `alteration {"appliesTo":
//!   "recurring" | "usage" | "oneTime" | "all", "prices": [price ids], "periods": 6, "order": 10}`: on the charges of
//!   its own product; without `prices` on all of the kind, without `periods` as long as the product lives.
//! - `commitment`: `commitment {"months": 24, "minimumSpend": 10.00, "leavingFee": 120.00, "feeFalls": true}`: with
//!   `feeFalls` the fee shrinks in proportion to the days of the term that have passed.

use std::sync::Arc;

use serde_json::Value;

use super::{Node, Tariff};
use crate::allowance::AllowanceDefinition;
use crate::ids::ProductOfferingPriceId;
use crate::money::{Currency, Nano};
use crate::refusal::Refusal;
use crate::tax::TaxRule;

/// A price as it was sold. It never changes: another version is another price.
#[derive(Debug, Clone)]
pub struct PriceVersion {
    /// Its id.
    pub id: ProductOfferingPriceId,
    /// What a bill line calls it.
    pub name: String,
    /// The version's name.
    pub version: String,
    /// The currency; none for allowances and percentages, which have none.
    pub currency: Option<Currency>,
    /// How it is taxed.
    pub tax: TaxRule,
    /// What it charges or grants.
    pub kind: PriceKind,
}

/// What a price charges or grants.
#[derive(Debug, Clone)]
pub enum PriceKind {
    /// Once.
    OneTime(OneTimeCharge),
    /// For every period.
    Recurring(RecurringCharge),
    /// By use.
    Usage(Arc<Tariff>),
    /// Included units.
    Allowance(Arc<AllowanceDefinition>),
    /// A discount or surcharge on other charges.
    Alteration(Alteration),
    /// A minimum term or spend.
    Commitment(Commitment),
}

/// A charge that falls due once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneTimeCharge {
    /// How much.
    pub amount: Nano,
    /// When.
    pub due: DueOn,
}

/// What makes a one-time charge fall due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DueOn {
    /// The order's completion, whatever becomes of the product.
    Order,
    /// The product's activation.
    Activation,
    /// Its termination.
    Termination,
}

/// A charge for every period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecurringCharge {
    /// For a whole period and one piece.
    pub amount: Nano,
    /// The period's unit.
    pub unit: PeriodUnit,
    /// How many units make a period, from 1 on.
    pub length: u16,
    /// Whether a period is charged when it begins, not when it ends.
    pub in_advance: bool,
    /// Where periods begin.
    pub aligned: AlignedTo,
    /// How a part of a period is charged.
    pub proration: Proration,
    /// Whether a suspended product goes on being charged.
    pub charged_while_suspended: bool,
}

/// The unit of a charge's period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodUnit {
    /// Calendar days in the account's zone.
    Day,
    /// Seven of them.
    Week,
    /// Calendar months.
    Month,
    /// Calendar years.
    Year,
}

/// Where a charge's periods begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlignedTo {
    /// With the account's cycle.
    Cycle,
    /// With the product.
    Start,
}

/// How a part of a period is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proration {
    /// In proportion to its seconds.
    Seconds,
    /// In proportion to its days in the account's zone: the first counts, the last doesn't.
    Days,
    /// As a whole.
    None,
}

/// A discount or surcharge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alteration {
    /// A share of what it applies to, in parts per million, signed: a discount is negative.
    pub share_ppm: Option<i64>,
    /// An amount once a bill, signed; a discount never exceeds what it applies to.
    pub amount: Option<Nano>,
    /// Which charges of the product.
    pub applies_to: AlteredCharges,
    /// Only those of these prices; empty: all.
    pub prices: Vec<ProductOfferingPriceId>,
    /// For how many periods of the account's cycle from the product's start.
    pub periods: Option<u16>,
    /// Which goes first: the smaller number, then the smaller id.
    pub order: i64,
}

/// Which charges an alteration applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlteredCharges {
    /// Those for periods.
    Recurring,
    /// Those by use.
    Usage,
    /// Those that fall due once.
    OneTime,
    /// Each of them.
    All,
}

/// A minimum term, a minimum spend, a fee for leaving early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commitment {
    /// The term in calendar months from the product's activation.
    pub months: u16,
    /// What a period's charges of the product come to at least, before tax rules.
    pub minimum_spend: Option<Nano>,
    /// The fee for a termination within the term.
    pub leaving_fee: Option<Nano>,
    /// Whether the fee falls in proportion to the days that have passed.
    pub fee_falls: bool,
}

impl PriceVersion {
    /// Reads a ProductOfferingPrice; the module's documentation shows the form.
    pub fn from_tmf(document: &Value) -> Result<Self, Refusal> {
        let node = Node::root(document);
        let id = node.need("id")?;
        let id = id
            .text()?
            .parse()
            .map_err(|_| id.refuse("wrongId", "an id is a UUID"))?;
        let currency = match node.get("price").and_then(|price| price.get("unit")) {
            Some(unit) => Some(unit.currency()?),
            None => None,
        };
        let kind = kind(&node)?;
        let needs_currency = match &kind {
            PriceKind::Allowance(_) => false,
            PriceKind::Alteration(alteration) => alteration.amount.is_some(),
            _ => true,
        };
        if needs_currency && currency.is_none() {
            return Err(Refusal::missing("price.unit"));
        }
        Ok(Self {
            id,
            name: node.need("name")?.text()?.to_owned(),
            version: text_or(&node, "version", "1")?,
            currency,
            tax: tax(&node)?,
            kind,
        })
    }
}

fn text_or(node: &Node, name: &str, default: &str) -> Result<String, Refusal> {
    node.get(name)
        .map_or(Ok(default), |text| text.text())
        .map(str::to_owned)
}

fn flag_or(node: &Node, name: &str, default: bool) -> Result<bool, Refusal> {
    node.get(name).map_or(Ok(default), |flag| flag.flag())
}

fn word_or<T: Copy>(node: &Node, name: &str, known: &[(&str, T)], default: T) -> Result<T, Refusal> {
    node.get(name).map_or(Ok(default), |word| word.word(known))
}

/// A small whole number from 1 on; none where it is absent.
fn count(node: &Node, name: &str) -> Result<Option<u16>, Refusal> {
    let Some(node) = node.get(name) else {
        return Ok(None);
    };
    match u16::try_from(node.whole()?) {
        Ok(count) if count > 0 => Ok(Some(count)),
        _ => Err(node.refuse("wrongNumber", "a number from 1 to 65535 is expected")),
    }
}

fn tax(node: &Node) -> Result<TaxRule, Refusal> {
    let included = flag_or(node, "taxIncluded", false)?;
    let items = node.get("tax").map_or(Ok(Vec::new()), |tax| tax.items())?;
    let Some(item) = items.first() else {
        return Ok(TaxRule {
            included,
            ..TaxRule::none()
        });
    };
    let rate = item.need("taxRate")?;
    let rate_ppm = rate.percent_ppm()?;
    if !(0..=1_000_000).contains(&rate_ppm) {
        return Err(rate.refuse("wrongNumber", "a tax rate lies between 0 and 100 percent"));
    }
    Ok(TaxRule {
        category: text_or(item, "taxCategory", "S")?,
        rate_ppm,
        included,
    })
}

#[derive(Clone, Copy)]
enum Type {
    OneTime,
    Recurring,
    Usage,
    Allowance,
    Discount,
    Surcharge,
    Commitment,
}

const TYPES: &[(&str, Type)] = &[
    ("oneTime", Type::OneTime),
    ("recurring", Type::Recurring),
    ("usage", Type::Usage),
    ("allowance", Type::Allowance),
    ("discount", Type::Discount),
    ("surcharge", Type::Surcharge),
    ("commitment", Type::Commitment),
];

fn kind(node: &Node) -> Result<PriceKind, Refusal> {
    Ok(match node.need("priceType")?.word(TYPES)? {
        Type::OneTime => PriceKind::OneTime(OneTimeCharge {
            amount: amount(node)?,
            due: word_or(
                node,
                "dueOn",
                &[
                    ("order", DueOn::Order),
                    ("activation", DueOn::Activation),
                    ("termination", DueOn::Termination),
                ],
                DueOn::Activation,
            )?,
        }),
        Type::Recurring => PriceKind::Recurring(recurring(node)?),
        Type::Usage => PriceKind::Usage(Arc::new(Tariff::read(&node.need("tariff")?)?)),
        Type::Allowance => {
            PriceKind::Allowance(Arc::new(AllowanceDefinition::read(&node.need("allowance")?)?))
        }
        Type::Discount => PriceKind::Alteration(alteration(node, -1)?),
        Type::Surcharge => PriceKind::Alteration(alteration(node, 1)?),
        Type::Commitment => PriceKind::Commitment(commitment(&node.need("commitment")?)?),
    })
}

/// `price.value`, not negative: what is given back is a discount or a credit note.
fn amount(node: &Node) -> Result<Nano, Refusal> {
    not_negative(&node.need("price")?.need("value")?)
}

pub(super) fn not_negative(node: &Node) -> Result<Nano, Refusal> {
    let amount = node.nano()?;
    if amount < Nano::ZERO {
        return Err(node.refuse("wrongNumber", "a price isn't negative; use a discount"));
    }
    Ok(amount)
}

fn recurring(node: &Node) -> Result<RecurringCharge, Refusal> {
    const UNITS: &[(&str, PeriodUnit)] = &[
        ("day", PeriodUnit::Day),
        ("week", PeriodUnit::Week),
        ("month", PeriodUnit::Month),
        ("year", PeriodUnit::Year),
    ];
    const ALIGNMENTS: &[(&str, AlignedTo)] = &[("cycle", AlignedTo::Cycle), ("start", AlignedTo::Start)];
    const PRORATIONS: &[(&str, Proration)] = &[
        ("seconds", Proration::Seconds),
        ("days", Proration::Days),
        ("none", Proration::None),
    ];
    let charge = RecurringCharge {
        amount: amount(node)?,
        unit: word_or(node, "recurringChargePeriodType", UNITS, PeriodUnit::Month)?,
        length: count(node, "recurringChargePeriodLength")?.unwrap_or(1),
        in_advance: flag_or(node, "inAdvance", false)?,
        aligned: word_or(node, "alignedTo", ALIGNMENTS, AlignedTo::Cycle)?,
        proration: word_or(node, "proration", PRORATIONS, Proration::Seconds)?,
        charged_while_suspended: flag_or(node, "chargedWhileSuspended", true)?,
    };
    let month = charge.unit == PeriodUnit::Month && charge.length == 1;
    if charge.aligned == AlignedTo::Cycle && !month {
        return Err(Refusal::invalid(
            "wrongPeriod",
            "recurringChargePeriodType",
            charge.length,
            "only a charge of one month follows the account's cycle; align the others to the product's start",
        ));
    }
    Ok(charge)
}

fn alteration(node: &Node, sign: i64) -> Result<Alteration, Refusal> {
    let share = node
        .get("percentage")
        .map(|share| share.percent_ppm())
        .transpose()?;
    let amount = match node.get("price").and_then(|price| price.get("value")) {
        Some(value) => Some(not_negative(&value)?),
        None => None,
    };
    if share.is_some() == amount.is_some() {
        return Err(Refusal::missing("percentage or price.value (one of them)"));
    }
    if share.is_some_and(|share| share < 0 || (sign < 0 && share > 1_000_000)) {
        return Err(node.need("percentage")?.refuse(
            "wrongNumber",
            "a percentage isn't negative, a discount's at most 100",
        ));
    }
    let rule = node.need("alteration")?;
    let mut prices = Vec::new();
    for price in rule
        .get("prices")
        .map_or(Ok(Vec::new()), |prices| prices.items())?
    {
        prices.push(
            price
                .text()?
                .parse()
                .map_err(|_| price.refuse("wrongId", "an id is a UUID"))?,
        );
    }
    const CHARGES: &[(&str, AlteredCharges)] = &[
        ("recurring", AlteredCharges::Recurring),
        ("usage", AlteredCharges::Usage),
        ("oneTime", AlteredCharges::OneTime),
        ("all", AlteredCharges::All),
    ];
    Ok(Alteration {
        share_ppm: share.map(|share| share * sign),
        amount: amount.map(|amount| Nano(amount.0 * sign)),
        applies_to: word_or(&rule, "appliesTo", CHARGES, AlteredCharges::All)?,
        prices,
        periods: count(&rule, "periods")?,
        order: rule.get("order").map_or(Ok(0), |order| order.whole())? as i64,
    })
}

fn commitment(node: &Node) -> Result<Commitment, Refusal> {
    let amount = |name| node.get(name).map(|value| not_negative(&value)).transpose();
    Ok(Commitment {
        months: count(node, "months")?.ok_or_else(|| Refusal::missing("commitment.months"))?,
        minimum_spend: amount("minimumSpend")?,
        leaving_fee: amount("leavingFee")?,
        fee_falls: flag_or(node, "feeFalls", false)?,
    })
}
