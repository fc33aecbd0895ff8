//! Included units: what grants them, what they cover, and what is left of them in one window.
//!
//! A price of type `allowance` carries
//! ```json
//! {"quantity": "100 min", "covers": [{"service": "voice", "direction": "outgoing", "zones": ["national", "onnet"]}],
//!  "window": "period", "increment": 60, "priority": 10, "shared": false, "prorated": false,
//!  "rollover": {"max": "50 min"}}
//! ```
//! - `covers`: zones by the names that the tariff of the usage gives them; without `zones`, all of them. `direction` is
//!   `outgoing` by default.
//! - `window`: `period` (the account's cycle, default), `day`, or `{"days": 30}`: once, from the product's activation.
//! - `increment`: what is taken at once; without it, as the tariff's steps round.
//! - `shared`: for all products of the billing account. `prorated`: a first part of a window grants its share.
//! - `rollover`: what is unused at the period's end, up to `max`, can be used in the next window, before its own.

mod windows;

pub use windows::instances;

use std::sync::Arc;

use crate::catalog::tariff::{DIRECTIONS, SERVICES};
use crate::catalog::{Direction, Node, ServiceKind};
use crate::ids::{BucketId, ProductId, ProductOfferingPriceId, Slot, TypedId};
use crate::refusal::Refusal;
use crate::time::{Cycle, Instant, Interval};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What an allowance grants, as a price version declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowanceDefinition {
    /// Base units (seconds, messages, bytes) a window.
    pub quantity: u64,
    /// What it covers.
    pub covers: Vec<Cover>,
    /// Its window.
    pub window: Window,
    /// What is taken at once; none: as the tariff's steps round.
    pub increment: Option<u64>,
    /// Among those that expire together, the smaller goes first.
    pub priority: i16,
    /// Whether all products of the account take from it.
    pub shared: bool,
    /// Whether a first part of a window grants only its share.
    pub prorated: bool,
    /// How much of the unused rest rolls over.
    pub rollover_max: Option<u64>,
}

/// Usage that an allowance covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    /// The service.
    pub service: ServiceKind,
    /// The direction.
    pub direction: Direction,
    /// Zones by name; empty: all.
    pub zones: Vec<String>,
}

/// For how long an instance holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// A period of the account's cycle.
    Period,
    /// A day in the account's zone.
    Day,
    /// Once, this many days from the product's activation.
    Days(u16),
}

/// An allowance in one window. TM Forum calls it a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowanceInstance {
    /// Its id: the same for the same definition, owner and window.
    pub id: BucketId,
    /// The price version that grants it.
    pub price: ProductOfferingPriceId,
    /// The product that it belongs to; none where the account shares it.
    pub product: Option<ProductId>,
    /// When it can be used.
    pub window: Interval,
    /// Whether it was rolled over from the window before.
    pub rolled_over: bool,
    /// Base units granted.
    pub granted: u64,
    /// Base units used.
    pub used: u64,
    /// Base units held by sessions that go on.
    pub reserved: u64,
    /// Its rules.
    pub definition: Arc<AllowanceDefinition>,
}

impl AllowanceDefinition {
    /// Reads an allowance; the module's documentation shows the form.
    pub(crate) fn read(node: &Node) -> Result<Self, Refusal> {
        let flag = |name| node.get(name).map_or(Ok(false), |flag| flag.flag());
        let mut covers = Vec::new();
        for item in node.need("covers")?.items()? {
            covers.push(cover(&item)?);
        }
        if covers.is_empty() {
            return Err(node
                .need("covers")?
                .refuse("missing", "an allowance covers something"));
        }
        let priority = node.get("priority").map_or(Ok(0), |priority| priority.whole())?;
        Ok(Self {
            quantity: node.need("quantity")?.quantity()?,
            covers,
            window: node
                .get("window")
                .map_or(Ok(Window::Period), |node| window(&node))?,
            increment: node.get("increment").map(|node| increment(&node)).transpose()?,
            priority: i16::try_from(priority).map_err(|_| {
                Refusal::invalid("wrongNumber", "allowance.priority", priority, "at most 32767")
            })?,
            shared: flag("shared")?,
            prorated: flag("prorated")?,
            rollover_max: match node.get("rollover") {
                Some(rollover) => Some(rollover.get("max").map_or(Ok(u64::MAX), |max| max.quantity())?),
                None => None,
            },
        })
    }

    /// Whether it covers this usage.
    pub fn covers(&self, service: ServiceKind, direction: Direction, zone: &str) -> bool {
        self.covers.iter().any(|cover| {
            cover.service == service
                && cover.direction == direction
                && (cover.zones.is_empty() || cover.zones.iter().any(|known| known == zone))
        })
    }

