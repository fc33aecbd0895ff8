use bss_domain::catalog::PriceVersion;
use bss_domain::catalog::lifecycle::LifecycleStatus;
use bss_domain::document::Node;
use bss_domain::fulfilment::{OfferingFacts, ServiceFacts};
use bss_domain::ids::{ProductOfferingId, ProductOfferingPriceId};
use bss_domain::{Currency, Instant, Refusal};
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
    place.offering(offering.to_owned(), 0).await
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
            let body = resource::get(self.session, &PRODUCT_OFFERING, id)
                .await?
                .ok_or_else(missing)?
                .body;
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
            let only_bundled = depth == 0 && body["isSellable"].as_bool() == Some(false);
            Ok(OfferingFacts {
                id: ProductOfferingId::from(id),
                name: root.optional_text("name")?.unwrap_or_else(|| offering.clone()),
                unsellable: only_bundled
                    .then(|| "is only sold within a bundle".to_owned())
                    .or_else(|| unsellable(&body, self.now)),
                prices: self.prices(&root, &offering).await?,
                services: self.services(&root, &offering).await?,
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
        let references = root.list("productOfferingPrice")?;
        for body in self.all(&PRODUCT_OFFERING_PRICE, &references, offering).await? {
            if unsellable(&body, self.now).is_none() {
                let version = PriceVersion::from_tmf(&body)?;
                prices.push((version.id, version.currency));
            }
        }
        Ok(prices)
    }

    /// The services of an offering's specification, each with the pools of its resources.
    async fn services(self, root: &Node<'_>, offering: &str) -> Result<Vec<ServiceFacts>, AppError> {
        let references = Vec::from_iter(root.get("productSpecification"));
        let mut services = Vec::new();
        for body in self.all(&PRODUCT_SPECIFICATION, &references, offering).await? {
            let references = Node::root(&body)?.list("serviceSpecification")?;
            for service in self.all(&SERVICE_SPECIFICATION, &references, offering).await? {
                services.push(self.service(&service, offering).await?);
            }
        }
        Ok(services)
    }

    async fn service(self, body: &Value, offering: &str) -> Result<ServiceFacts, AppError> {
        let service = Node::root(body)?;
        let references = service.list("resourceSpecification")?;
        let mut resources = Vec::new();
        for resource in self.all(&RESOURCE_SPECIFICATION, &references, offering).await? {
            resources.push(Node::root(&resource)?.require("category")?.parse()?);
        }
        Ok(ServiceFacts {
            specification: service.require("id")?.parse()?,
            name: service.require("name")?.text()?.to_owned(),
            resources,
        })
    }

    /// What these references lead to, in their order, read in one trip.
    async fn all(
        self,
        table: &Table,
        references: &[Node<'_>],
        offering: &str,
    ) -> Result<Vec<Value>, AppError> {
        if references.is_empty() {
            return Ok(Vec::new());
        }
        let gone = |given: &str| {
            let what = format!("rests on {} {given}, which doesn't exist", table.name);
            unknown(self.field, offering, &what)
        };
        let mut ids: Vec<Uuid> = Vec::new();
        for reference in references {
            let given = reference.require("id")?.text()?;
            ids.push(given.parse().map_err(|_| gone(given))?);
        }
        let found = resource::get_all(self.session, table, &ids).await?;
        let body_of = |id: &Uuid| {
            let stored = found.iter().find(|stored| stored.id == *id);
            stored
                .map(|stored| stored.body.clone())
                .ok_or_else(|| gone(&id.to_string()))
        };
        ids.iter().map(body_of).collect()
    }
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
