//! The ways in which generated lines are broken; each is one that real switches and transfers produce.

use bss_domain::usage::SourceFormat;

use super::dice::Dice;

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// The line was cut off.
    Truncated,
    /// The calling number is withheld.
    Anonymous,
    /// The calling number is no subscriber's.
    Stranger,
    /// The start is no date.
    BrokenTime,
    /// The quantity is negative.
    Negative,
    /// The quantity contradicts the times.
    Contradiction,
    /// An unknown word stands for what happened.
    UnknownWord,
}

impl Defect {
    /// Its name in the manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Anonymous => "anonymous",
            Self::Stranger => "stranger",
            Self::BrokenTime => "brokenTime",
            Self::Negative => "negative",
            Self::Contradiction => "contradiction",
            Self::UnknownWord => "unknownWord",
        }
    }

    /// A defect that a format can have.
    pub fn draw(format: SourceFormat, dice: &mut Dice) -> Self {
        let common = [
            Self::Truncated,
            Self::Anonymous,
            Self::Stranger,
            Self::BrokenTime,
            Self::Negative,
            Self::UnknownWord,
            Self::Contradiction,
        ];
        match format {
            SourceFormat::Asterisk => *dice.one_of(&common),
            // The plain table states a quantity once, so nothing can contradict it.
            SourceFormat::Generic => *dice.one_of(&common[..6]),
        }
    }
}
