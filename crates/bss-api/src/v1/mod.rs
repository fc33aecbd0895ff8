//! `/bss-api/v1`: what the console needs and TM Forum has no API for. Each handler is one read of the store or one
//! use case; [`OPERATIONS`] describes them for the OpenAPI document.

mod bill_run;
mod clock;
mod fallout;
mod ledger;
mod query;
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

    const fn asked(path: &'static str, about: &'static str, query: &'static [&'static str]) -> Self {
        Self {
            method: Method::GET,
            path,
            about,
            query,
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
    Operation::list(
        "/bss-api/v1/billRun",
        "bill runs, the latest first",
        &["offset", "limit"],
    ),
    Operation::post(
        "/bss-api/v1/billRun",
        "starts a run over the periods that are due, or takes up the one that was stopped",
    ),
    Operation::get("/bss-api/v1/billRun/{id}", "a bill run and how far it has come"),
    Operation::asked(
        "/bss-api/v1/ledger/trialBalance",
        "debits, credits and balance of each account of the ledger",
        &["at"],
    ),
    Operation::get(
        "/bss-api/v1/ledger/check",
        "the invariants of the money, each with its figures",
    ),
    Operation::list(
        "/bss-api/v1/ledger/account/{id}",
        "the lines of an account of the ledger in one currency, the latest first, with the balance after each",
        &["currency", "offset", "limit"],
    ),
    Operation::list(
        "/bss-api/v1/ledger/entry",
        "entries of the ledger, the latest first",
        &["cause.id", "kind", "billingAccount.id", "offset", "limit"],
    ),
    Operation::get("/bss-api/v1/ledger/entry/{id}", "an entry of the ledger"),
];

/// The routes.
pub fn routes() -> Routes<ApiState> {
    Routes::new()
        .add(Method::GET, "/bss-api/v1/clock", clock::read)
        .add(Method::POST, "/bss-api/v1/clock", clock::advance)
        .add(Method::GET, "/bss-api/v1/search", search::search)
        .add(Method::GET, "/bss-api/v1/fallout", fallout::list)
        .add(Method::POST, "/bss-api/v1/fallout/{id}/retry", fallout::retry)
        .add(Method::GET, "/bss-api/v1/billRun", bill_run::list)
        .add(Method::POST, "/bss-api/v1/billRun", bill_run::start)
        .add(Method::GET, "/bss-api/v1/billRun/{id}", bill_run::get)
        .add(
            Method::GET,
            "/bss-api/v1/ledger/trialBalance",
            ledger::trial_balance,
        )
        .add(Method::GET, "/bss-api/v1/ledger/check", ledger::check)
        .add(Method::GET, "/bss-api/v1/ledger/account/{id}", ledger::account)
        .add(Method::GET, "/bss-api/v1/ledger/entry", ledger::entries)
        .add(Method::GET, "/bss-api/v1/ledger/entry/{id}", ledger::one_entry)
}
