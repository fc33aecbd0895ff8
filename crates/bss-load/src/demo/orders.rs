//! Orders: sent with a key, followed until they have ended. The network is told to answer twice and to refuse for
//! some; who was refused orders again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::customers::{Customer, as_party, customer_of};
use super::operator::{made, offerings};
use super::roster::Treatment;
use super::{Demo, DemoError};
use crate::catalog_import::Imported;
use crate::network_sim::{Behaviour, Mode};

const ORDER: &str = "/tmf-api/productOrderingManagement/v4/productOrder";
const PRODUCT: &str = "/tmf-api/productInventory/v4/product";

/// How long an order may take, in real time.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often an order is looked at.
const POLL: Duration = Duration::from_millis(100);

/// States in which nothing more happens.
const ENDED: &[&str] = &["completed", "partial", "failed", "rejected", "cancelled"];

/// What became of the orders.
#[derive(Debug, Clone, Default)]
pub struct Orders {
    /// How many by the state in which they ended.
    pub by_state: BTreeMap<String, u64>,
    /// How many were to be refused.
    pub to_refuse: u64,
}

impl Orders {
    /// All orders.
    pub fn total(&self) -> u64 {
        self.by_state.values().sum()
    }

    /// Whether each ended as it should.
    pub fn as_told(&self) -> bool {
        let of = |state: &str| self.by_state.get(state).copied().unwrap_or_default();
        of("failed") == self.to_refuse && of("completed") + of("failed") == self.total()
    }

    fn count(&mut self, states: Vec<String>) {
        for state in states {
            *self.by_state.entry(state).or_default() += 1;
        }
    }
}

/// Orders for every customer that has nothing yet.
pub async fn orders(
    demo: &Demo<'_>,
    catalog: &Imported,
    customers: &[Customer],
) -> Result<Orders, DemoError> {
    // An earlier run may have been cut off while the network was told to refuse.
    tell(demo, Mode::Normal).await?;
    let earlier = earlier(demo).await?;
    let waiting: Vec<&Customer> = customers
        .iter()
        .filter(|customer| !earlier.served.contains(&customer.id))
        .collect();
    let mut orders = Orders::default();
    for (treatment, mode) in [
        (Treatment::Served, Mode::Normal),
        (Treatment::AnsweredTwice, Mode::Twice),
        (Treatment::Refused, Mode::Refuse),
    ] {
        let wave: Vec<&Customer> = waiting
            .iter()
            .copied()
            .filter(|customer| treatment_of(demo, &earlier, customer) == treatment)
            .collect();
        if wave.is_empty() {
            continue;
        }
        if treatment == Treatment::Refused {
            orders.to_refuse = wave.len() as u64;
        }
        tell(demo, mode).await?;
        let states = place(demo, catalog, &earlier, &wave, 0).await;
        tell(demo, Mode::Normal).await?;
        orders.count(states?);
        if treatment == Treatment::Refused {
            orders.count(place(demo, catalog, &earlier, &wave, 1).await?);
        }
    }
    Ok(orders)
}

/// Without a simulator nobody can be told to refuse, and who was refused in an earlier run isn't again.
fn treatment_of(demo: &Demo<'_>, earlier: &Earlier, customer: &Customer) -> Treatment {
    if demo.plan.network.is_none() || earlier.orders.contains_key(&customer.id) {
        return Treatment::Served;
    }
    customer.profile.treatment()
}

/// What earlier runs ordered.
struct Earlier {
    /// Customers who got what they ordered.
    served: BTreeSet<String>,
    /// Orders by customer.
    orders: BTreeMap<String, u64>,
}

/// Orders of a run that was cut off are followed to their end: who ordered anew beside them would take two numbers.
async fn earlier(demo: &Demo<'_>) -> Result<Earlier, DemoError> {
    let mut earlier = Earlier {
        served: BTreeSet::new(),
        orders: BTreeMap::new(),
    };
    let query = [("fields", "id,state,relatedParty")];
    for order in demo.client.list_all(ORDER, &query).await? {
        let Some(customer) = customer_of(&order).map(str::to_owned) else {
            continue;
        };
        *earlier.orders.entry(customer.clone()).or_default() += 1;
        if until_ended(demo, order).await? == "completed" {
            earlier.served.insert(customer);
        }
    }
    Ok(earlier)
}

async fn place(
    demo: &Demo<'_>,
    catalog: &Imported,
    earlier: &Earlier,
    wave: &[&Customer],
    again: u64,
) -> Result<Vec<String>, DemoError> {
    demo.each(wave.to_vec(), async |customer| {
        let items: Vec<Value> = offerings(catalog, customer.profile.plan.offerings())?
            .into_iter()
            .enumerate()
            .map(|(place, offering)| {
                json!({"id": (place + 1).to_string(), "action": "add", "productOffering": offering})
            })
            .collect();
        let body = json!({
            "relatedParty": as_party(&customer.id),
            "billingAccount": {"id": customer.account, "@referredType": "BillingAccount"},
            "productOrderItem": items,
        });
        let number = earlier.orders.get(&customer.id).copied().unwrap_or_default() + again;
        let key = demo.key(&format!("order-{}-{number}", customer.profile.index));
        let order = demo.client.post(ORDER, &body, Some(&key)).await?;
        let id = made(ORDER, &order)?;
        // The first orders are sent twice, as a client does that got no answer: the same order must come back.
        if customer.profile.index < 20 {
            let same = demo.client.post(ORDER, &body, Some(&key)).await?;
            if made(ORDER, &same)? != id {
                return Err(DemoError::stuck(format!(
                    "order {id}: sent again with its key it made another order"
                )));
            }
        }
        until_ended(demo, order).await
    })
    .await
}

/// The state in which an order ends; it is read again as long as it hasn't.
async fn until_ended(demo: &Demo<'_>, order: Value) -> Result<String, DemoError> {
    let under_way = |state: &str| !ENDED.contains(&state);
    let ended = demo.follow(ORDER, order, under_way, (POLL, PATIENCE)).await?;
    Ok(ended["state"].as_str().unwrap_or_default().to_owned())
}

/// Tells the network how to behave, where it is the simulator.
async fn tell(demo: &Demo<'_>, mode: Mode) -> Result<(), DemoError> {
    let Some(network) = &demo.plan.network else {
        return Ok(());
    };
    let behaviour = Behaviour {
        mode,
        ..Behaviour::default()
    };
    let told = reqwest::Client::new()
        .put(format!("{network}/behaviour"))
        .json(&behaviour)
        .send()
        .await;
    told.and_then(reqwest::Response::error_for_status)
        .map_err(|error| DemoError::stuck(format!("the network simulator can't be told: {error}")))?;
    Ok(())
}

/// The numbers that work, with their customers' ids.
pub async fn numbers(demo: &Demo<'_>, customers: &[Customer]) -> Result<BTreeMap<String, String>, DemoError> {
    let ours: BTreeSet<&str> = customers.iter().map(|customer| customer.id.as_str()).collect();
    let mut numbers = BTreeMap::new();
    for product in demo.client.list_all(PRODUCT, &[("status", "active")]).await? {
        let Some(customer) = customer_of(&product).filter(|customer| ours.contains(customer)) else {
            continue;
        };
        let characteristics = product["productCharacteristic"].as_array().into_iter().flatten();
        for number in characteristics.filter(|one| one["name"] == "msisdn") {
            if let Some(number) = number["value"].as_str() {
                numbers.insert(number.to_owned(), customer.to_owned());
            }
        }
    }
    Ok(numbers)
}
