use std::collections::HashMap;
use std::sync::Arc;

use bss_domain::Refusal;
use bss_domain::allowance::AllowanceDefinition;
use bss_domain::catalog::{PriceKind, PriceVersion, Tariff};
use bss_domain::ids::ProductOfferingPriceId;
use bss_store::{Session, StoreError, bill_run};

/// The tenant's price versions, read once for a run: a version never changes.
#[derive(Debug, Clone, Default)]
pub struct PriceBook {
    known: HashMap<ProductOfferingPriceId, PriceVersion>,
    /// Why the others can't be read.
    unreadable: HashMap<ProductOfferingPriceId, Refusal>,
}

impl PriceBook {
    /// Reads all price versions. An account with a product that is pinned to one that can't be read isn't closed.
    pub async fn load(session: &Session) -> Result<Self, StoreError> {
        let mut book = Self::default();
        for row in bill_run::prices(session).await? {
            let mut body = row.body;
            body["id"] = row.id.to_string().into();
            match PriceVersion::from_tmf(&body) {
                Ok(price) => {
                    book.known.insert(row.id, price);
                }
                Err(refusal) => {
                    book.unreadable.insert(row.id, refusal);
                }
            }
        }
        Ok(book)
    }

    /// A price version.
    pub fn get(&self, id: ProductOfferingPriceId) -> Option<&PriceVersion> {
        self.known.get(&id)
    }

    /// Why a price version can't be charged; none where it can.
    pub fn why_not(&self, id: ProductOfferingPriceId) -> Option<String> {
        if self.known.contains_key(&id) {
            return None;
        }
        Some(match self.unreadable.get(&id) {
            Some(refusal) => format!("price {id} can't be read: {refusal}"),
            None => format!("price {id} doesn't exist"),
        })
    }

    /// An allowance's definition.
    pub fn allowance(&self, id: ProductOfferingPriceId) -> Option<Arc<AllowanceDefinition>> {
        match &self.get(id)?.kind {
            PriceKind::Allowance(definition) => Some(Arc::clone(definition)),
            _ => None,
        }
    }

    /// A usage price's tariff.
    pub fn tariff(&self, id: ProductOfferingPriceId) -> Option<&Arc<Tariff>> {
        match &self.get(id)?.kind {
            PriceKind::Usage(tariff) => Some(tariff),
            _ => None,
        }
    }
}
