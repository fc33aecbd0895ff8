//! Which instances an account's products have in an interval.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{AllowanceDefinition, AllowanceInstance, AllowanceOwner};
use crate::catalog::{PriceKind, PriceVersion};
use crate::ids::{BillingAccountId, BucketId, ProductOfferingPriceId, TypedId};
use crate::obligation::BilledProduct;
use crate::time::{Cycle, Instant, Interval};

/// No interval asked about has more windows than this.
const WINDOWS_MAX: usize = 400;

/// The instances that an account's products have in the windows that overlap an interval, unused, in the order of
/// their ids. Charging asks for the instant of a record, the closing of a period for the whole of it.
pub fn instances<'a>(
    products: &[BilledProduct],
    price: impl Fn(ProductOfferingPriceId) -> Option<&'a PriceVersion>,
    account: BillingAccountId,
    cycle: &Cycle,
    interval: Interval,
) -> Vec<AllowanceInstance> {
    let mut found: BTreeMap<BucketId, AllowanceInstance> = BTreeMap::new();
    for product in products {
        for segment in product
            .segments
            .iter()
            .filter(|segment| segment.account == account)
        {
            let Some(part) = segment.within(interval) else {
                continue;
            };
            for id in &segment.prices {
                let Some(PriceKind::Allowance(definition)) = price(*id).map(|price| &price.kind) else {
                    continue;
                };
                // A window belongs to the price from its first sale to this product on, through later segments.
                let first = product.segments.iter().find(|first| first.prices.contains(id));
                let activated = first.map_or(segment.from, |first| first.from);
                let owner = AllowanceOwner {
                    slot: account.slot(),
                    account_or_product: if definition.shared {
                        account.uuid()
                    } else {
                        product.id.uuid()
                    },
                };
                for window in windows(definition, part, activated, cycle) {
                    let new = AllowanceInstance::open(*id, definition, product.id, owner, window, activated);
                    found.entry(new.id).or_insert(new);
                }
            }
        }
    }
    found.into_values().collect()
}

fn windows(
    definition: &Arc<AllowanceDefinition>,
    part: Interval,
    activated: Instant,
    cycle: &Cycle,
) -> Vec<Interval> {
    let mut windows = Vec::new();
    let mut at = part.from;
    while at < part.to && windows.len() < WINDOWS_MAX {
        let Some(window) = definition.window_of(at, activated, cycle) else {
            break;
        };
        at = window.to;
        windows.push(window);
    }
    windows
}
