//! Payments (TMF676): their states, and what they pay for.

mod shape;

use serde::{Deserialize, Serialize};

use crate::ids::CustomerBillId;
use crate::money::round_half_away;
use crate::refusal::Refusal;

pub use shape::{PAYMENT, REFUND};

/// A payment's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PaymentStatus {
    /// Asked for; an unknown outcome stays here until it is reconciled.
    PendingAuthorization,
    /// The channel holds the money.
    Authorized,
    /// The channel said no.
    Denied,
    /// The channel failed.
    Failed,
    /// The money is ours.
    Captured,
    /// Let go before it was captured.
    Canceled,
    /// The channel has settled it.
    Done,
}

/// Statuses in which the money counts as paid.
pub const PAID: &[PaymentStatus] = &[PaymentStatus::Captured, PaymentStatus::Done];

impl PaymentStatus {
    /// Every status.
    pub const ALL: [Self; 7] = [
        Self::PendingAuthorization,
        Self::Authorized,
        Self::Denied,
        Self::Failed,
        Self::Captured,
        Self::Canceled,
        Self::Done,
    ];

    /// TM Forum's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::PendingAuthorization => "pendingAuthorization",
            Self::Authorized => "authorized",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Captured => "captured",
            Self::Canceled => "canceled",
            Self::Done => "done",
        }
    }

    /// The status of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// The statuses that may follow.
    pub fn arrows(self) -> &'static [Self] {
        match self {
            Self::PendingAuthorization => &[Self::Authorized, Self::Denied, Self::Failed],
            Self::Authorized => &[Self::Captured, Self::Canceled, Self::Failed],
            Self::Captured => &[Self::Done],
            Self::Denied | Self::Failed | Self::Canceled | Self::Done => &[],
        }
    }

    /// Goes to a status, or refuses.
    pub fn to(self, next: Self) -> Result<Self, Refusal> {
        if self.arrows().contains(&next) {
            Ok(next)
        } else {
            Err(Refusal::illegal_transition("a payment", self.name(), next.name()))
        }
    }
}

/// A bill with what is open of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenBill {
    /// The bill.
    pub bill: CustomerBillId,
    /// What is open, minor units, above 0.
    pub open_minor: i64,
}

/// What money pays for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocation {
    /// Bills and what each gets, minor units.
    pub applied: Vec<(CustomerBillId, i64)>,
    /// What is left: it becomes credit of the account.
    pub rest_minor: i64,
}

/// Allocates an amount to bills in the order given, each up to what is open.
pub fn allocate(amount_minor: i64, open: &[OpenBill]) -> Allocation {
    let mut rest_minor = amount_minor;
    let mut applied = Vec::new();
    for bill in open {
        let part = bill.open_minor.min(rest_minor);
        if part > 0 {
            applied.push((bill.bill, part));
            rest_minor -= part;
        }
    }
    Allocation { applied, rest_minor }
}

/// Each amount's share of a channel's fees, rounded cumulatively, so that the shares sum to the fees. Where the amounts
/// sum to nothing, so must the fees.
pub fn share_fees(fees_minor: i64, amounts_minor: &[i64]) -> Vec<i64> {
    let total: i128 = amounts_minor.iter().copied().map(i128::from).sum();
    let mut passed = 0_i128;
    let mut shared = 0_i64;
    let mut shares = Vec::with_capacity(amounts_minor.len());
    for amount in amounts_minor {
        passed += i128::from(*amount);
        // Between 0 and the fees, so it fits.
        let through = round_half_away(i128::from(fees_minor) * passed, total.max(1)) as i64;
        shares.push(through - shared);
        shared = through;
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn fees_sum_to_the_whole_and_none_exceeds_its_payment(
            amounts in proptest::collection::vec(1_i64..1_000_000, 1..20), share_ppm in 0_i64..=1_000_000,
        ) {
            let total: i64 = amounts.iter().sum();
            let fees = (i128::from(total) * i128::from(share_ppm) / 1_000_000) as i64;
            let shares = share_fees(fees, &amounts);
            prop_assert_eq!(shares.iter().sum::<i64>(), fees);
            for (share, amount) in shares.iter().zip(&amounts) {
                prop_assert!(*share >= 0 && *share <= *amount + 1, "{share} of {amount}");
            }
        }

        #[test]
        fn what_is_allocated_and_what_is_left_sum_to_the_payment(
            amount in 0_i64..1_000_000, open in proptest::collection::vec(1_i64..300_000, 0..8),
        ) {
            let bills: Vec<OpenBill> = open.iter().zip(1_u128..).map(|(open_minor, number)| OpenBill {
                bill: uuid::Uuid::from_u128(number).into(),
                open_minor: *open_minor,
            }).collect();
            let allocation = allocate(amount, &bills);
            let applied: i64 = allocation.applied.iter().map(|(_, minor)| minor).sum();
            prop_assert_eq!(applied + allocation.rest_minor, amount);
            prop_assert!(allocation.rest_minor == 0 || applied == open.iter().sum::<i64>());
            for (bill, minor) in &allocation.applied {
                let open = bills.iter().find(|known| known.bill == *bill).unwrap().open_minor;
                prop_assert!(*minor > 0 && *minor <= open);
            }
        }
    }

    #[test]
    fn only_the_declared_arrows_exist() {
        use PaymentStatus::{Authorized, Canceled, Captured, Denied, Done, Failed, PendingAuthorization};
        let legal = [
            (PendingAuthorization, Authorized),
            (PendingAuthorization, Denied),
            (PendingAuthorization, Failed),
            (Authorized, Captured),
            (Authorized, Canceled),
            (Authorized, Failed),
            (Captured, Done),
        ];
        for from in PaymentStatus::ALL {
            assert_eq!(PaymentStatus::named(from.name()), Some(from));
            for to in PaymentStatus::ALL {
                assert_eq!(
                    from.to(to).is_ok(),
                    legal.contains(&(from, to)),
                    "{from:?} → {to:?}"
                );
            }
        }
    }

    #[test]
    fn money_pays_bills_in_order_and_the_rest_is_credit() {
        let bill = |number: u128| CustomerBillId::from(uuid::Uuid::from_u128(number));
        let open = |number, open_minor| OpenBill {
            bill: bill(number),
            open_minor,
        };
        let bills = [open(1, 500), open(2, 300)];
        let cases = [
            (400, vec![(bill(1), 400)], 0),
            (500, vec![(bill(1), 500)], 0),
            (700, vec![(bill(1), 500), (bill(2), 200)], 0),
            (900, vec![(bill(1), 500), (bill(2), 300)], 100),
        ];
        for (amount, applied, rest_minor) in cases {
            assert_eq!(allocate(amount, &bills), Allocation { applied, rest_minor });
        }
    }
}
