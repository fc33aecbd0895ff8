//! The explanation node: what the console, the command line and every explanation of an amount share.

use bss_domain::{Currency, Instant, MoneyError, Nano};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Something that happened, with why, how much, and what it caused or consists of. Amounts of children sum to the
/// parent's amount wherever both have one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// TM Forum's name of what it stands for, or a plain word (`tax`, `step`, `segment`, `more`).
    #[serde(rename = "type")]
    pub kind: String,
    /// The id of what it stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// What it is, in few words.
    pub label: String,
    /// Why it is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Its state's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// When it happened, in business time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Instant>,
    /// How much money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// How much of something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    /// What it caused or consists of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Explanation>,
}

/// TM Forum's Money with up to nine decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "AmountText", into = "AmountText")]
pub struct Amount {
    /// How much.
    pub value: Nano,
    /// Of what.
    pub currency: Currency,
}

#[derive(Serialize, Deserialize)]
struct AmountText {
    unit: Currency,
    value: serde_json::Number,
}

impl TryFrom<AmountText> for Amount {
    type Error = MoneyError;

    fn try_from(text: AmountText) -> Result<Self, MoneyError> {
        Ok(Self {
            value: Nano::parse(&text.value.to_string())?,
            currency: text.unit,
        })
    }
}

impl From<Amount> for AmountText {
    fn from(amount: Amount) -> Self {
        let text = amount.value.decimal().to_string();
        Self {
            unit: amount.currency,
            // A decimal number is a JSON number.
            value: serde_json::from_str(&text).unwrap_or_else(|_| 0.into()),
        }
    }
}

/// A number of units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantity {
    /// How many.
    pub amount: i64,
    /// `s`, `B`, `message`, `piece`.
    pub units: String,
}

impl Explanation {
    /// A node that only says what it is.
    pub fn new(kind: &str, label: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            id: None,
            label: label.into(),
            why: None,
            state: None,
            at: None,
            amount: None,
            quantity: None,
            children: Vec::new(),
        }
    }

    /// Stands for something that has an id.
    #[must_use]
    pub fn id(mut self, id: impl Into<Uuid>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Has a reason; an empty one is none.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        let why: String = why.into();
        self.why = (!why.is_empty()).then_some(why);
        self
    }

    /// Is in a state.
    #[must_use]
    pub fn state(mut self, state: impl Into<String>) -> Self {
        self.state = Some(state.into());
        self
    }

    /// Happened at an instant.
    #[must_use]
    pub fn at(mut self, at: Instant) -> Self {
        self.at = Some(at);
        self
    }

    /// Comes to an amount.
    #[must_use]
    pub fn amount(mut self, value: Nano, currency: Currency) -> Self {
        self.amount = Some(Amount { value, currency });
        self
    }

    /// Comes to an amount of minor units.
    pub fn minor(self, minor: i64, currency: Currency) -> Result<Self, MoneyError> {
        Ok(self.amount(Nano::from_minor(minor, currency)?, currency))
    }

    /// Counts something.
    #[must_use]
    pub fn quantity(mut self, amount: u64, units: &str) -> Self {
        self.quantity = Some(Quantity {
            amount: amount as i64,
            units: units.to_owned(),
        });
        self
    }

    /// Caused this.
    #[must_use]
    pub fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// Caused these.
    #[must_use]
    pub fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// What the parts say in sum, nano units.
    pub(super) fn sum_of_children(&self) -> Result<Nano, MoneyError> {
        self.children
            .iter()
            .filter_map(|child| child.amount)
            .try_fold(Nano::ZERO, |sum, amount| sum.plus(amount.value))
    }
}
