//! TMF622: what customers ask for.

use bss_app::cancel_product_order::CancelProductOrders;
use bss_app::product_order::ProductOrders;
use bss_app::resource::Documents;
use bss_domain::{cancel_product_order, product_order};
use bss_store::cancel_product_order::CANCEL_PRODUCT_ORDER as CANCEL_TABLE;
use bss_store::product_order as table;

use crate::kit::{Api, Operations, Owner, RELATED_CUSTOMER, Resource};

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

/// CancelProductOrder.
pub static CANCEL_PRODUCT_ORDER: Resource = Resource {
    api: &API,
    path: "cancelProductOrder",
    kind: "CancelProductOrder",
    shape: cancel_product_order::SHAPE,
    reads: &Documents(&CANCEL_TABLE),
    commands: Some(&CancelProductOrders),
    operations: Operations {
        create: true,
        ..Operations::NONE
    },
    owner: Owner::Found("relatedParty[role=customer].id"),
    last_update: None,
    precious: false,
};
