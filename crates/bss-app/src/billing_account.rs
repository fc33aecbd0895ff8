//! Billing accounts (TMF666).

use bss_domain::Refusal;
use bss_domain::billing_account::{self, customer_of};
use bss_events::Topic;
use bss_store::Session;
use bss_store::billing_account::BILLING_ACCOUNT;
use bss_store::customer::CUSTOMER;
use bss_store::resource::missing;
use futures::future::BoxFuture;
use serde_json::Value;
use uuid::Uuid;

use crate::AppError;
use crate::resource::{Check, Place, Plain};

/// Billing accounts, in their customer's slot.
pub static BILLING_ACCOUNTS: Plain = Plain {
    kind: "BillingAccount",
    table: &BILLING_ACCOUNT,
    shape: billing_account::SHAPE,
    topic: Topic::Customer,
    state: Some("state"),
    place: Place::Of("relatedParty[role=customer].id"),
    decide: billing_account::decide,
    check: Some(check_customer as Check),
    may_delete: |_| Ok(()),
    referrers: &[],
};

/// A related party may be anybody; the one in the role `customer` has to be a customer.
fn check_customer<'a>(
    session: &'a Session,
    _id: Uuid,
    document: &'a Value,
) -> BoxFuture<'a, Result<(), AppError>> {
    Box::pin(async move {
        let customer = customer_of(document)?;
        if missing(session, &CUSTOMER, &[customer.into()]).await?.is_empty() {
            return Ok(());
        }
        let field = "relatedParty[role=customer].id";
        let message = format!("{field}: there is no customer {customer}");
        Err(Refusal::invalid("unknownReference", field, customer, message).into())
    })
}
