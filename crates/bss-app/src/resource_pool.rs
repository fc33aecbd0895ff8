//! Resource (TMF639): what stands in the pools of numbers, SIM cards and ports.

use bss_domain::resource;
use bss_events::Topic;
use bss_store::resource_pool::RESOURCE;

use crate::resource::{Place, Plain};

/// Resources of the pools.
pub static RESOURCES: Plain = Plain {
    kind: "Resource",
    table: &RESOURCE,
    shape: resource::SHAPE,
    topic: Topic::Provisioning,
    state: Some("resourceStatus"),
    place: Place::Shared,
    decide: resource::decide,
    check: None,
    may_delete: resource::may_delete,
    referrers: &[],
};
