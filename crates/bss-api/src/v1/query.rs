//! What calls without a table of the resource kit may be asked: named filters by equality, few orders, ids and instants.

use axum::extract::Query;
use bss_app::AppError;
use bss_domain::{Currency, Instant, Money, Refusal};
use bss_store::resource::Comparison;

use crate::kit::{ApiError, ListQuery};

/// The pairs of a query.
pub(super) type Pairs = Query<Vec<(String, String)>>;

/// Refuses filters other than these, and orders other than by these attributes.
pub(super) fn only(query: &ListQuery, filters: &[&str], orders: &[&str]) -> Result<(), Refusal> {
    for filter in &query.request.filters {
        let name = filter.attribute.as_str();
        if !filters.contains(&name) || filter.comparison != Comparison::Equal || filter.values.len() != 1 {
            let known = match filters {
                [] => "this list has no filters".to_owned(),
                some => format!("this list is filtered by one value each of: {}", some.join(", ")),
            };
            let message = format!("{name}: {known}");
            return Err(Refusal::invalid(
                "wrongQuery",
                name,
                filter.values.join(","),
                message,
            ));
        }
    }
    let unknown = query
        .request
        .sort
        .iter()
        .find(|(name, _)| !orders.contains(&name.as_str()));
    unknown.map_or(Ok(()), |(name, _)| {
        let message = match orders {
            [] => "sort: this list has one order".to_owned(),
            some => format!("sort: this list is sorted by {}", some.join(", ")),
        };
        Err(Refusal::invalid("wrongQuery", "sort", name, message))
    })
}

/// The query of a list that comes the latest first, which is the only order that may be asked for: descending by `at`.
pub(super) fn latest(
    pairs: Vec<(String, String)>,
    filters: &[&str],
    at: &str,
) -> Result<ListQuery, ApiError> {
    let query = ListQuery::read(pairs)?;
    only(&query, filters, &[at])?;
    match query.request.sort.iter().find(|(_, descending)| !descending) {
        Some((name, _)) => {
            let message = format!("sort: this list comes the latest first: -{name}");
            Err(Refusal::invalid("wrongQuery", "sort", name, message).into())
        }
        None => Ok(query),
    }
}

/// The attribute that a list is sorted by first, and whether it descends.
pub(super) fn sorted(query: &ListQuery) -> Option<(&str, bool)> {
    let first = query.request.sort.first();
    first.map(|(name, descending)| (name.as_str(), *descending))
}

/// How many to leave out, and how many at most.
pub(super) fn window(query: &ListQuery) -> (i64, i64) {
    (i64::from(query.request.offset), i64::from(query.request.limit))
}

/// An amount of a currency that the store has.
pub(super) fn money(minor: i64, currency: &str) -> Result<Money, ApiError> {
    Ok(Money::new(
        minor,
        Currency::of(currency).map_err(AppError::internal)?,
    ))
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

/// An instant of a query; the default where it isn't given.
pub(super) fn instant(name: &str, text: Option<&str>, default: Instant) -> Result<Instant, Refusal> {
    text.map_or(Ok(default), |text| {
        text.parse().map_err(|_| {
            let message = format!("{name} has to be an instant, as 2026-01-31T12:00:00Z is one");
            Refusal::invalid("wrongQuery", name, text, message)
        })
    })
}
