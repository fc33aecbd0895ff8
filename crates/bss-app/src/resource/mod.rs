//! What the resource kit asks of a TM Forum resource: three commands, and two ways to read.
//!
//! A resource without further rules is one static [`Plain`]; others implement [`ResourceUseCases`] themselves. What is
//! stored as documents is read through [`Documents`]; what has typed tables implements [`Reads`].

mod plain;
mod reads;
mod references;

use async_trait::async_trait;
use bss_store::Session;
use bss_store::resource::{Stored, Table};
use serde_json::Value;
use uuid::Uuid;

use crate::{App, AppError, RequestContext};

pub(crate) use plain::changed_attributes;
pub use plain::{Check, Place, Plain, Referrer};
pub use reads::{Computed, Documents, Filter, ListRequest, Reads, query_of};
pub use references::check_references;

/// The commands that write a resource.
#[async_trait]
pub trait ResourceUseCases: Send + Sync {
    /// Creates a resource from a document that a caller sent; with an idempotency key it gives the earlier answer
    /// again.
    async fn create(&self, app: &App, context: &RequestContext, body: Value) -> Result<Stored, AppError>;

    /// Changes a resource by a merge patch (RFC 7396). `expected` is the revision that `If-Match` names.
    async fn patch(
        &self,
        app: &App,
        context: &RequestContext,
        id: Uuid,
        patch: Value,
        expected: Option<i64>,
    ) -> Result<Stored, AppError>;

    /// Removes a resource that nothing refers to.
    async fn delete(
        &self,
        app: &App,
        context: &RequestContext,
        id: Uuid,
        expected: Option<i64>,
    ) -> Result<(), AppError>;
}

/// A stored resource, held until the end of the transaction, at the revision that the caller knows.
pub(crate) async fn hold(
    work: &Session,
    table: &'static Table,
    kind: &'static str,
    id: Uuid,
    expected: Option<i64>,
) -> Result<Stored, AppError> {
    let stored = bss_store::resource::get_for_update(work, table, id)
        .await?
        .ok_or_else(|| AppError::not_found(kind, id))?;
    match expected {
        Some(expected) if expected != stored.revision => Err(AppError::PreconditionFailed {
            kind,
            id: id.to_string(),
            current: stored.revision,
        }),
        _ => Ok(stored),
    }
}
