//! TMF634: what resources a service takes.

use bss_app::catalog::RESOURCE_SPECIFICATIONS;
use bss_app::resource::Documents;
use bss_domain::catalog::specification;
use bss_store::catalog;

use crate::kit::{Api, Operations, Owner, Resource};

/// TMF634 Resource Catalog.
pub static API: Api = Api {
    title: "TMF634 Resource Catalog",
    base_path: "/tmf-api/resourceCatalog/v4",
};

/// ResourceSpecification.
pub static RESOURCE_SPECIFICATION: Resource = Resource {
    api: &API,
    path: "resourceSpecification",
    kind: "ResourceSpecification",
    shape: specification::RESOURCE,
    reads: &Documents(&catalog::RESOURCE_SPECIFICATION),
    commands: Some(&RESOURCE_SPECIFICATIONS),
    operations: Operations::ALL,
    owner: Owner::Nobody,
    last_update: Some("lastUpdate"),
    precious: false,
};
