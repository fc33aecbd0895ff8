use futures::try_join;
use tokio_postgres::types::{ToSql, Type};

use super::{Query, Stored, TOTAL_BOUND};
use crate::{Session, StoreError};

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The resources.
    pub rows: Vec<Stored>,
    /// How many match altogether, or at least how many.
    pub total: u64,
    /// Whether the total is exact.
    pub exact: bool,
}

/// Reads a page and counts what matches up to [`TOTAL_BOUND`].
pub async fn list(session: &Session, query: &Query) -> Result<Page, StoreError> {
    let page_sql = format!(
        "SELECT {} FROM {}{} ORDER BY {} LIMIT {} OFFSET {}",
        Stored::COLUMNS,
        query.table.name,
        where_clause(query),
        order(query),
        query.limit,
        query.offset
    );
    let count_sql = format!(
        "SELECT count(*) FROM (SELECT FROM {}{} LIMIT {}) AS matching",
        query.table.name,
        where_clause(query),
        TOTAL_BOUND + 1
    );
    // Unnamed statements: the texts are as many as combinations of filters, and a plan for the values at hand is
    // the better one. Both go out in one trip.
    let parameters = parameters(query);
    let client = session.client();
    let (rows, counted) = try_join!(
        session.send(client.query_typed(&page_sql, &parameters)),
        session.send(client.query_typed(&count_sql, &parameters))
    )?;
    let rows = rows.iter().map(Stored::read).collect::<Result<Vec<_>, _>>()?;
    let counted = counted
        .first()
        .map(|row| row.try_get::<_, i64>(0))
        .transpose()?
        .unwrap_or_default();
    let counted = u64::try_from(counted).unwrap_or_default();
    let seen = query.offset as u64 + rows.len() as u64;
    Ok(Page {
        total: counted
            .min(TOTAL_BOUND)
            .max(if rows.is_empty() { 0 } else { seen }),
        exact: counted <= TOTAL_BOUND,
        rows,
    })
}

/// Whether anything matches.
pub async fn exists(session: &Session, query: &Query) -> Result<bool, StoreError> {
    let sql = format!("SELECT FROM {}{} LIMIT 1", query.table.name, where_clause(query));
    let parameters = parameters(query);
    let rows = session
        .send(session.client().query_typed(&sql, &parameters))
        .await?;
    Ok(!rows.is_empty())
}

fn where_clause(query: &Query) -> String {
    if query.conditions.is_empty() {
        return String::new();
    }
    format!(" WHERE {}", query.conditions.join(" AND "))
}

fn order(query: &Query) -> String {
    let mut terms: Vec<String> = query
        .order
        .iter()
        .map(|(column, descending)| {
            if *descending {
                format!("{column} DESC NULLS LAST")
            } else {
                (*column).to_owned()
            }
        })
        .collect();
    let direction = match query.order.last() {
        Some((_, true)) => " DESC",
        _ => "",
    };
    terms.push(format!("id{direction}"));
    terms.join(", ")
}

fn parameters(query: &Query) -> Vec<(&(dyn ToSql + Sync), Type)> {
    query
        .parameters
        .iter()
        .map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone()))
        .collect()
}
