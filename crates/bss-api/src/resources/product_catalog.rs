//! TMF620: what is sold.

use bss_app::catalog::{CATEGORIES, PRODUCT_OFFERING_PRICES, PRODUCT_OFFERINGS, PRODUCT_SPECIFICATIONS};
use bss_app::resource::Documents;
use bss_domain::catalog::{category, product_offering, product_offering_price, specification};
use bss_store::catalog;

use crate::kit::{Api, Operations, Owner, Resource};

/// TMF620 Product Catalog.
pub static API: Api = Api {
    title: "TMF620 Product Catalog",
    base_path: "/tmf-api/productCatalogManagement/v4",
};

/// Category.
pub static CATEGORY: Resource = Resource {
    api: &API,
    path: "category",
    kind: "Category",
    shape: category::SHAPE,
    reads: &Documents(&catalog::CATEGORY),
    commands: Some(&CATEGORIES),
    operations: Operations::ALL,
    owner: Owner::Everyone,
    last_update: Some("lastUpdate"),
    precious: false,
};

/// ProductSpecification.
pub static PRODUCT_SPECIFICATION: Resource = Resource {
    api: &API,
    path: "productSpecification",
    kind: "ProductSpecification",
    shape: specification::PRODUCT,
    reads: &Documents(&catalog::PRODUCT_SPECIFICATION),
    commands: Some(&PRODUCT_SPECIFICATIONS),
    operations: Operations::ALL,
    owner: Owner::Everyone,
    last_update: Some("lastUpdate"),
    precious: false,
};

/// ProductOffering.
pub static PRODUCT_OFFERING: Resource = Resource {
    api: &API,
    path: "productOffering",
    kind: "ProductOffering",
    shape: product_offering::SHAPE,
    reads: &Documents(&catalog::PRODUCT_OFFERING),
    commands: Some(&PRODUCT_OFFERINGS),
    operations: Operations::ALL,
    owner: Owner::Everyone,
    last_update: Some("lastUpdate"),
    precious: false,
};

/// ProductOfferingPrice.
pub static PRODUCT_OFFERING_PRICE: Resource = Resource {
    api: &API,
    path: "productOfferingPrice",
    kind: "ProductOfferingPrice",
    shape: product_offering_price::SHAPE,
    reads: &Documents(&catalog::PRODUCT_OFFERING_PRICE),
    commands: Some(&PRODUCT_OFFERING_PRICES),
    operations: Operations::ALL,
    owner: Owner::Everyone,
    last_update: Some("lastUpdate"),
    precious: false,
};
