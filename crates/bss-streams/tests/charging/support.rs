//! An operator with customers, a tariff and numbers, and a charging worker over its database.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bss_app::usage_import::{ImportReport, UsageImport, import_file, put_source};
use bss_app::{App, RequestContext, ledger_check, prepaid};
use bss_domain::ids::{CustomerId, TenantId, UsageFileId, compose};
use bss_domain::usage::{NumberPlan, SourceFormat, UsageSource};
use bss_domain::{Currency, Instant, Interval, Money, Nano, Slot, TypedId, Zone};
use bss_load::cdr::{CdrPlan, Manifest, generate};
use bss_platform::testing::test_server;
use bss_store::usage_file::{self, ChargedLines};
use bss_store::usage_reject::{self, RejectFilter, UsageReject};
use bss_store::{ClockMode, Store, StoreConfig, migrate};
use bss_streams::charging::Charging;
use bss_streams::runtime::{Runtime, RuntimeConfig};
use serde_json::json;
use tokio_postgres::{Client, NoTls};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Seconds that the allowance of every product grants a period.
pub const GRANTED_S: i64 = 1_000;

/// What a second costs beyond.
const NANO_PER_S: i64 = 1_000_000;

/// How many customers there are; each has one account, one product and one number.
const CUSTOMERS: u64 = 40;

pub struct World {
    pub app: App,
    pub context: RequestContext,
    pub rules: UsageImport,
    pub url: String,
    pub folder: PathBuf,
    pub numbers: Vec<String>,
    db: Client,
}

