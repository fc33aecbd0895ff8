//! The declarations of TM Forum's resources, one file an API.

pub mod account;
pub mod customer;
pub mod customer_bill;
pub mod party;
pub mod payment;
pub mod product;
pub mod product_catalog;
pub mod product_order;
pub mod resource;
pub mod resource_catalog;
pub mod service;
pub mod service_catalog;
pub mod service_order;
pub mod usage;

use crate::kit::{Resource, Views};

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
    &product_order::CANCEL_PRODUCT_ORDER,
    &service_order::SERVICE_ORDER,
    &product::PRODUCT,
    &service::SERVICE,
    &resource::RESOURCE,
    &usage::USAGE,
    &customer_bill::CUSTOMER_BILL,
    &customer_bill::APPLIED_CUSTOMER_BILLING_RATE,
    &payment::PAYMENT,
    &payment::REFUND,
];

/// Further ways to look at one of them.
pub static VIEWS: Views = &[&usage::EXPLAIN, &customer_bill::EXPLAIN, &customer_bill::PDF];
