//! The closing of one account's period: pure, from what was read to what a bill is computed from.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bss_domain::allowance::{AllowanceInstance, AllowanceOwner, instances};
use bss_domain::catalog::PriceKind;
use bss_domain::customer_bill::{
    BillAlteration, BillInputs, BillKind, BilledPrice, MinimumSpend, RULES_VERSION, UsageCharge, UsageClaim,
};
use bss_domain::ids::{CustomerBillId, ProductId, ProductOfferingPriceId, UsageId, unix_ms_of};
use bss_domain::obligation::{BilledBefore, BilledProduct, Closing, Obligation, fall_due};
use bss_domain::rating::{
    ClosingState, Measured, PeriodRecord, Plan, RatedItem, RatingState, Why, rate_name, rate_period,
};
use bss_domain::{Instant, Interval, Nano, TypedId};
use bss_store::bill_run::{AccountRow, Correction, DeferredRow, ScannedUsage};
use sha2::{Digest, Sha256};

use super::PriceBook;
use crate::AppError;

/// All that was read of an account.
#[derive(Debug, Clone)]
pub struct AccountData {
    /// The account.
    pub row: AccountRow,
    /// The period that closes.
    pub period: Interval,
    /// The products that it pays or paid for.
    pub products: Vec<BilledProduct>,
    /// What was billed before.
    pub billed: HashMap<ProductId, BilledBefore>,
    /// Its usage of the period, and late usage of earlier ones.
    pub usage: Vec<ScannedUsage>,
    /// What earlier periods' allowances and counters came to, where there is late usage of them.
    pub late_openings: BTreeMap<Instant, ClosingState>,
    /// What is deferred still.
    pub deferred: Vec<DeferredRow>,
    /// Allowances as charging left them, where the account is prepaid: what was taken is final.
    pub used_at_once: Vec<AllowanceInstance>,
    /// The log position up to which its usage was rated.
    pub watermark: i64,
}

/// A closed period, before its credit is known.
#[derive(Debug, Clone)]
pub struct ClosedPeriod {
    /// What the bill is computed from.
    pub inputs: BillInputs,
    /// What allowances and counters came to, with what was rolled over into the next period.
    pub closing: ClosingState,
    /// The same of earlier periods that late usage took from.
    pub late_closings: Vec<(Instant, ClosingState)>,
    /// Where the final rating differs from the provisional one.
    pub corrections: Vec<Correction>,
    /// What was rolled over.
    pub rolled: Vec<AllowanceInstance>,
    /// What was deferred before.
    pub deferred: Vec<DeferredRow>,
}

/// The id of the bill that closes an account's period: the same however often it is asked for.
pub fn bill_id(account: &AccountRow, period: Interval) -> CustomerBillId {
    let mut hash = Sha256::new();
    hash.update(account.id.uuid().as_bytes());
    hash.update(period.from.as_microsecond().to_be_bytes());
    let mut random = [0; 8];
    random.copy_from_slice(&hash.finalize()[..8]);
    CustomerBillId::at(
        period.to.as_millisecond(),
        account.id.slot(),
        u64::from_be_bytes(random),
    )
}

/// Closes a period.
pub fn close(
    data: &AccountData,
    prices: &PriceBook,
    drawn_up_at: Instant,
    due_days: u16,
) -> Result<ClosedPeriod, AppError> {
    let bill = bill_id(&data.row, data.period);
    let (now, late): (Vec<&ScannedUsage>, Vec<&ScannedUsage>) = data
        .usage
        .iter()
        .partition(|usage| start_of(usage.id) >= data.period.from);
    let mut usage = UsageCharges::default();
    let mut corrections = Vec::new();
    let mut late_closings = Vec::new();
    for (period, records) in by_period(data, late) {
        let opening = data.late_openings.get(&period.from);
        let opening = opening.map_or_else(
            || fresh(data, prices, period),
            |known| known.open(|price| prices.allowance(price)),
        );
        let end = rate_all(
            data,
            prices,
            (bill, period),
            &records,
            &opening,
            &mut usage,
            &mut corrections,
        )?;
        late_closings.push((period.from, ClosingState::of(&end)));
    }
    let opening = opening(data, prices);
    let end = rate_all(
        data,
        prices,
        (bill, data.period),
        &now,
        &opening,
        &mut usage,
        &mut corrections,
    )?;
    let mut kept = end;
    for known in &data.used_at_once {
        if let Some(instance) = kept
            .allowances
            .iter_mut()
            .find(|instance| instance.id == known.id)
        {
            (instance.used, instance.reserved) = (known.used, known.reserved);
        }
    }
    let rolled = roll_over(data, &mut kept);
    kept.allowances.extend(rolled.iter().cloned());
    let inputs = inputs(data, prices, usage, (bill, drawn_up_at, due_days))?;
    Ok(ClosedPeriod {
        inputs,
        closing: ClosingState::of(&kept),
        late_closings,
        corrections,
        rolled,
        deferred: data.deferred.clone(),
    })
}

