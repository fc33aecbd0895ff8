//! What never changes, and so is read once and kept: price versions, and the terms of accounts.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use bss_domain::TypedId;
use bss_domain::allowance::AllowanceDefinition;
use bss_domain::catalog::{PriceKind, PriceVersion};
use bss_domain::ids::{BillingAccountId, ProductOfferingPriceId, TenantId};
use bss_store::catalog::PRODUCT_OFFERING_PRICE;
use bss_store::charging::{self, AccountTerms};
use bss_store::{Session, StoreError, resource};

/// So many of a kind are kept; beyond, the book begins anew.
const KEPT: usize = 100_000;

/// Price versions and accounts' terms that were read. Batches share it, and none waits for what another one reads.
#[derive(Default)]
pub struct PriceBook {
    prices: Kept<ProductOfferingPriceId, Arc<PriceVersion>>,
    terms: Kept<BillingAccountId, AccountTerms>,
}

/// Values by tenant and id.
struct Kept<I, V>(Mutex<HashMap<(TenantId, I), V>>);

impl<I, V> Default for Kept<I, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<I: Copy + Eq + Hash, V: Clone> Kept<I, V> {
    /// The values that are here, and the ids of those that aren't.
    fn get(&self, tenant: TenantId, ids: impl Iterator<Item = I>) -> (Vec<V>, Vec<I>) {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for id in ids {
            match known.get(&(tenant, id)) {
                Some(value) => found.push(value.clone()),
                None => missing.push(id),
            }
        }
        (found, missing)
    }

    fn keep(&self, tenant: TenantId, values: impl ExactSizeIterator<Item = (I, V)>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() + values.len() > KEPT {
            known.clear();
        }
        known.extend(values.map(|(id, value)| ((tenant, id), value)));
    }
}

/// The price versions that a batch needs.
pub type Prices = HashMap<ProductOfferingPriceId, Arc<PriceVersion>>;

impl PriceBook {
    /// The price versions of these ids; one that can't be read as a price of a known form is left out, and the usage
    /// that needs it is rejected.
    pub async fn load(
        &self,
        session: &Session,
        ids: impl Iterator<Item = ProductOfferingPriceId>,
    ) -> Result<Prices, StoreError> {
        let ids: HashSet<ProductOfferingPriceId> = ids.collect();
        let (found, missing) = self.prices.get(session.tenant(), ids.into_iter());
        let mut prices: Prices = found.into_iter().map(|price| (price.id, price)).collect();
        for id in missing {
            if let Some(price) = read_price(session, id).await? {
                let price = Arc::new(price);
                let kept = [(id, Arc::clone(&price))];
                self.prices.keep(session.tenant(), kept.into_iter());
                prices.insert(id, price);
            }
        }
        Ok(prices)
    }

    /// The terms of these accounts, as far as they exist.
    pub async fn terms(
        &self,
        session: &Session,
        accounts: &[BillingAccountId],
    ) -> Result<Vec<AccountTerms>, StoreError> {
        let (mut found, missing) = self.terms.get(session.tenant(), accounts.iter().copied());
        if !missing.is_empty() {
            let read = charging::account_terms(session, &missing).await?;
            let kept = read.iter().map(|terms| (terms.account, terms.clone()));
            self.terms.keep(session.tenant(), kept);
            found.extend(read);
        }
        Ok(found)
    }
}

async fn read_price(
    session: &Session,
    id: ProductOfferingPriceId,
) -> Result<Option<PriceVersion>, StoreError> {
    let Some(stored) = resource::get(session, &PRODUCT_OFFERING_PRICE, id.uuid()).await? else {
        return Ok(None);
    };
    let price = PriceVersion::from_tmf(&stored.body);
    if let Err(refusal) = &price {
        tracing::error!(price = %id, %refusal, "a stored price can't be read");
    }
    Ok(price.ok())
}

/// The allowance that a price grants; none where it grants none.
pub fn allowance(prices: &Prices, id: ProductOfferingPriceId) -> Option<Arc<AllowanceDefinition>> {
    match &prices.get(&id)?.kind {
        PriceKind::Allowance(definition) => Some(Arc::clone(definition)),
        _ => None,
    }
}
