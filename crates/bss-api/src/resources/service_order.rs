//! TMF641: what orders ask of the network.

use bss_app::resource::Documents;
use bss_domain::service;
use bss_store::product_order::SERVICE_ORDER as SERVICE_ORDER_TABLE;

use crate::kit::{Api, Operations, RELATED_CUSTOMER, Resource};

/// TMF641 Service Ordering.
pub static API: Api = Api {
    title: "TMF641 Service Ordering",
    base_path: "/tmf-api/serviceOrdering/v4",
};

/// ServiceOrder.
pub static SERVICE_ORDER: Resource = Resource {
    api: &API,
    path: "serviceOrder",
    kind: "ServiceOrder",
    shape: service::SERVICE_ORDER_SHAPE,
    reads: &Documents(&SERVICE_ORDER_TABLE),
    commands: None,
    operations: Operations::NONE,
    owner: RELATED_CUSTOMER,
    last_update: None,
    precious: false,
};
