//! The tables of parties (TMF632). A party's slot is a hash of its own id: it may become several customers.

use serde_json::Value;

use crate::resource::{Column, Kind, Table};
use crate::{Session, StoreError};

const STATUS: Column = Column::new("status", "status", Kind::Text);

/// Persons.
pub const INDIVIDUAL: Table = Table {
    name: "individual",
    sharded: true,
    columns: &[
        Column::new("givenName", "given_name", Kind::Text),
        Column::new("familyName", "family_name", Kind::Text),
        STATUS,
    ],
};

/// Companies.
pub const ORGANIZATION: Table = Table {
    name: "organization",
    sharded: true,
    columns: &[
        Column::new("name", "name", Kind::Text),
        Column::new("tradingName", "trading_name", Kind::Text),
        STATUS,
    ],
};

/// The company that bills and sells in this tenant: the first one whose `organizationType` is `operator`.
pub async fn operator(session: &Session) -> Result<Option<Value>, StoreError> {
    let row = session
        .query_opt(
            "SELECT body FROM organization WHERE body ->> 'organizationType' = 'operator' ORDER BY created_at, id LIMIT 1",
            &[],
        )
        .await?;
    Ok(row.map(|row| row.get(0)))
}
