//! Amounts: integers in a currency's minor unit on bills and in the ledger, in nano units while rating.
//!
//! Nano becomes minor once, half away from zero, by [`Nano::to_minor`] at the bill line (`docs/MONEY.md`).

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

/// Nano units in one major unit.
pub const NANO: i64 = 1_000_000_000;

/// An ISO 4217 currency.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency {
    code: [u8; 3],
    exponent: u8,
}

/// ISO 4217 codes whose exponent is not 2.
const OTHER_EXPONENTS: &[(&str, u8)] = &[
    ("BIF", 0),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("ISK", 0),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("PYG", 0),
    ("RWF", 0),
    ("UGX", 0),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
    ("BHD", 3),
    ("IQD", 3),
    ("JOD", 3),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("TND", 3),
    ("CLF", 4),
    ("UYW", 4),
];

/// ISO 4217 codes of two decimals.
const TWO_DECIMALS: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG";

/// What is wrong with an amount or a currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// No such currency.
    #[error("{0:?} is no ISO 4217 currency code, as EUR is one")]
    UnknownCurrency(String),
    /// Two currencies in one sum.
    #[error("{left} and {right} can't be added")]
    Mixed {
        /// The first one.
        left: Currency,
        /// The second one.
        right: Currency,
    },
    /// Beyond 64 bits.
    #[error("the amount is too large")]
    Overflow,
    /// Finer than the currency's minor unit.
    #[error("{value} has more than {exponent} decimals, which {currency} has")]
    TooFine {
        /// The amount as given.
        value: String,
        /// The currency.
        currency: Currency,
        /// Its decimals.
        exponent: u8,
    },
    /// No number.
    #[error("{0:?} is no decimal number")]
    NoNumber(String),
}

impl Currency {
    /// The currency of an ISO 4217 code.
    pub fn of(code: &str) -> Result<Self, MoneyError> {
        let bytes: [u8; 3] = code
            .as_bytes()
            .try_into()
            .map_err(|_| MoneyError::UnknownCurrency(code.to_owned()))?;
        if let Some((_, exponent)) = OTHER_EXPONENTS.iter().find(|(known, _)| *known == code) {
            return Ok(Self {
                code: bytes,
                exponent: *exponent,
            });
        }
        if TWO_DECIMALS.split(' ').any(|known| known == code) {
            return Ok(Self {
                code: bytes,
                exponent: 2,
            });
        }
        Err(MoneyError::UnknownCurrency(code.to_owned()))
    }

    /// Its ISO 4217 code.
    pub fn code(&self) -> &str {
        // Only ASCII codes of the tables above get in.
        std::str::from_utf8(&self.code).unwrap_or("XXX")
    }

    /// Decimals of the minor unit: JPY 0, EUR 2, KWD 3.
    pub const fn exponent(&self) -> u8 {
        self.exponent
    }

    /// Nano units in one minor unit.
    pub const fn nano_per_minor(&self) -> i64 {
        10_i64.pow(9 - self.exponent as u32)
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Self, MoneyError> {
        Self::of(code)
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;

    fn try_from(code: String) -> Result<Self, MoneyError> {
        Self::of(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

/// An amount in minor units of its currency: what stands on bills and in the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "MoneyText", into = "MoneyText")]
pub struct Money {
    /// Minor units.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

/// TM Forum's Money: `{"unit": "EUR", "value": 9.99}`.
#[derive(Serialize, Deserialize)]
struct MoneyText {
    unit: Currency,
    value: serde_json::Number,
}

impl TryFrom<MoneyText> for Money {
    type Error = MoneyError;

    fn try_from(text: MoneyText) -> Result<Self, MoneyError> {
        Self::parse(&text.value.to_string(), text.unit)
    }
}

impl From<Money> for MoneyText {
    fn from(money: Money) -> Self {
        // A shortest-digits float gives back up to 15 digits unchanged.
        let value = money.decimal().to_f64().unwrap_or_default();
        let number = if money.currency.exponent == 0 {
            serde_json::Number::from(money.minor)
        } else {
            serde_json::Number::from_f64(value).unwrap_or_else(|| 0.into())
        };
        Self {
            unit: money.currency,
            value: number,
        }
    }
}

impl Money {
    /// An amount of minor units.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Reads a decimal text exactly; finer than the minor unit is refused, never rounded.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let value = decimal(text)?;
        let scaled = value * Decimal::from(10_i64.pow(u32::from(currency.exponent)));
        if scaled != scaled.trunc() {
            return Err(MoneyError::TooFine {
                value: text.to_owned(),
                currency,
                exponent: currency.exponent,
            });
        }
        scaled
            .to_i64()
            .map(|minor| Self::new(minor, currency))
            .ok_or(MoneyError::Overflow)
    }

    /// The exact decimal value in major units.
    pub fn decimal(&self) -> Decimal {
        Decimal::new(self.minor, u32::from(self.currency.exponent))
    }

    /// The sum; refused for two currencies and beyond 64 bits.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed {
                left: self.currency,
                right: other.currency,
            });
        }
        self.minor
            .checked_add(other.minor)
            .map(|minor| Self::new(minor, self.currency))
            .ok_or(MoneyError::Overflow)
    }

    /// The difference; refused for two currencies and beyond 64 bits.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.plus(Self::new(
            other.minor.checked_neg().ok_or(MoneyError::Overflow)?,
            other.currency,
        ))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An amount in nano units (10⁻⁹ of a major unit): what rating computes in. Its currency is its account's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nano(pub i64);

