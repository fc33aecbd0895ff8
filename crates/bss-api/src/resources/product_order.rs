//! TMF622: what customers ask for.

use bss_app::product_order::ProductOrders;
use bss_app::resource::Documents;
use bss_domain::product_order;
use bss_store::product_order as table;

use crate::kit::{Api, Operations, RELATED_CUSTOMER, Resource};

/// TMF622 Product Ordering.
pub static API: Api = Api {
    title: "TMF622 Product Ordering",
    base_path: "/tmf-api/productOrderingManagement/v4",
};

/// ProductOrder.
pub static PRODUCT_ORDER: Resource = Resource {
    api: &API,
    path: "productOrder",
    kind: "ProductOrder",
    shape: product_order::SHAPE,
    reads: &Documents(&table::PRODUCT_ORDER),
    commands: Some(&ProductOrders),
    operations: Operations::ALL,
    owner: RELATED_CUSTOMER,
    last_update: None,
    precious: true,
};
