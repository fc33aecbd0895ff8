//! The one way that a TM Forum resource is stored: the whole document as `jsonb`, and beside it typed columns for
//! what is filtered, sorted and joined by. The columns are projected from the document by the function that writes
//! it, so they can't say something else.
//!
//! A table of this kind has the columns `tenant_id`, `slot` (where it is sharded), `id`, `revision`, `body`,
//! `created_at`, `updated_at`, `updated_by` and those of its [`Table`]'s declaration; its primary key is
//! `(tenant_id, slot, id)` or `(tenant_id, id)`.

mod list;
mod lookup;
mod path;
mod project;
mod query;
mod write;

use bss_domain::{Instant, Slot};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{StoreError, Timestamptz};

pub use list::{Page, exists, list};
pub(crate) use lookup::Lookups;
pub use lookup::lookup;
pub use path::{Path, PathError};
pub use query::{Comparison, Query, QueryError, TOTAL_BOUND};
pub use write::{delete, get, get_all, get_for_update, insert, missing, update};

/// The declaration of one resource's table.
#[derive(Debug)]
pub struct Table {
    /// Its name in the database: `product_offering`.
    pub name: &'static str,
    /// Whether its rows belong to slots; tables that every shard needs whole (the catalog) don't.
    pub sharded: bool,
    /// What is projected from the document.
    pub columns: &'static [Column],
}

/// A typed column and the attribute that it is projected from.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The attribute's path: `state`, `billingAccount.id`, `relatedParty[role=customer].id`. Of an array without a
    /// condition it means the first element.
    pub attribute: &'static str,
    /// The column's name.
    pub column: &'static str,
    /// The column's type.
    pub kind: Kind,
}

/// The type of a projected column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `text`
    Text,
    /// `uuid`; an external reference, whose id is none, leaves it empty.
    Uuid,
    /// `timestamptz`
    Instant,
    /// `bigint`
    Integer,
    /// `boolean`
    Boolean,
}

impl Column {
    /// A column.
    pub const fn new(attribute: &'static str, column: &'static str, kind: Kind) -> Self {
        Self {
            attribute,
            column,
            kind,
        }
    }
}

impl Table {
    /// The column that an attribute is projected into, where there is one.
    pub fn column_of(&self, attribute: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.attribute == attribute)
    }

    /// The condition that leads to one row; `$1` is the id and `$2` the slot, which a table without slots only
    /// has to name so that the statement's parameters stay the same.
    fn key(&self) -> &'static str {
        if self.sharded {
            "id = $1 AND slot = $2"
        } else {
            "id = $1 AND $2::smallint IS NOT NULL"
        }
    }
}

/// A stored resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    /// Its id.
    pub id: Uuid,
    /// Grows by one with every change, from 1: the `ETag`.
    pub revision: i64,
    /// The whole document, without `href`.
    pub body: Value,
    /// When it was created, in business time.
    pub created_at: Instant,
    /// When it was last changed, in business time.
    pub updated_at: Instant,
}

impl Stored {
    const COLUMNS: &'static str = "id, revision, body, created_at, updated_at";

    pub(crate) fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.try_get(0)?,
            revision: row.try_get(1)?,
            body: row.try_get(2)?,
            created_at: row.try_get::<_, Timestamptz>(3)?.0,
            updated_at: row.try_get::<_, Timestamptz>(4)?.0,
        })
    }

    /// Its slot.
    pub fn slot(&self) -> Slot {
        Slot::of(self.id)
    }
}
