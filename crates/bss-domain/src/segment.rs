//! A product's life: a list of segments, exactly one owner for every instant.

use serde::{Deserialize, Serialize};

use crate::ids::{BillingAccountId, ProductOfferingPriceId};
use crate::refusal::Refusal;
use crate::time::{Instant, Interval};

/// What a product was from one instant to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Segment {
    /// The first instant of it.
    pub from: Instant,
    /// The first instant behind it; none while it lasts.
    pub to: Option<Instant>,
    /// Whether the product was suspended.
    pub state: SegmentState,
    /// Who pays.
    pub account: BillingAccountId,
    /// The price versions by which it was sold: pinned.
    pub prices: Vec<ProductOfferingPriceId>,
    /// How many pieces, from 1 on.
    pub quantity: i64,
}

/// Whether a product could be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SegmentState {
    /// It could.
    Active,
    /// It couldn't for a while.
    Suspended,
}

impl Segment {
    /// Whether an instant lies in it.
    pub fn contains(&self, at: Instant) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }

    /// Its part within an interval; none where they only touch.
    pub fn within(&self, interval: Interval) -> Option<Interval> {
        let to = self.to.unwrap_or(Instant::MAX);
        Interval { from: self.from, to }.overlap(&interval)
    }
}

/// The segment that owns an instant.
pub fn owner(segments: &[Segment], at: Instant) -> Option<&Segment> {
    segments.iter().find(|segment| segment.contains(at))
}

/// Refuses a life with an overlap, a hole, an empty segment, or one behind the segment that has no end.
pub fn check(segments: &[Segment]) -> Result<(), Refusal> {
    for (number, segment) in segments.iter().enumerate() {
        let wrong = |message: &str| {
            Refusal::invalid(
                "wrongSegment",
                format!("segment[{number}]"),
                segment.from.to_string(),
                message,
            )
        };
        if segment.to.is_some_and(|to| to <= segment.from) {
            return Err(wrong("a segment ends behind its beginning"));
        }
        if segment.quantity < 1 {
            return Err(wrong("a segment's quantity is 1 or more"));
        }
        let follows = number == 0 || segments[number - 1].to == Some(segment.from);
        if !follows {
            return Err(wrong("a segment begins where the one before it ends"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(from: i64, to: Option<i64>) -> Segment {
        Segment {
            from: Instant::from_second(from).unwrap(),
            to: to.map(|to| Instant::from_second(to).unwrap()),
            state: SegmentState::Active,
            account: uuid::Uuid::nil().into(),
            prices: Vec::new(),
            quantity: 1,
        }
    }

    #[test]
    fn a_life_has_one_owner_for_every_instant() {
        type Part = (i64, Option<i64>);
        let cases: [(&[Part], bool); 6] = [
            (&[(0, Some(5)), (5, Some(9)), (9, None)], true),
            (&[(0, Some(5))], true),
            (&[(0, Some(5)), (4, None)], false),
            (&[(0, Some(5)), (6, None)], false),
            (&[(0, None), (6, None)], false),
            (&[(5, Some(5))], false),
        ];
        for (parts, right) in cases {
            let segments: Vec<Segment> = parts.iter().map(|(from, to)| segment(*from, *to)).collect();
            assert_eq!(check(&segments).is_ok(), right, "{parts:?}");
        }
        let life = [segment(0, Some(5)), segment(5, None)];
        let at =
            |second| owner(&life, Instant::from_second(second).unwrap()).map(|found| found.from.as_second());
        assert_eq!(
            [at(-1), at(0), at(4), at(5), at(500)],
            [None, Some(0), Some(0), Some(5), Some(5)]
        );
    }
}
