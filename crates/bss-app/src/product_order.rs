//! ProductOrder (TMF622): accepted when its form is right and its references of ours exist.

use async_trait::async_trait;
use bss_domain::Refusal;
use bss_domain::TypedId;
use bss_domain::document::Reference;
use bss_domain::ids::{BillingAccountId, CustomerId, ProductOrderId, is_ours};
use bss_domain::product_order::{NewProductOrder, ProductOrder, SHAPE};
use bss_domain::shape::check_patched;
use bss_events::Topic;
use bss_store::billing_account::BILLING_ACCOUNT;
use bss_store::customer::CUSTOMER;
use bss_store::product::PRODUCT;
use bss_store::product_order::PRODUCT_ORDER;
use bss_store::resource::{self, Stored};
use bss_store::{Session, UnitOfWork};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::resource::{ResourceUseCases, changed_attributes, check_references, hold};
use crate::{App, AppError, RequestContext, idempotency};

/// Product orders as the resource kit calls them.
pub struct ProductOrders;

/// What may be changed in an order that was placed: words about it, not what it asks for.
const CHANGEABLE: &[&str] = &["description", "priority", "note", "externalId"];

#[async_trait]
impl ResourceUseCases for ProductOrders {
    async fn create(&self, app: &App, context: &RequestContext, body: Value) -> Result<Stored, AppError> {
        let mut work = app.store.begin(context.scope()).await?;
        if let Some(answer) = idempotency::replay(&work, context).await? {
            work.rollback().await?;
            return Ok(answer);
        }
        let stored = accept(app, context, &mut work, &body).await?;
        idempotency::keep(&work, context, 201, &stored).await?;
        work.commit().await?;
        Ok(stored)
    }

    async fn patch(
        &self,
        app: &App,
        context: &RequestContext,
        id: Uuid,
        patch: Value,
        expected: Option<i64>,
    ) -> Result<Stored, AppError> {
        let mut work = app.store.begin(context.scope()).await?;
        let before = hold(&work, &PRODUCT_ORDER, "ProductOrder", id, expected).await?;
        let mut body = before.body.clone();
        json_patch::merge(&mut body, &patch);
        check_patched(SHAPE, &before.body, &body)?;
        let changed = changed_attributes(&before.body, &body);
        if let Some(name) = changed.iter().find(|name| !CHANGEABLE.contains(name)) {
            let message =
                format!("{name} of an order that was placed can't be changed: cancel it, or order a change");
            return Err(Refusal::invalid("readOnly", *name, &patch[*name], message).into());
        }
        if changed.is_empty() {
            work.rollback().await?;
            return Ok(before);
        }
        let now = app.clock.now();
        let stored = resource::update(&work, &PRODUCT_ORDER, id, before.revision, &body, now).await?;
        let order = read(&stored)?;
        let key = order
            .customer()
            .and_then(|party| party.id.parse().ok())
            .unwrap_or(id);
        let what = (Topic::Order, "ProductOrderAttributeValueChangeEvent");
        work.emit(app.event(context, now, what, (key, id), json!({ "attribute": changed })));
        work.commit().await?;
        Ok(stored)
    }

    async fn delete(
        &self,
        app: &App,
        context: &RequestContext,
        id: Uuid,
        expected: Option<i64>,
    ) -> Result<(), AppError> {
        let work = app.store.begin(context.scope()).await?;
        hold(&work, &PRODUCT_ORDER, "ProductOrder", id, expected).await?;
        work.rollback().await?;
        Err(Refusal::conflict(
            "referred",
            "an order that was placed stays: what it brought about refers to it",
        )
        .into())
    }
}

/// Accepts an order: it stands as `acknowledged`, and order processing learns of it by its event.
pub async fn accept(
    app: &App,
    context: &RequestContext,
    work: &mut UnitOfWork,
    body: &Value,
) -> Result<Stored, AppError> {
    let new = NewProductOrder::read(body)?;
    let now = app.clock.now();
    let customer = check(context, work, &new).await?;
    check_references(work, SHAPE, body).await?;
    let id: ProductOrderId = app.ids.new_id(now, customer.slot());
    let order = new.accept(id, now);
    let stored = resource::insert(work, &PRODUCT_ORDER, id.uuid(), &document(&order)?, now).await?;
    work.emit(app.event(
        context,
        now,
        (Topic::Order, "ProductOrderCreateEvent"),
        (customer.uuid(), id.uuid()),
        json!({ "state": order.state }),
    ));
    Ok(stored)
}

