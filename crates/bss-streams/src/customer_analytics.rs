//! The customer analytics stream: usage by service, orders by state, billed and paid amounts, and who pays late, by
//! customer, segment and hour.
//!
//! Windows are hours of event time, and a late arrival is added to the hour that it belongs to, whenever it comes.
//! Usage is counted behind charging, which knows duplicates: a record counts at the position it was rated from.

use std::time::Duration;

use async_trait::async_trait;
use bss_domain::ids::{CustomerBillId, CustomerId};
use bss_domain::usage::ServiceKind;
use bss_domain::{Instant, Money};
use bss_events::{Record, Topic};
use bss_store::UnitOfWork;
use bss_store::customer_analytics::{self as store, BillFact, Counts, Measure, Window, count, hour_of};
use serde::Deserialize;

use crate::runtime::{Application, Follows, ProcessError};

/// The stream.
#[derive(Debug, Clone, Copy, Default)]
pub struct CustomerAnalytics;

#[async_trait]
impl Application for CustomerAnalytics {
    fn group(&self) -> &'static str {
        "customer-analytics"
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::Order, Topic::Usage, Topic::Invoice, Topic::Payment]
    }

    fn pace(&self) -> Duration {
        Duration::from_millis(100)
    }

    fn batch(&self) -> usize {
        2_000
    }

    fn follows(&self) -> Option<Follows> {
        Some(Follows {
            topic: Topic::Usage,
            group: "charging",
        })
    }

    async fn process(&self, work: &mut UnitOfWork, records: &[Record]) -> Result<(), ProcessError> {
        let Some(first) = records.first() else {
            return Ok(());
        };
        let mut counts = Counts::new();
        match first.topic {
            Topic::Usage => count_usage(work, records, &mut counts).await?,
            Topic::Order => records.iter().for_each(|record| count_order(record, &mut counts)),
            Topic::Invoice => {
                for record in records {
                    count_bill(work, record, &mut counts)
                        .await
                        .map_err(|error| error.at(record))?;
                }
            }
            Topic::Payment => {
                for record in records {
                    count_payment(work, record, &mut counts)
                        .await
                        .map_err(|error| error.at(record))?;
                }
            }
            _ => {}
        }
        store::add(work, &counts).await?;
        Ok(())
    }
}

fn unit_of(service: ServiceKind) -> &'static str {
    match service {
        ServiceKind::Voice => "s",
        ServiceKind::Data => "B",
        ServiceKind::Sms => "message",
    }
}

async fn count_usage(work: &UnitOfWork, records: &[Record], counts: &mut Counts) -> Result<(), ProcessError> {
    let mut facts = std::collections::HashMap::new();
    let mut places = Vec::with_capacity(records.len());
    for record in records
        .iter()
        .filter(|record| record.event.kind == bss_app::usage_import::USAGE_EVENT)
    {
        let usage = record.event.data.read_usage();
        let usage = usage.map_err(|error| ProcessError::poison(record, error))?;
        places.push((usage.id, record.position));
        facts.insert(usage.id, usage);
    }
    for rated in store::rated(work, &places).await? {
        let Some(usage) = facts.remove(&rated.id) else {
            continue;
        };
        let window = Window {
            customer: usage.owner.customer,
            hour: hour_of(usage.metered.started),
            measure: Measure::Usage,
            unit: unit_of(usage.metered.service).to_owned(),
            label: usage.metered.service.name().to_owned(),
        };
        let charged = Window {
            measure: Measure::Charged,
            unit: rated.currency,
            ..window.clone()
        };
        count(counts, window, 1, usage.metered.quantity);
        count(counts, charged, 1, rated.amount_nano);
    }
    Ok(())
}

/// An order enters a state and leaves the one before: summed over the hours, that is how many are in it.
fn count_order(record: &Record, counts: &mut Counts) {
    let event = &record.event;
    if !["ProductOrderCreateEvent", "ProductOrderStateChangeEvent"].contains(&event.kind.as_str()) {
        return;
    }
    let facts = event.data.value();
    for (attribute, number) in [("state", 1), ("was", -1)] {
        if let Some(state) = facts[attribute].as_str() {
            count(
                counts,
                window(record, Measure::Order, state, "order"),
                number,
                number,
            );
        }
    }
}

fn window(record: &Record, measure: Measure, label: &str, unit: &str) -> Window {
    Window {
        customer: CustomerId::from(record.event.key),
        hour: hour_of(record.event.time),
        measure,
        label: label.to_owned(),
        unit: unit.to_owned(),
    }
}

/// What of a new bill is counted.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BillFacts {
    customer_bill: CustomerBillId,
    payment_due_date: Instant,
    tax_included_amount: Money,
    amount_due: Money,
}

/// What of a payment, or of credit that pays bills, is counted.
#[derive(Deserialize)]
struct PaymentFacts {
    #[serde(default)]
    status: Option<String>,
    amount: Money,
    #[serde(default)]
    allocation: Vec<Allocation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Allocation {
    customer_bill: CustomerBillId,
    amount: Money,
}

async fn count_bill(work: &UnitOfWork, record: &Record, counts: &mut Counts) -> Result<(), ProcessError> {
    if record.event.kind != "CustomerBillCreateEvent" {
        return Ok(());
    }
    let bill = record.event.data.read::<BillFacts>();
    let bill = bill.map_err(|error| ProcessError::poison(record, error))?;
    let total = bill.tax_included_amount;
    let window = window(record, Measure::Billed, "bill", total.currency.code());
    count(counts, window, 1, total.minor);
    let fact = BillFact {
        id: bill.customer_bill,
        customer: CustomerId::from(record.event.key),
        due: Some((bill.payment_due_date, bill.amount_due.minor)),
        paid: None,
    };
    store::note_bill(work, &fact).await?;
    Ok(())
}

async fn count_payment(work: &UnitOfWork, record: &Record, counts: &mut Counts) -> Result<(), ProcessError> {
    let (event, is_payment) = (&record.event, record.event.kind == "PaymentCreateEvent");
    if !is_payment && event.kind != "CreditAppliedEvent" {
        return Ok(());
    }
    let paid = event.data.read::<PaymentFacts>();
    let paid = paid.map_err(|error| ProcessError::poison(record, error))?;
    let has_come = paid
        .status
        .as_deref()
        .is_none_or(|status| ["captured", "done"].contains(&status));
    if !has_come {
        return Ok(());
    }
    if is_payment {
        let window = window(record, Measure::Paid, "payment", paid.amount.currency.code());
        count(counts, window, 1, paid.amount.minor);
    }
    for allocation in paid.allocation {
        let fact = BillFact {
            id: allocation.customer_bill,
            customer: CustomerId::from(event.key),
            due: None,
            paid: Some((event.time, allocation.amount.minor)),
        };
        store::note_bill(work, &fact).await?;
    }
    Ok(())
}
