//! The ledger: append-only double entry. Every entry has one currency, one cause, and balances by construction.
//!
//! One function per event of the business gives its entry. An entry is unique on (cause, kind), so a replay posts
//! nothing twice.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::customer_bill::CustomerBill;
use crate::ids::{BillingAccountId, LedgerEntryId};
use crate::money::{Currency, MoneyError};
use crate::tax::TaxTotal;
use crate::time::Instant;

/// An account of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LedgerAccount {
    /// What the billing account owes.
    Receivable,
    /// What is owed to the billing account: over-payments and credit notes.
    CustomerCredit,
    /// Prepaid balances.
    PrepaidLiability,
    /// What was earned.
    Revenue,
    /// What was billed for a time to come.
    DeferredRevenue,
    /// Tax, by category and rate.
    TaxPayable {
        /// The category.
        category: String,
        /// The rate in parts per million.
        rate_ppm: i64,
    },
    /// Money on its way through a payment channel.
    Clearing {
        /// The channel.
        channel: String,
    },
    /// Money in the bank.
    Bank,
    /// What channels keep.
    Fees,
    /// What is given up.
    BadDebt,
}

impl LedgerAccount {
    /// The account's name in the database: `receivable`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Receivable => "receivable",
            Self::CustomerCredit => "customerCredit",
            Self::PrepaidLiability => "prepaidLiability",
            Self::Revenue => "revenue",
            Self::DeferredRevenue => "deferredRevenue",
            Self::TaxPayable { .. } => "taxPayable",
            Self::Clearing { .. } => "clearing",
            Self::Bank => "bank",
            Self::Fees => "fees",
            Self::BadDebt => "badDebt",
        }
    }

    /// What tells accounts of one name apart: `S 23`, `card`; empty for the others.
    pub fn detail(&self) -> String {
        match self {
            Self::TaxPayable { category, rate_ppm } => {
                format!(
                    "{category} {}",
                    rust_decimal::Decimal::new(*rate_ppm, 4).normalize()
                )
            }
            Self::Clearing { channel } => channel.clone(),
            _ => String::new(),
        }
    }
}

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EntryKind {
    /// A bill was validated.
    BillValidated,
    /// Credit paid for a part of a bill.
    CreditApplied,
    /// A deferred part of a period passed.
    RevenueEarned,
    /// A payment was captured.
    PaymentCaptured,
    /// Money went back.
    Refund,
    /// A bill was corrected downwards.
    CreditNote,
    /// A channel paid out.
    ChannelSettled,
    /// A channel took a payment back.
    Chargeback,
    /// A prepaid balance was filled.
    TopUp,
    /// A prepaid balance was used.
    PrepaidUse,
    /// A debt was given up.
    WriteOff,
}

impl EntryKind {
    /// Its name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::BillValidated => "billValidated",
            Self::CreditApplied => "creditApplied",
            Self::RevenueEarned => "revenueEarned",
            Self::PaymentCaptured => "paymentCaptured",
            Self::Refund => "refund",
            Self::CreditNote => "creditNote",
            Self::ChannelSettled => "channelSettled",
            Self::Chargeback => "chargeback",
            Self::TopUp => "topUp",
            Self::PrepaidUse => "prepaidUse",
            Self::WriteOff => "writeOff",
        }
    }
}

/// What every entry states beside its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryHead {
    /// The entry's id.
    pub id: LedgerEntryId,
    /// Whose money it is.
    pub account: BillingAccountId,
    /// The currency.
    pub currency: Currency,
    /// When it was posted.
    pub at: Instant,
    /// What caused it: a bill, a payment, a credit note.
    pub cause: Uuid,
}

/// An entry. Its lines sum to zero and none of them is zero; it can't be made otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    head: EntryHead,
    kind: EntryKind,
    lines: Vec<LedgerLine>,
}

/// A line of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerLine {
    /// The ledger's account.
    pub account: LedgerAccount,
    /// Minor units; a debit is positive, a credit negative.
    pub amount_minor: i64,
}

