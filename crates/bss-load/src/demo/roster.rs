//! Who the demonstration's customers are: the same index gives the same kind of customer in every run, the same seed
//! the same names.

use bss_domain::time::{Cycle, UnknownZone, Zone};

use crate::cdr::Dice;

/// What a customer buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Post-paid in yen, which has no decimals.
    Tokyo,
    /// Post-paid in Kuwaiti dinar, which has three.
    Kuwait,
    /// Prepaid, with top-ups.
    Prepaid,
    /// Two people who share minutes and data.
    Family,
    /// A company with three numbers and a fibre line.
    Business,
    /// Fibre with its installation.
    Fibre,
    /// Fibre and a number.
    HomeAndMobile,
    /// A number with the roaming add-on and a further SIM card.
    Traveller,
    /// The small plan.
    MobileS,
    /// The larger plan.
    MobileM,
}

/// The plans of twenty customers in a row.
const PLANS: [Plan; 20] = [
    Plan::MobileM,
    Plan::Prepaid,
    Plan::Family,
    Plan::MobileS,
    Plan::Business,
    Plan::Tokyo,
    Plan::HomeAndMobile,
    Plan::MobileS,
    Plan::Kuwait,
    Plan::Traveller,
    Plan::Fibre,
    Plan::MobileM,
    Plan::MobileS,
    Plan::Prepaid,
    Plan::MobileM,
    Plan::Family,
    Plan::MobileS,
    Plan::Tokyo,
    Plan::Business,
    Plan::MobileM,
];

impl Plan {
    /// The offerings of its order, one an item, by their keys in the demonstration's catalog.
    pub const fn offerings(self) -> &'static [&'static str] {
        match self {
            Self::Tokyo => &["mobile-tokyo"],
            Self::Kuwait => &["mobile-kuwait"],
            Self::Prepaid => &["prepaid"],
            Self::Family => &["family"],
            Self::Business => &["mobile-m", "mobile-m", "mobile-m", "fibre-600"],
            Self::Fibre => &["fibre-600"],
            Self::HomeAndMobile => &["fibre-600", "mobile-m"],
            Self::Traveller => &["mobile-m", "roaming-eu", "sim-card"],
            Self::MobileS => &["mobile-s"],
            Self::MobileM => &["mobile-m"],
        }
    }

    /// How many numbers, each with its SIM card, an order takes from the pools.
    pub const fn numbers(self) -> u32 {
        match self {
            Self::Fibre => 0,
            Self::Family => 2,
            Self::Business => 3,
            _ => 1,
        }
    }

    /// How many fibre ports an order takes.
    pub const fn ports(self) -> u32 {
        match self {
            Self::Business | Self::Fibre | Self::HomeAndMobile => 1,
            _ => 0,
        }
    }
}

/// How the network treats a customer's first order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// It does what it is asked for.
    Served,
    /// It answers twice: first that the work is under way.
    AnsweredTwice,
    /// It refuses, as it was told to; the customer orders again.
    Refused,
}

/// A customer before anybody knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its number in the demonstration, from 0.
    pub index: u32,
    /// What it buys.
    pub plan: Plan,
}

impl Profile {
    /// The customer of this number.
    pub const fn of(index: u32) -> Self {
        Self {
            index,
            plan: PLANS[index as usize % PLANS.len()],
        }
    }

    /// How the network treats its first order.
    pub const fn treatment(&self) -> Treatment {
        match self.index % 40 {
            12 => Treatment::Refused,
            3 | 11 | 27 => Treatment::AnsweredTwice,
            _ => Treatment::Served,
        }
    }

    /// Whether a company stands behind it.
    pub fn is_company(&self) -> bool {
        self.plan == Plan::Business
    }

