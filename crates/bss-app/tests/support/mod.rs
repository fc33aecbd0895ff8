//! An operator's orders on a database of its own, with a network over real HTTP.
#![allow(dead_code)] // each test file uses its part

use std::sync::Arc;
use std::time::Duration;

use bss_app::activation::{ActivationConfig, HttpNetwork, HttpNetworkConfig, Network, run_due};
use bss_app::{App, RequestContext, order_processing, product_order};
use bss_domain::ids::{CustomerId, ProductOrderId, TenantId, compose};
use bss_domain::{Slot, TypedId};
use bss_load::network_sim::NetworkSim;
use bss_platform::testing::test_server;
use bss_store::billing_account::BILLING_ACCOUNT;
use bss_store::catalog::{
    PRODUCT_OFFERING, PRODUCT_OFFERING_PRICE, PRODUCT_SPECIFICATION, RESOURCE_SPECIFICATION,
    SERVICE_SPECIFICATION,
};
use bss_store::customer::CUSTOMER;
use bss_store::resource::{self, Table};
use bss_store::resource_pool::RESOURCE;
use bss_store::{ClockMode, Store, StoreConfig, UnitOfWork, migrate};
use serde_json::{Value, json};
use uuid::Uuid;

/// An operator with a catalog, pools, one customer and a network.
pub struct World {
    pub app: App,
    pub context: RequestContext,
    pub sim: NetworkSim,
    pub network: Arc<dyn Network>,
    pub url: String,
    pub customer: CustomerId,
    pub account: Uuid,
}

/// How long the network may take before its answer counts as lost.
const TIMEOUT: Duration = Duration::from_millis(300);

impl World {
    pub async fn new() -> Self {
        let url = test_server().await.database().await;
        migrate(&url, ClockMode::Simulated).await.unwrap();
        let app = App::new(Store::connect(&StoreConfig::new(&url)).await.unwrap())
            .await
            .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let sim = NetworkSim::default();
        let router = sim.clone().router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let config = HttpNetworkConfig {
            url: format!("http://{address}"),
            timeout: TIMEOUT,
        };
        let tenant = TenantId::at(1, Slot::new(0).unwrap(), 1);
        let customer = CustomerId::new(1, 7);
        let world = Self {
            app,
            context: RequestContext::system(tenant, "test"),
            sim,
            network: Arc::new(HttpNetwork::new(&config).unwrap()),
            url,
            customer,
            account: compose(1, customer.slot(), 8),
        };
        world.seed().await;
        world
    }

