//! Usage: what a network measured, in one form whatever it came from (TMF635 Usage).
//!
//! A source's record is *mediated* into a [`Metered`], *guided* to the product that owned its number when it
//! started, and becomes a [`Usage`] with a deterministic id. Rating is the next step (`docs/MONEY.md`).

pub mod asterisk;
pub mod generic;
pub mod identity;
pub mod line;
pub mod number;
pub mod reject;
pub mod source;
pub mod state;

use serde::{Deserialize, Serialize};

use crate::ids::{BillingAccountId, CustomerId, ProductId, Slot, TypedId, UsageFileId, UsageId};
use crate::time::{Instant, Interval};

pub use identity::{Ordinals, RecordHash};
pub use line::Fields;
pub use number::{NumberPlan, NumberProblem};
pub use reject::RejectReason;
pub use source::{SourceFormat, UsageSource};
pub use state::UsageState;

/// What was used; its quantity's unit follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UsageService {
    /// A call, in seconds.
    Voice,
    /// Short messages, in pieces.
    Sms,
    /// Data volume, in bytes.
    Data,
}

impl UsageService {
    /// Every service.
    pub const ALL: [Self; 3] = [Self::Voice, Self::Sms, Self::Data];

    /// Its name in files, in JSON and in tariffs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Voice => "voice",
            Self::Sms => "sms",
            Self::Data => "data",
        }
    }

    /// The service of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }

    /// The base unit of a quantity.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Voice => "second",
            Self::Sms => "message",
            Self::Data => "byte",
        }
    }

    /// The number that stands for it in the database.
    pub const fn sql(self) -> i16 {
        self as i16
    }

    /// The service that a number of the database stands for.
    pub fn from_sql(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.sql() == number)
    }
}

/// Who of the two ends is the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// The customer called, sent or transferred.
    Outgoing,
    /// The customer was called or was sent something.
    Incoming,
}

impl Direction {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Outgoing, Self::Incoming];

    /// Its name in files, in JSON and in tariffs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outgoing => "outgoing",
            Self::Incoming => "incoming",
        }
    }

    /// The number that stands for it in the database.
    pub const fn sql(self) -> i16 {
        self as i16
    }

    /// The direction that a number of the database stands for.
    pub fn from_sql(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|direction| direction.sql() == number)
    }
}

/// What the network measured, before it is known whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metered {
    /// What was used.
    pub service: UsageService,
    /// The number that called, sent or transferred: E.164 digits without `+`.
    pub calling: String,
    /// The number that was called: E.164 digits, or a short code as dialled. Empty for data.
    pub called: String,
    /// The network visited (MCC and MNC, as `26201`); none at home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visited_network: Option<String>,
    /// When the charged part began: the answer of a call.
    pub started: Instant,
    /// How much, in the service's base unit; never negative.
    pub quantity: i64,
}

impl Metered {
    /// The first field in which two records differ; none where they say the same.
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        [
            ("service", self.service != other.service),
            ("calling", self.calling != other.calling),
            ("called", self.called != other.called),
            ("visitedNetwork", self.visited_network != other.visited_network),
            (
                "started",
                self.started.as_millisecond() != other.started.as_millisecond(),
            ),
            ("quantity", self.quantity != other.quantity),
        ]
        .into_iter()
        .find_map(|(field, differs)| differs.then_some(field))
    }

    /// Whether a record with this start can be taken: not from the future, and inside the days that are held.
    pub fn check_start(&self, now: Instant, held: Interval) -> Result<(), RejectReason> {
        if self.started > now {
            Err(RejectReason::Future {
                started: self.started,
                now,
            })
        } else if held.contains(self.started) {
            Ok(())
        } else {
            Err(RejectReason::OutsideDays {
                started: self.started,
                from: held.from,
                to: held.to,
            })
        }
    }
}

/// Whose a number was when the usage began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// The customer.
    pub customer: CustomerId,
    /// The product that the number belongs to: its pinned price version rates the usage.
    pub product: ProductId,
    /// The account that is billed.
    pub account: BillingAccountId,
}

/// Where in a file a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileLine {
    /// The file.
    pub file: UsageFileId,
    /// The line, from 1.
    pub line: u32,
}

/// One guided usage record: measured, owned and identified, ready to be rated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Start in ms ‖ the customer's slot ‖ 62 bits of the record's hash.
    pub id: UsageId,
    /// The source that the record came from.
    pub source: String,
    /// Which end the customer was.
    pub direction: Direction,
    /// What was measured.
    #[serde(flatten)]
    pub metered: Metered,
    /// Whose it is.
    #[serde(flatten)]
    pub owner: Owner,
    /// The file and line that it stands in; none where it came as a single record.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<FileLine>,
}

