//! TMF632: persons and companies.

use bss_app::party::{INDIVIDUALS, ORGANIZATIONS};
use bss_app::resource::Documents;
use bss_domain::party as shape;
use bss_store::party as table;

use crate::kit::{Api, Operations, Owner, Resource};

/// TMF632 Party.
pub static API: Api = Api {
    title: "TMF632 Party",
    base_path: "/tmf-api/party/v4",
};

/// Individual.
pub static INDIVIDUAL: Resource = Resource {
    api: &API,
    path: "individual",
    kind: "Individual",
    shape: shape::INDIVIDUAL,
    reads: &Documents(&table::INDIVIDUAL),
    commands: Some(&INDIVIDUALS),
    operations: Operations::ALL,
    owner: Owner::Nobody,
    last_update: None,
    precious: false,
};

/// Organization.
pub static ORGANIZATION: Resource = Resource {
    api: &API,
    path: "organization",
    kind: "Organization",
    shape: shape::ORGANIZATION,
    reads: &Documents(&table::ORGANIZATION),
    commands: Some(&ORGANIZATIONS),
    operations: Operations::ALL,
    owner: Owner::Nobody,
    last_update: None,
    precious: false,
};
