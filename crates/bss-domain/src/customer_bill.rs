//! A bill as a pure function of inputs that are stored with it (TMF678 CustomerBill).
//!
//! Order of computation: charges → minimum spend → alterations in declared order → lines rounded → tax per category →
//! total → credit applied → amount due. Preview, run and verification are this one call. A changed rule is a new
//! rules version beside the old one.

mod anomaly;
mod compute;
mod document;
mod lines;
mod shape;
mod state;

use serde::{Deserialize, Serialize};

pub use anomaly::{Anomaly, AnomalyLimits, USUAL_BILLS};
pub use compute::compute;
pub use shape::{CUSTOMER_BILL, RATE};
pub use state::{CustomerBillState, OPEN};

use crate::catalog::{Alteration, AlteredCharges};
use crate::ids::{BillingAccountId, CustomerBillId, CustomerId, ProductId, ProductOfferingPriceId};
use crate::money::{Currency, Nano};
use crate::obligation::Obligation;
use crate::tax::{TaxRule, TaxTotal};
use crate::time::{Cycle, Instant, Interval};

/// The rules by which new bills are computed.
pub const RULES_VERSION: u16 = 1;

/// All that a bill depends on. Lists are in the order in which lines stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BillInputs {
    /// The rules.
    pub rules_version: u16,
    /// The bill's id.
    pub bill: CustomerBillId,
    /// The account.
    pub account: BillingAccountId,
    /// Whose account it is.
    pub customer: CustomerId,
    /// The account's currency.
    pub currency: Currency,
    /// The account's cycle.
    pub cycle: Cycle,
    /// Regular, or outside the cycle.
    pub kind: BillKind,
    /// The period that it closes.
    pub period: Interval,
    /// When it was drawn up.
    pub drawn_up_at: Instant,
    /// Days until it is due.
    pub due_days: u16,
    /// The obligations that it claims.
    pub obligations: Vec<Obligation>,
    /// The usage that it claims, summed.
    pub usage: Vec<UsageCharge>,
    /// Which usage that is; none for a bill outside the cycle.
    pub usage_claim: Option<UsageClaim>,
    /// The minimum spends that hold.
    pub minimum_spends: Vec<MinimumSpend>,
    /// The alterations that hold.
    pub alterations: Vec<BillAlteration>,
    /// The price versions of all charges.
    pub prices: Vec<BilledPrice>,
    /// The account's credit that may be applied, minor units.
    pub credit_minor: i64,
}

/// Why a bill was drawn up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BillKind {
    /// By the account's cycle.
    Regular,
    /// Between two of them, as a correction.
    OffCycle,
}

impl BillKind {
    /// TMF678's `category`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Regular => "normal",
            Self::OffCycle => "offCycle",
        }
    }
}

/// Rated usage of one product, price version, rate and punctuality.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsageCharge {
    /// The product.
    pub product: ProductId,
    /// The price version.
    pub price: ProductOfferingPriceId,
    /// The rate's index in its tariff.
    pub rate: u16,
    /// What the line says: `voice outgoing national`.
    pub description: String,
    /// The base unit.
    pub unit: String,
    /// The period in which it happened.
    pub period: Interval,
    /// Whether that period was closed before.
    pub late: bool,
    /// How many records.
    pub records: u64,
    /// Base units as measured.
    pub quantity: u64,
    /// Base units that allowances covered.
    pub covered: u64,
    /// The sum.
    pub amount: Nano,
}

/// The usage that a bill claims as a whole: the period's records up to a position of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsageClaim {
    /// The end of the period: records that start before it belong to this bill or an earlier one.
    pub closed_through: Instant,
    /// The position of the account's partition through which records had been rated.
    pub watermark: i64,
}

/// What a product's charges of the period come to at least.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MinimumSpend {
    /// The product.
    pub product: ProductId,
    /// The commitment.
    pub price: ProductOfferingPriceId,
    /// The minimum.
    pub amount: Nano,
}

/// An alteration of a product's charges that holds in an interval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BillAlteration {
    /// The product.
    pub product: ProductId,
    /// The alteration's price version.
    pub price: ProductOfferingPriceId,
    /// Parts per million, signed.
    pub share_ppm: Option<i64>,
    /// An amount, signed.
    pub amount: Option<Nano>,
    /// Which charges.
    pub applies_to: AlteredKind,
    /// Only those of these prices; empty: all.
    pub prices: Vec<ProductOfferingPriceId>,
    /// Charges whose period begins in it are altered.
    pub valid: Interval,
    /// Which goes first.
    pub order: i64,
}