impl Nano {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Reads a decimal text of major units exactly: at most nine decimals.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let scaled = decimal(text)? * Decimal::from(NANO);
        if scaled != scaled.trunc() {
            return Err(MoneyError::NoNumber(format!("{text} (more than nine decimals)")));
        }
        scaled.to_i64().map(Self).ok_or(MoneyError::Overflow)
    }

    /// The amount of whole minor units.
    pub fn from_minor(minor: i64, currency: Currency) -> Result<Self, MoneyError> {
        minor
            .checked_mul(currency.nano_per_minor())
            .map(Self)
            .ok_or(MoneyError::Overflow)
    }

    /// Rounds to minor units, half away from zero: the one rounding point of a bill line.
    pub fn to_minor(self, currency: Currency) -> i64 {
        round_half_away(i128::from(self.0), i128::from(currency.nano_per_minor())) as i64
    }

    /// The sum.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.0.checked_add(other.0).map(Self).ok_or(MoneyError::Overflow)
    }

    /// The difference.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.0.checked_sub(other.0).map(Self).ok_or(MoneyError::Overflow)
    }

    /// `self × numerator ÷ denominator`, rounded half away from zero to a nano unit. The denominator is positive.
    pub fn share(self, numerator: i64, denominator: i64) -> Result<Self, MoneyError> {
        let product = i128::from(self.0)
            .checked_mul(i128::from(numerator))
            .ok_or(MoneyError::Overflow)?;
        i64::try_from(round_half_away(product, i128::from(denominator)))
            .map(Self)
            .map_err(|_| MoneyError::Overflow)
    }

    /// The exact decimal value in major units.
    pub fn decimal(self) -> Decimal {
        Decimal::new(self.0, 9).normalize()
    }
}

/// `value ÷ unit` as a whole number, half away from zero; `unit` is positive.
pub fn round_half_away(value: i128, unit: i128) -> i128 {
    let (quotient, rest) = (value / unit, value % unit);
    if rest.abs() * 2 >= unit {
        quotient + value.signum()
    } else {
        quotient
    }
}

/// Reads a decimal number as JSON or a file writes it.
pub fn decimal(text: &str) -> Result<Decimal, MoneyError> {
    Decimal::from_str_exact(text)
        .or_else(|_| Decimal::from_scientific(text))
        .map_err(|_| MoneyError::NoNumber(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::of(code).unwrap()
    }

    #[test]
    fn every_currency_has_its_own_decimals() {
        let cases = [
            ("EUR", 999, "9.99"),
            ("JPY", 999, "999"),
            ("KWD", 999, "0.999"),
            ("EUR", -5, "-0.05"),
        ];
        for (code, minor, text) in cases {
            let money = Money::new(minor, currency(code));
            assert_eq!(Money::parse(text, currency(code)).unwrap(), money);
            assert_eq!(money.to_string(), format!("{text} {code}"));
        }
        assert!(matches!(Currency::of("EUX"), Err(MoneyError::UnknownCurrency(_))));
        assert!(matches!(
            Money::parse("9.999", currency("EUR")),
            Err(MoneyError::TooFine { .. })
        ));
        assert!(matches!(
            Money::parse("nine", currency("EUR")),
            Err(MoneyError::NoNumber(_))
        ));
    }

    #[test]
    fn rounding_goes_half_away_from_zero() {
        let cases = [
            (4_999_999, 0),
            (5_000_000, 1),
            (-5_000_000, -1),
            (-4_999_999, 0),
            (15_000_000, 2),
        ];
        for (nano, cents) in cases {
            assert_eq!(Nano(nano).to_minor(currency("EUR")), cents, "{nano}");
        }
        assert_eq!(Nano(500_000_000).to_minor(currency("JPY")), 1);
        assert_eq!(Nano(500_000).to_minor(currency("KWD")), 1);
    }

    #[test]
    fn two_currencies_never_meet_in_a_sum() {
        let sum = Money::new(1, currency("EUR")).plus(Money::new(1, currency("JPY")));
        assert!(matches!(sum, Err(MoneyError::Mixed { .. })));
        assert_eq!(
            Money::new(i64::MAX, currency("EUR")).plus(Money::new(1, currency("EUR"))),
            Err(MoneyError::Overflow)
        );
    }

    #[test]
    fn json_is_tm_forums_and_exact() {
        for text in [
            r#"{"unit":"EUR","value":9.99}"#,
            r#"{"unit":"JPY","value":1200}"#,
            r#"{"unit":"KWD","value":1.505}"#,
        ] {
            let money: Money = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&money).unwrap(), text);
        }
        assert!(serde_json::from_str::<Money>(r#"{"unit":"EUR","value":0.001}"#).is_err());
    }
}
