//! The states of a bill: TMF678's names, our arrows.

use crate::refusal::Refusal;

/// A bill's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CustomerBillState {
    /// Computed, not yet looked at.
    New,
    /// Held back for somebody to look at.
    OnHold,
    /// Frozen, numbered and posted.
    Validated,
    /// Sent to the customer.
    Sent,
    /// Paid in part.
    PartiallyPaid,
    /// Paid.
    Settled,
}

/// States in which something is to be paid.
pub const OPEN: &[CustomerBillState] = &[
    CustomerBillState::Validated,
    CustomerBillState::Sent,
    CustomerBillState::PartiallyPaid,
];

impl CustomerBillState {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::New,
        Self::OnHold,
        Self::Validated,
        Self::Sent,
        Self::PartiallyPaid,
        Self::Settled,
    ];

    /// TM Forum's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::OnHold => "onHold",
            Self::Validated => "validated",
            Self::Sent => "sent",
            Self::PartiallyPaid => "partiallyPaid",
            Self::Settled => "settled",
        }
    }

    /// The state of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// The states that may follow.
    pub fn arrows(self) -> &'static [Self] {
        match self {
            Self::New => &[Self::Validated, Self::OnHold],
            Self::OnHold => &[Self::New],
            Self::Validated => &[Self::Sent, Self::PartiallyPaid, Self::Settled],
            Self::Sent => &[Self::PartiallyPaid, Self::Settled],
            // Back to sent when the only payment is reversed.
            Self::PartiallyPaid => &[Self::Settled, Self::Sent],
            Self::Settled => &[Self::PartiallyPaid, Self::Sent],
        }
    }

    /// Goes to a state, or refuses.
    pub fn to(self, next: Self) -> Result<Self, Refusal> {
        if self.arrows().contains(&next) {
            Ok(next)
        } else {
            Err(Refusal::illegal_transition(
                "a customerBill",
                self.name(),
                next.name(),
            ))
        }
    }

    /// The state after a payment, a credit or a reversal left so much of the amount due open.
    pub fn after_payment(self, due_minor: i64, open_minor: i64) -> Result<Self, Refusal> {
        let next = if open_minor <= 0 {
            Self::Settled
        } else if open_minor < due_minor {
            Self::PartiallyPaid
        } else if matches!(self, Self::PartiallyPaid | Self::Settled) {
            Self::Sent
        } else {
            self
        };
        if next == self && !matches!(self, Self::New | Self::OnHold) {
            Ok(self)
        } else {
            self.to(next)
        }
    }
}
