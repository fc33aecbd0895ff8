//! Why a record isn't taken: each reason has a code for lists and a sentence for whoever mends it.

use crate::time::Instant;

/// Why a record is rejected. Sentences may hold numbers, so they go to the table of rejects, never to a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RejectReason {
    /// A quoted field isn't closed, or text follows its closing quote.
    #[error("the quotes don't match in field {field}")]
    Quotes {
        /// The field, from 1.
        field: usize,
    },
    /// Longer than any record is.
    #[error("the line is longer than {limit_bytes} bytes; the rest isn't kept")]
    TooLong {
        /// The most that is read.
        limit_bytes: u64,
    },
    /// Too few or too many fields.
    #[error("the line has {found} fields instead of {expected}")]
    FieldCount {
        /// How many it has.
        found: usize,
        /// How many it should have.
        expected: &'static str,
    },
    /// A field that must be there is empty.
    #[error("{field} is empty")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// No telephone number.
    #[error("{field} {value:?} is no telephone number: {problem}")]
    Number {
        /// The field.
        field: &'static str,
        /// What stands there.
        value: String,
        /// What is wrong.
        problem: super::NumberProblem,
    },
    /// No time of the form `2026-11-03 10:00:00`.
    #[error("{field} {value:?} is no time, as 2026-11-03 10:00:00 is one")]
    Time {
        /// The field.
        field: &'static str,
        /// What stands there.
        value: String,
    },
    /// A local time that the zone skips.
    #[error(
        "{field} {value:?} never was in {zone}, whose clocks jumped over it: is the source's zone right?"
    )]
    SkippedTime {
        /// The field.
        field: &'static str,
        /// What stands there.
        value: String,
        /// The source's zone.
        zone: String,
    },
    /// No whole number, or a negative one.
    #[error("{field} {value:?} is no whole number from 0 on")]
    Quantity {
        /// The field.
        field: &'static str,
        /// What stands there.
        value: String,
    },
    /// A word that the format doesn't know.
    #[error("{field} {value:?} is none of {known}")]
    Word {
        /// The field.
        field: &'static str,
        /// What stands there.
        value: String,
        /// What may stand there.
        known: &'static str,
    },
    /// Fields that contradict each other.
    #[error("billsec is {billsec}, but {between} s lie between answer and end")]
    Contradiction {
        /// The seconds to be charged.
        billsec: i64,
        /// The seconds between the two times.
        between: i64,
    },
    /// Nobody owned the numbers.
    #[error("nobody had the calling or the called number when the usage began")]
    UnknownNumber,
    /// It begins in the future.
    #[error("it begins at {started}, after now, {now}: are the source's clock and zone right?")]
    Future {
        /// When it begins.
        started: Instant,
        /// The business time.
        now: Instant,
    },
    /// It begins outside the days that are held.
    #[error("it begins at {started}, outside the days that are held, {from} to {to}")]
    OutsideDays {
        /// When it begins.
        started: Instant,
        /// The first instant held.
        from: Instant,
        /// The first instant not held any more.
        to: Instant,
    },
    /// Another record has its identity.
    #[error("another record with this identity is there, with another {field}")]
    Conflict {
        /// The first field that differs.
        field: String,
    },
    /// It can't be rated.
    #[error("it can't be rated: {reason}")]
    Unrated {
        /// The rating's reason.
        reason: String,
    },
}

impl RejectReason {
    /// The reason's code: stable, for filters and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Quotes { .. } => "quotes",
            Self::TooLong { .. } => "tooLong",
            Self::FieldCount { .. } => "fieldCount",
            Self::Missing { .. } => "missing",
            Self::Number { .. } => "number",
            Self::Time { .. } => "time",
            Self::SkippedTime { .. } => "skippedTime",
            Self::Quantity { .. } => "quantity",
            Self::Word { .. } => "word",
            Self::Contradiction { .. } => "contradiction",
            Self::UnknownNumber => "unknownNumber",
            Self::Future { .. } => "future",
            Self::OutsideDays { .. } => "outsideDays",
            Self::Conflict { .. } => "conflict",
            Self::Unrated { .. } => "unrated",
        }
    }
}
