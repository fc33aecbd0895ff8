//! What use costs: (service, direction, zone) → bands → steps, as data.
//!
//! ```json
//! {"zones": [{"name": "onnet", "prefixes": ["48601", "48602"]}, {"name": "national", "prefixes": ["48"]},
//!            {"name": "world", "prefixes": [""]}, {"name": "roaming-eu", "networks": ["26202", "20810"]}],
//!  "holidays": ["2026-12-25", "01-01"], "sharedCounters": false,
//!  "rates": [
//!   {"service": "voice", "direction": "outgoing", "zone": "national", "bands": [
//!     {"name": "peak", "days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "18:00", "split": true,
//!      "connectionFee": 0.05, "steps": [{"unit": "min", "increment": 60, "price": 0.10},
//!                                       {"from": 60, "unit": "min", "increment": 1, "price": 0.10}]},
//!     {"name": "off-peak", "steps": [{"unit": "min", "increment": 1, "price": "0.05"}]}]},
//!   {"service": "data", "zone": "*", "counter": "data", "graduated": [
//!     {"upTo": "1 GB", "steps": [{"unit": "MB", "increment": "kB", "price": 0.02}]},
//!     {"steps": [{"unit": "MB", "increment": "kB", "price": 0.01}]}]}]}
//! ```
//! - A number belongs to the zone of its longest prefix (on-net is a zone of the operator's own ranges). Usage abroad
//!   belongs to the zone that lists the visited network. A rate of zone `*` serves the zones that have none of their own.
//! - `service`: `voice` (base unit: second), `sms` (message), `data` (byte); `direction`: `outgoing` (default),
//!   `incoming`.
//! - The first band that fits counts; the last must fit always. `days` are `mon` … `sun` and `holiday` (a holiday is no
//!   weekday), without it every day; `from`, `to` in the account's zone, `to` behind `from`, without them all day.
//!   `split`: a call that passes the band's edge is rated by both bands; without it, by its start.
//! - A step serves from its position `from` in the call on: `increment` is what is charged at once, `price` is for
//!   `unit`. A rate of one band that always fits may carry `steps` or tiers itself.
//! - Tiers over a counter of the period's priced units: `graduated` (each unit by the tier it falls into), `volume` (all
//!   by the tier of the period's total), `package {"size", "price"}` (each package begun). `counter` names the counter;
//!   rates may share one. `sharedCounters`: one for all of the account's products.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::prefix::{PrefixIndex, PrefixTaken};
use super::{Node, price::not_negative};
use crate::money::Nano;
use crate::refusal::Refusal;

/// What was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[repr(u8)]
pub enum ServiceKind {
    /// Calls, in seconds.
    Voice = 0,
    /// Messages.
    Sms = 1,
    /// Data, in bytes.
    Data = 2,
}

/// Which way it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[repr(u8)]
pub enum Direction {
    /// From the customer.
    Outgoing = 0,
    /// To the customer.
    Incoming = 1,
}

pub(crate) const SERVICES: &[(&str, ServiceKind)] = &[
    ("voice", ServiceKind::Voice),
    ("sms", ServiceKind::Sms),
    ("data", ServiceKind::Data),
];

pub(crate) const DIRECTIONS: &[(&str, Direction)] = &[
    ("outgoing", Direction::Outgoing),
    ("incoming", Direction::Incoming),
];

impl ServiceKind {
    /// Its name in documents.
    pub fn name(self) -> &'static str {
        SERVICES[self as usize].0
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        SERVICES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, kind)| *kind)
    }

    /// The number that stands for it in the database.
    pub const fn sql(self) -> i16 {
        self as i16
    }

    /// The kind that a number of the database stands for.
    pub fn from_sql(number: i16) -> Option<Self> {
        let place = usize::try_from(number).ok()?;
        SERVICES.get(place).map(|(_, kind)| *kind)
    }

    /// The base unit of its quantities.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Voice => "second",
            Self::Sms => "message",
            Self::Data => "byte",
        }
    }
}

