//! Telephone numbers: as a switch writes them, and as E.164 digits.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Dialled numbers up to this length are short codes (emergency, information) and are kept as dialled.
const SHORT_CODE_DIGITS: usize = 6;

/// E.164 numbers have at most 15 digits (ITU-T E.164 §6).
const E164_DIGITS: usize = 15;

/// How a switch writes numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NumberPlan {
    /// What stands before an international number beside `+`, as `00`; empty where nothing does.
    pub international_prefix: String,
    /// What stands before a national number, as `0`; empty where nothing does.
    pub trunk_prefix: String,
    /// The country code that national numbers get; where it is empty, a bare number is an international one.
    pub country_code: String,
}

/// What is wrong with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberProblem {
    /// Nothing is left of it.
    Empty,
    /// A character that no number has.
    NotDigits,
    /// More than 15 digits.
    TooLong,
}

impl fmt::Display for NumberProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it has no digits",
            Self::NotDigits => "it has other characters than digits",
            Self::TooLong => "it has more than 15 digits",
        })
    }
}

impl NumberPlan {
    /// The E.164 digits of a number, or a short code as it stands. Spaces, dots and hyphens between digits are
    /// dropped.
    pub fn normalize(&self, written: &str) -> Result<String, NumberProblem> {
        let mut text = String::with_capacity(written.len());
        text.extend(written.chars().filter(|c| !matches!(c, ' ' | '-' | '.')));
        let plus = text.starts_with('+');
        if plus {
            text.remove(0);
        }
        if text.is_empty() {
            return Err(NumberProblem::Empty);
        }
        if !text.bytes().all(|c| c.is_ascii_digit()) {
            return Err(NumberProblem::NotDigits);
        }
        let number = if plus { text } else { self.international(text) };
        match number.len() {
            0 => Err(NumberProblem::Empty),
            1..=E164_DIGITS => Ok(number),
            _ => Err(NumberProblem::TooLong),
        }
    }

    /// A normalized number as every plan reads it.
    pub fn write(number: &str) -> String {
        if number.len() > SHORT_CODE_DIGITS {
            format!("+{number}")
        } else {
            number.to_owned()
        }
    }

    fn international(&self, digits: String) -> String {
        if digits.len() <= SHORT_CODE_DIGITS {
            return digits;
        }
        if let Some(rest) = strip(&digits, &self.international_prefix) {
            return rest.to_owned();
        }
        if let Some(rest) = strip(&digits, &self.trunk_prefix) {
            return format!("{}{rest}", self.country_code);
        }
        if self.country_code.is_empty() {
            return digits;
        }
        format!("{}{digits}", self.country_code)
    }
}

fn strip<'a>(digits: &'a str, prefix: &str) -> Option<&'a str> {
    (!prefix.is_empty())
        .then(|| digits.strip_prefix(prefix))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_international() {
        let bare = NumberPlan::default();
        let german = NumberPlan {
            international_prefix: "00".into(),
            trunk_prefix: "0".into(),
            country_code: "49".into(),
        };
        let polish = NumberPlan {
            country_code: "48".into(),
            international_prefix: "00".into(),
            ..NumberPlan::default()
        };
        let cases = [
            (&bare, "48600100200", Ok("48600100200")),
            (&bare, "+48 600-100.200", Ok("48600100200")),
            (&german, "0048600100200", Ok("48600100200")),
            (&german, "03012345678", Ok("493012345678")),
            (&german, "+48600100200", Ok("48600100200")),
            (&polish, "600100200", Ok("48600100200")),
            (&polish, "112", Ok("112")),
            (&german, "0110", Ok("0110")),
            (&bare, "", Err(NumberProblem::Empty)),
            (&bare, "+", Err(NumberProblem::Empty)),
            (&bare, "anonymous", Err(NumberProblem::NotDigits)),
            (&bare, "1234567890123456", Err(NumberProblem::TooLong)),
        ];
        for (plan, written, expected) in cases {
            assert_eq!(
                plan.normalize(written),
                expected.map(str::to_owned),
                "{written} {plan:?}"
            );
            if let Ok(number) = plan.normalize(written) {
                assert_eq!(plan.normalize(&NumberPlan::write(&number)), Ok(number));
            }
        }
    }
}
