//! The catalog's resources: TMF620, and the specifications of TMF633 and TMF634.

use bss_domain::Refusal;
use bss_domain::catalog::lifecycle::LifecycleStatus;
use bss_domain::catalog::{category, product_offering, product_offering_price, specification};
use bss_domain::shape::text;
use bss_events::Topic;
use bss_store::Session;
use bss_store::catalog::{
    CATEGORY, PRODUCT_OFFERING, PRODUCT_OFFERING_PRICE, PRODUCT_SPECIFICATION, RESOURCE_SPECIFICATION,
    SERVICE_SPECIFICATION,
};
use bss_store::resource;
use futures::future::BoxFuture;
use serde_json::Value;
use uuid::Uuid;

use crate::AppError;
use crate::resource::{Check, Place, Plain, Referrer};

/// How deep a tree of categories or bundles may be.
const DEPTH_MAX: usize = 16;

const STATUS: Option<&str> = Some("lifecycleStatus");

/// Categories.
pub static CATEGORIES: Plain = Plain {
    kind: "Category",
    table: &CATEGORY,
    shape: category::SHAPE,
    topic: Topic::Catalog,
    state: STATUS,
    place: Place::Shared,
    decide: category::decide,
    check: Some(check_category as Check),
    may_delete: |_| Ok(()),
    referrers: &[
        Referrer {
            table: &CATEGORY,
            attribute: "parentId",
        },
        Referrer {
            table: &PRODUCT_OFFERING,
            attribute: "category.id",
        },
    ],
};

/// Specifications of products.
pub static PRODUCT_SPECIFICATIONS: Plain = Plain {
    kind: "ProductSpecification",
    table: &PRODUCT_SPECIFICATION,
    shape: specification::PRODUCT,
    topic: Topic::Catalog,
    state: STATUS,
    place: Place::Shared,
    decide: specification::decide,
    check: None,
    may_delete: unpublished,
    referrers: &[Referrer {
        table: &PRODUCT_OFFERING,
        attribute: "productSpecification.id",
    }],
};

/// Specifications of services.
pub static SERVICE_SPECIFICATIONS: Plain = Plain {
    kind: "ServiceSpecification",
    table: &SERVICE_SPECIFICATION,
    shape: specification::SERVICE,
    topic: Topic::Catalog,
    state: STATUS,
    place: Place::Shared,
    decide: specification::decide,
    check: None,
    may_delete: unpublished,
    referrers: &[Referrer {
        table: &PRODUCT_SPECIFICATION,
        attribute: "serviceSpecification.id",
    }],
};

/// Specifications of resources.
pub static RESOURCE_SPECIFICATIONS: Plain = Plain {
    kind: "ResourceSpecification",
    table: &RESOURCE_SPECIFICATION,
    shape: specification::RESOURCE,
    topic: Topic::Catalog,
    state: STATUS,
    place: Place::Shared,
    decide: specification::decide,
    check: None,
    may_delete: unpublished,
    referrers: &[
        Referrer {
            table: &PRODUCT_SPECIFICATION,
            attribute: "resourceSpecification.id",
        },
        Referrer {
            table: &SERVICE_SPECIFICATION,
            attribute: "resourceSpecification.id",
        },
    ],
};

/// Offerings.
pub static PRODUCT_OFFERINGS: Plain = Plain {
    kind: "ProductOffering",
    table: &PRODUCT_OFFERING,
    shape: product_offering::SHAPE,
    topic: Topic::Catalog,
    state: STATUS,
    place: Place::Shared,
    decide: product_offering::decide,
    check: Some(check_bundle as Check),
    may_delete: unpublished,
    referrers: &[Referrer {
        table: &PRODUCT_OFFERING,
        attribute: "bundledProductOffering.id",
    }],
};

/// Versions of prices.
pub static PRODUCT_OFFERING_PRICES: Plain = Plain {
    kind: "ProductOfferingPrice",
    table: &PRODUCT_OFFERING_PRICE,
    shape: product_offering_price::SHAPE,
    topic: Topic::Catalog,
    state: STATUS,
    place: Place::Shared,
    decide: product_offering_price::decide,
    check: None,
    may_delete: unpublished,
    referrers: &[Referrer {
        table: &PRODUCT_OFFERING,
        attribute: "productOfferingPrice.id",
    }],
};

/// What was published may have been sold or priced from: it stays.
fn unpublished(document: &Value) -> Result<(), Refusal> {
    let status = LifecycleStatus::of(document)?;
    if status.is_published() {
        let message = format!("it is {status} and may have been sold: set it to Obsolete instead");
        return Err(Refusal::conflict("published", message));
    }
    Ok(())
}

/// The category above exists, and the way up ends.
fn check_category<'a>(
    session: &'a Session,
    id: Uuid,
    document: &'a Value,
) -> BoxFuture<'a, Result<(), AppError>> {
    Box::pin(async move {
        let Some(wanted) = text(document, "parentId") else {
            return Ok(());
        };
        let refuse = |code, what: &str| {
            AppError::from(Refusal::invalid(
                code,
                "parentId",
                wanted,
                format!("parentId: {what}"),
            ))
        };
        let mut above = wanted.to_owned();
        for _ in 0..DEPTH_MAX {
            let parent = match above.parse() {
                Ok(parent) => resource::get_for_update(session, &CATEGORY, parent).await?,
                Err(_) => None,
            };
            let Some(parent) = parent else {
                return Err(refuse(
                    "unknownReference",
                    &format!("there is no category {above}"),
                ));
            };
            if parent.id == id {
                return Err(refuse("circle", "the category would stand below itself"));
            }
            match text(&parent.body, "parentId") {
                None => return Ok(()),
                Some(next) => next.clone_into(&mut above),
            }
        }
        Err(refuse("tooDeep", "the tree would be too deep"))
    })
}

/// No offering bundles itself, however far down.
fn check_bundle<'a>(
    session: &'a Session,
    id: Uuid,
    document: &'a Value,
) -> BoxFuture<'a, Result<(), AppError>> {
    Box::pin(async move {
        let mut level = bundled(document);
        for _ in 0..DEPTH_MAX {
            if level.is_empty() {
                return Ok(());
            }
            let mut below = Vec::new();
            for part in level {
                if part == id {
                    let message = "an offering can't bundle itself, not even through others";
                    return Err(
                        Refusal::invalid("bundlesItself", "bundledProductOffering", id, message).into(),
                    );
                }
                if let Some(part) = resource::get(session, &PRODUCT_OFFERING, part).await? {
                    below.extend(bundled(&part.body));
                }
            }
            below.sort_unstable();
            below.dedup();
            level = below;
        }
        let message = "the bundle would be too deep";
        Err(Refusal::invalid("tooDeep", "bundledProductOffering", id, message).into())
    })
}

fn bundled(document: &Value) -> Vec<Uuid> {
    document
        .get("bundledProductOffering")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|part| text(part, "id")?.parse().ok())
        .collect()
}