impl Direction {
    /// Its name in documents.
    pub fn name(self) -> &'static str {
        DIRECTIONS[self as usize].0
    }

    /// The direction of this name.
    pub fn named(name: &str) -> Option<Self> {
        DIRECTIONS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, way)| *way)
    }

    /// The number that stands for it in the database.
    pub const fn sql(self) -> i16 {
        self as i16
    }

    /// The direction that a number of the database stands for.
    pub fn from_sql(number: i16) -> Option<Self> {
        let place = usize::try_from(number).ok()?;
        DIRECTIONS.get(place).map(|(_, way)| *way)
    }
}

/// Prices of use. Its parts are named by their indexes, which never change, since a price version never does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tariff {
    /// The zones' names.
    pub zones: Vec<String>,
    /// The rates, as declared.
    pub rates: Vec<Rate>,
    /// The counters' names.
    pub counters: Vec<String>,
    /// Whether counters are the account's, not each product's.
    pub shared_counters: bool,
    prefixes: PrefixIndex,
    networks: Vec<(String, u16)>,
    holidays: Vec<Holiday>,
    /// For service, direction and zone the rate's index, or [`NO_RATE`].
    index: Vec<u16>,
}

const NO_RATE: u16 = u16::MAX;

/// A day that is no weekday, once or every year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Holiday {
    year: Option<i16>,
    month: i8,
    day: i8,
}

/// The price of one service in one direction to one zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// What was used.
    pub service: ServiceKind,
    /// Which way.
    pub direction: Direction,
    /// The zone's name, or `*`.
    pub zone: String,
    /// The bands; the last one always fits.
    pub bands: Vec<Band>,
}

/// A part of the week with its own price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// Its name.
    pub name: String,
    /// Bit 0 is Monday, 6 Sunday, 7 a holiday.
    pub days: u8,
    /// The second of the day at which it begins.
    pub from_s: u32,
    /// The second of the day at which it has ended.
    pub to_s: u32,
    /// Whether a call over its edge is rated by both bands.
    pub split: bool,
    /// Once a call, unless an allowance covers it whole.
    pub connection_fee: Nano,
    /// What a unit costs.
    pub charge: Charge,
}

/// What units cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Charge {
    /// The same whatever was used before.
    Steps(Vec<Step>),
    /// Each unit by the tier that the counter has reached.
    Graduated {
        /// The counter's index.
        counter: u16,
        /// The tiers; the last one has no end.
        tiers: Vec<Tier>,
    },
    /// All units by the tier of the period's total.
    Volume {
        /// The counter's index.
        counter: u16,
        /// The tiers; the last one has no end.
        tiers: Vec<Tier>,
    },
    /// A price for every package begun.
    Package {
        /// The counter's index.
        counter: u16,
        /// Units in a package.
        size: u64,
        /// Its price.
        price: Nano,
    },
}

/// The price from a position in a call on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The position in base units; the first step's is 0.
    pub from: u64,
    /// The base units that the price is for.
    pub unit: u64,
    /// The base units that are charged at once.
    pub increment: u64,
    /// The price of a unit.
    pub price: Nano,
}

/// Prices up to a count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tier {
    /// The count at which it ends; none for the last.
    pub up_to: Option<u64>,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// The step that serves a position. The first step's position is 0, so there always is one.
pub(crate) fn step_at(steps: &[Step], position: u64) -> usize {
    steps.iter().rposition(|step| step.from <= position).unwrap_or(0)
}

/// The tier that a count has reached; the last has no end.
pub(crate) fn tier_at(tiers: &[Tier], count: u64) -> usize {
    tiers
        .iter()
        .position(|tier| tier.up_to.is_none_or(|end| count < end))
        .unwrap_or(tiers.len() - 1)
}

