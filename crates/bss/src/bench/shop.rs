//! A shop on a running stack: the demonstration's catalog, customers with accounts over the public API, and pools that
//! don't run dry.

use std::path::Path;

use bss_app::App;
use bss_domain::ids::ResourceId;
use bss_domain::{Slot, TypedId};
use bss_load::api_client::{ApiClient, id_of};
use bss_load::catalog_import;
use bss_store::resource_pool::RESOURCE;
use bss_store::{Scope, Store, StoreConfig, StoreError, resource};
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Bench;
use super::place::Place;
use super::stack::Stack;
use crate::failure::Failure;

const CUSTOMERS: u64 = 500;
/// Numbers, and as many SIM cards: more than orders can take in the time of a run.
const NUMBERS: u64 = 40_000;
const AT_ONCE: usize = 16;
/// Resources that go into a pool in one transaction.
const BATCH: u64 = 1_000;
const OFFERING: &str = "Mobile M";
const ORDERS: &str = "/tmf-api/productOrderingManagement/v4/productOrder";
const NUMBER_FIRST: u64 = 48_500_000_000;
const SIM_FIRST: u64 = 8_948_010_000_000_000_000;

/// The demonstration's catalog.
const CATALOG: [(&str, &str); 7] = [
    (
        "1.json",
        include_str!("../../../../demo/catalog/1-resource-specifications.json"),
    ),
    (
        "2.json",
        include_str!("../../../../demo/catalog/2-service-specifications.json"),
    ),
    (
        "3.json",
        include_str!("../../../../demo/catalog/3-product-specifications.json"),
    ),
    (
        "4.json",
        include_str!("../../../../demo/catalog/4-categories.json"),
    ),
    ("5.json", include_str!("../../../../demo/catalog/5-prices.json")),
    (
        "6.json",
        include_str!("../../../../demo/catalog/6-offerings.json"),
    ),
    ("7.json", include_str!("../../../../demo/catalog/7-bundles.json")),
];

/// A shop that is open.
pub struct Shop {
    /// The application on the stack's database, for what looks on.
    pub app: App,
    api: ApiClient,
    offering: String,
    /// Customers with their accounts.
    customers: Vec<(String, String)>,
}

impl Shop {
    /// Opens it.
    pub async fn open(bench: &Bench, place: &Place, stack: &Stack) -> Result<Self, Failure> {
        let postgres = place.postgres().await?;
        let app = App::new(Store::connect(&StoreConfig::new(&postgres.owner_url)).await?).await?;
        let identity = crate::serve::identity::identity(&place.data_dir, app.store.clone())?;
        let tenant = crate::commands::tenant_named(&identity, "default").await?;
        let scope = Scope::new(tenant, "bench");
        import_catalog(&place.data_dir, &stack.api).await?;
        let count = bench.sized(NUMBERS, 2_000);
        fill_pool(&app, &scope, "msisdn", NUMBER_FIRST, count).await?;
        fill_pool(&app, &scope, "simCard", SIM_FIRST, count).await?;
        let customers: Vec<(String, String)> = stream::iter(0..bench.sized(CUSTOMERS, 20))
            .map(|number| register(&stack.api, number))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        let path = "/tmf-api/productCatalogManagement/v4/productOffering";
        let found = stack
            .api
            .list(path, &[("name", OFFERING)])
            .await
            .map_err(refused)?;
        let offering = found
            .first()
            .ok_or_else(|| Failure::refused(format!("no offering {OFFERING}")))?;
        let offering = id_of(path, offering).map_err(refused)?.to_owned();
        Ok(Self {
            app,
            api: stack.api.clone(),
            offering,
            customers,
        })
    }

    /// Places an order; gives its id.
    pub async fn order(&self, number: u64) -> Result<Uuid, Failure> {
        let (customer, account) = &self.customers[number as usize % self.customers.len()];
        let body = json!({
            "relatedParty": [{"id": customer, "role": "customer", "@referredType": "Customer"}],
            "billingAccount": {"id": account},
            "productOrderItem": [{"id": "1", "action": "add", "productOffering": {"id": self.offering}}],
        });
        let key = Uuid::from(self.app.ids.new_shared_id::<ResourceId>(self.app.clock.now())).to_string();
        let order = self.api.post(ORDERS, &body, Some(&key)).await.map_err(refused)?;
        id_of(ORDERS, &order)
            .map_err(refused)?
            .parse()
            .map_err(|_| Failure::refused("an order's id is no UUID"))
    }

    /// The product of a completed order.
    pub async fn product_of(&self, order: Uuid) -> Result<String, Failure> {
        let order = self
            .api
            .get(&format!("{ORDERS}/{order}"))
            .await
            .map_err(refused)?;
        order["productOrderItem"][0]["product"]["id"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| Failure::refused(format!("an order is {} and has no product", order["state"])))
    }
}

/// A failure of the load's clients.
pub fn refused(error: impl std::fmt::Display) -> Failure {
    Failure::refused(error.to_string())
}

async fn import_catalog(data_dir: &Path, api: &ApiClient) -> Result<(), Failure> {
    let folder = data_dir.join("catalog");
    std::fs::create_dir_all(&folder).map_err(refused)?;
    for (name, text) in CATALOG {
        std::fs::write(folder.join(name), text).map_err(refused)?;
    }
    catalog_import::import(api, &folder).await.map_err(refused)?;
    Ok(())
}

/// A person, the customer and its account.
async fn register(api: &ApiClient, number: u64) -> Result<(String, String), Failure> {
    let name = format!("Customer {number}");
    let post = |path: &'static str, body: Value| async move {
        let made = api.post(path, &body, None).await.map_err(refused)?;
        Ok::<_, Failure>(id_of(path, &made).map_err(refused)?.to_owned())
    };
    let person = json!({"givenName": "Customer", "familyName": number.to_string()});
    let person = post("/tmf-api/party/v4/individual", person).await?;
    let engaged = json!({"id": person, "@referredType": "Individual"});
    let customer = post(
        "/tmf-api/customerManagement/v4/customer",
        json!({"name": name, "engagedParty": engaged}),
    )
    .await?;
    let account = json!({
        "name": name,
        "relatedParty": [{"id": customer, "role": "customer", "@referredType": "Customer"}],
        "currency": "EUR", "timeZone": "Europe/Warsaw", "cycleDay": 1,
    });
    let account = post("/tmf-api/accountManagement/v4/billingAccount", account).await?;
    Ok((customer, account))
}

async fn fill_pool(
    app: &App,
    scope: &Scope,
    category: &str,
    first: u64,
    count: u64,
) -> Result<(), StoreError> {
    let now = app.clock.now();
    for start in (0..count).step_by(BATCH as usize) {
        let work = app.store.begin(scope.clone()).await?;
        let rows = (start..count.min(start + BATCH)).map(|number| {
            let value = (first + number).to_string();
            let id =
                ResourceId::at(now.as_millisecond(), Slot::hash(value.as_bytes()), first + number).uuid();
            let body = json!({"id": id, "category": category, "value": value, "resourceStatus": "available",
                              "usageState": "idle"});
            let work = &work;
            async move { resource::insert(work, &RESOURCE, id, &body, now).await }
        });
        // One connection: the statements go out without waiting for each other's answers.
        try_join_all(rows).await?;
        work.commit().await?;
    }
    Ok(())
}
