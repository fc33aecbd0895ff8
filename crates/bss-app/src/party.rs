//! Persons and companies (TMF632).

use bss_domain::party::{INDIVIDUAL as INDIVIDUAL_SHAPE, ORGANIZATION as ORGANIZATION_SHAPE};
use bss_domain::party::{decide_individual, decide_organization};
use bss_events::Topic;
use bss_store::customer::CUSTOMER;
use bss_store::party::{INDIVIDUAL, ORGANIZATION};

use crate::resource::{Place, Plain, Referrer};

/// A customer is a party: the party stays while the customer does.
const ENGAGED: Referrer = Referrer {
    table: &CUSTOMER,
    attribute: "engagedParty.id",
};

/// Persons.
pub static INDIVIDUALS: Plain = Plain {
    kind: "Individual",
    table: &INDIVIDUAL,
    shape: INDIVIDUAL_SHAPE,
    topic: Topic::Customer,
    state: Some("status"),
    place: Place::Shared,
    decide: decide_individual,
    check: None,
    may_delete: |_| Ok(()),
    referrers: &[ENGAGED],
};

/// Companies.
pub static ORGANIZATIONS: Plain = Plain {
    kind: "Organization",
    table: &ORGANIZATION,
    shape: ORGANIZATION_SHAPE,
    topic: Topic::Customer,
    state: Some("status"),
    place: Place::Shared,
    decide: decide_organization,
    check: None,
    may_delete: |_| Ok(()),
    referrers: &[ENGAGED],
};