    /// The account's currency.
    pub const fn currency(&self) -> &'static str {
        match self.plan {
            Plan::Tokyo => "JPY",
            Plan::Kuwait => "KWD",
            _ => "EUR",
        }
    }

    /// The account's zone.
    pub const fn zone(&self) -> &'static str {
        match self.plan {
            Plan::Tokyo => "Asia/Tokyo",
            Plan::Kuwait => "Asia/Kuwait",
            _ if self.index % 10 == 9 => "Europe/Lisbon",
            _ => "Europe/Warsaw",
        }
    }

    /// The day of the month on which the account's periods begin.
    pub const fn cycle_day(&self) -> u8 {
        match self.index % 5 {
            3 => 15,
            4 => 31,
            _ => 1,
        }
    }

    /// The account's cycle.
    pub fn cycle(&self) -> Result<Cycle, UnknownZone> {
        Ok(Cycle {
            zone: Zone::named(self.zone())?,
            day: self.cycle_day(),
        })
    }

    /// Its name and address, by the seed.
    pub fn identity(&self, seed: u64) -> Identity {
        let mut dice = Dice::new(seed ^ (u64::from(self.index) << 32) ^ 0x0D_EC0DE);
        let given = *dice.one_of(&GIVEN);
        let family = *dice.one_of(&FAMILY);
        let (city, post_code, country) = *dice.one_of(match self.plan {
            Plan::Tokyo => &[("Tokyo", "100-0001", "Japan")],
            Plan::Kuwait => &[("Kuwait City", "13001", "Kuwait")],
            _ => &CITIES,
        });
        Identity {
            given,
            family,
            street: format!("{} {}", dice.one_of(&STREETS), 1 + dice.below(180)),
            post_code,
            city,
            country,
        }
    }
}

/// A name and an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// First name.
    pub given: &'static str,
    /// Last name, and a company's.
    pub family: &'static str,
    /// Street and house.
    pub street: String,
    /// Post code.
    pub post_code: &'static str,
    /// Town.
    pub city: &'static str,
    /// Country.
    pub country: &'static str,
}

const GIVEN: [&str; 24] = [
    "Agnieszka",
    "Bartosz",
    "Celina",
    "Dominika",
    "Emil",
    "Feliks",
    "Grażyna",
    "Henryk",
    "Iwona",
    "Jarosław",
    "Kinga",
    "Leszek",
    "Małgorzata",
    "Norbert",
    "Olga",
    "Przemysław",
    "Regina",
    "Sławomir",
    "Teresa",
    "Urszula",
    "Wojciech",
    "Yuki",
    "Zofia",
    "Żaneta",
];

const FAMILY: [&str; 24] = [
    "Adamczyk",
    "Borkowska",
    "Chmielewski",
    "Dąbrowska",
    "Fijałkowski",
    "Grabowska",
    "Hajduk",
    "Iwański",
    "Jabłońska",
    "Kaczmarek",
    "Lewandowska",
    "Malinowski",
    "Nowicka",
    "Olszewski",
    "Pawłowska",
    "Rutkowski",
    "Sadowska",
    "Tomaszewski",
    "Urbańska",
    "Wasilewski",
    "Yamaguchi",
    "Zalewska",
    "Świątek",
    "Żukowski",
];

const STREETS: [&str; 8] = [
    "ul. Lipowa",
    "ul. Ogrodowa",
    "ul. Kolejowa",
    "al. Jana Pawła II",
    "ul. Szkolna",
    "ul. Polna",
    "ul. Brzozowa",
    "pl. Wolności",
];

const CITIES: [(&str, &str, &str); 6] = [
    ("Warszawa", "00-001", "Poland"),
    ("Kraków", "30-002", "Poland"),
    ("Gdańsk", "80-003", "Poland"),
    ("Wrocław", "50-004", "Poland"),
    ("Poznań", "60-005", "Poland"),
    ("Łódź", "90-006", "Poland"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_order_takes_one_number_so_that_the_pool_holds_another() {
        for index in 0..400 {
            let profile = Profile::of(index);
            let orders = if profile.treatment() == Treatment::Refused {
                2
            } else {
                1
            };
            assert!(profile.plan.numbers() * orders <= 4, "{profile:?}");
        }
    }

    #[test]
    fn twenty_customers_are_of_every_kind() {
        let profiles: Vec<Profile> = (0..20).map(Profile::of).collect();
        for currency in ["EUR", "JPY", "KWD"] {
            assert!(
                profiles.iter().any(|profile| profile.currency() == currency),
                "{currency}"
            );
        }
        for treatment in [Treatment::Served, Treatment::AnsweredTwice, Treatment::Refused] {
            assert!(
                profiles.iter().any(|profile| profile.treatment() == treatment),
                "{treatment:?}"
            );
        }
        for day in [1, 15, 31] {
            assert!(profiles.iter().any(|profile| profile.cycle_day() == day), "{day}");
        }
        assert!(profiles.iter().all(|profile| profile.cycle().is_ok()));
    }

    #[test]
    fn a_seed_names_the_same_people() {
        let profile = Profile::of(7);
        assert_eq!(profile.identity(1), profile.identity(1));
        assert!((0..50).any(|index| Profile::of(index).identity(1) != Profile::of(index).identity(2)));
    }
}
