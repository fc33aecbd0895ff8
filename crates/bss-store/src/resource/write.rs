use std::fmt::Write as _;

use bss_domain::{Instant, Slot};
use serde_json::Value;
use uuid::Uuid;

use super::project::{Parameter, borrowed, project};
use super::{Stored, Table};
use crate::{Session, StoreError, Timestamptz};

/// Writes a new resource; its slot is its id's. A violated constraint comes back by its name.
pub async fn insert(
    session: &Session,
    table: &Table,
    id: Uuid,
    body: &Value,
    now: Instant,
) -> Result<Stored, StoreError> {
    let mut columns = "tenant_id, id, revision, body, created_at, updated_at, updated_by".to_owned();
    let mut values = "$1, $2, 1, $3, $4, $4, $5".to_owned();
    let mut parameters: Vec<Parameter> = vec![
        Box::new(Uuid::from(session.tenant())),
        Box::new(id),
        Box::new(body.clone()),
        Box::new(Timestamptz(now)),
        Box::new(session.actor().to_owned()),
    ];
    let mut push = |column: &str, parameter: Parameter| {
        parameters.push(parameter);
        let _ = write!(columns, ", {column}");
        let _ = write!(values, ", ${}", parameters.len());
    };
    if table.sharded {
        push("slot", Box::new(Slot::of(id).sql()));
    }
    for (column, parameter) in table.columns.iter().zip(project(table, body)?) {
        push(column.column, parameter);
    }
    let sql = format!("INSERT INTO {} ({columns}) VALUES ({values})", table.name);
    session.execute(&sql, &borrowed(&parameters)).await?;
    Ok(Stored {
        id,
        revision: 1,
        body: body.clone(),
        created_at: now,
        updated_at: now,
    })
}

/// Reads a resource.
pub async fn get(session: &Session, table: &Table, id: Uuid) -> Result<Option<Stored>, StoreError> {
    select(session, table, id, "").await
}

/// Reads those of these resources that exist, in no order.
pub async fn get_all(session: &Session, table: &Table, ids: &[Uuid]) -> Result<Vec<Stored>, StoreError> {
    let slots: Vec<i16> = ids.iter().map(|id| Slot::of(*id).sql()).collect();
    let place = if table.sharded {
        "(id, slot) IN (SELECT * FROM unnest($1::uuid[], $2::smallint[]))"
    } else {
        "id = ANY($1) AND $2::smallint[] IS NOT NULL"
    };
    let sql = format!("SELECT {} FROM {} WHERE {place}", Stored::COLUMNS, table.name);
    let rows = session.query(&sql, &[&ids, &slots]).await?;
    rows.iter().map(Stored::read).collect()
}

/// Reads a resource and holds it until the end of the transaction: whoever wants to change it waits.
pub async fn get_for_update(
    session: &Session,
    table: &Table,
    id: Uuid,
) -> Result<Option<Stored>, StoreError> {
    select(session, table, id, " FOR UPDATE").await
}

async fn select(
    session: &Session,
    table: &Table,
    id: Uuid,
    lock: &str,
) -> Result<Option<Stored>, StoreError> {
    let sql = format!(
        "SELECT {} FROM {} WHERE {}{lock}",
        Stored::COLUMNS,
        table.name,
        table.key()
    );
    let row = session.query_opt(&sql, &[&id, &Slot::of(id).sql()]).await?;
    row.as_ref().map(Stored::read).transpose()
}

/// Replaces a resource's document, where it still has the revision that was read; otherwise
/// [`StoreError::Changed`].
pub async fn update(
    session: &Session,
    table: &Table,
    id: Uuid,
    expected_revision: i64,
    body: &Value,
    now: Instant,
) -> Result<Stored, StoreError> {
    let mut parameters: Vec<Parameter> = vec![
        Box::new(id),
        Box::new(Slot::of(id).sql()),
        Box::new(expected_revision),
        Box::new(body.clone()),
        Box::new(Timestamptz(now)),
        Box::new(session.actor().to_owned()),
    ];
    let mut assignments = String::new();
    for (column, parameter) in table.columns.iter().zip(project(table, body)?) {
        parameters.push(parameter);
        let _ = write!(assignments, ", {} = ${}", column.column, parameters.len());
    }
    let sql = format!(
        "UPDATE {} SET revision = revision + 1, body = $4, updated_at = $5, updated_by = $6{assignments} \
         WHERE {} AND revision = $3 RETURNING {}",
        table.name,
        table.key(),
        Stored::COLUMNS
    );
    let row = session.query_opt(&sql, &borrowed(&parameters)).await?;
    row.as_ref()
        .map(Stored::read)
        .transpose()?
        .ok_or_else(|| StoreError::Changed {
            what: format!("{} {id}", table.name),
        })
}

/// Removes a resource and tells whether it was there. What a foreign key still refers to comes back as
/// [`StoreError::Reference`].
pub async fn delete(session: &Session, table: &Table, id: Uuid) -> Result<bool, StoreError> {
    let sql = format!("DELETE FROM {} WHERE {}", table.name, table.key());
    Ok(session.execute(&sql, &[&id, &Slot::of(id).sql()]).await? > 0)
}

/// Which of these ids name no row. Those that do are held against removal until the end of the transaction.
pub async fn missing(session: &Session, table: &Table, ids: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let slots: Vec<i16> = ids.iter().map(|id| Slot::of(*id).sql()).collect();
    let place = if table.sharded {
        "slot = ANY($2)"
    } else {
        "$2::smallint[] IS NOT NULL"
    };
    let sql = format!(
        "SELECT id FROM {} WHERE id = ANY($1) AND {place} FOR KEY SHARE",
        table.name
    );
    let rows = session.query(&sql, &[&ids, &slots]).await?;
    let found: Vec<Uuid> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    Ok(ids.iter().filter(|id| !found.contains(id)).copied().collect())
}
