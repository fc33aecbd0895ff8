//! Usage: what a network measured, in one form whatever it came from (TMF635 Usage).
//!
//! A source's record is *mediated* into a [`Metered`], *guided* to the product that owned its number when it
//! started, and becomes a [`Usage`] with a deterministic id. Rating is the next step (`docs/MONEY.md`).

pub mod asterisk;
pub mod generic;
pub mod identity;
pub mod line;
pub mod number;
pub mod packed;
pub mod reject;
pub mod shape;
pub mod source;
pub mod state;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{BillingAccountId, CustomerId, ProductId, Slot, TypedId, UsageFileId, UsageId};
use crate::rating::Measured;
use crate::time::{Instant, Interval};

pub use crate::catalog::{Direction, ServiceKind};
pub use identity::{Ordinals, RecordHash};
pub use line::Fields;
pub use number::{NumberPlan, NumberProblem};
pub use reject::RejectReason;
pub use source::{SourceFormat, UnknownFormat, UsageSource};
pub use state::UsageState;

/// What the network measured, before it is known whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metered {
    /// What was used.
    pub service: ServiceKind,
    /// The number that called, sent or transferred: E.164 digits without `+`.
    pub calling: String,
    /// The number that was called: E.164 digits, or a short code as dialled. Empty for data.
    pub called: String,
    /// The network visited (MCC and MNC, as `26201`); none at home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visited_network: Option<String>,
    /// When the charged part began, in whole milliseconds: the answer of a call.
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
            ("started", self.started != other.started),
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

/// One guided usage record: measured, owned and identified, ready to be rated. As the data of an event it is the one
/// place of the log that holds numbers, since rating needs them.
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
    pub metered: Metered,
    /// Whose it is.
    pub owner: Owner,
    /// The file and line that it stands in; none where it came as a single record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<FileLine>,
    /// Whether the hash is over the source's own id of the record and not over all that it wrote.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_id: bool,
    /// The reject that was mended to this record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reject: Option<Uuid>,
}

/// What makes a record the same record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The hash that its id carries.
    pub hash: RecordHash,
    /// Whether the hash is over the source's own id of the record and not over all that it wrote: then two records
    /// with one hash may say different things.
    pub own_id: bool,
}

impl Usage {
    /// Guides a measured record to its owner. The same record guided to the same slot has the same id; the slot is
    /// the owner's, unless the record was guided before its number changed hands.
    pub fn guide(
        source: &str,
        metered: Metered,
        identity: Identity,
        slot: Slot,
        (direction, owner): (Direction, Owner),
        origin: Option<FileLine>,
    ) -> Self {
        Self {
            id: UsageId::at(metered.started.as_millisecond(), slot, identity.hash.bits()),
            source: source.to_owned(),
            direction,
            metered,
            owner,
            origin,
            own_id: identity.own_id,
            reject: None,
        }
    }

    /// The record's identity.
    pub fn identity(&self) -> Identity {
        Identity {
            hash: RecordHash::of_id(self.id),
            own_id: self.own_id,
        }
    }

    /// The record as rating sees it.
    pub fn measured(&self) -> Measured<'_> {
        let other_party = match self.direction {
            Direction::Outgoing => &self.metered.called,
            Direction::Incoming => &self.metered.calling,
        };
        Measured {
            start: self.metered.started,
            service: self.metered.service,
            direction: self.direction,
            other_party,
            network: self.metered.visited_network.as_deref(),
            quantity: self.metered.quantity.unsigned_abs(),
        }
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
    use crate::ids::{TenantId, compose};

    fn metered() -> Metered {
        Metered {
            service: ServiceKind::Voice,
            calling: "48600100200".into(),
            called: "48700100200".into(),
            visited_network: None,
            started: "2026-11-03T10:00:00.250Z".parse().unwrap(),
            quantity: 61,
        }
    }

    fn identity() -> Identity {
        let tenant = TenantId::at(1, Slot::hash(b"t"), 1);
        Identity {
            hash: RecordHash::of_fields(tenant, "msc1", [b"a".as_slice()]),
            own_id: false,
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
        let owner = owner(7);
        let slot = owner.customer.slot();
        let subject = (Direction::Outgoing, owner);
        let usage = Usage::guide("msc1", metered(), identity(), slot, subject, None);
        let start_ms = metered().started.as_millisecond();
        assert_eq!(usage.id.uuid(), compose(start_ms, slot, identity().hash.bits()));
        assert_eq!((usage.id.slot(), usage.identity()), (slot, identity()));
    }

    #[test]
    fn json_comes_back() {
        let origin = FileLine {
            file: UsageFileId::at(1, Slot::hash(b"x"), 5),
            line: 3,
        };
        for origin in [None, Some(origin)] {
            let subject = (Direction::Outgoing, owner(7));
            let usage = Usage::guide(
                "msc1",
                metered(),
                identity(),
                subject.1.customer.slot(),
                subject,
                origin,
            );
            let json = serde_json::to_value(&usage).unwrap();
            assert_eq!(json["metered"]["service"], "voice");
            assert_eq!(json["origin"]["line"].as_u64(), origin.map(|o| u64::from(o.line)));
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
