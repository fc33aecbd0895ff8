//! TMF633: what services carry a product.

use bss_app::catalog::SERVICE_SPECIFICATIONS;
use bss_app::resource::Documents;
use bss_domain::catalog::specification;
use bss_store::catalog;

use crate::kit::{Api, Operations, Owner, Resource};

/// TMF633 Service Catalog.
pub static API: Api = Api {
    title: "TMF633 Service Catalog",
    base_path: "/tmf-api/serviceCatalogManagement/v4",
};

/// ServiceSpecification.
pub static SERVICE_SPECIFICATION: Resource = Resource {
    api: &API,
    path: "serviceSpecification",
    kind: "ServiceSpecification",
    shape: specification::SERVICE,
    reads: &Documents(&catalog::SERVICE_SPECIFICATION),
    commands: Some(&SERVICE_SPECIFICATIONS),
    operations: Operations::ALL,
    owner: Owner::Nobody,
    last_update: Some("lastUpdate"),
    precious: false,
};
