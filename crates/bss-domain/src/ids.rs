//! Typed ids: UUIDs of version 8 that carry their time and their customer's slot.
//!
//! Layout (RFC 9562 §5.8): 48 bits of Unix milliseconds, the version, 12 bits of *slot*, the variant, 62 random
//! bits. Everything that belongs to a customer carries the customer's slot, so an id alone leads to one shard.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// How many slots there are; partitions, workers, shards and regions are ranges of slots.
pub const SLOTS: u16 = 4096;

/// The number of a customer's slot, 0 to 4095.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slot(u16);

impl Slot {
    /// The slot with this number; none from 4096 on.
    pub const fn new(number: u16) -> Option<Self> {
        if number < SLOTS { Some(Self(number)) } else { None }
    }

    /// The slot that an id carries, whatever its type.
    pub fn of(id: Uuid) -> Self {
        Self((id.as_u64_pair().0 & 0xFFF) as u16)
    }

    /// The slot of a key that is no id of ours: a hash of its bytes.
    pub fn hash(key: &[u8]) -> Self {
        let digest = Sha256::digest(key);
        Self(u16::from_be_bytes([digest[0], digest[1]]) % SLOTS)
    }

    /// Its number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The number as the database's `smallint`.
    pub const fn sql(self) -> i16 {
        self.0 as i16
    }

    /// Which of `partitions` (a power of two of at most 4096) holds it: partitions are ranges of slots.
    pub const fn partition(self, partitions: u16) -> u16 {
        self.0 / (SLOTS / partitions)
    }
}

/// Puts an id together from its parts; bits of `random` beyond 62 and of the time beyond 48 are cut off.
pub fn compose(unix_ms: i64, slot: Slot, random: u64) -> Uuid {
    let high = ((unix_ms.max(0) as u64) & 0xFFFF_FFFF_FFFF) << 16 | 0x8000 | u64::from(slot.0);
    let low = (random & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000;
    Uuid::from_u64_pair(high, low)
}

/// The Unix milliseconds that an id of ours carries.
pub fn unix_ms_of(id: Uuid) -> i64 {
    (id.as_u64_pair().0 >> 16) as i64
}

/// Whether an id has our form: a UUID of version 8.
pub fn is_ours(id: Uuid) -> bool {
    id.get_version_num() == 8
}

/// What an id of ours names; every typed id implements it.
pub trait TypedId: Copy + Eq + Ord + fmt::Display + Into<Uuid> + From<Uuid> {
    /// TM Forum's name of the type.
    const NAME: &'static str;

    /// A new id at a time, in a slot.
    fn at(unix_ms: i64, slot: Slot, random: u64) -> Self {
        Self::from(compose(unix_ms, slot, random))
    }

    /// The id's slot.
    fn slot(self) -> Slot {
        Slot::of(self.into())
    }

    /// The bare UUID.
    fn uuid(self) -> Uuid {
        self.into()
    }
}

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident = $shown:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl TypedId for $name {
            const NAME: &'static str = $shown;
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

typed_ids! {
    /// A tenant: an operator of its own in the same database.
    TenantId = "Tenant";
    /// Somebody who signs in, or a client's service account.
    UserId = "User";
    /// A user's sign-in, until its end.
    UserSessionId = "UserSession";
    /// A person.
    IndividualId = "Individual";
    /// A company.
    OrganizationId = "Organization";
    /// A customer; its slot is a hash of its own random part.
    CustomerId = "Customer";
    /// An account that bills are drawn up for.
    BillingAccountId = "BillingAccount";
    /// A category of the catalog.
    CategoryId = "Category";
    /// A product's specification.
    ProductSpecificationId = "ProductSpecification";
    /// A service's specification.
    ServiceSpecificationId = "ServiceSpecification";
    /// A resource's specification.
    ResourceSpecificationId = "ResourceSpecification";
    /// What is offered for sale.
    ProductOfferingId = "ProductOffering";
    /// One immutable version of a price.
    ProductOfferingPriceId = "ProductOfferingPrice";
    /// An order for products.
    ProductOrderId = "ProductOrder";
    /// A request to cancel a product order.
    CancelProductOrderId = "CancelProductOrder";
    /// An order for services, decomposed from a product order.
    ServiceOrderId = "ServiceOrder";
    /// A product that a customer has.
    ProductId = "Product";
    /// A service that carries a product.
    ServiceId = "Service";
    /// A number, a SIM card.
    ResourceId = "Resource";
    /// One usage record.
    UsageId = "Usage";
    /// A file of usage records.
    UsageFileId = "UsageFile";
    /// An allowance's instance in one window.
    BucketId = "Bucket";
    /// A bill.
    CustomerBillId = "CustomerBill";
    /// A line of a bill.
    AppliedCustomerBillingRateId = "AppliedCustomerBillingRate";
    /// One run over the accounts of a tenant.
    BillRunId = "BillRun";
    /// A payment.
    PaymentId = "Payment";
    /// A refund.
    RefundId = "Refund";
    /// An entry of the ledger.
    LedgerEntryId = "LedgerEntry";
    /// A callback that is told of events.
    EventSubscriptionId = "EventSubscription";
    /// An event of the log.
    EventId = "Event";
}

impl CustomerId {
    /// A new customer: the slot is drawn from the random part, so customers spread evenly.
    pub fn new(unix_ms: i64, random: u64) -> Self {
        let slot = Slot::hash(&(random & 0x3FFF_FFFF_FFFF_FFFF).to_be_bytes());
        Self::at(unix_ms, slot, random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_gives_back_its_parts() {
        for (ms, slot, random) in [(0, 0, 0), (1_763_000_000_123, 4095, u64::MAX), (1, 77, 1)] {
            let id = compose(ms, Slot::new(slot).unwrap(), random);
            assert_eq!((unix_ms_of(id), Slot::of(id).number()), (ms, slot));
            assert_eq!(
                (id.get_version_num(), id.get_variant()),
                (8, uuid::Variant::RFC4122)
            );
            assert!(is_ours(id));
        }
        assert!(Slot::new(4096).is_none());
    }

    #[test]
    fn ids_sort_by_time() {
        let slot = |n| Slot::new(n).unwrap();
        assert!(compose(1, slot(4095), u64::MAX) < compose(2, slot(0), 0));
    }

    #[test]
    fn partitions_are_ranges_of_slots() {
        let partition = |n| Slot::new(n).unwrap().partition(64);
        assert_eq!([0, 63, 64, 4095].map(partition), [0, 0, 1, 63]);
    }

    #[test]
    fn a_customers_things_share_its_slot() {
        let customer = CustomerId::new(5, 0x1234_5678);
        assert_eq!(customer, CustomerId::new(5, 0x1234_5678));
        assert_eq!(ProductId::at(9, customer.slot(), 3).slot(), customer.slot());
    }
}
