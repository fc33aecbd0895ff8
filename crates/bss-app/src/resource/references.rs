use bss_domain::Refusal;
use bss_domain::shape::{PARTY, Shape, references};
use bss_store::Session;
use bss_store::billing_account::BILLING_ACCOUNT;
use bss_store::catalog::{
    CATEGORY, PRODUCT_OFFERING, PRODUCT_OFFERING_PRICE, PRODUCT_SPECIFICATION, RESOURCE_SPECIFICATION,
    SERVICE_SPECIFICATION,
};
use bss_store::customer::CUSTOMER;
use bss_store::customer_bill::CUSTOMER_BILL;
use bss_store::party::{INDIVIDUAL, ORGANIZATION};
use bss_store::payment::PAYMENT;
use bss_store::product::{PRODUCT, SERVICE};
use bss_store::product_order::{PRODUCT_ORDER, SERVICE_ORDER};
use bss_store::resource::{Table, missing};
use bss_store::resource_pool::RESOURCE;
use serde_json::Value;

use crate::AppError;

/// The tables in which something of a type may stand; none: that type isn't checked.
fn tables_of(kind: &str) -> &'static [&'static Table] {
    match kind {
        PARTY => &[&CUSTOMER, &INDIVIDUAL, &ORGANIZATION],
        "Customer" => &[&CUSTOMER],
        "Individual" => &[&INDIVIDUAL],
        "Organization" => &[&ORGANIZATION],
        "BillingAccount" => &[&BILLING_ACCOUNT],
        "Category" => &[&CATEGORY],
        "ProductSpecification" => &[&PRODUCT_SPECIFICATION],
        "ServiceSpecification" => &[&SERVICE_SPECIFICATION],
        "ResourceSpecification" => &[&RESOURCE_SPECIFICATION],
        "ProductOffering" => &[&PRODUCT_OFFERING],
        "ProductOfferingPrice" => &[&PRODUCT_OFFERING_PRICE],
        "ProductOrder" => &[&PRODUCT_ORDER],
        "ServiceOrder" => &[&SERVICE_ORDER],
        "Product" => &[&PRODUCT],
        "Service" => &[&SERVICE],
        "Resource" => &[&RESOURCE],
        "CustomerBill" => &[&CUSTOMER_BILL],
        "Payment" => &[&PAYMENT],
        _ => &[],
    }
}

/// Refuses a document that refers to something of ours which doesn't exist. What it refers to is held against
/// removal until the end of the transaction.
pub async fn check_references(session: &Session, shape: &Shape, document: &Value) -> Result<(), AppError> {
    let mut found = references(shape, document);
    found.retain(|reference| !tables_of(reference.kind).is_empty());
    let mut kinds: Vec<&str> = found.iter().map(|reference| reference.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        let of_kind = found.iter().filter(|reference| reference.kind == kind);
        let mut sought: Vec<_> = of_kind.clone().map(|reference| reference.id).collect();
        for table in tables_of(kind) {
            if !sought.is_empty() {
                sought = missing(session, table, &sought).await?;
            }
        }
        if let Some(lost) = of_kind.clone().find(|reference| sought.contains(&reference.id)) {
            let message = format!("{}: there is no {kind} {}", lost.path, lost.id);
            return Err(Refusal::invalid("unknownReference", &lost.path, lost.id, message).into());
        }
    }
    Ok(())
}