    /// A catalog of two plans and a fibre line without services, one customer, and pools.
    async fn seed(&self) {
        let work = self.app.store.begin(self.context.scope()).await.unwrap();
        let id = |number| compose(1, Slot::new(0).unwrap(), number);
        let put = |table: &'static Table, number: u64, body: Value| {
            let mut body = body;
            body["id"] = json!(id(number));
            (table, id(number), body)
        };
        let mut rows = vec![
            put(
                &RESOURCE_SPECIFICATION,
                1,
                json!({"name": "number", "category": "msisdn", "lifecycleStatus": "Launched"}),
            ),
            put(
                &RESOURCE_SPECIFICATION,
                2,
                json!({"name": "card", "category": "simCard", "lifecycleStatus": "Launched"}),
            ),
            put(
                &SERVICE_SPECIFICATION,
                3,
                json!({"name": "mobile", "lifecycleStatus": "Launched",
                "resourceSpecification": [{"id": id(1)}, {"id": id(2)}]}),
            ),
            put(
                &SERVICE_SPECIFICATION,
                4,
                json!({"name": "voicemail", "lifecycleStatus": "Launched"}),
            ),
            put(
                &PRODUCT_SPECIFICATION,
                5,
                json!({"name": "mobile", "lifecycleStatus": "Launched",
                "serviceSpecification": [{"id": id(3)}, {"id": id(4)}]}),
            ),
        ];
        for (offering, name, amount) in [(10, "S", 10), (11, "M", 20)] {
            rows.push(put(&PRODUCT_OFFERING_PRICE, offering + 10, json!({"name": name, "version": "1",
                "priceType": "recurring", "lifecycleStatus": "Launched", "price": {"unit": "EUR", "value": amount}})));
            rows.push(put(
                &PRODUCT_OFFERING,
                offering,
                json!({"name": name, "isBundle": false, "lifecycleStatus": "Launched",
                "productSpecification": {"id": id(5)}, "productOfferingPrice": [{"id": id(offering + 10)}]}),
            ));
        }
        rows.push(put(
            &PRODUCT_OFFERING,
            12,
            json!({"name": "old", "isBundle": false, "lifecycleStatus": "Retired"}),
        ));
        let party = json!([{"id": self.customer, "role": "customer"}]);
        rows.push((
            &CUSTOMER,
            self.customer.uuid(),
            json!({"id": self.customer, "name": "x", "status": "active"}),
        ));
        rows.push((
            &BILLING_ACCOUNT,
            self.account,
            json!({"id": self.account, "name": "a", "state": "active",
            "relatedParty": party, "currency": "EUR", "timeZone": "Europe/Warsaw", "cycleDay": 1}),
        ));
        for number in 0..4_u64 {
            for (kind, category, value) in [
                (100, "msisdn", 48_500_100_200 + number),
                (200, "simCard", 8_948_010_000_000_000_000 + number),
            ] {
                rows.push(put(
                    &RESOURCE,
                    kind + number,
                    json!({"category": category, "value": value.to_string(),
                    "resourceStatus": "available", "usageState": "idle"}),
                ));
            }
        }
        let now = self.app.clock.now();
        for (table, id, body) in rows {
            resource::insert(&work, table, id, &body, now)
                .await
                .unwrap_or_else(|error| panic!("{}: {error}", table.name));
        }
        work.commit().await.unwrap();
    }

    pub fn offering(number: u64) -> Value {
        json!({ "id": compose(1, Slot::new(0).unwrap(), number) })
    }

    pub async fn begin(&self) -> UnitOfWork {
        self.app.store.begin(self.context.scope()).await.unwrap()
    }

    /// One new product of an offering.
    pub fn one(offering: u64) -> Value {
        json!([{"id": "1", "action": "add", "productOffering": Self::offering(offering)}])
    }

    /// Places an order, as the API does.
    pub async fn accept(&self, items: Value) -> ProductOrderId {
        let body = json!({"relatedParty": [{"id": self.customer, "role": "customer"}],
            "billingAccount": {"id": self.account}, "productOrderItem": items});
        let mut work = self.begin().await;
        let stored = product_order::accept(&self.app, &self.context, &mut work, &body)
            .await
            .unwrap();
        work.commit().await.unwrap();
        stored.id.into()
    }

    /// Takes an order up, as order processing does.
    pub async fn take_up(&self, order: ProductOrderId) {
        let mut work = self.begin().await;
        order_processing::begin(&self.app, &self.context, &mut work, order)
            .await
            .unwrap();
        work.commit().await.unwrap();
    }

    /// Places an order and takes it up; a repeated event changes nothing.
    pub async fn order(&self, items: Value) -> ProductOrderId {
        let id = self.accept(items).await;
        self.take_up(id).await;
        self.take_up(id).await;
        id
    }

    pub async fn add(&self, offering: u64) -> ProductOrderId {
        self.order(Self::one(offering)).await
    }

    /// Lets the worker do what is due now.
    pub async fn work_once(&self) -> usize {
        let config = ActivationConfig {
            lease: Duration::from_secs(2),
            ..ActivationConfig::default()
        };
        run_due(&self.app, &self.network, &config).await.unwrap()
    }

    /// Lets the worker work until a table's counts are these.
    pub async fn until_counted(&self, table: &str, column: &str, wanted: &str) {
        let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
        loop {
            let counts = self.counts(table, column).await;
            if counts == wanted {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "{counts}");
            self.work_once().await;
            tokio::task::yield_now().await;
        }
    }

    /// People have mended what an order fell out for.
    pub async fn retry(&self, order: ProductOrderId) {
        let mut work = self.begin().await;
        order_processing::retry_fallout(&self.app, &self.context, &mut work, order)
            .await
            .unwrap();
        work.commit().await.unwrap();
    }

    /// Changes rows of the tenant behind everybody's back.
    pub async fn as_owner(&self, sql: &str) {
        let (client, connection) = tokio_postgres::connect(&self.url, tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        let setting = format!("SET bss.tenant = '{}'", self.context.tenant());
        client.batch_execute(&setting).await.unwrap();
        client.batch_execute(sql).await.unwrap();
    }

    /// Uses up the attempts without waiting for their backoff.
    pub async fn exhaust(&self) {
        let attempts = bss_domain::activation::ATTEMPTS_MAX - 1;
        self.as_owner(&format!("UPDATE activation SET attempts = {attempts}"))
            .await;
    }

    /// Lets the worker work until the order is in one of these states.
    pub async fn until(&self, order: ProductOrderId, states: &[&str]) -> Value {
        let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
        loop {
            self.work_once().await;
            let body = self
                .document(&bss_store::product_order::PRODUCT_ORDER, order.uuid())
                .await;
            if states.contains(&body["state"].as_str().unwrap()) {
                return body;
            }
            assert!(tokio::time::Instant::now() < deadline, "{body:#}");
            tokio::task::yield_now().await;
        }
    }

    pub async fn document(&self, table: &Table, id: Uuid) -> Value {
        let session = self.app.store.read(self.context.scope()).await.unwrap();
        let stored = resource::get(&session, table, id).await.unwrap().unwrap();
        session.finish().unwrap();
        stored.body
    }

    /// `column: count` of a table's rows, as the owner sees them within the tenant.
    pub async fn counts(&self, table: &str, column: &str) -> String {
        let (client, connection) = tokio_postgres::connect(&self.url, tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        let setting = format!("SET bss.tenant = '{}'", self.context.tenant());
        client.batch_execute(&setting).await.unwrap();
        let sql = format!(
            "SELECT coalesce(string_agg(c || ':' || n, ' ' ORDER BY c), '') FROM \
             (SELECT {column}::text c, count(*) n FROM {table} GROUP BY 1) x"
        );
        client.query_one(&sql, &[]).await.unwrap().get(0)
    }
}

pub fn first_product(order: &Value) -> Uuid {
    order["productOrderItem"][0]["product"]["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}
