//! The demonstration operator's order to cash, walked as an outside client of the public HTTP API: catalog, customers,
//! orders, usage, bills, payments, and the proof that everything adds up. Run again on the same database it goes on
//! with the next month.

mod bills;
mod clock;
mod customers;
mod error;
mod ledger;
mod month;
mod operator;
mod orders;
mod report;
mod roster;
mod usage;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bss_domain::Money;
use bss_domain::money::Currency;
use bss_domain::time::Interval;
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};

use crate::api_client::{ApiClient, id_of};

pub use error::DemoError;
pub use report::{Check, DemoReport};

use customers::Customer;
use ledger::LedgerProof;
use roster::{Plan, Profile};

/// What to demonstrate.
#[derive(Debug, Clone)]
pub struct DemoPlan {
    /// At least so many customers.
    pub customers: u32,
    /// Lines of usage files.
    pub records: u64,
    /// The same seed gives the same names and, on the same clock, the same files.
    pub seed: u64,
    /// Calls of the API under way at once.
    pub in_flight: usize,
    /// The folder with the catalog.
    pub catalog: PathBuf,
    /// Where usage files are written, and `names.txt` and `numbers.txt` with what no log may hold.
    pub folder: PathBuf,
    /// The network simulator's address, `http://127.0.0.1:9000`; without it the network isn't told anything.
    pub network: Option<String>,
}

/// Where tokens of the role `admin` come from: they live for minutes on real time, and a large demonstration takes
/// longer. An error is its text.
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// A token that is valid for some minutes.
    async fn token(&self) -> Result<String, String>;
}

/// A demonstration under way.
struct Demo<'a> {
    client: ApiClient,
    plan: &'a DemoPlan,
}

impl Demo<'_> {
    /// Does the same for all, so many at once as the plan allows. Results come in any order.
    async fn each<T, R>(
        &self,
        items: Vec<T>,
        act: impl AsyncFn(T) -> Result<R, DemoError>,
    ) -> Result<Vec<R>, DemoError> {
        futures::stream::iter(items)
            .map(|item| act(item))
            .buffer_unordered(self.plan.in_flight.max(1))
            .try_collect()
            .await
    }

    /// Reads what was made at a path again until it isn't in one of these states any more, for so long of real time.
    async fn follow(
        &self,
        path: &str,
        mut made: Value,
        under_way: impl Fn(&str) -> bool,
        (every, patience): (Duration, Duration),
    ) -> Result<Value, DemoError> {
        let began = Instant::now();
        let id = id_of(path, &made)?.to_owned();
        loop {
            let state = made["state"].as_str().unwrap_or_default();
            if !under_way(state) {
                return Ok(made);
            }
            if began.elapsed() > patience {
                let waited = patience.as_secs();
                return Err(DemoError::stuck(format!(
                    "{path}/{id} is still {state} after {waited} s"
                )));
            }
            tokio::time::sleep(every).await;
            made = self.client.get(&format!("{path}/{id}")).await?;
        }
    }

    /// The idempotency key of a step: a run that was cut off sends the same ones again.
    fn key(&self, step: &str) -> String {
        format!("demonstration-{}-{step}", self.plan.seed)
    }
}

/// Whether the database has no customer yet.
pub async fn is_new(client: &ApiClient, plan: &DemoPlan) -> Result<bool, DemoError> {
    let demo = Demo {
        client: client.clone(),
        plan,
    };
    Ok(!customers::any(&demo).await?)
}