impl LedgerEntry {
    /// The entry of these amounts (debits positive), summed by account; the last account takes what balances them.
    /// None where every sum is zero: nothing happened.
    fn balanced(
        head: EntryHead,
        kind: EntryKind,
        amounts: impl IntoIterator<Item = (LedgerAccount, i64)>,
        counter: LedgerAccount,
    ) -> Result<Option<Self>, MoneyError> {
        let mut sums: BTreeMap<LedgerAccount, i64> = BTreeMap::new();
        let mut total = 0_i64;
        for (account, amount) in amounts {
            let sum = sums.entry(account).or_default();
            *sum = sum.checked_add(amount).ok_or(MoneyError::Overflow)?;
            total = total.checked_add(amount).ok_or(MoneyError::Overflow)?;
        }
        *sums.entry(counter).or_default() -= total;
        let lines: Vec<LedgerLine> = sums
            .into_iter()
            .filter(|(_, amount_minor)| *amount_minor != 0)
            .map(|(account, amount_minor)| LedgerLine {
                account,
                amount_minor,
            })
            .collect();
        Ok((!lines.is_empty()).then_some(Self { head, kind, lines }))
    }

    /// What it states beside its lines.
    pub fn head(&self) -> &EntryHead {
        &self.head
    }

    /// What it is about.
    pub fn kind(&self) -> EntryKind {
        self.kind
    }

    /// Its lines, in order of account.
    pub fn lines(&self) -> &[LedgerLine] {
        &self.lines
    }
}

fn credit_taxes(taxes: &[TaxTotal], sign: i64) -> impl Iterator<Item = (LedgerAccount, i64)> {
    taxes.iter().map(move |tax| {
        let account = LedgerAccount::TaxPayable {
            category: tax.category.clone(),
            rate_ppm: tax.rate_ppm,
        };
        (account, tax.tax_minor * sign)
    })
}

/// A validated bill: debit receivable, credit revenue or deferred revenue and tax payable. A bill that gives back more
/// than it charges credits the customer.
pub fn bill_validated(head: EntryHead, bill: &CustomerBill) -> Result<Option<LedgerEntry>, MoneyError> {
    let revenue = bill.lines.iter().map(|line| {
        let account = if line.is_deferred(bill.period) {
            LedgerAccount::DeferredRevenue
        } else {
            LedgerAccount::Revenue
        };
        (account, -line.net_minor)
    });
    let owed = if bill.total_minor < 0 {
        LedgerAccount::CustomerCredit
    } else {
        LedgerAccount::Receivable
    };
    let amounts = revenue.chain(credit_taxes(&bill.taxes, -1));
    LedgerEntry::balanced(head, EntryKind::BillValidated, amounts, owed)
}

/// Credit of the account pays for a part of a bill.
pub fn credit_applied(head: EntryHead, minor: i64) -> Result<Option<LedgerEntry>, MoneyError> {
    let amounts = [(LedgerAccount::CustomerCredit, minor)];
    LedgerEntry::balanced(head, EntryKind::CreditApplied, amounts, LedgerAccount::Receivable)
}

/// A deferred part of a period passed.
pub fn revenue_earned(head: EntryHead, minor: i64) -> Result<Option<LedgerEntry>, MoneyError> {
    let amounts = [(LedgerAccount::DeferredRevenue, minor)];
    LedgerEntry::balanced(head, EntryKind::RevenueEarned, amounts, LedgerAccount::Revenue)
}

/// A captured payment: what it pays for, and the rest as credit of the account.
pub fn payment_captured(
    head: EntryHead,
    channel: &str,
    allocated_minor: i64,
    rest_minor: i64,
) -> Result<Option<LedgerEntry>, MoneyError> {
    let amounts = [
        (LedgerAccount::Receivable, -allocated_minor),
        (LedgerAccount::CustomerCredit, -rest_minor),
    ];
    LedgerEntry::balanced(head, EntryKind::PaymentCaptured, amounts, clearing(channel))
}

/// Money goes back: what it opens again of bills, and what it takes from the account's credit.
pub fn refund(
    head: EntryHead,
    channel: &str,
    reopened_minor: i64,
    from_credit_minor: i64,
) -> Result<Option<LedgerEntry>, MoneyError> {
    let amounts = [
        (LedgerAccount::Receivable, reopened_minor),
        (LedgerAccount::CustomerCredit, from_credit_minor),
    ];
    LedgerEntry::balanced(head, EntryKind::Refund, amounts, clearing(channel))
}