fn inputs(
    data: &AccountData,
    prices: &PriceBook,
    usage: UsageCharges,
    (bill, drawn_up_at, due_days): (CustomerBillId, Instant, u16),
) -> Result<BillInputs, AppError> {
    let mut inputs = BillInputs {
        rules_version: RULES_VERSION,
        bill,
        account: data.row.id,
        customer: data.row.customer,
        currency: data.row.currency,
        cycle: data.row.cycle.clone(),
        kind: BillKind::Regular,
        period: data.period,
        drawn_up_at,
        due_days,
        obligations: obligations(data, prices)?,
        usage: usage.into_charges(data, prices),
        usage_claim: Some(UsageClaim {
            closed_through: data.period.to,
            watermark: data.watermark,
        }),
        minimum_spends: minimum_spends(data, prices)?,
        alterations: alterations(data, prices),
        prices: Vec::new(),
        credit_minor: 0,
    };
    inputs.prices = billed_prices(&inputs, prices);
    Ok(inputs)
}

fn start_of(id: UsageId) -> Instant {
    Instant::from_millisecond(unix_ms_of(id.uuid())).unwrap_or(Instant::MAX)
}

/// Late records by the period in which they happened.
fn by_period<'a>(data: &AccountData, late: Vec<&'a ScannedUsage>) -> Vec<(Interval, Vec<&'a ScannedUsage>)> {
    let mut periods: BTreeMap<Interval, Vec<&ScannedUsage>> = BTreeMap::new();
    for usage in late {
        let period = data.row.cycle.period_of(start_of(usage.id));
        periods.entry(period).or_default().push(usage);
    }
    periods.into_iter().collect()
}

fn fresh(data: &AccountData, prices: &PriceBook, period: Interval) -> RatingState {
    let find = |price| prices.get(price);
    let mut state = RatingState {
        allowances: instances(&data.products, find, data.row.id, &data.row.cycle, period),
        counters: Vec::new(),
    };
    state.sort();
    state
}

/// What the period begins with: what the one before left of windows that go on, what it rolled over, and the rest new.
fn opening(data: &AccountData, prices: &PriceBook) -> RatingState {
    let mut state = fresh(data, prices, data.period);
    let before = data.row.closing.open(|price| prices.allowance(price));
    for known in before.allowances {
        if known.window.to <= data.period.from {
            continue;
        }
        match state.allowances.iter_mut().find(|new| new.id == known.id) {
            Some(new) => *new = known,
            None => state.allowances.push(known),
        }
    }
    state.sort();
    state
}

/// The charges of usage as they are summed: by late or not, period, product, price and rate.
#[derive(Debug, Default)]
struct UsageCharges(BTreeMap<(bool, Interval, ProductId, ProductOfferingPriceId, u16), Sums>);

#[derive(Debug, Default)]
struct Sums {
    records: u64,
    quantity: u64,
    covered: u64,
    amount: i128,
}

impl UsageCharges {
    fn add(&mut self, late: bool, period: Interval, plan: &Plan, quantity: u64, item: &RatedItem) {
        let key = (late, period, plan.product, plan.price, item.rate);
        let sums = self.0.entry(key).or_default();
        sums.records += 1;
        sums.quantity += quantity;
        sums.amount += i128::from(item.amount.0);
        for part in &item.parts {
            if matches!(part.why, Why::Allowance { .. }) {
                sums.covered += part.quantity;
            }
        }
    }

