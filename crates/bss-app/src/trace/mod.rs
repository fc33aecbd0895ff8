//! From any id the chain of everything that it caused or came from, to the cent. What caused what is read from the
//! stored rows, not from telemetry.

mod bill;
mod node;
mod order;
mod payment;
mod product;
mod rated;
mod text;
mod usage;

use std::collections::HashMap;

use bss_domain::Currency;
use bss_domain::catalog::PriceVersion;
use bss_domain::ids::ProductOfferingPriceId;
use bss_store::Session;
use bss_store::ledger::{self, EntryFilter};
use bss_store::trace::{self as store, Subject};
use serde_json::Value;
use uuid::Uuid;

use crate::{App, AppError, RequestContext};

pub use node::{Amount, Explanation, Quantity};
pub use text::tree;

/// What the order, product, usage record, bill or payment of this id caused or came from. A part's id (a service, a
/// bill's line, a ledger entry) leads to its whole. A caller who may see only own things gets no ledger.
pub async fn trace(app: &App, context: &RequestContext, id: Uuid) -> Result<Explanation, AppError> {
    let session = app.store.snapshot(context.scope()).await?;
    let unknown = || AppError::not_found("Order, product, usage record, bill or payment", id);
    let subject = store::subject(&session, id).await?.ok_or_else(unknown)?;
    let mut tracer = Tracer {
        session: &session,
        context,
        prices: HashMap::new(),
    };
    let found = match subject {
        Subject::ProductOrder(order) => tracer.order(order).await,
        Subject::Product(product) => tracer.product(product).await,
        Subject::Usage(usage) => tracer.usage(usage).await,
        Subject::CustomerBill(bill) => tracer.bill(bill).await,
        Subject::Payment(payment) => tracer.payment(payment).await,
    };
    let explanation = found?.ok_or_else(unknown)?;
    session.finish()?;
    Ok(explanation)
}

/// One reading of a chain, on one snapshot.
struct Tracer<'a> {
    session: &'a Session,
    context: &'a RequestContext,
    /// Price versions read so far; none where a document can't be charged by.
    prices: HashMap<ProductOfferingPriceId, Option<PriceVersion>>,
}

impl Tracer<'_> {
    /// Whether the caller may see what belongs to this customer.
    fn may_see(&self, customer: Option<Uuid>) -> bool {
        let caller = &self.context.caller;
        !caller.is_confined() || (customer.is_some() && caller.customer.map(Into::into) == customer)
    }

    /// A price version.
    async fn price(&mut self, id: ProductOfferingPriceId) -> Result<Option<&PriceVersion>, AppError> {
        if !self.prices.contains_key(&id) {
            let found = store::prices(self.session, &[id]).await?.pop();
            let version = found.and_then(|(_, mut body)| {
                body["id"] = id.to_string().into();
                PriceVersion::from_tmf(&body).ok()
            });
            self.prices.insert(id, version);
        }
        Ok(self.prices.get(&id).and_then(Option::as_ref))
    }

    /// Price versions in words: `Mobile M 20 EUR (version 1)`.
    async fn price_names(&mut self, ids: &[ProductOfferingPriceId]) -> Result<String, AppError> {
        let mut names = Vec::new();
        for id in ids {
            names.push(match self.price(*id).await? {
                Some(price) => format!("{} (version {})", price.name, price.version),
                None => id.to_string(),
            });
        }
        Ok(names.join(", "))
    }

    /// The ledger's entries that something caused.
    async fn entries(&self, cause: Uuid) -> Result<Vec<Explanation>, AppError> {
        if self.context.caller.is_confined() {
            return Ok(Vec::new());
        }
        let filter = EntryFilter {
            cause: Some(cause),
            limit: i64::MAX,
            ..EntryFilter::default()
        };
        let mut entries = ledger::entries(self.session, &filter).await?;
        entries.sort_by_key(|entry| (entry.posted_at, entry.id));
        let mut nodes = Vec::new();
        for entry in entries {
            let currency = Currency::of(&entry.currency)?;
            let mut node = Explanation::new("LedgerEntry", &entry.kind)
                .id(entry.id)
                .at(entry.posted_at);
            for (account, detail, minor) in &entry.lines {
                let side = if *minor > 0 { "debit" } else { "credit" };
                let label = format!("{side} {account} {detail}");
                node = node.child(Explanation::new("LedgerLine", label.trim_end()).minor(*minor, currency)?);
            }
            nodes.push(node);
        }
        Ok(nodes)
    }
}

/// A document's text attribute; empty where there is none.
fn text_of<'v>(document: &'v Value, name: &str) -> &'v str {
    document[name].as_str().unwrap_or_default()
}

/// The customer among the related parties.
fn customer_of(document: &Value) -> Option<Uuid> {
    let parties = document["relatedParty"].as_array()?;
    let customer = parties.iter().find(|party| party["role"] == "customer")?;
    customer["id"].as_str()?.parse().ok()
}

/// The id behind a reference.
fn id_of(reference: &Value) -> Option<Uuid> {
    reference["id"].as_str()?.parse().ok()
}
