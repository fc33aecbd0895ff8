//! TMF639: numbers, SIM cards and ports in their pools.

use bss_app::resource::Documents;
use bss_app::resource_pool::RESOURCES;
use bss_domain::resource;
use bss_store::resource_pool as table;

use crate::kit::{Api, Operations, Owner, Resource};

/// TMF639 Resource Inventory.
pub static API: Api = Api {
    title: "TMF639 Resource Inventory",
    base_path: "/tmf-api/resourceInventoryManagement/v4",
};

/// Resource.
pub static RESOURCE: Resource = Resource {
    api: &API,
    path: "resource",
    kind: "Resource",
    shape: resource::SHAPE,
    reads: &Documents(&table::RESOURCE),
    commands: Some(&RESOURCES),
    operations: Operations::ALL,
    owner: Owner::Nobody,
    last_update: None,
    precious: false,
};