    fn into_charges(self, data: &AccountData, prices: &PriceBook) -> Vec<UsageCharge> {
        let mut charges = Vec::with_capacity(self.0.len());
        for ((_, period, product, price, rate), sums) in self.0 {
            let named = prices
                .tariff(price)
                .and_then(|tariff| tariff.rates.get(usize::from(rate)));
            charges.push(UsageCharge {
                product,
                price,
                rate,
                description: named.map(rate_name).unwrap_or_default(),
                unit: named.map_or("", |rate| rate.service.unit()).to_owned(),
                period,
                late: period.to <= data.period.from,
                records: sums.records,
                quantity: sums.quantity,
                covered: sums.covered,
                // A sum beyond 64 bits of nano units is nine billions of a currency: computing the bill refuses it.
                amount: Nano(i64::try_from(sums.amount).unwrap_or(i64::MAX)),
            });
        }
        charges
    }
}

/// The final rating of one period's records.
fn rate_all(
    data: &AccountData,
    prices: &PriceBook,
    (bill, period): (CustomerBillId, Interval),
    usage: &[&ScannedUsage],
    opening: &RatingState,
    charges: &mut UsageCharges,
    corrections: &mut Vec<Correction>,
) -> Result<RatingState, AppError> {
    let mut plans: Vec<Plan> = Vec::new();
    let mut by_id: HashMap<UsageId, &ScannedUsage> = HashMap::with_capacity(usage.len());
    let mut records = Vec::with_capacity(usage.len());
    for scanned in usage {
        let known = plans
            .iter()
            .position(|plan| plan.product == scanned.product && plan.price == scanned.price);
        let plan = if let Some(known) = known {
            known
        } else {
            let tariff = prices.tariff(scanned.price).ok_or_else(|| {
                AppError::internal(format!(
                    "{} of usage {} is no usage price",
                    scanned.price, scanned.id
                ))
            })?;
            plans.push(Plan {
                product: scanned.product,
                price: scanned.price,
                tariff,
            });
            plans.len() - 1
        };
        by_id.insert(scanned.id, scanned);
        records.push(PeriodRecord {
            id: scanned.id,
            usage: measured(scanned),
            plan,
        });
    }
    let late = period.to <= data.period.from;
    rate_period(&mut records, &plans, &data.row.cycle, opening, |record, item| {
        charges.add(late, period, &plans[record.plan], record.usage.quantity, &item);
        let provisional = by_id[&record.id].amount_nano;
        if item.amount.0 != provisional {
            let mut parts = Vec::new();
            item.encode(&mut parts);
            corrections.push(Correction {
                bill,
                usage: record.id,
                amount_nano: item.amount.0 - provisional,
                parts,
            });
        }
    })
    .map_err(|(id, error)| AppError::internal(format!("usage {id} can't be rated: {error}")))
}

fn measured(scanned: &ScannedUsage) -> Measured<'_> {
    Measured {
        start: start_of(scanned.id),
        service: scanned.service,
        direction: scanned.direction,
        other_party: &scanned.other_party,
        network: scanned.network.as_deref(),
        quantity: scanned.quantity,
    }
}

/// What rolls over from windows that end with the period, for products that still have the price. What rolled over is
/// no longer there for late usage of the period.
fn roll_over(data: &AccountData, end: &mut RatingState) -> Vec<AllowanceInstance> {
    let next = data.row.cycle.next_period(data.period.from);
    let goes_on = |instance: &AllowanceInstance| {
        data.products.iter().any(|product| {
            instance.product.is_none_or(|owner| owner == product.id)
                && product
                    .segments
                    .iter()
                    .any(|segment| segment.contains(next.from) && segment.prices.contains(&instance.price))
        })
    };
    let mut found = Vec::new();
    for instance in &mut end.allowances {
        if instance.window.to != data.period.to || !goes_on(instance) {
            continue;
        }
        let owner = AllowanceOwner {
            slot: data.row.id.slot(),
            account_or_product: instance.product.map_or(data.row.id.uuid(), TypedId::uuid),
        };
        if let Some(rolled) = instance.roll_over(owner, next) {
            instance.granted -= rolled.granted;
            found.push(rolled);
        }
    }
    found
}