fn tenant() -> TenantId {
    TenantId::at(1, Slot::hash(b"tenant"), 1)
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

async fn app(url: &str) -> App {
    let store = Store::connect(&StoreConfig::new(url)).await.unwrap();
    App::new(store).await.unwrap()
}

/// Charges until told to stop.
pub async fn run_worker(url: &str, stop: CancellationToken) {
    let app = app(url).await;
    let config = RuntimeConfig {
        lease: Duration::from_millis(800),
        tend: Duration::from_millis(100),
        ..RuntimeConfig::default()
    };
    let runtime = Runtime::new(app.store.clone(), config);
    runtime.run(Arc::new(Charging::new(app)), stop).await.unwrap();
}

impl World {
    pub async fn new() -> Self {
        let url = test_server().await.database().await;
        migrate(&url, ClockMode::Simulated).await.unwrap();
        let app = app(&url).await;
        let wanted = at("2026-11-25T00:00:00Z");
        if app.clock.now() < wanted {
            app.clock.advance_to(&app.store, wanted).await.unwrap();
        }
        let (db, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let set = format!("SELECT set_config('bss.tenant', '{}', false)", tenant());
        db.batch_execute(&set).await.unwrap();
        let folder = std::env::temp_dir().join(format!("bss-charging-{:016x}", rand::random::<u64>()));
        std::fs::create_dir_all(&folder).unwrap();
        let world = Self {
            app,
            context: RequestContext::system(tenant(), "test"),
            rules: UsageImport {
                batch_lines: 250,
                held_days: 4_000,
            },
            url,
            folder,
            numbers: (0..CUSTOMERS).map(|n| format!("48600100{n:03}")).collect(),
            db,
        };
        world.seed().await;
        world
    }

    async fn seed(&self) {
        let (tariff, allowance) = (compose(1, Slot::hash(b"t"), 1), compose(1, Slot::hash(b"a"), 2));
        let tariff_body = json!({
            "id": tariff, "name": "usage", "priceType": "usage", "price": {"unit": "EUR"},
            "tax": [{"taxCategory": "S", "taxRate": 23}],
            "tariff": {"zones": [{"name": "home", "prefixes": ["48"]}, {"name": "abroad", "prefixes": ["1", "3", "4", "9"]}],
                       "rates": [{"service": "voice", "zone": "*", "steps": [{"unit": 1, "increment": 1, "price": 0.001}]}]}
        });
        let allowance_body = json!({
            "id": allowance, "name": "minutes", "priceType": "allowance",
            "allowance": {"quantity": GRANTED_S, "covers": [{"service": "voice"}], "increment": 1}
        });
        for (id, kind, body) in [
            (tariff, "usage", tariff_body),
            (allowance, "allowance", allowance_body),
        ] {
            self.execute(&format!(
                "INSERT INTO product_offering_price (tenant_id, id, revision, body, created_at, updated_at, \
                 updated_by, name, lifecycle_status, price_type) VALUES ('{}', '{id}', 1, '{body}', now(), now(), 'test', '{kind}', \
                 'launched', '{kind}')",
                tenant()
            ))
            .await;
        }
        for (n, number) in self.numbers.iter().enumerate() {
            self.seed_customer(n as u64, number, [tariff, allowance]).await;
        }
        for format in SourceFormat::ALL {
            let source = UsageSource {
                name: format.name().into(),
                format,
                zone: Zone::named("Europe/Warsaw").unwrap(),
                numbers: NumberPlan::default(),
            };
            put_source(&self.app, &self.context, &source).await.unwrap();
        }
    }

    async fn seed_customer(&self, n: u64, number: &str, prices: [Uuid; 2]) {
        let customer = CustomerId::new(1, n + 1);
        let slot = customer.slot();
        let [account, product, order] = [2, 3, 4].map(|m| compose(n as i64 + 1, slot, m));
        let (tenant, slot, [tariff, allowance]) = (tenant(), slot.sql(), prices);
        let common = format!("'{tenant}', {slot}");
        let stamps = "1, '{}', now(), now(), 'test'";
        let begin = "2026-01-01T00:00:00Z";
        let account_body = json!({"currency": "EUR", "relatedParty": [{"id": customer, "role": "customer"}]});
        for sql in [
            format!(
                "INSERT INTO customer (tenant_id, slot, id, revision, body, created_at, updated_at, updated_by, name) \
                 VALUES ({common}, '{}', {stamps}, 'c')",
                customer.uuid()
            ),
            format!(
                "INSERT INTO billing_account (tenant_id, slot, id, revision, body, created_at, updated_at, updated_by, \
                 name, state, customer_id, currency, time_zone, cycle_day) \
                 VALUES ({common}, '{account}', 1, '{account_body}', now(), now(), 'test', 'a', 'active', '{}', 'EUR', 'Europe/Warsaw', 1)",
                customer.uuid()
            ),
            format!(
                "INSERT INTO product_order (tenant_id, slot, id, revision, body, created_at, updated_at, updated_by, \
                 state) VALUES ({common}, '{order}', {stamps}, 'completed')"
            ),
            format!(
                "INSERT INTO product (tenant_id, slot, id, revision, body, created_at, updated_at, updated_by, status, \
                 customer_id, product_order_id, offering_id) \
                 VALUES ({common}, '{product}', {stamps}, 'active', '{}', '{order}', '{order}')",
                customer.uuid()
            ),
            format!(
                "INSERT INTO product_segment (tenant_id, slot, product_id, from_at, state, billing_account_id, \
                 offering_id, price_ids, quantity) VALUES ({common}, '{product}', '{begin}', 'active', '{account}', \
                 '{order}', ARRAY['{tariff}', '{allowance}']::uuid[], 1)"
            ),
            format!(
                "INSERT INTO number_assignment (tenant_id, slot, number, valid_from, customer_id, billing_account_id, \
                 product_id) VALUES ({common}, '{number}', '{begin}', '{}', '{account}', '{product}')",
                customer.uuid()
            ),
        ] {
            self.execute(&sql).await;
        }
    }

    async fn execute(&self, sql: &str) {
        self.db
            .batch_execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    async fn one<T>(&self, sql: &str) -> T
    where
        T: for<'a> tokio_postgres::types::FromSql<'a>,
    {
        self.db.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// A file of calls with the totals that must come out.
    pub fn generate(&self, seed: u64, records: u64) -> (PathBuf, Manifest) {
        let plan = CdrPlan {
            format: SourceFormat::Asterisk,
            numbers: self.numbers.clone(),
            home: "48".into(),
            records,
            seed,
            period: Interval::new(at("2026-11-03T00:00:00Z"), at("2026-11-06T00:00:00Z")).unwrap(),
            zone: Zone::named("Europe/Warsaw").unwrap(),
        };
        let path = self.folder.join(format!("{seed}.csv"));
        let manifest = generate(&plan, &mut std::fs::File::create(&path).unwrap()).unwrap();
        (path, manifest)
    }

    pub async fn import(&self, source: SourceFormat, path: &Path) -> ImportReport {
        import_file(&self.app, &self.context, &self.rules, source.name(), path)
            .await
            .unwrap()
    }

    pub async fn import_text(&self, name: &str, text: &str) -> ImportReport {
        let path = self.folder.join(name);
        std::fs::write(&path, text).unwrap();
        self.import(SourceFormat::Generic, &path).await
    }

    /// Whether every file is read to its end, and nothing of it waits.
    pub async fn is_charged(&self) -> bool {
        self.one(
            "SELECT count(*) > 0 AND bool_and(f.state = 'done') AND sum(f.accepted) = coalesce((SELECT \
             sum(rated + rejected + duplicates) FROM usage_file_count), 0) FROM usage_file f",
        )
        .await
    }

    /// Runs a worker of this process until everything is charged.
    pub async fn charge_all(&self) {
        let stop = CancellationToken::new();
        let waiting = async {
            while !self.is_charged().await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            stop.cancel();
        };
        tokio::join!(run_worker(&self.url, stop.clone()), waiting);
    }

    /// Each number's seconds, each product's allowance and each amount are what the generator's totals make them.
    pub async fn assert_totals(&self, manifest: &Manifest) {
        let rows = self
            .db
            .query(
                "SELECT r.calling, count(*), sum(r.quantity)::bigint, sum(r.amount_nano)::bigint, \
                 (SELECT sum(b.used)::bigint FROM bucket b WHERE b.product_id = r.product_id) \
                 FROM usage_record r GROUP BY r.calling, r.product_id",
                &[],
            )
            .await
            .unwrap();
        assert_eq!(rows.len(), manifest.by_number.len());
        for row in rows {
            let number: String = row.get(0);
            let wanted = manifest.by_number[&number];
            let used = wanted.voice_seconds.min(GRANTED_S);
            let amount = (wanted.voice_seconds - used) * NANO_PER_S;
            let found: (i64, i64, i64, i64) = (row.get(1), row.get(2), row.get(3), row.get(4));
            let wanted = (wanted.records as i64, wanted.voice_seconds, amount, used);
            assert_eq!(found, wanted, "{number}");
        }
    }

    /// How many records there are, and what they cost in all.
    pub async fn everything(&self) -> (i64, i64) {
        (
            self.one("SELECT count(*) FROM usage_record").await,
            self.one("SELECT coalesce(sum(amount_nano), 0)::bigint FROM usage_record")
                .await,
        )
    }

    /// What was used of each bucket, by window.
    pub async fn buckets(&self) -> Vec<i64> {
        let sql = "SELECT used FROM bucket ORDER BY from_at";
        let rows = self.db.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// What charging made of a file.
    pub async fn charged(&self, file: UsageFileId) -> ChargedLines {
        let session = self.app.store.read(self.context.scope()).await.unwrap();
        let (found, _) = usage_file::standings(&session, Some(file), (0, 1)).await.unwrap();
        found[0].charged
    }

    pub async fn rejects(&self) -> Vec<UsageReject> {
        let filter = RejectFilter {
            limit: 1_000,
            ..RejectFilter::default()
        };
        let session = self.app.store.read(self.context.scope()).await.unwrap();
        usage_reject::list(&session, &filter).await.unwrap()
    }

    /// Makes the account of a number prepaid.
    pub async fn prepay(&self, number: &str, balance: Nano) {
        self.execute(&format!(
            "INSERT INTO prepaid_balance (tenant_id, slot, account_id, currency, balance_nano, version) \
             SELECT tenant_id, slot, billing_account_id, 'EUR', {}, 1 FROM number_assignment WHERE number = '{number}'",
            balance.0
        ))
        .await;
    }

    /// Fills the balance of a number's account.
    pub async fn top_up(&self, number: &str, minor: i64) {
        let sql = format!("SELECT billing_account_id FROM number_assignment WHERE number = '{number}'");
        let account: Uuid = self.one(&sql).await;
        let amount = Money::new(minor, Currency::of("EUR").unwrap());
        prepaid::top_up(&self.app, &self.context, account.into(), amount, "voucher")
            .await
            .unwrap();
    }

    /// One text that a query of the owner gives.
    pub async fn text(&self, sql: &str) -> String {
        self.one(sql).await
    }

    /// Every invariant of money holds.
    pub async fn check_ledger(&self) {
        let report = ledger_check::check(&self.app, &self.context).await.unwrap();
        assert!(report.holds, "{report:#?}");
    }

    /// The sixth invariant names what this damage breaks; the damage is undone.
    pub async fn damaged(&self, sql: &str) {
        self.execute("CREATE TEMP TABLE balances AS TABLE prepaid_balance; CREATE TEMP TABLE uses AS TABLE prepaid_use")
            .await;
        self.execute(sql).await;
        let report = ledger_check::check(&self.app, &self.context).await.unwrap();
        let sixth = report
            .invariants
            .iter()
            .find(|invariant| invariant.number == 6)
            .unwrap();
        assert!(!sixth.holds && sixth.first_break.is_some(), "{sql}: {sixth:?}");
        self.execute(
            "DELETE FROM prepaid_balance; INSERT INTO prepaid_balance TABLE balances; DELETE FROM prepaid_use; \
             INSERT INTO prepaid_use TABLE uses; DROP TABLE balances, uses",
        )
        .await;
    }

    /// What is left of a number's balance, in nano units.
    pub async fn balance(&self, number: &str) -> i64 {
        self.one(&format!(
            "SELECT p.balance_nano FROM prepaid_balance p JOIN number_assignment n ON n.billing_account_id = p.account_id \
             WHERE n.number = '{number}'"
        ))
        .await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