impl Charge {
    /// The steps by which an allowance rounds what it covers.
    pub(crate) fn first_steps(&self) -> &[Step] {
        match self {
            Self::Steps(steps) => steps,
            Self::Graduated { tiers, .. } | Self::Volume { tiers, .. } => &tiers[0].steps,
            Self::Package { .. } => &[],
        }
    }
}

impl Tariff {
    /// The zone of the other party's number, or of the visited network where usage was abroad.
    pub fn zone_of(&self, other_party: &str, network: Option<&str>) -> Option<u16> {
        match network {
            Some(network) => self
                .networks
                .iter()
                .find(|(known, _)| known == network)
                .map(|(_, zone)| *zone),
            None => self.prefixes.longest(other_party),
        }
    }

    /// The index of the rate that serves a zone.
    pub fn rate_of(&self, service: ServiceKind, direction: Direction, zone: u16) -> Option<u16> {
        let rate = self.index[self.place(service, direction, zone)];
        (rate != NO_RATE).then_some(rate)
    }

    /// Whether bands look at the calendar on this day.
    pub(crate) fn is_holiday(&self, day: Date) -> bool {
        self.holidays.iter().any(|holiday| {
            holiday.month == day.month()
                && holiday.day == day.day()
                && holiday.year.is_none_or(|year| year == day.year())
        })
    }

    /// Whether the period's total decides a price, so that a final rating counts first.
    pub fn needs_totals(&self) -> bool {
        let volume = |band: &Band| matches!(band.charge, Charge::Volume { .. });
        self.rates.iter().any(|rate| rate.bands.iter().any(volume))
    }

    fn place(&self, service: ServiceKind, direction: Direction, zone: u16) -> usize {
        (service as usize * 2 + direction as usize) * self.zones.len() + usize::from(zone)
    }

    /// Reads a tariff; the module's documentation shows the form.
    pub(crate) fn read(node: &Node) -> Result<Self, Refusal> {
        let mut tariff = Self {
            zones: Vec::new(),
            rates: Vec::new(),
            counters: Vec::new(),
            shared_counters: node.get("sharedCounters").map_or(Ok(false), |flag| flag.flag())?,
            prefixes: PrefixIndex::default(),
            networks: Vec::new(),
            holidays: Vec::new(),
            index: Vec::new(),
        };
        for zone in node.need("zones")?.items()? {
            tariff.add_zone(&zone)?;
        }
        for day in node.get("holidays").map_or(Ok(Vec::new()), |days| days.items())? {
            tariff.holidays.push(holiday(&day)?);
        }
        tariff.index = vec![NO_RATE; tariff.zones.len() * SERVICES.len() * DIRECTIONS.len()];
        let rates = node.need("rates")?.items()?;
        for rate in &rates {
            let read = tariff.rate(rate)?;
            tariff.rates.push(read);
        }
        tariff.index_rates(&rates)?;
        Ok(tariff)
    }

    fn add_zone(&mut self, node: &Node) -> Result<(), Refusal> {
        let number = self.zones.len() as u16;
        let name = node.need("name")?.text()?;
        if name == "*" || self.zones.iter().any(|zone| zone == name) {
            return Err(node
                .need("name")?
                .refuse("zoneTwice", "a zone's name is its own, and not *"));
        }
        self.zones.push(name.to_owned());
        for prefix in node.get("prefixes").map_or(Ok(Vec::new()), |list| list.items())? {
            self.prefixes
                .insert(prefix.text()?, number)
                .map_err(|taken| match taken {
                    PrefixTaken::NoDigits => {
                        prefix.refuse("wrongPrefix", "a prefix has digits only, without +")
                    }
                    PrefixTaken::ByAnother => prefix.refuse("prefixTwice", "another zone has this prefix"),
                })?;
        }
        for network in node.get("networks").map_or(Ok(Vec::new()), |list| list.items())? {
            let name = network.text()?;
            if self.networks.iter().any(|(known, _)| known == name) {
                return Err(network.refuse("networkTwice", "another zone has this network"));
            }
            self.networks.push((name.to_owned(), number));
        }
        Ok(())
    }