fn obligations(data: &AccountData, prices: &PriceBook) -> Result<Vec<Obligation>, AppError> {
    let none = BilledBefore::new();
    let closing = Closing {
        account: data.row.id,
        cycle: &data.row.cycle,
        currency: data.row.currency,
        period: data.period,
        since: data.period.from,
    };
    let mut found = Vec::new();
    for product in &data.products {
        let before = data.billed.get(&product.id).unwrap_or(&none);
        found.extend(fall_due(product, |price| prices.get(price), &closing, before)?);
    }
    Ok(found)
}

/// The segments of the account's products that carry prices of a kind, with the price.
fn carried<'a, T>(
    data: &'a AccountData,
    prices: &'a PriceBook,
    kind: impl Fn(&'a PriceKind) -> Option<T>,
) -> Vec<(&'a BilledProduct, ProductOfferingPriceId, T, Interval)> {
    let mut found = Vec::new();
    for product in &data.products {
        let ids: BTreeSet<ProductOfferingPriceId> = product
            .segments
            .iter()
            .filter(|segment| segment.account == data.row.id)
            .flat_map(|segment| segment.prices.iter().copied())
            .collect();
        for id in ids {
            let Some(rule) = prices.get(id).and_then(|price| kind(&price.kind)) else {
                continue;
            };
            let mut with = product
                .segments
                .iter()
                .filter(|segment| segment.prices.contains(&id));
            let Some(first) = with.next() else { continue };
            let last = with.next_back().unwrap_or(first);
            let life = Interval {
                from: first.from,
                to: last.to.unwrap_or(Instant::MAX),
            };
            found.push((product, id, rule, life));
        }
    }
    found
}

fn alterations<'a>(data: &'a AccountData, prices: &'a PriceBook) -> Vec<BillAlteration> {
    let rule = |kind: &'a PriceKind| match kind {
        PriceKind::Alteration(rule) => Some(rule),
        _ => None,
    };
    carried(data, prices, rule)
        .into_iter()
        .map(|(product, price, rule, life)| {
            let mut new = BillAlteration::of(product.id, price, rule, life.from, &data.row.cycle);
            new.valid.to = new.valid.to.min(life.to);
            new
        })
        .filter(|new| new.valid.to > data.period.from)
        .collect()
}

fn minimum_spends(data: &AccountData, prices: &PriceBook) -> Result<Vec<MinimumSpend>, AppError> {
    let rule = |kind: &PriceKind| match kind {
        PriceKind::Commitment(rule) => rule.minimum_spend,
        _ => None,
    };
    let mut found = Vec::new();
    for (product, price, minimum, life) in carried(data, prices, rule) {
        // A part of a period owes its part of the minimum.
        if let Some(part) = life.overlap(&data.period) {
            found.push(MinimumSpend {
                product: product.id,
                price,
                amount: minimum.share(part.seconds(), data.period.seconds().max(1))?,
            });
        }
    }
    Ok(found)
}

/// The prices that the bill's lines name, in order of their ids.
fn billed_prices(inputs: &BillInputs, prices: &PriceBook) -> Vec<BilledPrice> {
    let ids: BTreeSet<ProductOfferingPriceId> = inputs
        .obligations
        .iter()
        .map(|obligation| obligation.charge)
        .chain(inputs.usage.iter().map(|usage| usage.price))
        .chain(inputs.alterations.iter().map(|alteration| alteration.price))
        .chain(inputs.minimum_spends.iter().map(|minimum| minimum.price))
        .collect();
    ids.into_iter()
        .filter_map(|id| prices.get(id))
        .map(|price| BilledPrice {
            id: price.id,
            name: price.name.clone(),
            tax: price.tax.clone(),
        })
        .collect()
}
