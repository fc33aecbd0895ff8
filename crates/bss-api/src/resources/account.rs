//! TMF666: what is billed together.

use bss_app::billing_account::{BILLING_ACCOUNT_READS, BILLING_ACCOUNTS};
use bss_domain::billing_account as shape;

use crate::kit::{Api, Operations, RELATED_CUSTOMER, Resource};

/// TMF666 Account.
pub static API: Api = Api {
    title: "TMF666 Account",
    base_path: "/tmf-api/accountManagement/v4",
};

/// BillingAccount.
pub static BILLING_ACCOUNT: Resource = Resource {
    api: &API,
    path: "billingAccount",
    kind: "BillingAccount",
    shape: shape::SHAPE,
    reads: &BILLING_ACCOUNT_READS,
    commands: Some(&BILLING_ACCOUNTS),
    operations: Operations::ALL,
    owner: RELATED_CUSTOMER,
    last_update: Some("lastModified"),
    precious: false,
};
