//! Customers (TMF629).

use bss_domain::customer;
use bss_events::Topic;
use bss_store::billing_account::BILLING_ACCOUNT;
use bss_store::customer::CUSTOMER;

use crate::resource::{Place, Plain, Referrer};

/// Customers: the slot of everything of theirs is a hash of their id.
pub static CUSTOMERS: Plain = Plain {
    kind: "Customer",
    table: &CUSTOMER,
    shape: customer::SHAPE,
    topic: Topic::Customer,
    state: Some("status"),
    place: Place::Customer,
    decide: customer::decide,
    check: None,
    may_delete: |_| Ok(()),
    referrers: &[Referrer {
        table: &BILLING_ACCOUNT,
        attribute: "relatedParty[role=customer].id",
    }],
};
