//! A rated item: its parts with their reasons, and their compact bytes.

use crate::ids::{BucketId, TypedId};
use crate::money::{MoneyError, Nano};
use uuid::Uuid;

/// What a record costs and why. The parts' amounts sum to the amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RatedItem {
    /// The zone's index in the tariff.
    pub zone: u16,
    /// The rate's index in the tariff.
    pub rate: u16,
    /// The whole amount.
    pub amount: Nano,
    /// Its parts, in the order in which they were charged.
    pub parts: Vec<Part>,
}

/// A part of a record with one price and one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Base units as measured.
    pub quantity: u64,
    /// Base units as charged, in whole increments; for fees and packages, how many of them.
    pub charged: u64,
    /// The base units that the price is for.
    pub unit: u64,
    /// The price of a unit.
    pub unit_price: Nano,
    /// charged × price ÷ unit, rounded once.
    pub amount: Nano,
    /// Why.
    pub why: Why,
}

/// The reason of a part, by indexes into the price version's tariff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The fee for the connection.
    ConnectionFee {
        /// The band.
        band: u8,
    },
    /// A step of a band, or of one of its tiers.
    Step {
        /// The band.
        band: u8,
        /// The tier, where the band has tiers.
        tier: Option<u8>,
        /// The step.
        step: u8,
    },
    /// Packages begun.
    Package {
        /// The band.
        band: u8,
    },
    /// An allowance covers it.
    Allowance {
        /// Its instance.
        bucket: BucketId,
    },
    /// What a prepaid balance couldn't pay: negative.
    Uncollected,
}

impl Part {
    /// charged × price ÷ unit.
    pub(crate) fn priced(&self) -> Result<Nano, MoneyError> {
        let charged = i64::try_from(self.charged).map_err(|_| MoneyError::Overflow)?;
        let unit = i64::try_from(self.unit).map_err(|_| MoneyError::Overflow)?;
        self.unit_price.share(charged, unit)
    }
}

/// Bytes that are no rated item of a version that this program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no rated item of a known version")]
pub struct DecodeError;

/// The version of the bytes, their first one. A reader of a later version goes on reading the earlier ones.
const VERSION: u8 = 1;

impl RatedItem {
    /// The sum of the parts.
    pub(crate) fn total(&self) -> Result<Nano, MoneyError> {
        self.parts
            .iter()
            .try_fold(Nano::ZERO, |sum, part| sum.plus(part.amount))
    }

    /// What a prepaid balance pays of it: the amount, at most what the balance has above its limit (which is negative
    /// where the account may owe). What it can't pay becomes a part of its own, so that parts still sum to the amount.
    /// Gives the new balance.
    pub fn pay_from(&mut self, balance: Nano, limit: Nano) -> Result<Nano, MoneyError> {
        let payable = balance.minus(limit)?.max(Nano::ZERO);
        if self.amount > payable {
            let missing = Nano(payable.0 - self.amount.0);
            self.parts.push(Part {
                quantity: 0,
                charged: 1,
                unit: 1,
                unit_price: missing,
                amount: missing,
                why: Why::Uncollected,
            });
            self.amount = payable;
        }
        balance.minus(self.amount)
    }

    /// Appends its bytes: version, zone, rate, amount, number of parts, parts; integers as LEB128, signed ones zigzag.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        put(out, u64::from(self.zone));
        put(out, u64::from(self.rate));
        put_signed(out, self.amount.0);
        put(out, self.parts.len() as u64);
        for part in &self.parts {
            part.encode(out);
        }
    }

    /// Reads the bytes of [`Self::encode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader(bytes);
        if reader.byte()? != VERSION {
            return Err(DecodeError);
        }
        let zone = reader.small()?;
        let rate = reader.small()?;
        let amount = Nano(reader.signed()?);
        let count = reader.whole()?;
        let mut parts = Vec::with_capacity(count.min(16) as usize);
        for _ in 0..count {
            parts.push(Part::decode(&mut reader)?);
        }
        if reader.0.is_empty() {
            Ok(Self {
                zone,
                rate,
                amount,
                parts,
            })
        } else {
            Err(DecodeError)
        }
    }
}

impl Part {
    fn encode(&self, out: &mut Vec<u8>) {
        match self.why {
            Why::ConnectionFee { band } => out.extend([0, band]),
            Why::Step {
                band,
                tier: None,
                step,
            } => out.extend([1, band, step]),
            Why::Step {
                band,
                tier: Some(tier),
                step,
            } => out.extend([2, band, tier, step]),
            Why::Package { band } => out.extend([3, band]),
            Why::Allowance { bucket } => {
                out.push(4);
                out.extend(bucket.uuid().as_bytes());
            }
            Why::Uncollected => out.push(5),
        }
        put(out, self.quantity);
        put(out, self.charged);
        put(out, self.unit);
        put_signed(out, self.unit_price.0);
        put_signed(out, self.amount.0);
    }

    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        let why = match reader.byte()? {
            0 => Why::ConnectionFee { band: reader.byte()? },
            1 => Why::Step {
                band: reader.byte()?,
                tier: None,
                step: reader.byte()?,
            },
            2 => Why::Step {
                band: reader.byte()?,
                tier: Some(reader.byte()?),
                step: reader.byte()?,
            },
            3 => Why::Package { band: reader.byte()? },
            4 => Why::Allowance {
                bucket: reader.uuid()?.into(),
            },
            5 => Why::Uncollected,
            _ => return Err(DecodeError),
        };
        Ok(Self {
            quantity: reader.whole()?,
            charged: reader.whole()?,
            unit: reader.whole()?,
            unit_price: Nano(reader.signed()?),
            amount: Nano(reader.signed()?),
            why,
        })
    }
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_signed(out: &mut Vec<u8>, value: i64) {
    put(out, ((value << 1) ^ (value >> 63)) as u64);
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.0.split_first().ok_or(DecodeError)?;
        self.0 = rest;
        Ok(*first)
    }

    fn whole(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError)
    }

    fn signed(&mut self) -> Result<i64, DecodeError> {
        let value = self.whole()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn small(&mut self) -> Result<u16, DecodeError> {
        u16::try_from(self.whole()?).map_err(|_| DecodeError)
    }

    fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        let (bytes, rest) = self.0.split_first_chunk::<16>().ok_or(DecodeError)?;
        self.0 = rest;
        Ok(Uuid::from_bytes(*bytes))
    }
}
