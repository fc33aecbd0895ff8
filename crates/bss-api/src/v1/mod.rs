//! `/bss-api/v1`: what the console needs and TM Forum has no API for. Each handler is one read of the store or one
//! use case; [`operations`] describes them for the OpenAPI document.

mod allocation;
mod allowance;
mod analytics;
mod bill_on_hold;
mod bill_preview;
mod bill_run;
mod body;
mod clock;
mod collections;
mod credit;
mod dashboard;
mod events;
mod fallout;
mod ledger;
mod live;
mod query;
mod search;
mod trace;
mod usage_file;
mod usage_reject;
mod usage_source;

use http::Method;

pub use live::Live;

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
    /// The media type of its body; none: it has no body.
    pub body: Option<&'static str>,
}

/// The media type of most bodies.
const JSON: &str = "application/json";

impl Operation {
    const fn get(path: &'static str, about: &'static str) -> Self {
        Self::asked(path, about, &[])
    }

    const fn asked(path: &'static str, about: &'static str, query: &'static [&'static str]) -> Self {
        Self {
            method: Method::GET,
            path,
            about,
            query,
            list: false,
            body: None,
        }
    }

    const fn list(path: &'static str, about: &'static str, query: &'static [&'static str]) -> Self {
        Self {
            method: Method::GET,
            path,
            about,
            query,
            list: true,
            body: None,
        }
    }

    const fn post(path: &'static str, about: &'static str) -> Self {
        Self {
            method: Method::POST,
            path,
            about,
            query: &[],
            list: false,
            body: Some(JSON),
        }
    }
}

/// The operations that are described here.
const OPERATIONS: &[Operation] = &[
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
    Operation::get(
        "/bss-api/v1/dashboard",
        "today in a few figures, as far as the caller's roles may see them",
    ),
    Operation::get(
        "/bss-api/v1/trace/{id}",
        "everything that an order, product, usage record, bill or payment caused or came from",
    ),
    Operation::get("/bss-api/v1/live", "what changes, as server-sent events"),
    Operation::list(
        "/bss-api/v1/usageFile",
        "usage files with what became of their lines, the latest first",
        &["offset", "limit"],
    ),
    Operation {
        method: Method::POST,
        path: "/bss-api/v1/usageFile",
        about: "imports a usage file of a source to its end and says what became of its lines; the same content brings nothing twice",
        query: &["source", "name"],
        list: false,
        body: Some("text/csv"),
    },
    Operation::get(
        "/bss-api/v1/usageFile/{id}",
        "a usage file with what became of its lines",
    ),
    Operation::list(
        "/bss-api/v1/usageSource",
        "the switches that write usage files",
        &[],
    ),
    Operation {
        method: Method::PUT,
        path: "/bss-api/v1/usageSource/{id}",
        about: "declares a source: its `format`, the `zone` of its times, and how it writes `numbers`",
        query: &[],
        list: false,
        body: Some(JSON),
    },
    Operation::list(
        "/bss-api/v1/usageReject",
        "usage that couldn't be taken, with the reason",
        &["state", "code", "file.id", "sort", "offset", "limit"],
    ),
    Operation::get("/bss-api/v1/usageReject/{id}", "a reject"),
    Operation::post(
        "/bss-api/v1/usageReject/{id}/replay",
        "sends a reject in again, mended to `raw` where the body has it",
    ),
    Operation::get(
        "/bss-api/v1/usage/{id}/explain",
        "how a usage record was rated and where it went",
    ),
    Operation::list(
        "/bss-api/v1/allowance",
        "a customer's allowances whose window is open now",
        &["customer.id", "offset", "limit"],
    ),
    Operation::get(
        "/bss-api/v1/analytics/customer/{id}",
        "what a customer used, ordered, was billed and paid",
    ),
    Operation::asked(
        "/bss-api/v1/analytics/segment",
        "the same by segment of customers, in an interval of hours",
        &["from", "to"],
    ),
    Operation::asked(
        "/bss-api/v1/billPreview",
        "the next bill of an account as it stands now",
        &["billingAccount.id"],
    ),
    Operation::post(
        "/bss-api/v1/billPreview",
        "what a product order would put on its first bill",
    ),
    Operation::post(
        "/bss-api/v1/allocation",
        "pays an account's open bills from its credit, the one due first in front",
    ),
    Operation::get("/bss-api/v1/events/topics", "the topics of the event log"),
    Operation::asked(
        "/bss-api/v1/events/topics/{name}/messages",
        "events of a topic, newest first",
        &["partition", "key", "type", "before", "limit"],
    ),
    Operation::get(
        "/bss-api/v1/events/groups",
        "consumer groups with their positions and lag",
    ),
    Operation::list(
        "/bss-api/v1/events/parked",
        "events that a group couldn't process, newest first",
        &["group", "offset", "limit"],
    ),
    Operation::post(
        "/bss-api/v1/events/parked/{id}/retry",
        "tries a parked event again, and those behind it after it",
    ),
    Operation::post(
        "/bss-api/v1/events/parked/{id}/skip",
        "gives a parked event up for a `reason`; those behind it go on",
    ),
];

/// Every operation, with those of the parts that list their own.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS
        .iter()
        .chain(collections::OPERATIONS)
        .chain(credit::OPERATIONS)
        .chain(bill_on_hold::OPERATIONS)
}

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
        .add(Method::GET, "/bss-api/v1/dashboard", dashboard::read)
        .add(Method::GET, "/bss-api/v1/trace/{id}", trace::trace)
        .add(Method::GET, "/bss-api/v1/live", live::live)
        .add(Method::GET, "/bss-api/v1/usageFile", usage_file::list)
        .add(Method::POST, "/bss-api/v1/usageFile", usage_file::upload)
        .add(Method::GET, "/bss-api/v1/usageFile/{id}", usage_file::get)
        .add(Method::GET, "/bss-api/v1/usageSource", usage_source::list)
        .add(Method::PUT, "/bss-api/v1/usageSource/{id}", usage_source::put)
        .add(Method::GET, "/bss-api/v1/usageReject", usage_reject::list)
        .add(Method::GET, "/bss-api/v1/usageReject/{id}", usage_reject::get)
        .add(
            Method::POST,
            "/bss-api/v1/usageReject/{id}/replay",
            usage_reject::replay,
        )
        .add(Method::GET, "/bss-api/v1/usage/{id}/explain", trace::usage)
        .add(Method::GET, "/bss-api/v1/allowance", allowance::list)
        .add(
            Method::GET,
            "/bss-api/v1/analytics/customer/{id}",
            analytics::customer,
        )
        .add(Method::GET, "/bss-api/v1/analytics/segment", analytics::segments)
        .add(Method::GET, "/bss-api/v1/billPreview", bill_preview::of_account)
        .add(Method::POST, "/bss-api/v1/billPreview", bill_preview::of_order)
        .add(Method::POST, "/bss-api/v1/allocation", allocation::allocate)
        .add(Method::GET, "/bss-api/v1/events/topics", events::topics)
        .add(
            Method::GET,
            "/bss-api/v1/events/topics/{name}/messages",
            events::messages,
        )
        .add(Method::GET, "/bss-api/v1/events/groups", events::groups)
        .add(Method::GET, "/bss-api/v1/events/parked", events::parked)
        .add(
            Method::POST,
            "/bss-api/v1/events/parked/{id}/retry",
            events::retry,
        )
        .add(Method::POST, "/bss-api/v1/events/parked/{id}/skip", events::skip)
        .merge(collections::routes())
        .merge(credit::routes())
        .merge(bill_on_hold::routes())
}
