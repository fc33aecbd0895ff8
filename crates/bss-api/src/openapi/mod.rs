//! The description of the API: an OpenAPI 3.1 document made from the declarations that serve it, and a page to read
//! it. The document is committed as `docs/openapi.json`, and a test says when that is stale.

mod document;
mod page;
mod schema;

use axum::Json;
use axum::response::Html;
use http::Method;
use serde_json::Value;

use crate::ApiState;
use crate::auth::Routes;

pub use document::document;

/// The routes.
pub fn routes() -> Routes<ApiState> {
    Routes::new()
        .add(Method::GET, "/openapi.json", json)
        .add(Method::GET, "/docs", html)
}

async fn json() -> Json<Value> {
    Json(document())
}

/// Without a script and without a request to anywhere else.
async fn html() -> Html<String> {
    Html(page::render(&document()))
}
