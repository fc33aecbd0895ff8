//! Bill runs, the bills that they drew up, and what customers pay of them: most in full, some in part, some too much,
//! some nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use bss_domain::Instant;
use bss_domain::money::{Currency, Money};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::customers::Customer;
use super::operator::made;
use super::{Demo, DemoError};
use crate::api_client::ApiError;

const BILL_RUN: &str = "/bss-api/v1/billRun";
const BILL: &str = "/tmf-api/customerBillManagement/v4/customerBill";
const PAYMENT: &str = "/tmf-api/paymentManagement/v4/payment";

/// How often a run is repeated while accounts wait for charging; one run waits itself for up to a minute.
const RUNS: u32 = 5;
/// How long one run may take, in real time.
const RUN_PATIENCE: Duration = Duration::from_mins(10);
/// How often a run is looked at.
const RUN_POLL: Duration = Duration::from_millis(50);

/// How a customer pays a bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    Whole,
    Half,
    TooMuch,
    Nothing,
}

/// The habit of a customer in a month: everybody's turn comes.
fn habit(index: u32, month: i64) -> Habit {
    match (i64::from(index) + month).rem_euclid(20) {
        0 => Habit::Nothing,
        7 => Habit::Half,
        13 => Habit::TooMuch,
        _ => Habit::Whole,
    }
}

/// Sums by currency, minor units.
pub type Sums = BTreeMap<String, i64>;

/// What was billed and paid in a run of the demonstration.
#[derive(Debug, Clone, Default)]
pub struct BillTally {
    /// Bills.
    pub bills: u64,
    /// Periods closed.
    pub closed: u64,
    /// Payments.
    pub payments: u64,
    /// Totals of the bills with tax.
    pub billed: Sums,
    /// Payments.
    pub paid: Sums,
    /// Left open of these bills.
    pub open: Sums,
    /// Bills that don't stand as they were paid.
    pub wrong: u64,
    /// Bills of runs that had nothing to close.
    pub twice: u64,
}

/// Closes what is due, waiting for charging; gives when the run began.
pub async fn run(demo: &Demo<'_>, tally: &mut BillTally) -> Result<Instant, DemoError> {
    let began = super::clock::now(demo).await?;
    let mut waiting = 0;
    for _ in 0..RUNS {
        let run = one_run(demo).await?;
        tally.closed += run.closed;
        waiting = run.waiting;
        if waiting == 0 {
            // All that is due is closed: a run right after must find nothing.
            tally.twice += one_run(demo).await?.bills;
            return Ok(began);
        }
    }
    Err(DemoError::stuck(format!(
        "{waiting} accounts still wait for charging after {RUNS} bill runs"
    )))
}

/// What a bill run did.
struct BillRun {
    /// Periods closed.
    closed: u64,
    /// Bills drawn up.
    bills: u64,
    /// Accounts that wait for charging.
    waiting: u64,
}

/// Starts a bill run, or takes up the one that was stopped, and follows it to its end.
async fn one_run(demo: &Demo<'_>) -> Result<BillRun, DemoError> {
    let began = std::time::Instant::now();
    let run = loop {
        match demo.client.post(BILL_RUN, &json!({}), None).await {
            // One that was cut off goes on by itself: it is waited for.
            Err(ApiError::Refused { status, .. })
                if status == StatusCode::CONFLICT && began.elapsed() < RUN_PATIENCE =>
            {
                tokio::time::sleep(RUN_POLL).await;
            }
            started => break started?,
        }
    };
    let under_way = |state: &str| state == "running";
    let run = demo
        .follow(BILL_RUN, run, under_way, (RUN_POLL, RUN_PATIENCE))
        .await?;
    if let Some(first) = run["anomaly"].as_array().and_then(|anomalies| anomalies.first()) {
        return Err(DemoError::stuck(format!(
            "{} accounts can't be closed, the first being {}: {}",
            run["failed"], first["billingAccount"]["id"], first["reason"]
        )));
    }
    let of = |name: &str| run[name].as_u64().unwrap_or_default();
    Ok(BillRun {
        closed: of("done"),
        bills: of("bills"),
        waiting: of("waiting"),
    })
}

