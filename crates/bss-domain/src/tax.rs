//! Tax by category and rate, on the sum of the rounded lines (EN 16931, BR-CO-17 and BG-23).

use serde::{Deserialize, Serialize};

use crate::money::round_half_away;

/// How a price is taxed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaxRule {
    /// The category, UNTDID 5305: `S` standard, `Z` zero, `E` exempt, `O` out of scope.
    pub category: String,
    /// The rate in parts per million: 23 % is 230,000.
    pub rate_ppm: i64,
    /// Whether the price includes the tax.
    pub included: bool,
}

impl TaxRule {
    /// Out of scope of tax.
    pub fn none() -> Self {
        Self {
            category: "O".to_owned(),
            rate_ppm: 0,
            included: false,
        }
    }
}

/// The tax of one category and rate on a bill. Net + tax = gross.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaxTotal {
    /// The category.
    pub category: String,
    /// The rate in parts per million.
    pub rate_ppm: i64,
    /// The taxable sum, minor units.
    pub net_minor: i64,
    /// The tax, minor units.
    pub tax_minor: i64,
}

/// Net and tax of a sum of minor units: of an inclusive sum, net = round(gross ÷ (1 + rate)) and tax = gross − net; of
/// an exclusive one, tax = round(net × rate).
pub fn split(sum_minor: i64, rule: &TaxRule) -> (i64, i64) {
    const WHOLE: i128 = 1_000_000;
    let (sum, rate) = (i128::from(sum_minor), i128::from(rule.rate_ppm));
    if rule.included {
        let net = round_half_away(sum * WHOLE, WHOLE + rate) as i64;
        (net, sum_minor - net)
    } else {
        (sum_minor, round_half_away(sum * rate, WHOLE) as i64)
    }
}

/// Tax totals of lines (rule, minor units), in order of category, rate.
pub fn totals<'a>(lines: impl IntoIterator<Item = (&'a TaxRule, i64)>) -> Vec<TaxTotal> {
    let mut sums: std::collections::BTreeMap<&TaxRule, i64> = std::collections::BTreeMap::new();
    for (rule, minor) in lines {
        *sums.entry(rule).or_default() += minor;
    }
    let mut totals: Vec<TaxTotal> = Vec::new();
    for (rule, sum) in sums {
        let (net_minor, tax_minor) = split(sum, rule);
        match totals.last_mut() {
            // Inclusive and exclusive lines of one category and rate: each rounded by its rule, shown as one.
            Some(last) if last.category == rule.category && last.rate_ppm == rule.rate_ppm => {
                last.net_minor += net_minor;
                last.tax_minor += tax_minor;
            }
            _ => totals.push(TaxTotal {
                category: rule.category.clone(),
                rate_ppm: rule.rate_ppm,
                net_minor,
                tax_minor,
            }),
        }
    }
    totals
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(rate_ppm: i64, included: bool) -> TaxRule {
        TaxRule {
            category: "S".to_owned(),
            rate_ppm,
            included,
        }
    }

    #[test]
    fn net_and_tax_sum_to_gross() {
        let cases = [
            // sum, rate, included → net, tax
            (1_000, 230_000, false, 1_000, 230),
            (1_230, 230_000, true, 1_000, 230),
            (999, 230_000, true, 812, 187),
            (1, 190_000, true, 1, 0),
            (3, 190_000, false, 3, 1),
            (-999, 230_000, true, -812, -187),
            (1_000, 0, true, 1_000, 0),
        ];
        for (sum, rate, included, net, tax) in cases {
            assert_eq!(
                split(sum, &rule(rate, included)),
                (net, tax),
                "{sum} {rate} {included}"
            );
        }
    }

    #[test]
    fn tax_is_rounded_on_the_sum_not_on_the_lines() {
        let rule = rule(230_000, false);
        // 23 % of 0.02 is 0.0046: a line's tax would round to nothing.
        let totals = totals(std::iter::repeat_n((&rule, 2), 100));
        assert_eq!((totals[0].net_minor, totals[0].tax_minor), (200, 46));
    }
}
