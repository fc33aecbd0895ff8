//! TMF676: what was paid, and what was given back.

use bss_app::payment::{PAYMENT_READS, Payments, Refunds};
use bss_app::resource::Documents;
use bss_domain::payment as shape;
use bss_store::refund;

use crate::kit::{Api, Operations, Owner, RELATED_CUSTOMER, Resource};

/// TMF676 Payment.
pub static API: Api = Api {
    title: "TMF676 Payment",
    base_path: "/tmf-api/paymentManagement/v4",
};

const SENT_ONCE: Operations = Operations {
    create: true,
    ..Operations::NONE
};

/// Payment.
pub static PAYMENT: Resource = Resource {
    api: &API,
    path: "payment",
    kind: "Payment",
    shape: shape::PAYMENT,
    reads: &PAYMENT_READS,
    commands: Some(&Payments),
    operations: SENT_ONCE,
    owner: Owner::Customer("payer.id"),
    last_update: None,
    precious: true,
};

/// Refund.
pub static REFUND: Resource = Resource {
    api: &API,
    path: "refund",
    kind: "Refund",
    shape: shape::REFUND,
    reads: &Documents(&refund::REFUND),
    commands: Some(&Refunds),
    operations: SENT_ONCE,
    owner: RELATED_CUSTOMER,
    last_update: None,
    precious: true,
};
