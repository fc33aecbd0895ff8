//! What it costs to bring a CDR file to rated records, on a durable PostgreSQL of its own:
//!
//! ```sh
//! cargo run --release -p bss-streams --example charging_cost -- 200000 20000
//! ```
//! The arguments are records and accounts. Data go to stdout as one JSON object; CPU seconds are this process's and
//! PostgreSQL's, per 100,000 lines of the file, a checkpoint at the end of each part included.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bss_app::usage_import::{UsageImport, import_file, put_source};
use bss_app::{App, RequestContext};
use bss_domain::ids::{CustomerId, TenantId, compose};
use bss_domain::usage::{NumberPlan, SourceFormat, UsageSource};
use bss_domain::{Interval, Slot, TypedId, Zone};
use bss_load::cdr::{CdrPlan, generate};
use bss_platform::{PostgresConfig, RunningPostgres, ensure_postgres, stop_postgres};
use bss_store::{ClockMode, Store, StoreConfig, migrate};
use bss_streams::charging::Charging;
use bss_streams::runtime::{Runtime, RuntimeConfig};
use serde_json::json;
use tokio_postgres::{Client, NoTls};
use tokio_util::sync::CancellationToken;

type Failure = Box<dyn std::error::Error>;

/// Ticks of `/proc/*/stat` in a second, as Linux has them on every machine that it runs this on.
const TICKS_PER_S: f64 = 100.0;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |text| text.parse());
    let (records, accounts) = (number(200_000)?, number(20_000)?);
    let folder = std::env::temp_dir().join(format!("bss-charging-cost-{}", std::process::id()));
    let config = PostgresConfig {
        data_dir: folder.clone(),
        bin_dir: None,
        port: 0,
        auto_ports: true,
        memory_mb: None,
    };
    let postgres = ensure_postgres(&config).await?;
    let measured = measure(&postgres, &folder, records, accounts).await;
    stop_postgres(&folder, Duration::from_secs(30)).await?;
    bss_platform::remove_cluster(&folder)?;
    std::fs::remove_dir_all(&folder)?;
    println!("{}", measured?);
    Ok(())
}

async fn measure(
    postgres: &RunningPostgres,
    folder: &Path,
    records: u64,
    accounts: u64,
) -> Result<serde_json::Value, Failure> {
    migrate(&postgres.owner_url, ClockMode::Simulated).await?;
    let mut config = StoreConfig::new(&postgres.owner_url);
    config.worker_connections = 12;
    let app = App::new(Store::connect(&config).await?).await?;
    let (db, connection) = tokio_postgres::connect(&postgres.owner_url, NoTls).await?;
    tokio::spawn(connection);
    let tenant = TenantId::at(1, Slot::hash(b"tenant"), 1);
    seed(&db, tenant, accounts).await?;
    let context = RequestContext::system(tenant, "bench");
    let source = UsageSource {
        name: "msc1".into(),
        format: SourceFormat::Asterisk,
        zone: Zone::named("Europe/Warsaw")?,
        numbers: NumberPlan::default(),
    };
    put_source(&app, &context, &source).await?;
    let file = write_file(folder, accounts, records)?;

    let import = Meter::start(postgres.pid);
    let report = import_file(&app, &context, &UsageImport::default(), "msc1", &file).await?;
    let import = import.stop(&db, records).await?;
    eprintln!("imported: {import}");
    let charging = Meter::start(postgres.pid);
    charge(&app, &db).await?;
    let charging = charging.stop(&db, records).await?;
    let rated: i64 = db
        .query_one("SELECT count(*) FROM usage_record", &[])
        .await?
        .get(0);
    Ok(json!({
        "lines": records, "accounts": accounts, "accepted": report.lines.accepted, "rated": rated,
        "import": import, "charging": charging,
    }))
}

