//! Reading a JSON document so that every refusal names the attribute's path and its value.

use serde_json::Value;

use crate::money::{Currency, Nano};
use crate::refusal::Refusal;

/// A place in a document: its value and the path that leads to it.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> Node<'a> {
    pub fn root(value: &'a Value) -> Self {
        Self {
            value,
            path: String::new(),
        }
    }

    /// The attribute; none where it is absent or null.
    pub fn get(&self, name: &str) -> Option<Node<'a>> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        Some(Node {
            value,
            path: self.below(name),
        })
    }

    pub fn need(&self, name: &str) -> Result<Node<'a>, Refusal> {
        self.get(name).ok_or_else(|| Refusal::missing(self.below(name)))
    }

    pub fn items(&self) -> Result<Vec<Node<'a>>, Refusal> {
        let Value::Array(items) = self.value else {
            return Err(self.refuse("wrongType", "a list is expected"));
        };
        let node = |(index, value)| Node {
            value,
            path: format!("{}[{index}]", self.path),
        };
        Ok(items.iter().enumerate().map(node).collect())
    }

    pub fn text(&self) -> Result<&'a str, Refusal> {
        self.value
            .as_str()
            .ok_or_else(|| self.refuse("wrongType", "a text is expected"))
    }

    pub fn flag(&self) -> Result<bool, Refusal> {
        self.value
            .as_bool()
            .ok_or_else(|| self.refuse("wrongType", "true or false is expected"))
    }

    pub fn whole(&self) -> Result<u64, Refusal> {
        self.value
            .as_u64()
            .ok_or_else(|| self.refuse("wrongType", "a whole number from 0 on is expected"))
    }

    /// A decimal number, as JSON's number or as a text, exactly.
    pub fn nano(&self) -> Result<Nano, Refusal> {
        Nano::parse(&self.decimal_text()?).map_err(|error| self.refuse("wrongNumber", error.to_string()))
    }

    /// A percentage as parts per million: 23 is 230,000.
    pub fn percent_ppm(&self) -> Result<i64, Refusal> {
        let nano = self.nano()?.0;
        if nano % 100_000 == 0 {
            Ok(nano / 100_000)
        } else {
            Err(self.refuse("wrongNumber", "a percentage has at most four decimals"))
        }
    }

    fn decimal_text(&self) -> Result<String, Refusal> {
        match self.value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            _ => Err(self.refuse("wrongType", "a decimal number is expected")),
        }
    }

    pub fn currency(&self) -> Result<Currency, Refusal> {
        Currency::of(self.text()?).map_err(|error| self.refuse("unknownCurrency", error.to_string()))
    }

    /// One of a list of words.
    pub fn word<T: Copy>(&self, known: &[(&str, T)]) -> Result<T, Refusal> {
        let text = self.text()?;
        known
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, value)| *value)
            .ok_or_else(|| {
                let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
                self.refuse("unknownValue", format!("known are: {}", words.join(", ")))
            })
    }

    /// A quantity in base units (seconds, messages, bytes): a whole number, `"min"`, `"10 GB"`, or TM Forum's
    /// `{"amount": 10, "units": "GB"}`.
    pub fn quantity(&self) -> Result<u64, Refusal> {
        let wrong = || {
            self.refuse(
                "unknownUnit",
                "a quantity is a whole number, or one with a unit: s, min, h, message, B, kB, MB, GB, KiB, MiB, GiB",
            )
        };
        if self.value.is_object() {
            let unit = unit_of(self.need("units")?.text()?).ok_or_else(wrong)?;
            return self.need("amount")?.whole()?.checked_mul(unit).ok_or_else(wrong);
        }
        let Some(text) = self.value.as_str() else {
            return self.whole();
        };
        let (amount, unit) = text.split_once(' ').unwrap_or(("1", text));
        let amount: u64 = amount.parse().map_err(|_| wrong())?;
        let unit = unit_of(unit).ok_or_else(wrong)?;
        amount.checked_mul(unit).ok_or_else(wrong)
    }

    pub fn refuse(&self, code: &'static str, message: impl Into<String>) -> Refusal {
        let shown = match self.value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Refusal::invalid(code, self.path.clone(), shown, message)
    }

    fn below(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }
}

fn unit_of(name: &str) -> Option<u64> {
    Some(match name {
        "s" | "message" | "B" => 1,
        "min" => 60,
        "h" => 3_600,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    })
}
