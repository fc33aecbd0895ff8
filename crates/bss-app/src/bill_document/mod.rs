//! A bill as a PDF that a customer can read, file and pay from: rendered on demand, never in the bill run.
//!
//! [`BillDocument`] is plain: every amount is computed and rounded already, and nothing is added up here. The same
//! document gives the same bytes.

mod format;
mod layout;
mod of;
mod page;
mod table;
mod typeface;

use bss_domain::Currency;
use jiff::civil::Date;

use crate::AppError;

pub use of::of;

/// What a bill's document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillDocument {
    /// Who bills.
    pub operator: Letterhead,
    /// Who is billed: name first, then the address, line by line.
    pub customer: Vec<String>,
    /// How the account is called in letters and calls.
    pub account: String,
    /// The bill's number, unique in its series.
    pub number: String,
    /// When it was drawn up, in the account's zone.
    pub issued_on: Date,
    /// The last day to pay.
    pub due_on: Date,
    /// The period that it closes, in the account's zone.
    pub period: Days,
    /// The account's IANA zone.
    pub zone: String,
    /// The currency of all amounts.
    pub currency: Currency,
    /// What is charged, in the order in which it stands; neighbours of one group share a heading.
    pub lines: Vec<DocumentLine>,
    /// Tax by category and rate.
    pub taxes: Vec<DocumentTax>,
    /// The sum without tax, minor units.
    pub net_minor: i64,
    /// The tax.
    pub tax_minor: i64,
    /// The sum with tax; negative where the bill gives back more than it charges.
    pub total_minor: i64,
    /// Credit of the account that pays for a part.
    pub credit_applied_minor: i64,
    /// What is to be paid.
    pub due_minor: i64,
    /// What the payer writes on the transfer.
    pub payment_reference: String,
}

/// Who sends the bill.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Letterhead {
    /// The company's name.
    pub name: String,
    /// Its address, line by line.
    pub address: Vec<String>,
    /// Its number with the tax authority.
    pub tax_id: Option<String>,
    /// Telephone, e-mail, web, line by line.
    pub contact: Vec<String>,
    /// Where money is transferred to.
    pub bank_account: Option<String>,
}

/// Whole days, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// The first one.
    pub first: Date,
    /// The last one.
    pub last: Date,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentLine {
    /// The product, with what the customer knows it by (its number).
    pub group: String,
    /// What is charged.
    pub description: String,
    /// The days that it charges.
    pub period: Days,
    /// How many pieces.
    pub pieces: u64,
    /// What was used, for a line of usage.
    pub usage: Option<DocumentUsage>,
    /// The tax rate, parts per million.
    pub tax_rate_ppm: i64,
    /// Without tax, minor units. The lines sum to the document's net.
    pub net_minor: i64,
}

/// What a line of usage sums up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentUsage {
    /// Calls, messages, sessions.
    pub records: u64,
    /// Base units as measured.
    pub quantity: u64,
    /// Base units that allowances covered.
    pub covered: u64,
    /// The base unit: `s`, `B`, `message`, `piece`.
    pub unit: String,
    /// Of a period that was billed before.
    pub late: bool,
}

/// Tax of one category and rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentTax {
    /// The category.
    pub category: String,
    /// Parts per million.
    pub rate_ppm: i64,
    /// What it is computed on, minor units.
    pub net_minor: i64,
    /// The tax.
    pub tax_minor: i64,
}

impl BillDocument {
    /// The document as PDF, A4.
    ///
    /// Its typeface has Latin, Greek and Cyrillic letters; others show as empty boxes.
    pub fn render(&self) -> Result<Vec<u8>, AppError> {
        let faces = typeface::Typefaces::load()?;
        page::write(&layout::pages(self, &faces), &faces, self)
    }
}

#[cfg(test)]
mod tests;
