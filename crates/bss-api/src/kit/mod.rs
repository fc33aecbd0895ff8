//! The resource kit: everything that TM Forum's APIs have in common is written here once (TMF630): lists with
//! filters, `fields`, paging and sorting, one resource with its `ETag`, create, merge patch and delete as commands,
//! absolute `href`s, error bodies, the confinement of a customer to its own data.
//!
//! # To add a resource
//! 1. A table: a `bss_store::resource::Table` and its migration; or, where the tables are typed, an implementation
//!    of [`bss_app::resource::Reads`] that makes documents of rows.
//! 2. Its attributes: a [`bss_domain::shape::Shape`] with what is typed, required and read-only.
//! 3. Its commands: a static `bss_app::resource::Plain`, or an implementation of
//!    [`bss_app::resource::ResourceUseCases`]; none where it is only read.
//! 4. Its declaration: a `static` [`Resource`] in `resources/`, named in `resources::ALL`. Only the operations that
//!    it names get a route; each of them needs its line in `authorization.txt`.
//! 5. `BSS_UPDATE=1 cargo test -p bss-api --test openapi` writes the description anew.

mod call;
mod error;
mod hub;
mod links;
mod present;
mod query;
mod routes;
mod view;

use bss_app::resource::{Reads, ResourceUseCases};
use bss_domain::shape::Shape;

pub use call::Call;
pub(crate) use call::json_body;
pub use error::ApiError;
pub use hub::{hub_path, hubs};
pub(crate) use links::page;
pub(crate) use present::presented;
pub use query::{LIMIT_MAX, ListQuery};
pub use routes::routes;
pub use view::{View, ViewFuture, Views};

/// One of TM Forum's APIs.
#[derive(Debug)]
pub struct Api {
    /// Its number and name: `TMF620 Product Catalog`.
    pub title: &'static str,
    /// Where its resources are, without a slash at the end.
    pub base_path: &'static str,
}

/// The declaration of one resource.
pub struct Resource {
    /// The API that it belongs to.
    pub api: &'static Api,
    /// Its segment in the path: `productOffering`.
    pub path: &'static str,
    /// Its type: `ProductOffering`.
    pub kind: &'static str,
    /// Its typed attributes.
    pub shape: &'static Shape,
    /// How it is read.
    pub reads: &'static dyn Reads,
    /// Its commands; none: it is only read.
    pub commands: Option<&'static dyn ResourceUseCases>,
    /// Which of them callers may use.
    pub operations: Operations,
    /// Whose it is.
    pub owner: Owner,
    /// The attribute that tells when it was last changed, where the specification has one.
    pub last_update: Option<&'static str>,
    /// Whether creating one moves money or orders something, so that `require_idempotency_key` concerns it.
    pub precious: bool,
}

/// The commands that have a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operations {
    /// POST.
    pub create: bool,
    /// PATCH.
    pub patch: bool,
    /// DELETE.
    pub delete: bool,
}

impl Operations {
    /// All of them.
    pub const ALL: Self = Self {
        create: true,
        patch: true,
        delete: true,
    };
    /// None: it is only read.
    pub const NONE: Self = Self {
        create: false,
        patch: false,
        delete: false,
    };
}

/// Whose a resource is: what a caller who is confined to one customer sees of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Everybody's within the tenant.
    Everyone,
    /// The operator's own.
    Nobody,
    /// It is the customer.
    Itself,
    /// That of the customer whose id stands at this path.
    Customer(&'static str),
    /// That of the customer whose billing account's id stands at this path.
    Account(&'static str),
    /// That of the customer whose id stands at this path, where the use case writes it: it alone judges whether a caller
    /// who is confined may create one.
    Found(&'static str),
}

/// The path by which most resources name their customer.
pub const RELATED_CUSTOMER: Owner = Owner::Customer("relatedParty[role=customer].id");

impl Resource {
    /// The path of the collection.
    pub fn collection(&self) -> String {
        format!("{}/{}", self.api.base_path, self.path)
    }
}
