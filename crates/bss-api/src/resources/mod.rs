//! The declarations of TM Forum's resources, one file an API.

pub mod account;
pub mod customer;
pub mod party;
pub mod product;
pub mod product_catalog;
pub mod product_order;
pub mod resource;
pub mod resource_catalog;
pub mod service;
pub mod service_catalog;
pub mod service_order;

use crate::kit::Resource;

/// Every resource, in the order of the description.
pub static ALL: &[&Resource] = &[
    &product_catalog::CATEGORY,
    &product_catalog::PRODUCT_SPECIFICATION,
    &product_catalog::PRODUCT_OFFERING,
    &product_catalog::PRODUCT_OFFERING_PRICE,
    &service_catalog::SERVICE_SPECIFICATION,
    &resource_catalog::RESOURCE_SPECIFICATION,
    &party::INDIVIDUAL,
    &party::ORGANIZATION,
    &customer::CUSTOMER,
    &account::BILLING_ACCOUNT,
    &product_order::PRODUCT_ORDER,
    &service_order::SERVICE_ORDER,
    &product::PRODUCT,
    &service::SERVICE,
    &resource::RESOURCE,
];