    /// The window that holds an instant; none where a single window has passed or not yet begun.
    pub fn window_of(&self, at: Instant, activated: Instant, cycle: &Cycle) -> Option<Interval> {
        let window = match self.window {
            Window::Period => cycle.period_of(at),
            Window::Day => {
                let day = cycle.zone.day_of(at);
                let next = day.tomorrow().unwrap_or(day);
                Interval::new(cycle.zone.start_of(day), cycle.zone.start_of(next))?
            }
            Window::Days(days) => {
                let end = activated.as_second() + i64::from(days) * 86_400;
                Interval::new(activated, Instant::from_second(end).ok()?)?
            }
        };
        window.contains(at).then_some(window)
    }
}

fn cover(node: &Node) -> Result<Cover, Refusal> {
    let mut zones = Vec::new();
    for zone in node.get("zones").map_or(Ok(Vec::new()), |zones| zones.items())? {
        zones.push(zone.text()?.to_owned());
    }
    Ok(Cover {
        service: node.need("service")?.word(SERVICES)?,
        direction: node
            .get("direction")
            .map_or(Ok(Direction::Outgoing), |way| way.word(DIRECTIONS))?,
        zones,
    })
}

fn window(node: &Node) -> Result<Window, Refusal> {
    if let Some(days) = node.get("days") {
        return match u16::try_from(days.whole()?) {
            Ok(days @ 1..=3660) => Ok(Window::Days(days)),
            _ => Err(days.refuse("wrongNumber", "from 1 to 3660 days")),
        };
    }
    node.word(&[("period", Window::Period), ("day", Window::Day)])
}

fn increment(node: &Node) -> Result<u64, Refusal> {
    match node.quantity()? {
        0 => Err(node.refuse("wrongNumber", "an increment from 1 on is expected")),
        increment => Ok(increment),
    }
}

/// Whose an instance is: what its id is derived from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllowanceOwner {
    /// The slot of the customer.
    pub slot: Slot,
    /// The account, where the allowance is shared; the product, where it is its own.
    pub account_or_product: Uuid,
}

impl AllowanceInstance {
    /// The instance of a window that holds some usage. A prorated definition grants, for a product that was activated
    /// within the window, the share of the window's seconds that were left, rounded down.
    pub fn open(
        price: ProductOfferingPriceId,
        definition: &Arc<AllowanceDefinition>,
        product: ProductId,
        owner: AllowanceOwner,
        window: Interval,
        activated: Instant,
    ) -> Self {
        let whole = u128::from(window.seconds().max(1) as u64);
        let left = window.to.as_second() - activated.max(window.from).as_second();
        let granted = if definition.prorated {
            (u128::from(definition.quantity) * u128::from(left.max(0) as u64) / whole) as u64
        } else {
            definition.quantity
        };
        Self {
            id: bucket_id(price, owner, window, false),
            price,
            product: (!definition.shared).then_some(product),
            window,
            rolled_over: false,
            granted,
            used: 0,
            reserved: 0,
            definition: Arc::clone(definition),
        }
    }

    /// What rolls over into the next window when this one's period closes; none where nothing does. What was rolled
    /// over once doesn't roll on.
    pub fn roll_over(&self, owner: AllowanceOwner, next: Interval) -> Option<Self> {
        let max = self.definition.rollover_max?;
        let rest = self.available().min(max);
        if rest == 0 || self.rolled_over {
            return None;
        }
        Some(Self {
            id: bucket_id(self.price, owner, next, true),
            window: next,
            rolled_over: true,
            granted: rest,
            used: 0,
            reserved: 0,
            ..self.clone()
        })
    }

    /// Base units that can be taken.
    pub fn available(&self) -> u64 {
        self.granted
            .saturating_sub(self.used)
            .saturating_sub(self.reserved)
    }

    /// The order in which instances are taken from: soonest expiry, then what was rolled over, priority, id.
    pub fn order(&self) -> (Instant, bool, i16, BucketId) {
        (
            self.window.to,
            !self.rolled_over,
            self.definition.priority,
            self.id,
        )
    }
}

/// The same for the same price, owner and window, so that two writers can't open one instance twice.
fn bucket_id(
    price: ProductOfferingPriceId,
    owner: AllowanceOwner,
    window: Interval,
    rolled_over: bool,
) -> BucketId {
    let mut hash = Sha256::new();
    hash.update(price.uuid().as_bytes());
    hash.update(owner.account_or_product.as_bytes());
    hash.update(window.from.as_microsecond().to_be_bytes());
    hash.update([u8::from(rolled_over)]);
    let digest = hash.finalize();
    let mut random = [0; 8];
    random.copy_from_slice(&digest[..8]);
    BucketId::at(
        window.from.as_millisecond(),
        owner.slot,
        u64::from_be_bytes(random),
    )
}
