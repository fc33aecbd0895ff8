use bss_domain::catalog::PriceVersion;
use bss_domain::catalog::lifecycle::LifecycleStatus;
use bss_domain::document::Node;
use bss_domain::fulfilment::{OfferingFacts, ServiceFacts};
use bss_domain::ids::{ProductOfferingId, ProductOfferingPriceId};
use bss_domain::{Currency, Instant, Refusal, TypedId};
use bss_store::Session;
use bss_store::catalog::{
    PRODUCT_OFFERING, PRODUCT_OFFERING_PRICE, PRODUCT_SPECIFICATION, RESOURCE_SPECIFICATION,
    SERVICE_SPECIFICATION,
};
use bss_store::resource::{self, Table};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;
use uuid::Uuid;

use crate::AppError;

/// Bundles within bundles that are followed.
const DEPTH_MAX: usize = 4;

/// What the catalog says of an offering now; a refusal names what is missing, `field` being the item's path.
pub async fn facts(
    session: &Session,
    offering: &str,
    now: Instant,
    field: &str,
) -> Result<OfferingFacts, AppError> {
    let place = Place { session, now, field };
    let mut facts = place.offering(offering.to_owned(), 0).await?;
    let alone = document(session, &PRODUCT_OFFERING, facts.id.uuid()).await?;
    if alone.is_some_and(|body| body["isSellable"].as_bool() == Some(false)) {
        facts.unsellable = Some("is only sold within a bundle".to_owned());
    }
    Ok(facts)
}

/// Where the catalog is read, when, and for which item.
#[derive(Clone, Copy)]
struct Place<'a> {
    session: &'a Session,
    now: Instant,
    field: &'a str,
}

impl<'a> Place<'a> {
    /// An offering with those that it bundles.
    fn offering(self, offering: String, depth: usize) -> BoxFuture<'a, Result<OfferingFacts, AppError>> {
        async move {
            let missing = || unknown(self.field, &offering, "is in no catalog of ours");
            let id: Uuid = offering.parse().map_err(|_| missing())?;
            let body = document(self.session, &PRODUCT_OFFERING, id)
                .await?
                .ok_or_else(missing)?;
            let root = Node::root(&body)?;
            let mut bundled = Vec::new();
            for part in root.list("bundledProductOffering")? {
                if depth == DEPTH_MAX {
                    return Err(unknown(
                        self.field,
                        &offering,
                        "lies too deep in bundles of bundles",
                    ));
                }
                bundled.push(
                    self.offering(part.require("id")?.text()?.to_owned(), depth + 1)
                        .await?,
                );
            }
            Ok(OfferingFacts {
                id: ProductOfferingId::from(id),
                name: root.optional_text("name")?.unwrap_or_else(|| offering.clone()),
                unsellable: unsellable(&body, self.now),
                prices: self.prices(&root, &offering).await?,
                services: services(self.session, &root, self.field, &offering).await?,
                bundled,
            })
        }
        .boxed()
    }

    /// The offering's price versions that are sold now.
    async fn prices(
        self,
        root: &Node<'_>,
        offering: &str,
    ) -> Result<Vec<(ProductOfferingPriceId, Option<Currency>)>, AppError> {
        let mut prices = Vec::new();
        for price in root.list("productOfferingPrice")? {
            let given = price.require("id")?.text()?;
            let gone = || {
                unknown(
                    self.field,
                    offering,
                    &format!("has the price {given}, which doesn't exist"),
                )
            };
            let id: Uuid = given.parse().map_err(|_| gone())?;
            let body = document(self.session, &PRODUCT_OFFERING_PRICE, id)
                .await?
                .ok_or_else(gone)?;
            if unsellable(&body, self.now).is_none() {
                let version = PriceVersion::from_tmf(&body)?;
                prices.push((version.id, version.currency));
            }
        }
        Ok(prices)
    }
}

/// The services of an offering's specification, each with the pools of its resources.
async fn services(
    session: &Session,
    offering: &Node<'_>,
    field: &str,
    name: &str,
) -> Result<Vec<ServiceFacts>, AppError> {
    let Some(specification) = offering.get("productSpecification") else {
        return Ok(Vec::new());
    };
    let body = referenced(session, &PRODUCT_SPECIFICATION, &specification, field, name).await?;
    let mut services = Vec::new();
    for reference in Node::root(&body)?.list("serviceSpecification")? {
        let service = referenced(session, &SERVICE_SPECIFICATION, &reference, field, name).await?;
        let service = Node::root(&service)?;
        let mut resources = Vec::new();
        for reference in service.list("resourceSpecification")? {
            let resource = referenced(session, &RESOURCE_SPECIFICATION, &reference, field, name).await?;
            resources.push(Node::root(&resource)?.require("category")?.parse()?);
        }
        services.push(ServiceFacts {
            specification: service.require("id")?.parse()?,
            name: service.require("name")?.text()?.to_owned(),
            resources,
        });
    }
    Ok(services)
}

async fn referenced(
    session: &Session,
    table: &Table,
    reference: &Node<'_>,
    field: &str,
    offering: &str,
) -> Result<Value, AppError> {
    let given = reference.require("id")?.text()?;
    let gone = || {
        unknown(
            field,
            offering,
            &format!("rests on {} {given}, which doesn't exist", table.name),
        )
    };
    let id: Uuid = given.parse().map_err(|_| gone())?;
    document(session, table, id).await?.ok_or_else(gone)
}

async fn document(session: &Session, table: &Table, id: Uuid) -> Result<Option<Value>, AppError> {
    Ok(resource::get(session, table, id).await?.map(|stored| stored.body))
}

/// Why a catalog document can't be sold now: its lifecycle (TMF620 §LifecycleStatus) or its validity.
fn unsellable(body: &Value, now: Instant) -> Option<String> {
    match LifecycleStatus::of(body) {
        Ok(LifecycleStatus::Launched) => {}
        Ok(other) => return Some(format!("is {other}, not Launched")),
        Err(refusal) => return Some(refusal.message),
    }
    let bound = |name: &str| {
        body["validFor"][name]
            .as_str()
            .and_then(|text| text.parse::<Instant>().ok())
    };
    if bound("startDateTime").is_some_and(|from| now < from) {
        return Some("is not valid yet".to_owned());
    }
    if bound("endDateTime").is_some_and(|to| now >= to) {
        return Some("is not valid any more".to_owned());
    }
    None
}

fn unknown(field: &str, offering: &str, what: &str) -> AppError {
    Refusal::invalid(
        "unknownOffering",
        format!("{field}.productOffering.id"),
        offering,
        format!("{field}.productOffering: {offering} {what}"),
    )
    .into()
}
