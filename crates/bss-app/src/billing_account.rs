//! Billing accounts (TMF666).

use bss_domain::billing_account::{self, customer_of};
use bss_domain::ids::BillingAccountId;
use bss_domain::{Currency, Refusal};
use bss_events::Topic;
use bss_store::Session;
use bss_store::billing_account::{BILLING_ACCOUNT, money};
use bss_store::customer::CUSTOMER;
use bss_store::customer_bill::CUSTOMER_BILL;
use bss_store::payment::PAYMENT;
use bss_store::product::PRODUCT;
use bss_store::resource::{Stored, Table, missing};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::AppError;
use crate::resource::{Check, Computed, Documents, Place, Plain, Referrer};

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
    referrers: &[
        of_account(&PRODUCT, "billingAccount.id"),
        of_account(&CUSTOMER_BILL, "billingAccount.id"),
        of_account(&PAYMENT, "account.id"),
    ],
};

const fn of_account(table: &'static Table, attribute: &'static str) -> Referrer {
    Referrer { table, attribute }
}

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

/// Accounts as callers read them: with what the books say of them.
pub static BILLING_ACCOUNT_READS: Computed = Computed {
    documents: Documents(&BILLING_ACCOUNT),
    attributes: &["paymentStatus", "accountBalance"],
    fill: |session, page| Box::pin(fill(session, page)),
};

/// Writes what is computed into the documents of a page.
async fn fill(session: &Session, page: &mut [Stored]) -> Result<(), AppError> {
    let accounts: Vec<BillingAccountId> = page.iter().map(|stored| stored.id.into()).collect();
    let money = money(session, &accounts).await?;
    for stored in page {
        let currency = Currency::of(stored.body["currency"].as_str().unwrap_or_default())?;
        let Some(money) = money.get(&stored.id.into()) else {
            continue;
        };
        stored.body["paymentStatus"] = json!(money.payment_status());
        stored.body["accountBalance"] = money.account_balance(currency, stored.created_at).into();
    }
    Ok(())
}
