//! `/bss-api/v1`: what the console needs and TM Forum has no API for. Each handler is one read of the store or one
//! use case; [`OPERATIONS`] describes them for the OpenAPI document.

mod clock;
mod fallout;
mod search;

use http::Method;

use crate::ApiState;
use crate::auth::Routes;

/// What an operation is, for the description.
#[derive(Debug)]
pub struct Operation {
    /// The method.
    pub method: Method,
    /// The path's template.
    pub path: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Its query parameters.
    pub query: &'static [&'static str],
    /// Whether it answers with a list.
    pub list: bool,
}

impl Operation {
    const fn get(path: &'static str, about: &'static str) -> Self {
        Self {
            method: Method::GET,
            path,
            about,
            query: &[],
            list: false,
        }
    }

    const fn list(path: &'static str, about: &'static str, query: &'static [&'static str]) -> Self {
        Self {
            method: Method::GET,
            path,
            about,
            query,
            list: true,
        }
    }

    const fn post(path: &'static str, about: &'static str) -> Self {
        Self {
            method: Method::POST,
            path,
            about,
            query: &[],
            list: false,
        }
    }
}

/// Every operation.
pub const OPERATIONS: &[Operation] = &[
    Operation::get("/bss-api/v1/clock", "the business clock and its mode"),
    Operation::post("/bss-api/v1/clock", "moves a simulated clock forward to `now`"),
    Operation::list("/bss-api/v1/search", "finds by name, number, SIM or id", &["q"]),
    Operation::list(
        "/bss-api/v1/fallout",
        "work at the network that people have to look at",
        &["offset", "limit"],
    ),
    Operation::post(
        "/bss-api/v1/fallout/{id}/retry",
        "asks for an order's failed work again",
    ),
];

/// The routes.
pub fn routes() -> Routes<ApiState> {
    Routes::new()
        .add(Method::GET, "/bss-api/v1/clock", clock::read)
        .add(Method::POST, "/bss-api/v1/clock", clock::advance)
        .add(Method::GET, "/bss-api/v1/search", search::search)
        .add(Method::GET, "/bss-api/v1/fallout", fallout::list)
        .add(Method::POST, "/bss-api/v1/fallout/{id}/retry", fallout::retry)
}