/// Pays the bills drawn up since an instant, and looks whether each stands as it was paid.
pub async fn pay(
    demo: &Demo<'_>,
    customers: &[Customer],
    since: Instant,
    tally: &mut BillTally,
) -> Result<(), DemoError> {
    let by_account: BTreeMap<&str, &Customer> = customers
        .iter()
        .map(|customer| (customer.account.as_str(), customer))
        .collect();
    let since = since.to_string();
    let bills = demo
        .client
        .list_all(BILL, &[("billDate.gte", since.as_str())])
        .await?;
    let ours: Vec<(&Customer, Value)> = bills
        .into_iter()
        .filter_map(|bill| Some((*by_account.get(bill["billingAccount"]["id"].as_str()?)?, bill)))
        .collect();
    for paid in demo
        .each(ours, async |(customer, bill)| {
            pay_one(demo, customer, &bill).await
        })
        .await?
    {
        tally.bills += 1;
        tally.wrong += u64::from(!paid.stands);
        tally.payments += u64::from(paid.paid.minor > 0);
        add(&mut tally.billed, paid.total);
        add(&mut tally.paid, paid.paid);
        add(&mut tally.open, paid.open);
    }
    Ok(())
}

fn add(sums: &mut Sums, amount: Money) {
    *sums.entry(amount.currency.code().to_owned()).or_default() += amount.minor;
}

/// A bill after its customer's turn.
struct PaidBill {
    total: Money,
    paid: Money,
    open: Money,
    stands: bool,
}

async fn pay_one(demo: &Demo<'_>, customer: &Customer, bill: &Value) -> Result<PaidBill, DemoError> {
    let id = made(BILL, bill)?;
    let (total, open) = (money(bill, "taxIncludedAmount")?, money(bill, "remainingAmount")?);
    let currency = open.currency;
    let month = super::clock::month(&instant(bill, "billDate")?);
    let (paid, left, state) = match habit(customer.profile.index, month) {
        _ if open.minor <= 0 => (0, open.minor, "settled"),
        Habit::Nothing => (0, open.minor, "validated"),
        Habit::Half if open.minor > 1 => (open.minor / 2, open.minor - open.minor / 2, "partiallyPaid"),
        Habit::TooMuch => (open.minor + 10 * whole(currency), 0, "settled"),
        Habit::Half | Habit::Whole => (open.minor, 0, "settled"),
    };
    let paid = Money::new(paid, currency);
    if paid.minor > 0 {
        let body = json!({
            "account": {"id": customer.account, "@referredType": "BillingAccount"},
            "totalAmount": paid,
            "channel": {"name": if customer.profile.is_company() { "bankTransfer" } else { "bankCard" }},
            "paymentMethod": {"@type": if customer.profile.is_company() { "bankTransfer" } else { "bankCard" }},
            "paymentItem": [{"item": {"id": id, "@referredType": "CustomerBill"}}],
        });
        let key = demo.key(&format!("payment-{id}"));
        demo.client.post(PAYMENT, &body, Some(&key)).await?;
    }
    let after = demo.client.get(&format!("{BILL}/{id}")).await?;
    let open = money(&after, "remainingAmount")?;
    let stands = open.minor == left && after["state"] == state;
    Ok(PaidBill {
        total,
        paid,
        open,
        stands,
    })
}

/// Minor units of one major unit.
fn whole(currency: Currency) -> i64 {
    10_i64.pow(u32::from(currency.exponent()))
}

fn money(bill: &Value, name: &str) -> Result<Money, DemoError> {
    serde_json::from_value(bill[name].clone())
        .map_err(|error| DemoError::stuck(format!("bill {}: {name}: {error}", bill["id"])))
}

fn instant(bill: &Value, name: &str) -> Result<Instant, DemoError> {
    let text = bill[name].as_str().unwrap_or_default();
    text.parse()
        .map_err(|error| DemoError::stuck(format!("bill {}: {name}: {error}", bill["id"])))
}

/// What is open of all bills of these customers, from every month.
pub async fn open(demo: &Demo<'_>, customers: &[Customer]) -> Result<Sums, DemoError> {
    let mut open = Sums::new();
    for customer in customers {
        open.entry(customer.profile.currency().to_owned()).or_default();
    }
    let query = [
        ("state", "validated,sent,partiallyPaid"),
        ("fields", "remainingAmount,billingAccount"),
    ];
    for bill in demo.client.list_all(BILL, &query).await? {
        let account = bill["billingAccount"]["id"].as_str();
        if customers
            .iter()
            .any(|customer| Some(customer.account.as_str()) == account)
        {
            add(&mut open, money(&bill, "remainingAmount")?);
        }
    }
    Ok(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_twenty_customers_most_pay_in_full_and_each_habit_has_one() {
        let habits: Vec<Habit> = (0..20).map(|index| habit(index, 24_323)).collect();
        let of = |wanted: Habit| habits.iter().filter(|habit| **habit == wanted).count();
        assert_eq!(
            [Habit::Whole, Habit::Half, Habit::TooMuch, Habit::Nothing].map(of),
            [17, 1, 1, 1]
        );
    }
}
