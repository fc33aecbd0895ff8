//! A shop behind the API: a plan that needs no network, orders that are carried out, bills that are drawn up.

use std::time::Duration;

use bss_app::bill_run::{self, BillRunOptions};
use bss_app::{RequestContext, Role, order_processing};
use bss_domain::Instant;
use bss_domain::ids::ProductOrderId;
use http::StatusCode;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::api::{Api, CATALOG};

pub const ORDERING: &str = "/tmf-api/productOrderingManagement/v4";
pub const BILLS: &str = "/tmf-api/customerBillManagement/v4/customerBill";
pub const PAYMENTS: &str = "/tmf-api/paymentManagement/v4/payment";

/// The id of what an answer shows.
pub fn id(shown: &Value) -> &str {
    shown["id"].as_str().unwrap()
}

impl Api {
    /// What streams and runs work with.
    pub fn system(&self) -> RequestContext {
        RequestContext::system(self.world.tenant, "test")
    }

    /// A launched plan of 10 euros a month, without services; gives its offering.
    pub async fn plan(&self) -> Value {
        let manager = self.actor(Role::ProductManager);
        let price = json!({
            "name": "Plan", "version": "1", "priceType": "recurring", "price": { "unit": "EUR", "value": 10 },
            "recurringChargePeriodType": "month", "recurringChargePeriodLength": 1,
            "tax": [{ "taxCategory": "S", "taxRate": 23 }],
        });
        let prices = format!("{CATALOG}/productOfferingPrice");
        let price = manager.made(&prices, price).await;
        let offerings = format!("{CATALOG}/productOffering");
        let offering = json!({ "name": "Plan", "productOfferingPrice": [{ "id": price["id"] }] });
        let offering = manager.made(&offerings, offering).await;
        for path in [
            format!("{prices}/{}", id(&price)),
            format!("{offerings}/{}", id(&offering)),
        ] {
            for word in ["In test", "Active", "Launched"] {
                let patched = manager.patch(&path, json!({ "lifecycleStatus": word })).await;
                assert_eq!(patched.status, StatusCode::OK, "{path}: {}", patched.body);
            }
        }
        offering
    }

    /// An order of one offering, as it was accepted.
    pub async fn order(&self, customer: &Value, account: &Value, offering: &Value) -> Value {
        let body = json!({
            "relatedParty": [{ "id": customer["id"], "role": "customer", "@referredType": "Customer" }],
            "billingAccount": { "id": account["id"] },
            "productOrderItem": [{ "id": "1", "action": "add", "quantity": 1, "productOffering": { "id": offering["id"] } }],
        });
        let path = format!("{ORDERING}/productOrder");
        self.actor(Role::Csr).made(&path, body).await
    }

    /// Takes an order up as its stream does.
    pub async fn take_up(&self, order: &Value) {
        let order: ProductOrderId = id(order).parse().unwrap();
        let context = self.system();
        let mut work = self.app.store.begin_work(context.scope()).await.unwrap();
        order_processing::begin(&self.app, &context, &mut work, order)
            .await
            .unwrap();
        work.commit().await.unwrap();
    }

    /// Moves the business clock.
    pub async fn later(&self, to: &str) {
        let to: Instant = to.parse().unwrap();
        self.app.clock.advance_to(&self.app.store, to).await.unwrap();
    }

    /// Draws up what is due, and gives the account's bills, the oldest first.
    pub async fn bills(&self, account: &Value) -> Vec<Value> {
        let options = BillRunOptions {
            patience: Duration::ZERO,
            ..BillRunOptions::default()
        };
        let stop = CancellationToken::new();
        bill_run::run(&self.app, &self.system(), &options, &stop)
            .await
            .unwrap();
        let path = format!("{BILLS}?billingAccount.id={}&sort=billNo", id(account));
        let bills = self.actor(Role::Billing).get(&path).await;
        assert_eq!(bills.status, StatusCode::OK, "{}", bills.body);
        bills.body.as_array().unwrap().clone()
    }
}
