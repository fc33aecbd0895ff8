//! Business time: UTC instants, half-open intervals, and periods cut in an account's IANA zone.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// An instant, UTC.
pub type Instant = jiff::Timestamp;

/// A half-open interval `[from, to)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Interval {
    /// The first instant inside.
    pub from: Instant,
    /// The first instant behind it.
    pub to: Instant,
}

impl Interval {
    /// The interval between two instants; none where the second is before the first.
    pub fn new(from: Instant, to: Instant) -> Option<Self> {
        (from <= to).then_some(Self { from, to })
    }

    /// Whether the instant lies inside.
    pub fn contains(&self, at: Instant) -> bool {
        self.from <= at && at < self.to
    }

    /// Whether nothing lies inside.
    pub fn is_empty(&self) -> bool {
        self.from == self.to
    }

    /// Its length in whole seconds.
    pub fn seconds(&self) -> i64 {
        self.to.as_second() - self.from.as_second()
    }

    /// What both have in common; none where they only touch.
    pub fn overlap(&self, other: &Self) -> Option<Self> {
        let common = Self {
            from: self.from.max(other.from),
            to: self.to.min(other.to),
        };
        (common.from < common.to).then_some(common)
    }
}

/// A name that is no IANA time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no IANA time zone, as Europe/Warsaw is one")]
pub struct UnknownZone(pub String);

/// An IANA time zone from the bundled database, so that a bill doesn't depend on the host's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone of this name.
    pub fn named(name: &str) -> Result<Self, UnknownZone> {
        TimeZone::get(name)
            .map(Self)
            .map_err(|_| UnknownZone(name.to_owned()))
    }

    /// UTC.
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The first instant of a day there (a day may begin at 01:00 where the clock jumps at midnight).
    pub fn start_of(&self, day: Date) -> Instant {
        self.0
            .to_ambiguous_timestamp(day.to_datetime(jiff::civil::Time::midnight()))
            .compatible()
            .unwrap_or(Instant::MAX)
    }

    /// The day there at an instant.
    pub fn day_of(&self, at: Instant) -> Date {
        self.0.to_datetime(at).date()
    }

    /// The zone as jiff knows it.
    pub fn rules(&self) -> &TimeZone {
        &self.0
    }
}

impl TryFrom<String> for Zone {
    type Error = UnknownZone;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::named(&name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name().to_owned()
    }
}

/// An account's monthly cycle: periods begin at local midnight of the cycle day, or of the last day of a month
/// that is shorter; the next period goes back to the cycle day, without drifting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycle {
    /// The account's zone.
    pub zone: Zone,
    /// The day of the month, 1 to 31.
    pub day: u8,
}

impl Cycle {
    /// The period that holds an instant.
    pub fn period_of(&self, at: Instant) -> Interval {
        let day = self.zone.day_of(at);
        let this = self.boundary(day.year(), day.month());
        if at < self.zone.start_of(this) {
            let (year, month) = previous_month(day.year(), day.month());
            Interval {
                from: self.zone.start_of(self.boundary(year, month)),
                to: self.zone.start_of(this),
            }
        } else {
            let (year, month) = next_month(day.year(), day.month());
            Interval {
                from: self.zone.start_of(this),
                to: self.zone.start_of(self.boundary(year, month)),
            }
        }
    }

    /// The period that follows the one which holds this instant.
    pub fn next_period(&self, at: Instant) -> Interval {
        self.period_of(self.period_of(at).to)
    }

    fn boundary(&self, year: i16, month: i8) -> Date {
        let first = Date::new(year, month, 1).unwrap_or(Date::MAX);
        let last = first.days_in_month();
        let wanted = i8::try_from(self.day).unwrap_or(31).clamp(1, last);
        Date::new(year, month, wanted).unwrap_or(first)
    }
}

fn next_month(year: i16, month: i8) -> (i16, i8) {
    if month == 12 {
        (year + 1, 1)
    } else {
        (year, month + 1)
    }
}

fn previous_month(year: i16, month: i8) -> (i16, i8) {
    if month == 1 {
        (year - 1, 12)
    } else {
        (year, month - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn periods_are_cut_in_the_accounts_zone_without_drifting() {
        let cases = [
            (
                "Europe/Warsaw",
                1,
                "2026-03-15T12:00:00Z",
                "2026-02-28T23:00:00Z",
                "2026-03-31T22:00:00Z",
            ),
            (
                "Asia/Tokyo",
                31,
                "2026-02-10T00:00:00Z",
                "2026-01-30T15:00:00Z",
                "2026-02-27T15:00:00Z",
            ),
            (
                "Asia/Tokyo",
                31,
                "2026-02-28T00:00:00Z",
                "2026-02-27T15:00:00Z",
                "2026-03-30T15:00:00Z",
            ),
            (
                "UTC",
                15,
                "2026-01-01T00:00:00Z",
                "2025-12-15T00:00:00Z",
                "2026-01-15T00:00:00Z",
            ),
            (
                "UTC",
                15,
                "2025-12-15T00:00:00Z",
                "2025-12-15T00:00:00Z",
                "2026-01-15T00:00:00Z",
            ),
        ];
        for (zone, day, now, from, to) in cases {
            let cycle = Cycle {
                zone: Zone::named(zone).unwrap(),
                day,
            };
            assert_eq!(
                cycle.period_of(at(now)),
                Interval {
                    from: at(from),
                    to: at(to)
                },
                "{zone} {day} {now}"
            );
        }
    }

    #[test]
    fn periods_follow_each_other_without_hole_or_overlap() {
        let cycle = Cycle {
            zone: Zone::named("America/New_York").unwrap(),
            day: 31,
        };
        let mut period = cycle.period_of(at("2024-01-01T00:00:00Z"));
        for _ in 0..60 {
            let next = cycle.next_period(period.from);
            assert_eq!(period.to, next.from);
            assert!(
                (28 * 86_400 - 3_600..=31 * 86_400 + 3_600).contains(&next.seconds()),
                "{next:?}"
            );
            period = next;
        }
    }

    #[test]
    fn an_unknown_zone_is_named() {
        assert_eq!(Zone::named("Mars/Olympus").unwrap_err().0, "Mars/Olympus");
        assert_eq!(
            serde_json::to_string(&Zone::named("Asia/Tokyo").unwrap()).unwrap(),
            "\"Asia/Tokyo\""
        );
    }
}