/// Which charges an alteration applies to, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AlteredKind {
    /// Those for periods.
    Recurring,
    /// Those by use.
    Usage,
    /// Those that fall due once.
    OneTime,
    /// Each of them.
    All,
}

impl BillAlteration {
    /// The alteration of a product that began with the alteration at `from`.
    pub fn of(
        product: ProductId,
        price: ProductOfferingPriceId,
        rule: &Alteration,
        from: Instant,
        cycle: &Cycle,
    ) -> Self {
        let mut to = Instant::MAX;
        if let Some(periods) = rule.periods {
            to = cycle.period_of(from).to;
            for _ in 1..periods {
                to = cycle.period_of(to).to;
            }
        }
        Self {
            product,
            price,
            share_ppm: rule.share_ppm,
            amount: rule.amount,
            applies_to: match rule.applies_to {
                AlteredCharges::Recurring => AlteredKind::Recurring,
                AlteredCharges::Usage => AlteredKind::Usage,
                AlteredCharges::OneTime => AlteredKind::OneTime,
                AlteredCharges::All => AlteredKind::All,
            },
            prices: rule.prices.clone(),
            valid: Interval {
                from: cycle.period_of(from).from,
                to,
            },
            order: rule.order,
        }
    }
}

/// What a line needs to know of its price version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BilledPrice {
    /// The price version.
    pub id: ProductOfferingPriceId,
    /// Its name, the line's description.
    pub name: String,
    /// How it is taxed.
    pub tax: TaxRule,
}

/// A computed bill. All amounts in minor units of its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomerBill {
    /// The rules by which it was computed.
    pub rules_version: u16,
    /// Its id.
    pub id: CustomerBillId,
    /// The account.
    pub account: BillingAccountId,
    /// Its currency.
    pub currency: Currency,
    /// Regular or not.
    pub kind: BillKind,
    /// Its period.
    pub period: Interval,
    /// When it was drawn up.
    pub bill_date: Instant,
    /// When it is due: the end of that day in the account's zone.
    pub payment_due_date: Instant,
    /// The lines.
    pub lines: Vec<BillLine>,
    /// Tax by category and rate.
    pub taxes: Vec<TaxTotal>,
    /// The sum without tax.
    pub net_minor: i64,
    /// The tax.
    pub tax_minor: i64,
    /// The sum with tax; negative where it gives back more than it charges.
    pub total_minor: i64,
    /// Credit of the account that pays for a part.
    pub credit_applied_minor: i64,
    /// What is to be paid.
    pub due_minor: i64,
}

/// A line (TMF678 AppliedCustomerBillingRate).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BillLine {
    /// From 1 on.
    pub number: u32,
    /// What it charges.
    pub kind: LineKind,
    /// The product.
    pub product: ProductId,
    /// The price version.
    pub price: ProductOfferingPriceId,
    /// The rate's index, for usage.
    pub rate: Option<u16>,
    /// The revision, for a charge that was billed before.
    pub revision: i32,
    /// In words.
    pub description: String,
    /// The charge's whole period.
    pub charge_period: Interval,
    /// The part of it that this line charges.
    pub period: Interval,
    /// Base units of usage, pieces of a charge.
    pub quantity: u64,
    /// Base units that allowances covered.
    pub covered: u64,
    /// The base unit of usage.
    pub unit: Option<String>,
    /// Records of usage.
    pub records: u64,
    /// Usage of a period that was closed before.
    pub late: bool,
    /// How it is taxed.
    pub tax: TaxRule,
    /// Before rounding.
    pub amount: Nano,
    /// Rounded, with the tax where the price includes it.
    pub amount_minor: i64,
    /// Without tax. A category's lines sum to its taxable sum.
    pub net_minor: i64,
    /// The tax's part.
    pub tax_minor: i64,
}

/// What a line charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LineKind {
    /// A period.
    Recurring,
    /// Once.
    OneTime,
    /// The fee for leaving early.
    LeavingFee,
    /// Usage.
    Usage,
    /// What is missing to a minimum spend.
    MinimumSpend,
    /// A discount or surcharge.
    Alteration,
}

impl LineKind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Recurring => "recurring",
            Self::OneTime => "oneTime",
            Self::LeavingFee => "leavingFee",
            Self::Usage => "usage",
            Self::MinimumSpend => "minimumSpend",
            Self::Alteration => "alteration",
        }
    }
}

impl BillLine {
    /// Whether its revenue is earned after the bill's period, and deferred until then.
    pub fn is_deferred(&self, bill_period: Interval) -> bool {
        self.kind != LineKind::Usage && self.charge_period.to > bill_period.to
    }
}

#[cfg(test)]
mod tests;