/// Whose the order is; its customer, accounts and products exist and belong together.
pub(crate) async fn check(
    context: &RequestContext,
    session: &Session,
    new: &NewProductOrder,
) -> Result<CustomerId, AppError> {
    let customer = customer_of(context, session, new).await?;
    check_accounts(session, new, customer).await?;
    check_products(session, new, customer).await?;
    Ok(customer)
}

/// The order as it is stored.
pub(crate) fn document(order: &ProductOrder) -> Result<Value, AppError> {
    serde_json::to_value(order).map_err(AppError::internal)
}

/// Reads a stored order.
pub(crate) fn read(stored: &Stored) -> Result<ProductOrder, AppError> {
    serde_json::from_value(stored.body.clone()).map_err(AppError::internal)
}

async fn customer_of(
    context: &RequestContext,
    session: &Session,
    new: &NewProductOrder,
) -> Result<CustomerId, AppError> {
    const FIELD: &str = "relatedParty[role=customer].id";
    let given = &new.customer()?.id;
    let unknown = || {
        Refusal::invalid(
            "unknownReference",
            FIELD,
            given,
            format!("there is no customer {given:?}"),
        )
    };
    let id: Uuid = given.parse().map_err(|_| unknown())?;
    if context.caller.is_confined() && context.caller.customer != Some(CustomerId::from(id)) {
        return Err(unknown().into());
    }
    if resource::missing(session, &CUSTOMER, &[id]).await?.is_empty() {
        Ok(id.into())
    } else {
        Err(unknown().into())
    }
}

/// Every item has an account that pays, and it is the customer's.
async fn check_accounts(
    session: &Session,
    new: &NewProductOrder,
    customer: CustomerId,
) -> Result<(), AppError> {
    let mut known: Vec<BillingAccountId> = Vec::new();
    for (index, item) in new.product_order_item.iter().enumerate() {
        let (field, account) = match (&item.billing_account, &new.billing_account) {
            (Some(own), _) => (format!("productOrderItem[{index}].billingAccount.id"), own),
            (None, Some(common)) => ("billingAccount.id".to_owned(), common),
            (None, None) => {
                return Err(Refusal::missing(format!("productOrderItem[{index}].billingAccount")).into());
            }
        };
        let unknown = || {
            let message = format!(
                "{field}: there is no billing account {:?} of customer {customer}",
                account.id
            );
            Refusal::invalid("unknownReference", field.clone(), &account.id, message)
        };
        let id: Uuid = account.id.parse().map_err(|_| unknown())?;
        if known.contains(&id.into()) {
            continue;
        }
        let stored = resource::get(session, &BILLING_ACCOUNT, id)
            .await?
            .ok_or_else(unknown)?;
        let owner = stored.body["relatedParty"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|party| party["id"].as_str() == Some(customer.to_string().as_str()));
        if !owner {
            return Err(unknown().into());
        }
        known.push(id.into());
    }
    Ok(())
}

/// A product that an item names is the customer's. What the catalog says of the offering is judged later, when the order
/// is taken up.
async fn check_products(
    session: &Session,
    new: &NewProductOrder,
    customer: CustomerId,
) -> Result<(), AppError> {
    for (index, item) in new.product_order_item.iter().enumerate() {
        let Some(given) = item.product_id() else {
            continue;
        };
        let Some(id) = given.parse().ok().filter(|id| is_ours(*id)) else {
            continue;
        };
        let stored = resource::get(session, &PRODUCT, id).await?;
        let owner = stored.and_then(|stored| {
            let parties: Vec<Reference> =
                serde_json::from_value(stored.body["relatedParty"].clone()).unwrap_or_default();
            Some(parties.first()?.id.clone())
        });
        if owner != Some(customer.to_string()) {
            let field = format!("productOrderItem[{index}].product.id");
            let message = format!("{field}: customer {customer} has no product {given:?}");
            return Err(Refusal::invalid("unknownReference", field, given, message).into());
        }
    }
    Ok(())
}
