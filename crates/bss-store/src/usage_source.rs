//! Sources of usage.

use bss_domain::Instant;
use bss_domain::usage::UsageSource;
use tokio_postgres::Row;

use crate::{Session, StoreError, Timestamptz};

const COLUMNS: &str = "name, format, zone, numbers";

/// Writes a source, anew or over the one of its name.
pub async fn put(session: &Session, source: &UsageSource, now: Instant) -> Result<(), StoreError> {
    let numbers = serde_json::to_value(&source.numbers).map_err(|error| corrupt(&source.name, &error))?;
    session
        .execute(
            "INSERT INTO usage_source (tenant_id, name, format, zone, numbers, updated_at, updated_by) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (tenant_id, name) DO UPDATE SET format = excluded.format, zone = excluded.zone, \
             numbers = excluded.numbers, updated_at = excluded.updated_at, updated_by = excluded.updated_by",
            &[
                &uuid::Uuid::from(session.tenant()),
                &source.name,
                &source.format.name(),
                &source.zone.name(),
                &numbers,
                &Timestamptz(now),
                &session.actor(),
            ],
        )
        .await?;
    Ok(())
}

/// The source of this name.
pub async fn get(session: &Session, name: &str) -> Result<Option<UsageSource>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM usage_source WHERE name = $1");
    let row = session.query_opt(&sql, &[&name]).await?;
    row.as_ref().map(read).transpose()
}

/// All sources, by name.
pub async fn list(session: &Session) -> Result<Vec<UsageSource>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM usage_source ORDER BY name");
    session.query(&sql, &[]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<UsageSource, StoreError> {
    let (name, format, zone): (String, String, String) = (row.get(0), row.get(1), row.get(2));
    Ok(UsageSource {
        format: format.parse().map_err(|_| corrupt(&name, &format))?,
        zone: zone.try_into().map_err(|error| corrupt(&name, &error))?,
        numbers: serde_json::from_value(row.get(3)).map_err(|error| corrupt(&name, &error))?,
        name,
    })
}

fn corrupt(name: &str, detail: &impl ToString) -> StoreError {
    StoreError::Corrupt {
        what: format!("usage source {name}"),
        detail: detail.to_string(),
    }
}
