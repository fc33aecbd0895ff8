use bss_domain::document::Reference;
use bss_domain::fulfilment::{PlannedProduct, ServiceFacts, decompose};
use bss_domain::ids::{BillingAccountId, ProductId, ProductOrderId, ServiceId, ServiceOrderId};
use bss_domain::product::{
    Characteristic, OrderItemReference, Product, ProductPrice, ProductRelationship, ProductStatus,
};
use bss_domain::product_order::{ItemAction, OrderState, ProductOrderItem};
use bss_domain::service::{Service, ServiceOrder, ServiceOrderItem, ServiceOrderState, ServiceState};
use bss_domain::{Currency, Refusal, TypedId};
use bss_events::Topic;
use bss_store::activation::NetworkAction;
use bss_store::billing_account::BILLING_ACCOUNT;
use bss_store::product::{PRODUCT, SERVICE};
use bss_store::product_order::SERVICE_ORDER;
use bss_store::resource;
use bss_store::{UnitOfWork, resource_pool};
use serde_json::{Map, json};

use super::network_work::request;
use super::{Held, change, facts, settle::settle_item, to_json};
use crate::{App, AppError, RequestContext};

/// What one item is going to do, looked up and allowed.
enum Plan {
    Add(Vec<PlannedProduct>),
    Change(change::Plan),
}

/// Takes an acknowledged order up: rejects it with the reason, or makes everything that it needs and asks the
/// network for it. An order that was taken up already stays as it is.
pub async fn begin(
    app: &App,
    context: &RequestContext,
    work: &mut UnitOfWork,
    id: ProductOrderId,
) -> Result<(), AppError> {
    let mut held = Held::load(app, work, id).await?;
    if held.order.state != OrderState::Acknowledged {
        return Ok(());
    }
    let mut plans = Vec::new();
    for (index, item) in held.order.product_order_item.clone().iter().enumerate() {
        match plan(&held, work, item, &format!("productOrderItem[{index}]")).await {
            Ok(plan) => plans.push((item.clone(), plan)),
            Err(AppError::Refused(refusal)) => {
                let now = held.now;
                held.order.reject(&refusal, Some(&item.id), now)?;
                return held.save(app, context, work).await;
            }
            Err(other) => return Err(other),
        }
    }
    held.order.begin()?;
    for (item, plan) in plans {
        let started = match plan {
            Plan::Add(products) => add(app, context, &mut held, work, &item, products).await?,
            Plan::Change(plan) => change::start(app, context, &held, work, &item, plan).await?,
        };
        if let Err(refusal) = started {
            let now = held.now;
            held.order
                .note(refusal.code, &refusal.message, Some(&item.id), now);
            super::settle::fail_item(app, context, &mut held, work, &item.id).await?;
            continue;
        }
        settle_item(app, context, &mut held, work, &item.id).await?;
    }
    held.save(app, context, work).await
}

async fn plan(
    held: &Held,
    work: &UnitOfWork,
    item: &ProductOrderItem,
    field: &str,
) -> Result<Plan, AppError> {
    if item.action != ItemAction::Add {
        return Ok(Plan::Change(change::plan(held, work, item, field).await?));
    }
    let offering = item
        .product_offering
        .as_ref()
        .ok_or_else(|| Refusal::missing(format!("{field}.productOffering")))?;
    let found = facts(work, &offering.id, held.now, field).await?;
    let currency = currency_of(work, held.account(&item.id)?).await?;
    Ok(Plan::Add(decompose(&found, currency, item.quantity, field)?))
}

pub(super) async fn currency_of(work: &UnitOfWork, account: BillingAccountId) -> Result<Currency, AppError> {
    let stored = resource::get(work, &BILLING_ACCOUNT, account.uuid())
        .await?
        .ok_or_else(|| AppError::not_found("BillingAccount", account))?;
    let code = stored.body["currency"].as_str().unwrap_or_default();
    Ok(Currency::of(code)?)
}

/// Makes an item's products, services and the service order, and reserves their resources. An inner refusal: a pool
/// is empty.
async fn add(
    app: &App,
    context: &RequestContext,
    held: &mut Held,
    work: &mut UnitOfWork,
    item: &ProductOrderItem,
    plan: Vec<PlannedProduct>,
) -> Result<Result<(), Refusal>, AppError> {
    let account = held.account(&item.id)?;
    let service_order: ServiceOrderId = app.ids.new_id(held.now, held.customer.slot());
    let mut products: Vec<ProductId> = Vec::new();
    let mut wanted: Vec<(ProductId, ServiceFacts)> = Vec::new();
    for planned in plan {
        let id: ProductId = app.ids.new_id(held.now, held.customer.slot());
        wanted.extend(planned.services.iter().map(|service| (id, service.clone())));
        let parent = planned.parent.map(|index| products[index]);
        let product = new_product(held, item, id, account, &planned, parent);
        resource::insert(work, &PRODUCT, id.uuid(), &to_json(&product)?, held.now).await?;
        let data = json!({ "status": product.status, "productOrder": held.order.id });
        work.emit(held.event(
            app,
            context,
            (Topic::Order, "ProductCreateEvent"),
            id.uuid(),
            data,
        ));
        products.push(id);
    }
    if let (Some(first), Some(own)) = (products.first(), held.order.item_mut(&item.id)) {
        own.set_product(first);
    }
    if wanted.is_empty() {
        return Ok(Ok(()));
    }
    let services: Vec<(ServiceId, ProductId, ServiceFacts)> = wanted
        .into_iter()
        .map(|(product, facts)| (app.ids.new_id(held.now, held.customer.slot()), product, facts))
        .collect();
    let order = new_service_order(held, item, service_order, &services)?;
    resource::insert(
        work,
        &SERVICE_ORDER,
        service_order.uuid(),
        &to_json(&order)?,
        held.now,
    )
    .await?;
    let data = json!({ "state": order.state, "productOrder": held.order.id });
    let what = (Topic::Provisioning, "ServiceOrderCreateEvent");
    work.emit(held.event(app, context, what, service_order.uuid(), data));
    for (id, product, facts) in services {
        if let Err(refusal) = add_service(
            app,
            context,
            held,
            work,
            item,
            service_order,
            (id, product, facts),
        )
        .await?
        {
            return Ok(Err(refusal));
        }
    }
    Ok(Ok(()))
}

