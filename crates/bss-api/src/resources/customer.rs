//! TMF629: who is sold to.

use bss_app::customer::CUSTOMERS;
use bss_app::resource::Documents;
use bss_domain::customer as shape;
use bss_store::customer as table;

use crate::kit::{Api, Operations, Owner, Resource};

/// TMF629 Customer.
pub static API: Api = Api {
    title: "TMF629 Customer",
    base_path: "/tmf-api/customerManagement/v4",
};

/// Customer.
pub static CUSTOMER: Resource = Resource {
    api: &API,
    path: "customer",
    kind: "Customer",
    shape: shape::SHAPE,
    reads: &Documents(&table::CUSTOMER),
    commands: Some(&CUSTOMERS),
    operations: Operations::ALL,
    owner: Owner::Itself,
    last_update: None,
    precious: false,
};
