//! TMF637: what customers have.

use bss_app::resource::Documents;
use bss_domain::product;
use bss_store::product as table;

use crate::kit::{Api, Operations, RELATED_CUSTOMER, Resource};

/// TMF637 Product Inventory.
pub static API: Api = Api {
    title: "TMF637 Product Inventory",
    base_path: "/tmf-api/productInventory/v4",
};

/// Product.
pub static PRODUCT: Resource = Resource {
    api: &API,
    path: "product",
    kind: "Product",
    shape: product::SHAPE,
    reads: &Documents(&table::PRODUCT),
    commands: None,
    operations: Operations::NONE,
    owner: RELATED_CUSTOMER,
    last_update: None,
    precious: false,
};
