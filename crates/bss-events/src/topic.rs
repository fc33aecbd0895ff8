use std::fmt;
use std::str::FromStr;

/// Partitions of every topic: ranges of 64 slots each.
pub const PARTITIONS: u16 = 64;

macro_rules! topics {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)+) => {
        /// A topic of the event log. Its number stands in the database and never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Topic {
            $($(#[$doc])* $name,)+
        }

        impl Topic {
            /// Every topic, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its number in the database.
            pub const fn sql(self) -> i16 {
                match self { $(Self::$name => $number,)+ }
            }

            /// Its name, in the database's clients and in Kafka.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

topics! {
    /// Customers, parties and accounts.
    Customer = 1, "bss.customer.events";
    /// Product orders.
    Order = 2, "bss.order.events";
    /// Service orders and activations.
    Provisioning = 3, "bss.service.provisioning";
    /// Usage records, mediated and not yet rated.
    Usage = 4, "bss.usage.events";
    /// Rated usage, balances, bill runs.
    Billing = 5, "bss.billing.events";
    /// Bills.
    Invoice = 6, "bss.invoice.events";
    /// Payments.
    Payment = 7, "bss.payment.events";
    /// What customers are to be told.
    Notification = 8, "bss.notification.events";
    /// What analytics found.
    Analytics = 9, "bss.analytics.events";
    /// Who looked at or changed what.
    Audit = 10, "bss.audit.events";
    /// The catalog.
    Catalog = 11, "bss.catalog.events";
}

impl Topic {
    /// The topic with this number.
    pub fn from_sql(number: i16) -> Option<Self> {
        Self::ALL.iter().copied().find(|topic| topic.sql() == number)
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No topic has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no topic, as bss.order.events is one")]
pub struct UnknownTopic(pub String);

impl FromStr for Topic {
    type Err = UnknownTopic;

    fn from_str(name: &str) -> Result<Self, UnknownTopic> {
        Self::ALL
            .iter()
            .copied()
            .find(|topic| topic.name() == name)
            .ok_or_else(|| UnknownTopic(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_lead_back() {
        for topic in Topic::ALL {
            assert_eq!(Topic::from_sql(topic.sql()), Some(*topic));
            assert_eq!(topic.name().parse(), Ok(*topic));
        }
        assert!("bss.no.events".parse::<Topic>().is_err());
    }
}
