//! The states of a usage record (TMF635 UsageStatusType) and the arrows between them.

use serde::{Deserialize, Serialize};

/// A usage record's state. `billed` isn't among them: it is derived from the period's claim, never written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UsageState {
    /// Taken from a source.
    Received,
    /// Its owner is known.
    Guided,
    /// It has a price.
    Rated,
    /// It can't be guided or rated as it is.
    Rejected,
    /// A mended reject on its way in again.
    Recycled,
    /// Its price was computed anew.
    Rerated,
}

impl UsageState {
    /// Every state; its index is the number that stands for it in the database.
    pub const ALL: [Self; 6] = [
        Self::Received,
        Self::Guided,
        Self::Rated,
        Self::Rejected,
        Self::Recycled,
        Self::Rerated,
    ];

    /// States in which a record has a price.
    pub const BILLABLE: [Self; 2] = [Self::Rated, Self::Rerated];

    /// TM Forum's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Guided => "guided",
            Self::Rated => "rated",
            Self::Rejected => "rejected",
            Self::Recycled => "recycled",
            Self::Rerated => "rerated",
        }
    }

    /// The state of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// The number that stands for it in the database.
    pub const fn sql(self) -> i16 {
        self as i16
    }

    /// The state that a number of the database stands for.
    pub fn from_sql(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.sql() == number)
    }

    /// The states that may follow. A record that rating refuses was guided before, so `guided → rejected` too.
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Received => &[Self::Guided, Self::Rejected],
            Self::Guided => &[Self::Rated, Self::Rejected],
            Self::Rejected => &[Self::Recycled],
            Self::Recycled => &[Self::Guided],
            Self::Rated | Self::Rerated => &[Self::Rerated],
        }
    }

    /// Whether the arrow from here to there exists.
    pub fn may_become(self, next: Self) -> bool {
        self.next().contains(&next)
    }
}

#[cfg(test)]
mod tests {
    use super::UsageState::{self, Guided, Rated, Received, Recycled, Rejected, Rerated};

    #[test]
    fn only_the_drawn_arrows_exist() {
        let arrows = [
            (Received, Guided),
            (Received, Rejected),
            (Guided, Rated),
            (Guided, Rejected),
            (Rejected, Recycled),
            (Recycled, Guided),
            (Rated, Rerated),
            (Rerated, Rerated),
        ];
        for from in UsageState::ALL {
            for to in UsageState::ALL {
                assert_eq!(
                    from.may_become(to),
                    arrows.contains(&(from, to)),
                    "{from:?} {to:?}"
                );
            }
        }
    }

    #[test]
    fn numbers_and_names_lead_back() {
        for state in UsageState::ALL {
            assert_eq!(UsageState::from_sql(state.sql()), Some(state));
            assert_eq!(UsageState::named(state.name()), Some(state));
        }
        assert_eq!(UsageState::from_sql(6), None);
    }
}