    fn rate(&mut self, node: &Node) -> Result<Rate, Refusal> {
        let zone = node.need("zone")?;
        let name = zone.text()?;
        if name != "*" && !self.zones.iter().any(|known| known == name) {
            return Err(zone.refuse("unknownZone", "the tariff has no such zone"));
        }
        let bands = match node.get("bands") {
            Some(bands) => bands
                .items()?
                .iter()
                .map(|band| self.band(band))
                .collect::<Result<Vec<_>, _>>()?,
            None => vec![self.band(node)?],
        };
        if !bands.last().is_some_and(Band::always) {
            return Err(node.refuse("noBand", "the last band fits at all times"));
        }
        Ok(Rate {
            service: node.need("service")?.word(SERVICES)?,
            direction: node
                .get("direction")
                .map_or(Ok(Direction::Outgoing), |way| way.word(DIRECTIONS))?,
            zone: name.to_owned(),
            bands,
        })
    }

    fn index_rates(&mut self, nodes: &[Node]) -> Result<(), Refusal> {
        for (number, node) in nodes.iter().enumerate() {
            let rate = &self.rates[number];
            if let Some(zone) = self.zones.iter().position(|zone| *zone == rate.zone) {
                let place = self.place(rate.service, rate.direction, zone as u16);
                if self.index[place] != NO_RATE {
                    return Err(node.refuse("rateTwice", "another rate serves this zone already"));
                }
                self.index[place] = number as u16;
            }
        }
        for (number, rate) in self.rates.iter().enumerate().filter(|(_, rate)| rate.zone == "*") {
            for zone in 0..self.zones.len() as u16 {
                let place = self.place(rate.service, rate.direction, zone);
                if self.index[place] == NO_RATE {
                    self.index[place] = number as u16;
                }
            }
        }
        Ok(())
    }

    fn band(&mut self, node: &Node) -> Result<Band, Refusal> {
        let from_s = node.get("from").map_or(Ok(0), |time| second_of_day(&time))?;
        let to_s = node.get("to").map_or(Ok(86_400), |time| second_of_day(&time))?;
        if from_s >= to_s {
            return Err(node.need("to")?.refuse(
                "wrongBand",
                "a band ends behind its beginning; cut one that passes midnight in two",
            ));
        }
        let mut days = 0_u8;
        for day in node.get("days").map_or(Ok(Vec::new()), |days| days.items())? {
            days |= 1 << day.word(DAYS)?;
        }
        Ok(Band {
            name: node
                .get("name")
                .map_or(Ok("all day"), |name| name.text())?
                .to_owned(),
            days: if days == 0 { 0xFF } else { days },
            from_s,
            to_s,
            split: node.get("split").map_or(Ok(false), |flag| flag.flag())?,
            connection_fee: node
                .get("connectionFee")
                .map_or(Ok(Nano::ZERO), |fee| not_negative(&fee))?,
            charge: self.charge(node)?,
        })
    }

    fn charge(&mut self, node: &Node) -> Result<Charge, Refusal> {
        if let Some(list) = node.get("steps") {
            return Ok(Charge::Steps(steps(&list)?));
        }
        let counter = match node.get("counter") {
            Some(name) => self.counter(name.text()?),
            None => self.counter("period"),
        };
        if let Some(list) = node.get("graduated") {
            return Ok(Charge::Graduated {
                counter,
                tiers: tiers(&list)?,
            });
        }
        if let Some(list) = node.get("volume") {
            return Ok(Charge::Volume {
                counter,
                tiers: tiers(&list)?,
            });
        }
        let package = node
            .get("package")
            .ok_or_else(|| node.refuse("missing", "steps, graduated, volume or package is needed"))?;
        Ok(Charge::Package {
            counter,
            size: from_one(&package.need("size")?)?,
            price: not_negative(&package.need("price")?)?,
        })
    }

