use bss_domain::Instant;
use serde_json::Value;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::{Column, Kind, Path, Table};
use crate::{StoreError, Timestamptz};

/// A parameter of a statement.
pub(super) type Parameter = Box<dyn ToSql + Sync + Send>;

/// The values of a table's columns, as the document has them.
pub(super) fn project(table: &Table, body: &Value) -> Result<Vec<Parameter>, StoreError> {
    table
        .columns
        .iter()
        .map(|column| {
            let path = Path::parse(column.attribute).map_err(|error| unfit(table, column, error))?;
            value_of(column, path.find(body)).map_err(|detail| unfit(table, column, detail))
        })
        .collect()
}

fn unfit(table: &Table, column: &Column, detail: impl ToString) -> StoreError {
    StoreError::Corrupt {
        what: format!("{}.{}", table.name, column.attribute),
        detail: detail.to_string(),
    }
}

fn value_of(column: &Column, found: Option<&Value>) -> Result<Parameter, String> {
    let wrong = |kind: &str| format!("it is no {kind}");
    Ok(match column.kind {
        Kind::Text => match found {
            Some(Value::String(text)) => Box::new(Some(text.clone())),
            Some(other) => Box::new(Some(other.to_string())),
            None => Box::new(None::<String>),
        },
        // An external reference may have any id.
        Kind::Uuid => Box::new(
            found
                .and_then(Value::as_str)
                .and_then(|text| text.parse::<Uuid>().ok()),
        ),
        Kind::Instant => {
            let parse = |value: &Value| value.as_str().and_then(|text| text.parse::<Instant>().ok());
            let instant = found
                .map(|value| parse(value).ok_or_else(|| wrong("instant")))
                .transpose()?;
            Box::new(instant.map(Timestamptz))
        }
        Kind::Integer => Box::new(
            found
                .map(|value| value.as_i64().ok_or_else(|| wrong("integer")))
                .transpose()?,
        ),
        Kind::Boolean => Box::new(
            found
                .map(|value| value.as_bool().ok_or_else(|| wrong("boolean")))
                .transpose()?,
        ),
    })
}

/// Parameters as the driver takes them.
pub(super) fn borrowed(parameters: &[Parameter]) -> Vec<&(dyn ToSql + Sync)> {
    parameters
        .iter()
        .map(|parameter| &**parameter as &(dyn ToSql + Sync))
        .collect()
}
