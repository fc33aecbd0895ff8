//! The periods of a recurring charge, and what a part of one costs.
//!
//! A part `[a, b)` of a period costs round(amount × b) − round(amount × a), both measured from the period's start as a
//! share of its length, in nano units: so whatever the cuts, the parts of one period sum to the whole amount.

use jiff::Span;

use crate::catalog::{AlignedTo, PeriodUnit, Proration, RecurringCharge};
use crate::money::{Currency, MoneyError, Nano};
use crate::time::{Cycle, Instant, Interval};

/// No charge has more periods than this in one look: some 27 years of days.
const PERIODS_MAX: i64 = 10_000;

/// The charge's periods that end after `since` and begin at or before `until`, for a product that started at
/// `started`; the first one may begin before the product where the charge follows the account's cycle.
pub fn periods(
    charge: &RecurringCharge,
    cycle: &Cycle,
    started: Instant,
    since: Instant,
    until: Instant,
) -> Vec<Interval> {
    let mut found = Vec::new();
    match charge.aligned {
        AlignedTo::Cycle => {
            let mut period = cycle.period_of(started.max(since));
            while period.from <= until {
                found.push(period);
                period = cycle.next_period(period.from);
            }
        }
        AlignedTo::Start => {
            for number in 0..PERIODS_MAX {
                let from = boundary(charge, cycle, started, number);
                let to = boundary(charge, cycle, started, number + 1);
                if from > until || from >= to {
                    break;
                }
                if to > since {
                    found.push(Interval { from, to });
                }
            }
        }
    }
    found
}

/// The beginning of the n-th period, counted from the product's local start, so that the 31st doesn't drift.
fn boundary(charge: &RecurringCharge, cycle: &Cycle, started: Instant, number: i64) -> Instant {
    let count = number * i64::from(charge.length);
    let span = match charge.unit {
        PeriodUnit::Day => Span::new().try_days(count),
        PeriodUnit::Week => Span::new().try_weeks(count),
        PeriodUnit::Month => Span::new().try_months(count),
        PeriodUnit::Year => Span::new().try_years(count),
    };
    let zone = cycle.zone.rules();
    let Ok(local) = span.and_then(|span| zone.to_datetime(started).checked_add(span)) else {
        return Instant::MAX;
    };
    zone.to_ambiguous_timestamp(local)
        .compatible()
        .unwrap_or(Instant::MAX)
}

/// What a part of a period costs for so many pieces. A part of a charge that isn't prorated costs the whole: its
/// caller sees to it that only one part is charged.
pub fn share(
    charge: &RecurringCharge,
    cycle: &Cycle,
    period: Interval,
    part: Interval,
    quantity: i64,
) -> Result<Nano, MoneyError> {
    let whole = charge.amount.share(quantity, 1)?;
    let measure = |at: Instant| match charge.proration {
        Proration::Days => days_between(cycle, period.from, at),
        Proration::Seconds | Proration::None => at.as_second() - period.from.as_second(),
    };
    let length = measure(period.to);
    if charge.proration == Proration::None || length <= 0 {
        return Ok(whole);
    }
    whole
        .share(measure(part.to), length)?
        .minus(whole.share(measure(part.from), length)?)
}

fn days_between(cycle: &Cycle, from: Instant, to: Instant) -> i64 {
    let (from, to) = (cycle.zone.day_of(from), cycle.zone.day_of(to));
    from.until(to).map_or(0, |span| i64::from(span.get_days()))
}

