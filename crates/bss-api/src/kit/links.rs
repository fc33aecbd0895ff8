use std::fmt::Write as _;

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, Uri};
use serde_json::Value;

use super::ListQuery;
use crate::ApiState;

/// The answer of a list: its page, with counts and links. The total, and whether it is all.
pub(crate) fn page(
    state: &ApiState,
    uri: &Uri,
    query: &ListQuery,
    shown: Vec<Value>,
    (total, exact): (u64, bool),
) -> Response {
    let headers = page_headers(state.base_url(), uri, query, (shown.len(), total, exact));
    (headers, Json(shown)).into_response()
}

/// The headers of a page: counts, and links to the pages around it (RFC 8288).
fn page_headers(
    base_url: &str,
    uri: &Uri,
    query: &ListQuery,
    (shown, total, exact): (usize, u64, bool),
) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-total-count", HeaderValue::from(total));
    headers.insert("x-result-count", HeaderValue::from(shown as u64));
    if !exact {
        headers.insert("x-total-count-exact", HeaderValue::from_static("false"));
    }
    let (offset, limit) = (u64::from(query.request.offset), u64::from(query.request.limit));
    let mut links = String::new();
    let mut link = |to: u64, relation: &str| {
        let separator = if links.is_empty() { "" } else { ", " };
        let _ = write!(
            links,
            "{separator}<{base_url}{}?{}>; rel=\"{relation}\"",
            uri.path(),
            at_offset(uri.query().unwrap_or_default(), to)
        );
    };
    if limit > 0 {
        link(0, "first");
        if offset > 0 {
            link(offset.saturating_sub(limit), "prev");
        }
        if offset + (shown as u64) < total || (!exact && shown as u64 == limit) {
            link(offset + limit, "next");
        }
        if exact {
            link(total.saturating_sub(1) / limit * limit, "last");
        }
    }
    if let Ok(value) = HeaderValue::from_str(&links)
        && !links.is_empty()
    {
        headers.insert(http::header::LINK, value);
    }
    headers
}

fn at_offset(query: &str, offset: u64) -> String {
    let mut parts: Vec<String> = query
        .split('&')
        .filter(|part| !part.is_empty() && !part.starts_with("offset="))
        .map(str::to_owned)
        .collect();
    parts.push(format!("offset={offset}"));
    parts.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_the_query_and_move_the_offset() {
        let uri: Uri = "/tmf-api/x?state=a&offset=20&limit=10".parse().unwrap();
        let query = ListQuery::read(vec![
            ("offset".to_owned(), "20".to_owned()),
            ("limit".to_owned(), "10".to_owned()),
        ])
        .unwrap();
        let headers = page_headers("https://h", &uri, &query, (10, 35, true));
        let link = headers[http::header::LINK].to_str().unwrap();
        for (relation, offset) in [("first", 0), ("prev", 10), ("next", 30), ("last", 30)] {
            let wanted =
                format!("<https://h/tmf-api/x?state=a&limit=10&offset={offset}>; rel=\"{relation}\"");
            assert!(link.contains(&wanted), "{relation}: {link}");
        }
        let last = page_headers("", &uri, &query, (5, 25, true));
        assert!(!last[http::header::LINK].to_str().unwrap().contains("next"));
    }
}