impl Usage {
    /// Guides a measured record to its owner. The same record guided to the same slot has the same id.
    pub fn guide(
        source: &str,
        metered: Metered,
        hash: RecordHash,
        slot: Slot,
        (direction, owner): (Direction, Owner),
        origin: Option<FileLine>,
    ) -> Self {
        Self {
            id: UsageId::at(metered.started.as_millisecond(), slot, hash.bits()),
            source: source.to_owned(),
            direction,
            metered,
            owner,
            origin,
        }
    }

    /// The record's hash, as its id carries it.
    pub fn hash(&self) -> RecordHash {
        RecordHash::of_id(self.id)
    }
}

/// Whose usage a record is, given the owners of its two numbers: an owned calling number makes it outgoing usage of
/// that owner, also where the other end is ours too; otherwise the owner of the called number has incoming usage.
/// Data has no called number.
pub fn subject(calling: Option<Owner>, called: Option<Owner>) -> Option<(Direction, Owner)> {
    calling
        .map(|owner| (Direction::Outgoing, owner))
        .or_else(|| called.map(|owner| (Direction::Incoming, owner)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::compose;

    fn metered() -> Metered {
        Metered {
            service: UsageService::Voice,
            calling: "48600100200".into(),
            called: "48700100200".into(),
            visited_network: None,
            started: "2026-11-03T10:00:00.250Z".parse().unwrap(),
            quantity: 61,
        }
    }

    fn owner(random: u64) -> Owner {
        let customer = CustomerId::new(1, random);
        Owner {
            customer,
            product: ProductId::at(2, customer.slot(), 1),
            account: BillingAccountId::at(2, customer.slot(), 2),
        }
    }

    #[test]
    fn an_id_holds_start_slot_and_hash() {
        let (owner, hash) = (owner(7), RecordHash::of_fields("msc1", [b"a".as_slice()]));
        let slot = owner.customer.slot();
        let usage = Usage::guide("msc1", metered(), hash, slot, (Direction::Outgoing, owner), None);
        assert_eq!(
            usage.id.uuid(),
            compose(metered().started.as_millisecond(), slot, hash.bits())
        );
        assert_eq!((usage.id.slot(), usage.hash()), (slot, hash));
    }

    #[test]
    fn json_is_flat_and_comes_back() {
        let hash = RecordHash::of_fields("msc1", [b"a".as_slice()]);
        let origin = FileLine {
            file: UsageFileId::at(1, Slot::hash(b"x"), 5),
            line: 3,
        };
        for origin in [None, Some(origin)] {
            let subject = (Direction::Outgoing, owner(7));
            let usage = Usage::guide(
                "msc1",
                metered(),
                hash,
                subject.1.customer.slot(),
                subject,
                origin,
            );
            let json = serde_json::to_value(&usage).unwrap();
            assert_eq!(json["service"], "voice");
            assert_eq!(json["line"].as_u64(), origin.map(|o| u64::from(o.line)));
            assert_eq!(serde_json::from_value::<Usage>(json).unwrap(), usage);
        }
    }

    #[test]
    fn the_calling_owner_pays_before_the_called() {
        let (a, b) = (owner(1), owner(2));
        assert_eq!(subject(Some(a), Some(b)), Some((Direction::Outgoing, a)));
        assert_eq!(subject(None, Some(b)), Some((Direction::Incoming, b)));
        assert_eq!(subject(None, None), None);
    }

    #[test]
    fn a_difference_is_named() {
        let other = Metered {
            quantity: 62,
            ..metered()
        };
        assert_eq!(metered().difference(&other), Some("quantity"));
        assert_eq!(metered().difference(&metered()), None);
    }

    #[test]
    fn a_start_lies_in_the_held_past() {
        let at = |text: &str| text.parse::<Instant>().unwrap();
        let held = Interval::new(at("2026-11-01T00:00:00Z"), at("2026-12-01T00:00:00Z")).unwrap();
        let check = |now: &str| metered().check_start(at(now), held);
        assert_eq!(check("2026-11-03T10:00:01Z"), Ok(()));
        assert!(matches!(
            check("2026-11-03T09:59:59Z"),
            Err(RejectReason::Future { .. })
        ));
        let later = Interval::new(at("2026-11-04T00:00:00Z"), at("2026-12-01T00:00:00Z")).unwrap();
        assert!(matches!(
            metered().check_start(at("2026-11-05T00:00:00Z"), later),
            Err(RejectReason::OutsideDays { .. })
        ));
    }
}
