//! The tables of the catalog: TMF620, and the specifications of TMF633 and TMF634 that decomposition needs.

use crate::resource::{Column, Kind, Table};

const NAME: Column = Column::new("name", "name", Kind::Text);
const VERSION: Column = Column::new("version", "version", Kind::Text);
const LIFECYCLE_STATUS: Column = Column::new("lifecycleStatus", "lifecycle_status", Kind::Text);
const VALID_FROM: Column = Column::new("validFor.startDateTime", "valid_from", Kind::Instant);
const VALID_TO: Column = Column::new("validFor.endDateTime", "valid_to", Kind::Instant);

/// Categories.
pub const CATEGORY: Table = Table {
    name: "category",
    sharded: false,
    columns: &[
        NAME,
        LIFECYCLE_STATUS,
        Column::new("isRoot", "is_root", Kind::Boolean),
        Column::new("parentId", "parent_id", Kind::Uuid),
    ],
};

/// Specifications of products.
pub const PRODUCT_SPECIFICATION: Table = Table {
    name: "product_specification",
    sharded: false,
    columns: &[NAME, LIFECYCLE_STATUS],
};

/// Specifications of services.
pub const SERVICE_SPECIFICATION: Table = Table {
    name: "service_specification",
    sharded: false,
    columns: &[NAME, LIFECYCLE_STATUS],
};

/// Specifications of resources.
pub const RESOURCE_SPECIFICATION: Table = Table {
    name: "resource_specification",
    sharded: false,
    columns: &[NAME, LIFECYCLE_STATUS],
};

/// Offerings.
pub const PRODUCT_OFFERING: Table = Table {
    name: "product_offering",
    sharded: false,
    columns: &[
        NAME,
        VERSION,
        LIFECYCLE_STATUS,
        Column::new("isBundle", "is_bundle", Kind::Boolean),
        Column::new("isSellable", "is_sellable", Kind::Boolean),
        VALID_FROM,
        VALID_TO,
        Column::new("productSpecification.id", "specification_id", Kind::Uuid),
    ],
};

/// Versions of prices.
pub const PRODUCT_OFFERING_PRICE: Table = Table {
    name: "product_offering_price",
    sharded: false,
    columns: &[
        NAME,
        VERSION,
        LIFECYCLE_STATUS,
        Column::new("priceType", "price_type", Kind::Text),
        VALID_FROM,
        VALID_TO,
    ],
};