/// What a credit note takes back of a bill.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CreditedAmounts {
    /// Net that was earned.
    pub revenue_minor: i64,
    /// Net that is still deferred.
    pub deferred_minor: i64,
    /// Tax by category and rate.
    pub taxes: Vec<TaxTotal>,
}

impl CreditedAmounts {
    /// The whole, with tax.
    pub fn gross_minor(&self) -> i64 {
        self.revenue_minor + self.deferred_minor + self.taxes.iter().map(|tax| tax.tax_minor).sum::<i64>()
    }
}

/// A credit note: first against what is open of the bill, the rest is credit of the account.
pub fn credit_note(
    head: EntryHead,
    credited: &CreditedAmounts,
    open_minor: i64,
) -> Result<Option<LedgerEntry>, MoneyError> {
    let against_bill = credited.gross_minor().min(open_minor);
    let amounts = [
        (LedgerAccount::Revenue, credited.revenue_minor),
        (LedgerAccount::DeferredRevenue, credited.deferred_minor),
        (LedgerAccount::Receivable, -against_bill),
    ];
    let amounts = amounts.into_iter().chain(credit_taxes(&credited.taxes, 1));
    LedgerEntry::balanced(
        head,
        EntryKind::CreditNote,
        amounts,
        LedgerAccount::CustomerCredit,
    )
}

/// A channel pays out what it collected, less its fees.
pub fn channel_settled(
    head: EntryHead,
    channel: &str,
    paid_minor: i64,
    fees_minor: i64,
) -> Result<Option<LedgerEntry>, MoneyError> {
    let amounts = [
        (LedgerAccount::Bank, paid_minor),
        (LedgerAccount::Fees, fees_minor),
    ];
    LedgerEntry::balanced(head, EntryKind::ChannelSettled, amounts, clearing(channel))
}

/// A channel takes a payment back, from the bank where it had settled it: what it opens again of bills, and what the
/// payment had left as credit.
pub fn chargeback(
    head: EntryHead,
    channel: &str,
    reopened_minor: i64,
    from_credit_minor: i64,
    was_settled: bool,
) -> Result<Option<LedgerEntry>, MoneyError> {
    let from = if was_settled {
        LedgerAccount::Bank
    } else {
        clearing(channel)
    };
    let amounts = [
        (LedgerAccount::Receivable, reopened_minor),
        (LedgerAccount::CustomerCredit, from_credit_minor),
    ];
    LedgerEntry::balanced(head, EntryKind::Chargeback, amounts, from)
}

/// A prepaid balance is filled.
pub fn top_up(head: EntryHead, channel: &str, minor: i64) -> Result<Option<LedgerEntry>, MoneyError> {
    let amounts = [(LedgerAccount::PrepaidLiability, -minor)];
    LedgerEntry::balanced(head, EntryKind::TopUp, amounts, clearing(channel))
}

/// A prepaid balance is used: net is earned, tax falls due where it didn't at the sale.
pub fn prepaid_use(
    head: EntryHead,
    net_minor: i64,
    taxes: &[TaxTotal],
) -> Result<Option<LedgerEntry>, MoneyError> {
    let amounts = std::iter::once((LedgerAccount::Revenue, -net_minor)).chain(credit_taxes(taxes, -1));
    LedgerEntry::balanced(
        head,
        EntryKind::PrepaidUse,
        amounts,
        LedgerAccount::PrepaidLiability,
    )
}

/// A debt is given up.
pub fn write_off(head: EntryHead, minor: i64) -> Result<Option<LedgerEntry>, MoneyError> {
    let amounts = [(LedgerAccount::BadDebt, minor)];
    LedgerEntry::balanced(head, EntryKind::WriteOff, amounts, LedgerAccount::Receivable)
}

fn clearing(channel: &str) -> LedgerAccount {
    LedgerAccount::Clearing {
        channel: channel.to_owned(),
    }
}

#[cfg(test)]
mod tests;
