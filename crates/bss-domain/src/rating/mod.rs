//! Rating: one pure function from usage, tariff, counters and allowances to a rated item.
//!
//! The charging stream calls [`rate`] for each record as it arrives (provisional), the closing of a period calls
//! [`rate_period`] over all its records in event order (final). A record that covers nothing costs nothing; an
//! answered call pays its connection fee unless allowances cover it whole. Allowances come first, from the start of
//! the call; the rest is priced from there on. An increment that begins in a band, step or tier is charged there.

mod closing;
mod item;
mod period;
mod walk;

pub use closing::{ClosedAllowance, ClosingState};
pub use item::{DecodeError, Part, RatedItem, Why};
pub use period::{PeriodRecord, rate_period};

use crate::allowance::AllowanceInstance;
use crate::catalog::tariff::{Band, Rate, step_at};
use crate::catalog::{Direction, ServiceKind, Step, Tariff};
use crate::ids::{ProductId, ProductOfferingPriceId};
use crate::money::{MoneyError, Nano};
use crate::time::{Cycle, Instant, Interval};
use walk::Walk;

/// The usage of one record, as rating sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured<'a> {
    /// When it began.
    pub start: Instant,
    /// What was used.
    pub service: ServiceKind,
    /// Which way.
    pub direction: Direction,
    /// The other party's number in international form, a leading `+` allowed; the access point's name for data.
    pub other_party: &'a str,
    /// The visited network, where it was abroad.
    pub network: Option<&'a str>,
    /// Base units: seconds, messages, bytes.
    pub quantity: u64,
}

/// The price by which a product's usage is rated: its pinned version.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// The product.
    pub product: ProductId,
    /// The price version.
    pub price: ProductOfferingPriceId,
    /// Its tariff.
    pub tariff: &'a Tariff,
}

/// What was priced in a period so far.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counter {
    /// The period.
    pub window: Interval,
    /// The product; none where the account's products share the counter.
    pub product: Option<ProductId>,
    /// The price version.
    pub price: ProductOfferingPriceId,
    /// The counter's index in the tariff.
    pub counter: u16,
    /// Base units that were priced, as measured.
    pub value: u64,
    /// The whole period's value, where a final rating knows it.
    pub total: Option<u64>,
}

/// What an account's usage takes from and counts on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RatingState {
    /// The allowances' instances, in [`AllowanceInstance::order`]: see [`RatingState::sort`].
    pub allowances: Vec<AllowanceInstance>,
    /// The counters.
    pub counters: Vec<Counter>,
}

/// Why usage can't be rated. The record waits until the tariff or the record is mended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RatingError {
    /// No zone has the number or the network.
    #[error("the tariff has no zone for this number or network")]
    NoZone,
    /// No rate serves the zone.
    #[error("the tariff has no price for {service} {direction} to zone {zone}")]
    NoRate {
        /// What was used.
        service: &'static str,
        /// Which way.
        direction: &'static str,
        /// Where to.
        zone: String,
    },
    /// The amount is beyond 64 bits.
    #[error("the amount is too large")]
    TooLarge,
}

impl From<MoneyError> for RatingError {
    fn from(_: MoneyError) -> Self {
        Self::TooLarge
    }
}

impl RatingState {
    /// Puts the allowances into the order in which they are taken from. Whoever adds one calls it.
    pub fn sort(&mut self) {
        self.allowances.sort_by_key(AllowanceInstance::order);
    }

    fn find(&self, plan: &Plan, counter: u16, at: Instant) -> Option<usize> {
        let product = (!plan.tariff.shared_counters).then_some(plan.product);
        self.counters.iter().position(|known| {
            known.price == plan.price
                && known.counter == counter
                && known.product == product
                && known.window.contains(at)
        })
    }

    fn count(&mut self, plan: &Plan, counter: u16, at: Instant, cycle: &Cycle, value: u64) {
        if let Some(place) = self.find(plan, counter, at) {
            self.counters[place].value = value;
        } else {
            self.counters.push(Counter {
                window: cycle.period_of(at),
                product: (!plan.tariff.shared_counters).then_some(plan.product),
                price: plan.price,
                counter,
                value,
                total: None,
            });
        }
    }
}

/// Rates one record. On an error, the state is as before.
pub fn rate(
    usage: &Measured,
    plan: &Plan,
    cycle: &Cycle,
    state: &mut RatingState,
) -> Result<RatedItem, RatingError> {
    let tariff = plan.tariff;
    let zone = tariff
        .zone_of(usage.other_party, usage.network)
        .ok_or(RatingError::NoZone)?;
    let number = tariff
        .rate_of(usage.service, usage.direction, zone)
        .ok_or_else(|| RatingError::NoRate {
            service: usage.service.name(),
            direction: usage.direction.name(),
            zone: tariff.zones[usize::from(zone)].clone(),
        })?;
    let rate = &tariff.rates[usize::from(number)];
    let mut item = RatedItem {
        zone,
        rate: number,
        amount: Nano::ZERO,
        parts: Vec::with_capacity(2),
    };
    if usage.quantity == 0 {
        return Ok(item);
    }
    let mut walk = Walk::begin(usage, tariff, rate, cycle);
    let allowed = take(usage, plan, walk.band(), state, &mut item.parts, zone);
    if allowed < usage.quantity {
        connection_fee(&walk, &mut item.parts);
        walk.advance_to(allowed);
        let counters = priced(&mut walk, plan, usage, state, &mut item.parts)?;
        item.amount = item.total()?;
        if let Some((counter, value)) = counters {
            state.count(plan, counter, usage.start, cycle, value);
        }
    }
    settle(state, &item.parts);
    Ok(item)
}

