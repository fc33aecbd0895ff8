use serde::Serialize;
use serde_json::{Value, json};

use crate::{Currency, Instant, Money, Nano};

/// What the books say of an account now, in minor units of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountMoney {
    /// What is open of its bills.
    pub receivable_minor: i64,
    /// What of that should have been paid already.
    pub overdue_minor: i64,
    /// What its payments and credit notes left unallocated.
    pub credit_minor: i64,
    /// What is left of its prepaid credit; none: the account isn't prepaid.
    pub prepaid: Option<Nano>,
}

/// TMF666's condition of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum PaymentStatus {
    /// Nothing is open.
    #[serde(rename = "paid")]
    Paid,
    /// Something is open, and its day hasn't come yet.
    #[serde(rename = "due")]
    Due,
    /// The day by which something was to be paid has passed.
    #[serde(rename = "in arrears")]
    InArrears,
}

impl AccountMoney {
    /// Whether the account has paid what it owes.
    pub fn payment_status(&self) -> PaymentStatus {
        if self.overdue_minor > 0 {
            PaymentStatus::InArrears
        } else if self.receivable_minor > 0 {
            PaymentStatus::Due
        } else {
            PaymentStatus::Paid
        }
    }

    /// TMF666's AccountBalance, one of each type that the account has; it is kept since the account was opened.
    pub fn account_balance(&self, currency: Currency, opened: Instant) -> Vec<Value> {
        let balance = |kind: &str, minor| {
            json!({
                "balanceType": kind,
                "amount": Money::new(minor, currency),
                "validFor": { "startDateTime": opened },
                "@type": "AccountBalance",
            })
        };
        let mut balances = vec![
            balance("receivable", self.receivable_minor),
            balance("customerCredit", self.credit_minor),
        ];
        balances.extend(
            self.prepaid
                .map(|left| balance("prepaid", left.to_minor(currency))),
        );
        balances
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_follows_what_is_open_and_since_when() {
        for (receivable_minor, overdue_minor, wanted) in [
            (0, 0, PaymentStatus::Paid),
            (100, 0, PaymentStatus::Due),
            (100, 1, PaymentStatus::InArrears),
        ] {
            let money = AccountMoney {
                receivable_minor,
                overdue_minor,
                credit_minor: 500,
                prepaid: None,
            };
            assert_eq!(
                money.payment_status(),
                wanted,
                "{receivable_minor} {overdue_minor}"
            );
        }
        assert_eq!(json!(PaymentStatus::InArrears), json!("in arrears"));
    }

    #[test]
    fn only_a_prepaid_account_has_a_prepaid_balance() {
        let money = AccountMoney {
            receivable_minor: 1_230,
            overdue_minor: 0,
            credit_minor: 0,
            prepaid: Some(Nano(4_995_000_000)),
        };
        let shown = |money: AccountMoney| -> Vec<(String, Value)> {
            money
                .account_balance(Currency::of("EUR").unwrap(), Instant::UNIX_EPOCH)
                .iter()
                .map(|balance| {
                    (
                        balance["balanceType"].as_str().unwrap().to_owned(),
                        balance["amount"]["value"].clone(),
                    )
                })
                .collect()
        };
        let wanted = [
            ("receivable", json!(12.3)),
            ("customerCredit", json!(0.0)),
            ("prepaid", json!(5.0)),
        ];
        let wanted = wanted.map(|(kind, value)| (kind.to_owned(), value));
        assert_eq!(shown(money), wanted);
        let without = AccountMoney {
            prepaid: None,
            ..money
        };
        assert_eq!(shown(without), wanted[..2]);
    }
}