/// Rounds parts to minor units cumulatively: their sum is the rounded sum of the parts.
pub fn cumulative_minor(parts: &[Nano], currency: Currency) -> Result<Vec<i64>, MoneyError> {
    let mut sum = Nano::ZERO;
    let mut before = 0;
    let mut rounded = Vec::with_capacity(parts.len());
    for part in parts {
        sum = sum.plus(*part)?;
        let now = sum.to_minor(currency);
        rounded.push(now - before);
        before = now;
    }
    Ok(rounded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::Zone;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn charge(aligned: AlignedTo, unit: PeriodUnit, proration: Proration) -> RecurringCharge {
        RecurringCharge {
            amount: Nano(9_990_000_000),
            unit,
            length: 1,
            in_advance: false,
            aligned,
            proration,
            charged_while_suspended: true,
        }
    }

    fn warsaw(day: u8) -> Cycle {
        Cycle {
            zone: Zone::named("Europe/Warsaw").unwrap(),
            day,
        }
    }

    #[test]
    fn periods_from_the_start_come_back_to_the_31st() {
        let charge = charge(AlignedTo::Start, PeriodUnit::Month, Proration::Seconds);
        let started = at("2026-01-31T11:00:00Z");
        let until = at("2026-05-01T00:00:00Z");
        let found: Vec<String> = periods(&charge, &warsaw(1), started, started, until)
            .iter()
            .map(|period| period.from.to_string())
            .collect();
        // Noon in Warsaw, whatever the season.
        assert_eq!(
            found,
            [
                "2026-01-31T11:00:00Z",
                "2026-02-28T11:00:00Z",
                "2026-03-31T10:00:00Z",
                "2026-04-30T10:00:00Z"
            ]
        );
    }

    #[test]
    fn days_count_as_days_however_long_they_are() {
        let charge = charge(AlignedTo::Cycle, PeriodUnit::Month, Proration::Days);
        let cycle = warsaw(1);
        // March 2026 has a day of 23 hours; activated at 15:00 on the 17th: 15 of 31 days.
        let period = cycle.period_of(at("2026-03-10T00:00:00Z"));
        let part = Interval {
            from: at("2026-03-17T14:00:00Z"),
            to: period.to,
        };
        let cost = share(&charge, &cycle, period, part, 1).unwrap();
        assert_eq!(cost, Nano(9_990_000_000 - 5_156_129_032));
    }

    #[test]
    fn nine_ninety_nine_in_two_halves() {
        let eur = Currency::of("EUR").unwrap();
        let halves = [Nano(4_995_000_000), Nano(4_995_000_000)];
        assert_eq!(cumulative_minor(&halves, eur).unwrap(), [500, 499]);
    }

    proptest! {
        #[test]
        fn parts_of_a_period_sum_to_the_whole(
            cuts in prop::collection::btree_set(0_i64..2_700_000, 0..12),
            amount in 0_i64..1_000_000_000_000, quantity in 1_i64..50, month in 1_i8..13, day in 1_u8..32,
            proration in prop::sample::select(vec![Proration::Seconds, Proration::Days]),
        ) {
            let cycle = warsaw(day);
            let middle = jiff::civil::date(2026, month, 15).at(12, 0, 0, 0);
            let period = cycle.period_of(cycle.zone.rules().to_ambiguous_timestamp(middle).compatible().unwrap());
            let charge = RecurringCharge {
                amount: Nano(amount), ..charge(AlignedTo::Cycle, PeriodUnit::Month, proration)
            };
            let mut edges = vec![period.from];
            edges.extend(cuts.iter().map(|cut| Instant::from_second(period.from.as_second() + cut).unwrap())
                .filter(|cut| *cut > period.from && *cut < period.to));
            edges.push(period.to);
            let parts: Vec<Nano> = edges.windows(2).map(|pair| {
                share(&charge, &cycle, period, Interval { from: pair[0], to: pair[1] }, quantity).unwrap()
            }).collect();
            prop_assert_eq!(parts.iter().map(|part| part.0).sum::<i64>(), amount * quantity);
            let eur = Currency::of("EUR").unwrap();
            prop_assert_eq!(
                cumulative_minor(&parts, eur).unwrap().iter().sum::<i64>(),
                Nano(amount * quantity).to_minor(eur)
            );
        }
    }
}
