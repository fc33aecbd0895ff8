//! What lists without a table of the resource kit may be asked: named filters by equality, and their one order.

use axum::extract::Query;
use bss_domain::Refusal;
use bss_store::resource::Comparison;

use crate::kit::ListQuery;

/// The pairs of a query.
pub(super) type Pairs = Query<Vec<(String, String)>>;

/// Refuses filters other than these, and orders other than by these, the latest first.
pub(super) fn only(query: &ListQuery, filters: &[&str], descending: &[&str]) -> Result<(), Refusal> {
    for filter in &query.request.filters {
        let name = filter.attribute.as_str();
        if !filters.contains(&name) || filter.comparison != Comparison::Equal || filter.values.len() != 1 {
            let message = format!(
                "{name}: this list is filtered by one value each of: {}",
                filters.join(", ")
            );
            return Err(Refusal::invalid(
                "wrongQuery",
                name,
                filter.values.join(","),
                message,
            ));
        }
    }
    match query
        .request
        .sort
        .iter()
        .find(|(name, down)| !down || !descending.contains(&name.as_str()))
    {
        Some((name, _)) => {
            let orders: Vec<String> = descending.iter().map(|name| format!("-{name}")).collect();
            let message = format!("sort: this list comes in the order {}", orders.join(", "));
            Err(Refusal::invalid("wrongQuery", "sort", name, message))
        }
        None => Ok(()),
    }
}

/// The value of a filter.
pub(super) fn value<'q>(query: &'q ListQuery, name: &str) -> Option<&'q str> {
    let found = query
        .request
        .filters
        .iter()
        .find(|filter| filter.attribute == name);
    found.and_then(|filter| filter.values.first()).map(String::as_str)
}

/// An id of an attribute or a filter.
pub(super) fn named<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, Refusal> {
    value
        .parse()
        .map_err(|_| Refusal::invalid("wrongId", name, value, format!("{name}: an id is a UUID")))
}
