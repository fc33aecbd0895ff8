//! The lock-out rule: how long a name rests after failed sign-ins.
//!
//! An attempt is counted *before* its password is checked and forgiven when the check succeeds, so that guesses
//! sent at the same moment can't all pass on one count.

use bss_domain::time::Instant;
use jiff::SignedDuration;

/// So many failures in a row cost nothing.
pub const FREE_FAILURES: u16 = 4;
/// The first lock, after one failure more.
pub const FIRST_LOCK_S: i64 = 30;
/// Each further failure doubles the lock up to here: bounded, so that a stranger can't lock somebody out for good.
pub const LOCK_MAX_S: i64 = 15 * 60;
/// Failures this old count no more.
pub const FORGET_AFTER_S: i64 = 12 * 60 * 60;

/// The failed sign-ins of one name since its last success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failures {
    /// How many in a row.
    pub count: u16,
    /// When the last one was.
    pub last_at: Option<Instant>,
}

impl Failures {
    /// Until when no attempt is looked at.
    pub fn locked_until(&self) -> Option<Instant> {
        let beyond = self.count.checked_sub(FREE_FAILURES + 1)?;
        let lock_s = FIRST_LOCK_S
            .checked_shl(u32::from(beyond.min(10)))?
            .min(LOCK_MAX_S);
        self.last_at?
            .saturating_add(SignedDuration::from_secs(lock_s))
            .ok()
    }

    /// Counts an attempt that is about to be checked.
    ///
    /// # Errors
    /// The end of the lock, while there is one.
    pub fn attempt(self, now: Instant) -> Result<Self, Instant> {
        if let Some(until) = self.locked_until().filter(|until| now < *until) {
            return Err(until);
        }
        let forgotten = self
            .last_at
            .is_none_or(|last| now.as_second() - last.as_second() >= FORGET_AFTER_S);
        let count = if forgotten { 0 } else { self.count };
        Ok(Self {
            count: count.saturating_add(1),
            last_at: Some(now),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Instant {
        Instant::from_second(1_800_000_000 + second).unwrap()
    }

    /// Sends attempts at the given seconds; `true` where the password is looked at.
    fn looked_at(seconds: &[i64]) -> Vec<bool> {
        let mut failures = Failures::default();
        seconds
            .iter()
            .map(|second| {
                let attempt = failures.attempt(at(*second));
                failures = attempt.unwrap_or(failures);
                attempt.is_ok()
            })
            .collect()
    }

    #[test]
    fn failures_lock_for_a_bounded_time() {
        for (seconds, expected) in [
            (&[0, 0, 0, 0, 0][..], &[true; 5][..]),
            (&[0, 0, 0, 0, 0, 0], &[true, true, true, true, true, false]),
            (
                &[0, 0, 0, 0, 0, 29, 30],
                &[true, true, true, true, true, false, true],
            ),
            // The sixth failure at 30 locks for 60 s.
            (
                &[0, 0, 0, 0, 0, 30, 89, 90],
                &[true, true, true, true, true, true, false, true],
            ),
            // An attempt during a lock doesn't lengthen it.
            (
                &[0, 0, 0, 0, 0, 10, 20, 29, 30],
                &[true, true, true, true, true, false, false, false, true],
            ),
        ] {
            assert_eq!(looked_at(seconds), expected, "{seconds:?}");
        }
    }

    #[test]
    fn no_count_locks_for_longer_than_the_bound() {
        for count in [0, 1, 4, 5, 9, 10, 11, 100, u16::MAX] {
            let failures = Failures {
                count,
                last_at: Some(at(0)),
            };
            let until = failures.locked_until().unwrap_or(at(0));
            assert!(until <= at(LOCK_MAX_S), "{count}");
            assert_eq!(until > at(0), count > FREE_FAILURES, "{count}");
        }
    }

    #[test]
    fn old_failures_are_forgotten() {
        let failures = Failures {
            count: 4,
            last_at: Some(at(0)),
        };
        assert_eq!(failures.attempt(at(FORGET_AFTER_S - 1)).unwrap().count, 5);
        assert_eq!(failures.attempt(at(FORGET_AFTER_S)).unwrap().count, 1);
    }
}
