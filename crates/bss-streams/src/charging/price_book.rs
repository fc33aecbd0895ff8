//! Price versions by id. They never change, so what was read once is kept.

use std::collections::HashMap;
use std::sync::Arc;

use bss_domain::allowance::AllowanceDefinition;
use bss_domain::catalog::{PriceKind, PriceVersion};
use bss_domain::ids::{ProductOfferingPriceId, TenantId};
use bss_domain::{Refusal, TypedId};
use bss_store::catalog::PRODUCT_OFFERING_PRICE;
use bss_store::{Session, StoreError, resource};

/// So many versions are kept; beyond, the book begins anew.
const KEPT: usize = 100_000;

/// Price versions that were read.
#[derive(Default)]
pub struct PriceBook {
    known: HashMap<(TenantId, ProductOfferingPriceId), Arc<PriceVersion>>,
}

/// The price versions that a batch needs.
pub type Prices = HashMap<ProductOfferingPriceId, Arc<PriceVersion>>;

impl PriceBook {
    /// The price versions of these ids; one that can't be read as a price of a known form is left out, and the usage
    /// that needs it is rejected.
    pub async fn load(
        &mut self,
        session: &Session,
        ids: impl Iterator<Item = ProductOfferingPriceId>,
    ) -> Result<Prices, StoreError> {
        let mut prices = Prices::new();
        for id in ids {
            if prices.contains_key(&id) {
                continue;
            }
            if let Some(price) = self.get(session, id).await? {
                prices.insert(id, price);
            }
        }
        Ok(prices)
    }

    async fn get(
        &mut self,
        session: &Session,
        id: ProductOfferingPriceId,
    ) -> Result<Option<Arc<PriceVersion>>, StoreError> {
        let key = (session.tenant(), id);
        if let Some(price) = self.known.get(&key) {
            return Ok(Some(Arc::clone(price)));
        }
        let Some(stored) = resource::get(session, &PRODUCT_OFFERING_PRICE, id.uuid()).await? else {
            return Ok(None);
        };
        let price: Result<PriceVersion, Refusal> = PriceVersion::from_tmf(&stored.body);
        match price {
            Ok(price) => {
                if self.known.len() >= KEPT {
                    self.known.clear();
                }
                let price = Arc::new(price);
                self.known.insert(key, Arc::clone(&price));
                Ok(Some(price))
            }
            Err(refusal) => {
                tracing::error!(price = %id, %refusal, "a stored price can't be read");
                Ok(None)
            }
        }
    }
}

/// The allowance that a price grants; none where it grants none.
pub fn allowance(prices: &Prices, id: ProductOfferingPriceId) -> Option<Arc<AllowanceDefinition>> {
    match &prices.get(&id)?.kind {
        PriceKind::Allowance(definition) => Some(Arc::clone(definition)),
        _ => None,
    }
}