async fn add_service(
    app: &App,
    context: &RequestContext,
    held: &Held,
    work: &mut UnitOfWork,
    item: &ProductOrderItem,
    service_order: ServiceOrderId,
    (id, product, facts): (ServiceId, ProductId, ServiceFacts),
) -> Result<Result<(), Refusal>, AppError> {
    let mut characteristics = Vec::new();
    let mut resources = Vec::new();
    for category in &facts.resources {
        let Some(taken) = resource_pool::reserve(work, *category, id, held.now).await? else {
            let message = format!("the pool of {category} is empty: add resources to it, then order again");
            return Ok(Err(Refusal::conflict("poolEmpty", message)));
        };
        characteristics.push(Characteristic {
            name: category.name().to_owned(),
            value: taken.value,
        });
        resources.push(Reference::to(taken.id, "Resource").with("category", category.name()));
    }
    let mut extra = Map::new();
    extra.insert(
        "serviceOrder".to_owned(),
        json!({ "id": service_order, "@referredType": "ServiceOrder" }),
    );
    let service = Service {
        id,
        name: facts.name.clone(),
        state: ServiceState::Reserved,
        service_specification: Reference::to(facts.specification, "ServiceSpecification")
            .with("name", facts.name),
        related_party: customer_party(held),
        product: Reference::to(product, "Product"),
        supporting_resource: resources,
        start_date: None,
        end_date: None,
        service_characteristic: characteristics,
        extra,
    };
    resource::insert(work, &SERVICE, id.uuid(), &to_json(&service)?, held.now).await?;
    request(app, context, held, work, &item.id, id, NetworkAction::Activate).await?;
    Ok(Ok(()))
}

fn new_product(
    held: &Held,
    item: &ProductOrderItem,
    id: ProductId,
    account: BillingAccountId,
    planned: &PlannedProduct,
    parent: Option<ProductId>,
) -> Product {
    let bundled_by = parent.map(|parent| ProductRelationship {
        relationship_type: "isBundledBy".to_owned(),
        product: Reference::to(parent, "Product"),
    });
    Product {
        id,
        name: planned.name.clone(),
        status: ProductStatus::PendingActive,
        start_date: None,
        termination_date: None,
        related_party: customer_party(held),
        billing_account: Reference::to(account, "BillingAccount"),
        product_offering: Reference::to(planned.offering, "ProductOffering")
            .with("name", planned.name.clone()),
        product_price: planned.prices.iter().copied().map(ProductPrice::pin).collect(),
        product_order_item: vec![OrderItemReference {
            product_order_id: held.order.id,
            order_item_id: item.id.clone(),
            order_item_action: item.action.to_string(),
        }],
        product_relationship: bundled_by.into_iter().collect(),
        product_characteristic: Vec::new(),
        quantity: item.quantity,
        extra: Map::new(),
    }
}

fn new_service_order(
    held: &Held,
    item: &ProductOrderItem,
    id: ServiceOrderId,
    services: &[(ServiceId, ProductId, ServiceFacts)],
) -> Result<ServiceOrder, Refusal> {
    let state = ServiceOrderState::Acknowledged.to(ServiceOrderState::InProgress)?;
    let items = services
        .iter()
        .enumerate()
        .map(|(index, (service, _, facts))| ServiceOrderItem {
            id: (index + 1).to_string(),
            action: "add".to_owned(),
            state,
            service: Reference::to(service, "Service").with("name", facts.name.clone()),
        });
    let mut order = ServiceOrder {
        id,
        external_id: held.order.id,
        order_item_id: item.id.clone(),
        state,
        order_date: held.now,
        completion_date: None,
        related_party: customer_party(held),
        service_order_item: items.collect(),
        milestone: Vec::new(),
        extra: Map::new(),
    };
    order.note("reserved", "completed", None, held.now);
    order.note("activating", "working", None, held.now);
    Ok(order)
}

pub(super) fn customer_party(held: &Held) -> Vec<Reference> {
    vec![
        Reference::to(held.customer, "Customer")
            .with("role", "customer")
            .with("@type", "RelatedParty"),
    ]
}
