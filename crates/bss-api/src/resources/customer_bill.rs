//! TMF678: bills and their lines.

use axum::Json;
use axum::response::IntoResponse;
use bss_app::customer_bill::{CUSTOMER_BILL_READS, CustomerBills, RATE_READS};
use bss_app::{bill_document, explain};
use bss_domain::customer_bill as shape;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};

use crate::kit::{Api, Operations, Owner, RELATED_CUSTOMER, Resource, View};

/// TMF678 Customer Bill.
pub static API: Api = Api {
    title: "TMF678 Customer Bill",
    base_path: "/tmf-api/customerBillManagement/v4",
};

/// CustomerBill.
pub static CUSTOMER_BILL: Resource = Resource {
    api: &API,
    path: "customerBill",
    kind: "CustomerBill",
    shape: shape::CUSTOMER_BILL,
    reads: &CUSTOMER_BILL_READS,
    commands: Some(&CustomerBills),
    operations: Operations {
        patch: true,
        ..Operations::NONE
    },
    owner: RELATED_CUSTOMER,
    last_update: Some("lastUpdate"),
    precious: false,
};

/// AppliedCustomerBillingRate.
pub static APPLIED_CUSTOMER_BILLING_RATE: Resource = Resource {
    api: &API,
    path: "appliedCustomerBillingRate",
    kind: "AppliedCustomerBillingRate",
    shape: shape::RATE,
    reads: &RATE_READS,
    commands: None,
    operations: Operations::NONE,
    owner: Owner::Account("billingAccount.id"),
    last_update: None,
    precious: false,
};

/// Why a bill is what it is.
pub static EXPLAIN: View = View {
    resource: &CUSTOMER_BILL,
    name: "explain",
    about: "why a bill is what it is: each line with the price, the computation and the records behind it",
    media_type: "application/json",
    show: |state, call, bill| {
        Box::pin(async move {
            let shown = explain::explain(&state.app, &call.context, bill.id.into()).await?;
            Ok(Json(shown).into_response())
        })
    },
};

/// The bill as its customer gets it.
pub static PDF: View = View {
    resource: &CUSTOMER_BILL,
    name: "pdf",
    about: "the bill as its customer gets it",
    media_type: "application/pdf",
    show: |state, call, bill| {
        Box::pin(async move {
            let pdf = bill_document::of(&state.app, &call.context, bill.id.into()).await?;
            let number = bill.body["billNo"].as_str().unwrap_or("bill");
            let headers = [
                (CONTENT_TYPE, "application/pdf".to_owned()),
                (CONTENT_DISPOSITION, format!("inline; filename=\"{number}.pdf\"")),
            ];
            Ok((headers, pdf).into_response())
        })
    },
};