/// Walks the path; `progress` gets a line a step.
pub async fn run(
    client: ApiClient,
    tokens: &dyn TokenSource,
    plan: &DemoPlan,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<DemoReport, DemoError> {
    let mut demo = Demo { client, plan };
    let mut watch = Watch::new(progress);
    clock::now(&demo).await?;
    let sold = sell(&demo, &mut watch).await?;
    let used = months(&mut demo, tokens, &sold, &mut watch).await?;
    let rated = usage::rated(&demo, &sold.numbers, used.interval).await?;
    let open = bills::open(&demo, &sold.customers).await?;
    let proof = ledger::check(&demo).await?;
    watch.lap(&format!(
        "looked at every record and proved {} invariants of the ledger",
        proof.invariants.len()
    ));
    let checks = checks(&sold, &used, &rated, &proof);
    let (bills, usage) = (used.bills, used.usage);
    Ok(DemoReport {
        customers: sold.customers.len() as u64,
        new_customers: sold.new_customers as u64,
        orders: sold.orders.by_state,
        usage_records: usage.lines,
        usage_charged: usage.taken.accepted,
        usage_rejected: usage.taken.rejected,
        usage_not_charged: usage.taken.not_charged,
        bills: bills.bills,
        payments: bills.payments,
        billed_minor: bills.billed,
        paid_minor: bills.paid,
        open_minor: open,
        ledger_balance_minor: proof.balance_minor(),
        wall_ms: watch.total_ms(),
        phases: watch.phases,
        checks,
    })
}

/// What was sold.
struct Sold {
    customers: Vec<Customer>,
    new_customers: usize,
    orders: orders::Orders,
    /// The numbers that work, with their customers.
    numbers: BTreeMap<String, String>,
}

async fn sell(demo: &Demo<'_>, watch: &mut Watch<'_>) -> Result<Sold, DemoError> {
    operator::operator(demo).await?;
    usage::source(demo).await?;
    let catalog = operator::catalog(demo).await?;
    watch.lap(&format!(
        "catalog: {} items loaded, {} there already",
        catalog.created, catalog.known
    ));
    let (customers, new_customers) = customers::customers(demo).await?;
    watch.lap(&format!(
        "customers: {} ({new_customers} new) with accounts in EUR, JPY and KWD",
        customers.len()
    ));
    let orders = orders::orders(demo, &catalog, &customers).await?;
    watch.lap(&format!(
        "orders: {} ended, {} of them refused by the network as it was told to",
        orders.total(),
        orders.to_refuse
    ));
    let numbers = orders::numbers(demo, &customers).await?;
    facts(demo, &customers, &numbers)?;
    top_up(demo, &customers).await?;
    Ok(Sold {
        customers,
        new_customers,
        orders,
        numbers,
    })
}

/// Writes down what no log may hold, for whoever looks.
fn facts(
    demo: &Demo<'_>,
    customers: &[Customer],
    numbers: &BTreeMap<String, String>,
) -> Result<(), DemoError> {
    let names: Vec<&str> = customers.iter().map(|customer| customer.name.as_str()).collect();
    let numbers: Vec<&str> = numbers.keys().map(String::as_str).collect();
    std::fs::write(demo.plan.folder.join("names.txt"), names.join("\n"))?;
    std::fs::write(demo.plan.folder.join("numbers.txt"), numbers.join("\n"))?;
    Ok(())
}

const TOP_UP: &str = "/bss-api/v1/topUp";

/// Prepaid customers buy credit once a month, some little, some much.
async fn top_up(demo: &Demo<'_>, customers: &[Customer]) -> Result<(), DemoError> {
    let prepaid: Vec<&Customer> = customers
        .iter()
        .filter(|customer| customer.profile.plan == Plan::Prepaid)
        .collect();
    let euro = Currency::of("EUR").map_err(|error| DemoError::stuck(error.to_string()))?;
    let month = clock::month(&clock::now(demo).await?);
    demo.each(prepaid, async |customer| {
        let body = json!({
            "billingAccount": {"id": customer.account, "@referredType": "BillingAccount"},
            "amount": Money::new(500 * (1 + i64::from(customer.profile.index % 5)), euro),
            "channel": {"name": "voucher"},
        });
        let key = demo.key(&format!("topup-{}-{month}", customer.account));
        Ok(demo.client.post(TOP_UP, &body, Some(&key)).await?)
    })
    .await?;
    Ok(())
}

/// What was used and billed.
struct Used {
    interval: Interval,
    usage: usage::UsageTally,
    bills: bills::BillTally,
}

/// Lets time pass until everybody's period has been billed and paid, or not.
async fn months(
    demo: &mut Demo<'_>,
    tokens: &dyn TokenSource,
    sold: &Sold,
    watch: &mut Watch<'_>,
) -> Result<Used, DemoError> {
    let now = clock::now(demo).await?;
    let profiles: Vec<Profile> = sold
        .customers
        .iter()
        .map(|customer| customer.profile.clone())
        .collect();
    let steps = month::steps(&profiles, now, demo.plan.records)
        .map_err(|error| DemoError::stuck(error.to_string()))?;
    let mut usage = usage::UsageTally::new();
    let mut bills = bills::BillTally::default();
    let mut interval = Interval { from: now, to: now };
    for step in steps {
        demo.client
            .use_token(tokens.token().await.map_err(DemoError::Token)?);
        clock::advance(demo, step.import_at).await?;
        if step.records > 0 && !sold.numbers.is_empty() {
            let before = usage.lines;
            usage::file(demo, &sold.numbers, step.usage, step.records, &mut usage).await?;
            watch.lap(&format!(
                "usage until {}: {} lines, imported twice",
                step.usage.to,
                usage.lines - before
            ));
        }
        interval.to = step.usage.to;
        clock::advance(demo, step.bill_at).await?;
        let before = bills.bills;
        let began = bills::run(demo, &mut bills).await?;
        watch.lap(&format!(
            "the business clock stands at {began}: charged, and the bills drawn up"
        ));
        bills::pay(demo, &sold.customers, began, &mut bills).await?;
        watch.lap(&format!("{} bills read and paid, or not", bills.bills - before));
    }
    Ok(Used {
        interval,
        usage,
        bills,
    })
}

/// Everything that has to hold, each with its figures.
fn checks(
    sold: &Sold,
    used: &Used,
    rated: &BTreeMap<String, crate::cdr::Totals>,
    proof: &LedgerProof,
) -> Vec<Check> {
    let orders = Check::new(
        "every order ended as the network was told to treat it",
        sold.orders.as_told(),
        format!(
            "{:?}, {} to be refused",
            sold.orders.by_state, sold.orders.to_refuse
        ),
    );
    let ledger = proof.invariants.iter().map(|invariant| {
        let statement = format!("ledger {}: {}", invariant.number, invariant.statement);
        let broken = invariant.first_break.as_deref().unwrap_or_default();
        Check::new(&statement, invariant.holds, broken)
    });
    let mut checks = vec![orders];
    checks.extend(usage_checks(&used.usage, rated));
    checks.extend(bill_checks(&used.bills, proof));
    checks.extend(ledger);
    checks
}

/// What the switch wrote was taken and rated, once.
fn usage_checks(usage: &usage::UsageTally, rated: &BTreeMap<String, crate::cdr::Totals>) -> [Check; 3] {
    let (written, taken) = (&usage.written, &usage.taken);
    let sum = |totals: &BTreeMap<String, crate::cdr::Totals>| {
        totals.values().fold((0, 0), |(records, seconds), each| {
            (records + each.records, seconds + each.voice_seconds)
        })
    };
    let (records, seconds) = sum(rated);
    let (wanted_records, wanted_seconds) = sum(&written.by_number);
    [
        Check::new(
            "imports took what the switch wrote",
            usage.taken_as_written(),
            format!(
                "{} charged, {} broken, {} unanswered written; {} accepted, {} rejected, {} not charged, {} known",
                written.charged,
                written.defective,
                written.not_charged,
                taken.accepted,
                taken.rejected,
                taken.not_charged,
                taken.duplicates
            ),
        ),
        Check::new(
            "files imported again bring nothing",
            usage.repeats_bring_nothing,
            "",
        ),
        Check::new(
            "for every number, rated records and seconds are what the switch wrote",
            *rated == written.by_number,
            format!("{records} of {wanted_records} records, {seconds} of {wanted_seconds} s"),
        ),
    ]
}

/// Bills stand as they were paid, once, and the books balance.
fn bill_checks(bills: &bills::BillTally, proof: &LedgerProof) -> [Check; 3] {
    let balance_minor = proof.balance_minor();
    [
        Check::new(
            "every bill stands as it was paid",
            bills.wrong == 0,
            format!("{} of {} bills don't", bills.wrong, bills.bills),
        ),
        Check::new(
            "a bill run repeated draws nothing up",
            bills.twice == 0,
            format!("{} bills", bills.twice),
        ),
        Check::new(
            "debits equal credits in every currency",
            balance_minor.values().all(|balance| *balance == 0),
            report::amounts(&balance_minor),
        ),
    ]
}

/// Says what is done, and how long each step took.
struct Watch<'a> {
    began: Instant,
    lap: Instant,
    phases: Vec<(String, u64)>,
    progress: &'a (dyn Fn(&str) + Sync),
}

impl<'a> Watch<'a> {
    fn new(progress: &'a (dyn Fn(&str) + Sync)) -> Self {
        Self {
            began: Instant::now(),
            lap: Instant::now(),
            phases: Vec::new(),
            progress,
        }
    }

    fn lap(&mut self, done: &str) {
        let took = self.lap.elapsed();
        self.lap = Instant::now();
        (self.progress)(&format!("{:6.1} s  {done}", took.as_secs_f64()));
        self.phases.push((
            done.to_owned(),
            u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        ));
    }

    fn total_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
