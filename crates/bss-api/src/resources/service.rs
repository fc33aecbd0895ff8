//! TMF638: what the network does for them.

use bss_app::resource::Documents;
use bss_domain::service;
use bss_store::product as table;

use crate::kit::{Api, Operations, RELATED_CUSTOMER, Resource};

/// TMF638 Service Inventory.
pub static API: Api = Api {
    title: "TMF638 Service Inventory",
    base_path: "/tmf-api/serviceInventory/v4",
};

/// Service.
pub static SERVICE: Resource = Resource {
    api: &API,
    path: "service",
    kind: "Service",
    shape: service::SERVICE_SHAPE,
    reads: &Documents(&table::SERVICE),
    commands: None,
    operations: Operations::NONE,
    owner: RELATED_CUSTOMER,
    last_update: None,
    precious: false,
};
