//! The walk along a call: which band, tier and step serve a position, and how far they reach.

use jiff::civil::{DateTime, Time};

use super::{Measured, Part, RatingError, Why};
use crate::catalog::tariff::{Band, Charge, Rate, step_at, tier_at};
use crate::catalog::{ServiceKind, Step, Tariff};
use crate::money::{MoneyError, Nano};
use crate::time::{Cycle, Instant};

/// The counter that a charge moves.
pub(super) fn counter_of(charge: &Charge) -> Option<u16> {
    match charge {
        Charge::Steps(_) => None,
        Charge::Graduated { counter, .. }
        | Charge::Volume { counter, .. }
        | Charge::Package { counter, .. } => Some(*counter),
    }
}

/// A position in a call and the band that serves it.
pub(super) struct Walk<'a> {
    usage: &'a Measured<'a>,
    tariff: &'a Tariff,
    rate: &'a Rate,
    cycle: &'a Cycle,
    /// Base units from the start.
    pub position: u64,
    band: usize,
    /// The position at which another band may begin.
    edge: u64,
}

impl<'a> Walk<'a> {
    pub fn begin(usage: &'a Measured<'a>, tariff: &'a Tariff, rate: &'a Rate, cycle: &'a Cycle) -> Self {
        let mut walk = Self {
            usage,
            tariff,
            rate,
            cycle,
            position: 0,
            band: 0,
            edge: u64::MAX,
        };
        walk.find_band(usage.start);
        walk
    }

    pub fn band(&self) -> &'a Band {
        &self.rate.bands[self.band]
    }

    pub fn band_number(&self) -> u8 {
        self.band as u8
    }

    /// Goes on to a position; past the edge of a band that splits calls, the band of that moment serves.
    pub fn advance_to(&mut self, position: u64) {
        self.position = position;
        while self.position >= self.edge {
            let seconds = jiff::SignedDuration::from_secs(self.position as i64);
            match self.usage.start.checked_add(seconds) {
                Ok(at) => self.find_band(at),
                Err(_) => self.edge = u64::MAX,
            }
        }
    }

    /// Prices from here to where the band, tier or step ends, in whole increments, and goes on.
    pub fn chunk(&mut self, count: u64, total: Option<u64>) -> Result<Part, RatingError> {
        let (tier, steps, tier_left) = match &self.band().charge {
            Charge::Package { size, price, .. } => return self.package(count, *size, *price),
            Charge::Steps(steps) => (None, steps, u64::MAX),
            Charge::Graduated { tiers, .. } => {
                let tier = tier_at(tiers, count);
                let left = tiers[tier].up_to.map_or(u64::MAX, |end| end - count);
                (Some(tier as u8), &tiers[tier].steps, left)
            }
            Charge::Volume { tiers, .. } => {
                // A total of exactly a tier's end still lies in that tier.
                let tier = tier_at(tiers, total.map_or(count, |total| total.saturating_sub(1)));
                (Some(tier as u8), &tiers[tier].steps, u64::MAX)
            }
        };
        let number = step_at(steps, self.position);
        let step: &Step = &steps[number];
        let step_end = steps.get(number + 1).map_or(u64::MAX, |next| next.from);
        let end = self
            .usage
            .quantity
            .min(self.edge)
            .min(step_end)
            .min(self.position.saturating_add(tier_left));
        let increments = (end - self.position).div_ceil(step.increment);
        let charged = increments
            .checked_mul(step.increment)
            .ok_or(RatingError::TooLarge)?;
        let mut part = Part {
            quantity: charged.min(self.usage.quantity - self.position),
            charged,
            unit: step.unit,
            unit_price: step.price,
            amount: Nano::ZERO,
            why: Why::Step {
                band: self.band_number(),
                tier,
                step: number as u8,
            },
        };
        part.amount = part.priced()?;
        self.advance_to(self.position.saturating_add(charged));
        Ok(part)
    }

    fn package(&mut self, count: u64, size: u64, price: Nano) -> Result<Part, RatingError> {
        let end = self.usage.quantity.min(self.edge);
        let quantity = end - self.position;
        let after = count.checked_add(quantity).ok_or(RatingError::TooLarge)?;
        let begun = after.div_ceil(size) - count.div_ceil(size);
        let amount = price.0.checked_mul(begun as i64).ok_or(MoneyError::Overflow)?;
        let part = Part {
            quantity,
            charged: begun,
            unit: 1,
            unit_price: price,
            amount: Nano(amount),
            why: Why::Package {
                band: self.band_number(),
            },
        };
        self.advance_to(end);
        Ok(part)
    }

    fn find_band(&mut self, at: Instant) {
        if self.rate.bands.len() == 1 {
            self.edge = u64::MAX;
            return;
        }
        let local = self.cycle.zone.rules().to_datetime(at);
        let day_bit = if self.tariff.is_holiday(local.date()) {
            7
        } else {
            local.weekday().to_monday_zero_offset()
        };
        let second = second_of(local.time());
        let fits =
            |band: &Band| band.days & (1 << day_bit) != 0 && band.from_s <= second && second < band.to_s;
        // The last band always fits.
        self.band = self
            .rate
            .bands
            .iter()
            .position(fits)
            .unwrap_or(self.rate.bands.len() - 1);
        let splits = self.usage.service == ServiceKind::Voice && self.band().split;
        self.edge = if splits {
            self.next_edge(at, local, second)
        } else {
            u64::MAX
        };
    }

    /// The next moment at which another band may fit: a band's edge, midnight, or a jump of the zone's clock.
    fn next_edge(&self, at: Instant, local: DateTime, second: u32) -> u64 {
        let zone = self.cycle.zone.rules();
        let edges = self.rate.bands.iter().flat_map(|band| [band.from_s, band.to_s]);
        let next = edges
            .filter(|edge| *edge > second && *edge < 86_400)
            .min()
            .map(|edge| {
                local
                    .date()
                    .at((edge / 3_600) as i8, (edge / 60 % 60) as i8, 0, 0)
            });
        let midnight = local.date().tomorrow().unwrap_or(local.date());
        let wanted = next.unwrap_or_else(|| midnight.to_datetime(Time::midnight()));
        let ambiguous = zone.to_ambiguous_timestamp(wanted);
        let instant = match ambiguous.compatible() {
            Ok(instant) if instant > at => instant,
            _ => ambiguous.later().unwrap_or(Instant::MAX),
        };
        let jump = zone
            .following(at)
            .next()
            .map_or(Instant::MAX, |jump| jump.timestamp());
        let edge = instant.min(jump).max(at).as_second() - self.usage.start.as_second();
        // At least a second further, so that the walk always ends.
        (edge.max(0) as u64).max(self.position + 1)
    }
}

fn second_of(time: Time) -> u32 {
    (i32::from(time.hour()) * 3_600 + i32::from(time.minute()) * 60 + i32::from(time.second())) as u32
}
