//! What about a bill is so unusual that a person looks at it before it is validated: the rules, all of them.

use serde::{Deserialize, Serialize};

use crate::money::Currency;

/// How far from the usual is too far. The rules are few, since each bill on hold costs a person's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnomalyLimits {
    /// Totals below it are nobody's time worth, whichever sign they have: major units. Of a currency without decimals
    /// a hundred times as many, since its unit is that much smaller.
    pub floor_major: i64,
    /// A total is held that is more than this many times the median of the account's last ones.
    pub times_median: i64,
}

impl Default for AnomalyLimits {
    fn default() -> Self {
        Self {
            floor_major: 200,
            times_median: 5,
        }
    }
}

/// How many of an account's last bills say what is usual.
pub const USUAL_BILLS: i64 = 6;
/// With fewer of them nothing is usual yet.
const USUAL_BILLS_MIN: usize = 3;

/// A reason to hold a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anomaly {
    /// `farAboveUsual` or `givesBack`.
    pub code: String,
    /// In words.
    pub message: String,
}

impl AnomalyLimits {
    /// The floor in minor units.
    pub fn floor_minor(&self, currency: Currency) -> i64 {
        let exponent = u32::from(currency.exponent());
        let small = if exponent == 0 { 100 } else { 1 };
        self.floor_major
            .saturating_mul(small)
            .saturating_mul(10_i64.saturating_pow(exponent))
    }

    /// Whether a total may be one to hold: what is usual for the account needs to be known only then.
    pub fn may_hold(&self, total_minor: i64, currency: Currency) -> bool {
        total_minor.unsigned_abs() > self.floor_minor(currency).unsigned_abs()
    }

    /// Why a bill is to be held; none: it isn't. `last_minor` are the totals of the account's last bills, in any order.
    ///
    /// - `givesBack`: it gives back more than the floor. A termination gives back a part of one charge; a larger sum
    ///   is more often a mistake in a price or a date than a refund.
    /// - `farAboveUsual`: many times what the account pays as a rule, as stolen numbers and mistyped tariffs make it.
    pub fn look(&self, total_minor: i64, currency: Currency, last_minor: &[i64]) -> Option<Anomaly> {
        if !self.may_hold(total_minor, currency) {
            return None;
        }
        let shown = |minor| crate::Money::new(minor, currency);
        if total_minor < 0 {
            return Some(Anomaly {
                code: "givesBack".to_owned(),
                message: format!("it gives back {}", shown(total_minor.saturating_neg())),
            });
        }
        let mut usual: Vec<i64> = last_minor.to_vec();
        usual.sort_unstable();
        if usual.len() < USUAL_BILLS_MIN {
            return None;
        }
        let median = usual[usual.len() / 2].max(0);
        (total_minor > median.saturating_mul(self.times_median)).then(|| Anomaly {
            code: "farAboveUsual".to_owned(),
            message: format!(
                "its total of {} is more than {} times the account's usual {}",
                shown(total_minor),
                self.times_median,
                shown(median)
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_is_held_that_is_far_above_the_usual_or_gives_much_back() {
        let limits = AnomalyLimits::default();
        for (currency, total, last, code) in [
            ("EUR", 20_000, &[100, 100, 100][..], None),
            ("EUR", 20_001, &[100, 100, 100], Some("farAboveUsual")),
            // Too few bills say what is usual.
            ("EUR", 90_000, &[100, 100], None),
            // One outlier among the last bills changes nothing.
            ("EUR", 50_001, &[10_000, 900_000, 9_000], Some("farAboveUsual")),
            ("EUR", 50_000, &[10_000, 900_000, 9_000], None),
            ("EUR", -20_000, &[], None),
            ("EUR", -20_001, &[], Some("givesBack")),
            ("JPY", 20_000, &[1, 1, 1], None),
            ("JPY", 20_001, &[1, 1, 1], Some("farAboveUsual")),
            ("KWD", 200_001, &[1, 1, 1], Some("farAboveUsual")),
            ("EUR", i64::MIN, &[], Some("givesBack")),
        ] {
            let found = limits.look(total, Currency::of(currency).unwrap(), last);
            assert_eq!(
                found.map(|one| one.code).as_deref(),
                code,
                "{total} {currency} after {last:?}"
            );
        }
    }
}