    fn counter(&mut self, name: &str) -> u16 {
        let known = self.counters.iter().position(|counter| counter == name);
        known.unwrap_or_else(|| {
            self.counters.push(name.to_owned());
            self.counters.len() - 1
        }) as u16
    }
}

impl Band {
    fn always(&self) -> bool {
        self.days == 0xFF && self.from_s == 0 && self.to_s == 86_400
    }
}

const DAYS: &[(&str, u8)] = &[
    ("mon", 0),
    ("tue", 1),
    ("wed", 2),
    ("thu", 3),
    ("fri", 4),
    ("sat", 5),
    ("sun", 6),
    ("holiday", 7),
];

fn second_of_day(node: &Node) -> Result<u32, Refusal> {
    let parts: Option<Vec<u32>> = node.text()?.split(':').map(|part| part.parse().ok()).collect();
    match parts.as_deref() {
        Some([24, 0]) => Ok(86_400),
        Some([hour @ 0..24, minute @ 0..60]) => Ok(hour * 3_600 + minute * 60),
        _ => Err(node.refuse("wrongTime", "a time of day is expected, from 00:00 to 24:00")),
    }
}

fn holiday(node: &Node) -> Result<Holiday, Refusal> {
    let wrong = || {
        node.refuse(
            "wrongDay",
            "a day is expected, as 2026-12-25, or every year's as 12-25",
        )
    };
    let text = node.text()?;
    if let Ok(date) = text.parse::<Date>() {
        return Ok(Holiday {
            year: Some(date.year()),
            month: date.month(),
            day: date.day(),
        });
    }
    // 2024 is a leap year: 02-29 is a day.
    let date: Date = format!("2024-{text}").parse().map_err(|_| wrong())?;
    Ok(Holiday {
        year: None,
        month: date.month(),
        day: date.day(),
    })
}

fn from_one(node: &Node) -> Result<u64, Refusal> {
    // Above this, a sum of a period's quantities could pass 64 bits.
    match node.quantity()? {
        number @ 1..=0xFFFF_FFFF_FFFF => Ok(number),
        _ => Err(node.refuse("wrongNumber", "a quantity from 1 on is expected")),
    }
}

fn steps(node: &Node) -> Result<Vec<Step>, Refusal> {
    let mut steps: Vec<Step> = Vec::new();
    for item in node.items()? {
        let unit = from_one(&item.need("unit")?)?;
        let step = Step {
            from: item.get("from").map_or(Ok(0), |from| from.quantity())?,
            unit,
            increment: item
                .get("increment")
                .map_or(Ok(unit), |increment| from_one(&increment))?,
            price: not_negative(&item.need("price")?)?,
        };
        let follows = steps.last().map_or(step.from == 0, |last| step.from > last.from);
        if !follows {
            return Err(item.refuse(
                "wrongStep",
                "the first step begins at 0, each other behind the one before",
            ));
        }
        steps.push(step);
    }
    if steps.is_empty() {
        return Err(node.refuse("wrongStep", "at least one step is needed"));
    }
    Ok(steps)
}

fn tiers(node: &Node) -> Result<Vec<Tier>, Refusal> {
    let mut tiers: Vec<Tier> = Vec::new();
    for item in node.items()? {
        let tier = Tier {
            up_to: item.get("upTo").map(|end| from_one(&end)).transpose()?,
            steps: steps(&item.need("steps")?)?,
        };
        let before = tiers.last().map_or(Some(0), |last| last.up_to);
        if before.is_none_or(|before| tier.up_to.is_some_and(|end| end <= before)) {
            return Err(item.refuse("wrongTier", "tiers rise, and only the last has no upTo"));
        }
        tiers.push(tier);
    }
    if tiers.last().is_none_or(|last| last.up_to.is_some()) {
        return Err(node.refuse("wrongTier", "the last tier has no upTo"));
    }
    Ok(tiers)
}
