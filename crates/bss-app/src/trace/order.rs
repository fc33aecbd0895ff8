//! An order: its items, what they made of products and services, what the network answered, what was billed.

use std::collections::{BTreeMap, BTreeSet};

use bss_domain::TypedId;
use bss_domain::ids::{CustomerBillId, ProductOrderId};
use bss_store::product_order::{PRODUCT_ORDER, SERVICE_ORDER};
use bss_store::resource::{self, Stored};
use bss_store::trace as store;
use serde_json::Value;
use uuid::Uuid;

use super::{Explanation, Tracer, customer_of, id_of, text_of};
use crate::AppError;

impl Tracer<'_> {
    /// An order and all that came of it.
    pub(super) async fn order(&mut self, id: ProductOrderId) -> Result<Option<Explanation>, AppError> {
        let Some(stored) = resource::get(self.session, &PRODUCT_ORDER, id.uuid()).await? else {
            return Ok(None);
        };
        if !self.may_see(customer_of(&stored.body)) {
            return Ok(None);
        }
        let products = store::products_of(self.session, id).await?;
        let service_orders = store::service_orders_of(self.session, id).await?;
        let mut node = order_node(&stored);
        let mut bills: BTreeSet<CustomerBillId> = BTreeSet::new();
        for item in stored.body["productOrderItem"].as_array().into_iter().flatten() {
            let mut item_node = item_node(&stored.body, item);
            for order in service_orders
                .iter()
                .filter(|order| order.body["orderItemId"] == item["id"])
            {
                let services = order.body["serviceOrderItem"].as_array().into_iter().flatten();
                let ids: Vec<Uuid> = services.filter_map(|one| id_of(&one["service"])).collect();
                item_node = item_node.child(self.service_order(order, &ids).await?);
            }
            for product in products.iter().filter(|product| came_from(product, &item["id"])) {
                let (life, billed) = self.life(product).await?;
                bills.extend(billed);
                item_node = item_node.child(super::product::product_node(product).children(life));
            }
            node = node.child(item_node);
        }
        for bill in bills {
            node = node.children(self.settlement(bill).await?);
        }
        Ok(Some(node))
    }

    /// A service order with some of its services and their work at the network.
    pub(super) async fn service_order(
        &mut self,
        order: &Stored,
        services: &[Uuid],
    ) -> Result<Explanation, AppError> {
        let mut node = Explanation::new(
            "ServiceOrder",
            format!("for item {}", text_of(&order.body, "orderItemId")),
        )
        .id(order.id)
        .state(text_of(&order.body, "state"))
        .at(order.created_at);
        for id in services {
            let Some(service) = resource::get(self.session, &bss_store::product::SERVICE, *id).await? else {
                continue;
            };
            node = node.child(self.service(&service).await?);
        }
        Ok(node)
    }

    async fn service(&self, service: &Stored) -> Result<Explanation, AppError> {
        let characteristics = service.body["serviceCharacteristic"]
            .as_array()
            .into_iter()
            .flatten();
        let stands_on: Vec<String> = characteristics
            .map(|one| format!("{} {}", text_of(one, "name"), text_of(one, "value")))
            .collect();
        let mut node = Explanation::new("Service", text_of(&service.body, "name"))
            .id(service.id)
            .state(text_of(&service.body, "state"))
            .why(stands_on.join(", "));
        for work in store::network_work(self.session, service.id).await? {
            let attempts = if work.attempts == 1 {
                "1 attempt".to_owned()
            } else {
                format!("{} attempts", work.attempts)
            };
            let why = work
                .reason
                .map_or_else(|| attempts.clone(), |reason| format!("{attempts}: {reason}"));
            node = node.child(
                Explanation::new("activation", format!("{} at the network", work.action))
                    .id(work.id)
                    .state(work.state)
                    .why(why),
            );
        }
        Ok(node)
    }

    /// The service orders that the services of a product came by, with these services.
    pub(super) async fn service_orders_of_product(
        &mut self,
        product: bss_domain::ids::ProductId,
    ) -> Result<Vec<Explanation>, AppError> {
        let mut by_order: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
        for service in store::services_of(self.session, product).await? {
            if let Some(order) = id_of(&service.body["serviceOrder"]) {
                by_order.entry(order).or_default().push(service.id);
            }
        }
        let mut nodes = Vec::new();
        for (order, services) in by_order {
            if let Some(order) = resource::get(self.session, &SERVICE_ORDER, order).await? {
                nodes.push(self.service_order(&order, &services).await?);
            }
        }
        Ok(nodes)
    }

    /// The order that a product came from, in one line.
    pub(super) async fn origin(&self, product: &Stored) -> Result<Option<Explanation>, AppError> {
        let order = product.body["productOrderItem"][0]["productOrderId"]
            .as_str()
            .and_then(|id| id.parse::<Uuid>().ok());
        let Some(order) = order else {
            return Ok(None);
        };
        let stored = resource::get(self.session, &PRODUCT_ORDER, order).await?;
        Ok(stored.as_ref().map(order_node))
    }
}

fn order_node(stored: &Stored) -> Explanation {
    Explanation::new("ProductOrder", "order")
        .id(stored.id)
        .state(text_of(&stored.body, "state"))
        .at(stored.created_at)
        .why(messages(&stored.body, None))
}

fn item_node(order: &Value, item: &Value) -> Explanation {
    let name = item["productOffering"]["name"].as_str();
    let label = format!(
        "{} {} {}",
        text_of(item, "id"),
        text_of(item, "action"),
        name.unwrap_or_default()
    );
    let mut node = Explanation::new("ProductOrderItem", label.trim_end())
        .state(text_of(item, "state"))
        .why(messages(order, Some(&item["id"])));
    if let Some(product) = id_of(&item["product"]) {
        node = node.id(product);
    }
    node
}

/// Whether an order's item brought a product about.
fn came_from(product: &Stored, item: &Value) -> bool {
    product.body["productOrderItem"][0]["orderItemId"] == *item
}

/// What went wrong, of one item or of the order as a whole.
fn messages(order: &Value, item: Option<&Value>) -> String {
    let all = order["productOrderErrorMessage"].as_array().into_iter().flatten();
    let of = |message: &Value| match item {
        Some(item) => message["orderItem"][0]["id"] == *item,
        None => message["orderItem"].is_null(),
    };
    let texts: Vec<String> = all
        .filter(|message| of(message))
        .map(|message| format!("{}: {}", text_of(message, "code"), text_of(message, "reason")))
        .collect();
    texts.join("; ")
}