fn connection_fee(walk: &Walk, parts: &mut Vec<Part>) {
    let fee = walk.band().connection_fee;
    if fee > Nano::ZERO {
        parts.push(Part {
            quantity: 0,
            charged: 1,
            unit: 1,
            unit_price: fee,
            amount: fee,
            why: Why::ConnectionFee {
                band: walk.band_number(),
            },
        });
    }
}

/// Takes from the allowances in their order; gives the position in the call up to which they cover it. What they
/// cover is written into the state by [`settle`], when nothing can fail any more.
fn take(
    usage: &Measured,
    plan: &Plan,
    band: &Band,
    state: &RatingState,
    parts: &mut Vec<Part>,
    zone: u16,
) -> u64 {
    let mut position = 0;
    for allowance in &state.allowances {
        if position >= usage.quantity {
            break;
        }
        let fits = allowance.window.contains(usage.start)
            && allowance.product.is_none_or(|product| product == plan.product)
            && allowance.definition.covers(
                usage.service,
                usage.direction,
                &plan.tariff.zones[usize::from(zone)],
            );
        let available = allowance.available();
        if !fits || available == 0 {
            continue;
        }
        let rest = usage.quantity - position;
        let wanted = match allowance.definition.increment {
            Some(increment) => rest.div_ceil(increment).saturating_mul(increment),
            None => rounded(band.charge.first_steps(), position, usage.quantity) - position,
        };
        let taken = wanted.min(available);
        parts.push(Part {
            quantity: rest.min(taken),
            charged: taken,
            unit: 1,
            unit_price: Nano::ZERO,
            amount: Nano::ZERO,
            why: Why::Allowance { bucket: allowance.id },
        });
        position += taken;
    }
    position.min(usage.quantity)
}

/// The position at which the increments that `[from, to)` begins have ended.
fn rounded(steps: &[Step], from: u64, to: u64) -> u64 {
    let mut position = from;
    while position < to {
        let Some(step) = steps.get(step_at(steps, position)) else {
            return to;
        };
        let next = steps.iter().map(|step| step.from).find(|from| *from > position);
        let end = next.unwrap_or(u64::MAX).min(to);
        let increments = (end - position).div_ceil(step.increment);
        position = position.saturating_add(increments.saturating_mul(step.increment));
    }
    position
}

/// Prices the rest of the call. Gives the counter that moved and its new value.
fn priced(
    walk: &mut Walk,
    plan: &Plan,
    usage: &Measured,
    state: &RatingState,
    parts: &mut Vec<Part>,
) -> Result<Option<(u16, u64)>, RatingError> {
    let first = parts.len();
    let mut count: Option<(u16, u64, Option<u64>)> = None;
    while walk.position < usage.quantity {
        let counter = walk::counter_of(&walk.band().charge);
        if let Some(counter) = counter.filter(|counter| count.is_none_or(|(known, ..)| known != *counter)) {
            let place = state
                .find(plan, counter, usage.start)
                .map(|place| &state.counters[place]);
            count = Some((
                counter,
                place.map_or(0, |known| known.value),
                place.and_then(|known| known.total),
            ));
        }
        let (value, total) = count.map_or((0, None), |(_, value, total)| (value, total));
        let part = walk.chunk(value, total)?;
        if let Some((_, value, _)) = &mut count {
            *value += part.quantity;
        }
        merge(parts, first, part)?;
    }
    Ok(count.map(|(counter, value, _)| (counter, value)))
}

/// Adds a part, or lengthens the last one where the price goes on.
fn merge(parts: &mut Vec<Part>, first: usize, part: Part) -> Result<(), RatingError> {
    if parts.len() > first
        && let Some(last) = parts.last_mut()
        && last.why == part.why
        && matches!(part.why, Why::Step { .. })
    {
        last.quantity += part.quantity;
        last.charged += part.charged;
        last.amount = last.priced()?;
    } else {
        parts.push(part);
    }
    Ok(())
}

fn settle(state: &mut RatingState, parts: &[Part]) {
    for part in parts {
        if let Why::Allowance { bucket } = part.why
            && let Some(allowance) = state.allowances.iter_mut().find(|known| known.id == bucket)
        {
            allowance.used += part.charged;
        }
    }
}

/// The rate's name on a bill line.
pub fn rate_name(rate: &Rate) -> String {
    format!("{} {} {}", rate.service.name(), rate.direction.name(), rate.zone)
}

#[cfg(test)]
mod tests;