/// Charges until nothing waits.
async fn charge(app: &App, db: &Client) -> Result<(), Failure> {
    let stop = CancellationToken::new();
    let runtime = Runtime::new(app.store.clone(), RuntimeConfig::default());
    let running = tokio::spawn({
        let (app, stop) = (Arc::new(Charging::new(app.clone())), stop.clone());
        async move { runtime.run(app, stop).await }
    });
    loop {
        let waits: bool = db
            .query_one(
                "SELECT sum(f.accepted) > coalesce((SELECT sum(rated + rejected + duplicates) FROM usage_file_count), 0) \
                 FROM usage_file f",
                &[],
            )
            .await?
            .get(0);
        if !waits {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.cancel();
    running.await??;
    Ok(())
}

fn number(account: u64) -> String {
    format!("48600{account:06}")
}

fn write_file(folder: &Path, accounts: u64, records: u64) -> Result<PathBuf, Failure> {
    let plan = CdrPlan {
        format: SourceFormat::Asterisk,
        numbers: (0..accounts).map(number).collect(),
        home: "48".into(),
        records,
        seed: 1,
        period: Interval::new("2026-11-03T00:00:00Z".parse()?, "2026-11-06T00:00:00Z".parse()?)
            .ok_or("period")?,
        zone: Zone::named("Europe/Warsaw")?,
    };
    let path = folder.join("Master.csv");
    generate(&plan, &mut std::io::BufWriter::new(std::fs::File::create(&path)?))?;
    Ok(path)
}

/// Accounts with a product each, whose tariff charges by the minute, then by the second, after 60 included minutes.
async fn seed(db: &Client, tenant: TenantId, accounts: u64) -> Result<(), Failure> {
    let steps = json!([{"unit": 60, "increment": 60, "price": 0.09}, {"from": 60, "unit": 60, "increment": 1, "price": 0.09}]);
    let prices = [
        json!({"name": "usage", "priceType": "usage", "price": {"unit": "EUR"},
               "tariff": {"zones": [{"name": "home", "prefixes": ["48"]}, {"name": "abroad", "prefixes": [""]}],
                          "rates": [{"service": "voice", "zone": "*", "steps": steps}]}}),
        json!({"name": "minutes", "priceType": "allowance",
               "allowance": {"quantity": "60 min", "covers": [{"service": "voice", "zones": ["home"]}], "increment": 60}}),
    ];
    db.batch_execute(&format!("SELECT set_config('bss.tenant', '{tenant}', false)"))
        .await?;
    let mut ids = Vec::new();
    for (n, mut body) in prices.into_iter().enumerate() {
        let id = compose(1, Slot::hash(b"price"), n as u64);
        body["id"] = json!(id);
        ids.push(format!("'{id}'"));
        db.batch_execute(&format!(
            "INSERT INTO product_offering_price (tenant_id, id, revision, body, created_at, updated_at, updated_by, \
             name, lifecycle_status, price_type) VALUES ('{tenant}', '{id}', 1, '{body}', now(), now(), 'bench', '{0}', \
             'launched', '{0}')",
            body["priceType"].as_str().unwrap_or_default()
        ))
        .await?;
    }
    let ids = ids.join(",");
    for n in 0..accounts {
        let customer = CustomerId::new(1, n + 1);
        let slot = customer.slot();
        let [account, product] = [2, 3].map(|m| compose(n as i64 + 1, slot, m));
        let row = format!("'{tenant}', {}", slot.sql());
        let stamps = "1, '{}', now(), now(), 'bench'";
        let customer = customer.uuid();
        db.batch_execute(&format!(
            "INSERT INTO customer (tenant_id, slot, id, revision, body, created_at, updated_at, updated_by, name) \
             VALUES ({row}, '{customer}', {stamps}, 'c');
             INSERT INTO billing_account (tenant_id, slot, id, revision, body, created_at, updated_at, updated_by, name, \
             state, customer_id, currency, time_zone, cycle_day) VALUES ({row}, '{account}', {stamps}, 'a', 'active', \
             '{customer}', 'EUR', 'Europe/Warsaw', 1);
             INSERT INTO product_order (tenant_id, slot, id, revision, body, created_at, updated_at, updated_by, state) \
             VALUES ({row}, '{product}', {stamps}, 'completed');
             INSERT INTO product (tenant_id, slot, id, revision, body, created_at, updated_at, updated_by, status, \
             customer_id, product_order_id, offering_id) VALUES ({row}, '{product}', {stamps}, 'active', '{customer}', \
             '{product}', '{product}');
             INSERT INTO product_segment (tenant_id, slot, product_id, from_at, state, billing_account_id, offering_id, \
             price_ids, quantity) VALUES ({row}, '{product}', '2026-01-01T00:00:00Z', 'active', '{account}', '{product}', \
             ARRAY[{ids}]::uuid[], 1);
             INSERT INTO number_assignment (tenant_id, slot, number, valid_from, customer_id, billing_account_id, \
             product_id) VALUES ({row}, '{}', '2026-01-01T00:00:00Z', '{customer}', '{account}', '{product}')",
            number(n)
        ))
        .await?;
    }
    db.batch_execute("VACUUM ANALYZE billing_account, product_segment, number_assignment, product")
        .await?;
    Ok(())
}

/// Measures wall time and CPU of a part of the work.
struct Meter {
    begun: Instant,
    postmaster: i32,
    client_s: f64,
    postgres_s: f64,
}

impl Meter {
    fn start(postmaster: i32) -> Self {
        Self {
            begun: Instant::now(),
            postmaster,
            client_s: cpu_s(std::process::id() as i32, false),
            postgres_s: postgres_cpu_s(postmaster),
        }
    }

    async fn stop(self, db: &Client, records: u64) -> Result<serde_json::Value, Failure> {
        let wall_s = self.begun.elapsed().as_secs_f64();
        // As the owner may; where it may not, the checkpoint comes by time and isn't counted.
        let checkpoint = db.batch_execute("CHECKPOINT").await.is_ok();
        let per = 100_000.0 / records as f64;
        let round = |seconds: f64| (seconds * per * 1_000.0).round() / 1_000.0;
        Ok(json!({
            "wallSeconds": (wall_s * 1_000.0).round() / 1_000.0,
            "linesPerSecond": (records as f64 / wall_s).round(),
            "clientCpuSecondsPer100k": round(cpu_s(std::process::id() as i32, false) - self.client_s),
            "postgresCpuSecondsPer100k": round(postgres_cpu_s(self.postmaster) - self.postgres_s),
            "checkpoint": checkpoint,
        }))
    }
}

/// User and system seconds of the postmaster, of its ended children and of its living ones.
fn postgres_cpu_s(postmaster: i32) -> f64 {
    let children = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| stat(*pid).is_some_and(|fields| fields.get(1) == Some(&i64::from(postmaster))));
    cpu_s(postmaster, true) + children.map(|pid| cpu_s(pid, false)).sum::<f64>()
}

fn cpu_s(pid: i32, with_children: bool) -> f64 {
    let fields = stat(pid).unwrap_or_default();
    let used = if with_children { 11..15 } else { 11..13 };
    fields.get(used).unwrap_or_default().iter().sum::<i64>() as f64 / TICKS_PER_S
}

/// The fields of `/proc/PID/stat` behind the command's name; the first, a letter, counts as 0.
fn stat(pid: i32) -> Option<Vec<i64>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields = text.rsplit_once(')')?.1;
    Some(
        fields
            .split_ascii_whitespace()
            .map(|field| field.parse().unwrap_or(0))
            .collect(),
    )
}
