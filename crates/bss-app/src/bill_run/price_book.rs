use std::collections::HashMap;
use std::sync::Arc;

use bss_domain::allowance::AllowanceDefinition;
use bss_domain::catalog::{PriceKind, PriceVersion, Tariff};
use bss_domain::ids::ProductOfferingPriceId;
use bss_store::{Session, StoreError, bill_run};

/// The tenant's price versions, read once for a run: a version never changes.
#[derive(Debug, Clone, Default)]
pub struct PriceBook(HashMap<ProductOfferingPriceId, PriceVersion>);

impl PriceBook {
    /// Reads all price versions. One that can't be read was never sold by it: it is left out, and named in the log.
    pub async fn load(session: &Session) -> Result<Self, StoreError> {
        let mut book = HashMap::new();
        for row in bill_run::prices(session).await? {
            let mut body = row.body;
            body["id"] = row.id.to_string().into();
            match PriceVersion::from_tmf(&body) {
                Ok(price) => {
                    book.insert(row.id, price);
                }
                Err(refusal) => tracing::debug!(price = %row.id, %refusal, "a price that can't be charged"),
            }
        }
        Ok(Self(book))
    }

    /// A price version.
    pub fn get(&self, id: ProductOfferingPriceId) -> Option<&PriceVersion> {
        self.0.get(&id)
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
