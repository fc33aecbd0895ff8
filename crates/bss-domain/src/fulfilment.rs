//! From an order item to what has to be there for it: the decomposition by the catalog.

use crate::ids::{ProductOfferingId, ProductOfferingPriceId, ServiceSpecificationId};
use crate::resource::ResourceCategory;
use crate::{Currency, Refusal};

/// What the catalog says of an offering at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferingFacts {
    /// The offering.
    pub id: ProductOfferingId,
    /// Its name.
    pub name: String,
    /// Why it can't be sold now; none: it can.
    pub unsellable: Option<String>,
    /// The price versions that a product sold now pins, each with its currency where it has one.
    pub prices: Vec<(ProductOfferingPriceId, Option<Currency>)>,
    /// The services that carry it.
    pub services: Vec<ServiceFacts>,
    /// The offerings that it bundles.
    pub bundled: Vec<Self>,
}

/// What the catalog says of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceFacts {
    /// Its specification.
    pub specification: ServiceSpecificationId,
    /// Its name.
    pub name: String,
    /// The pools that it takes one resource each from.
    pub resources: Vec<ResourceCategory>,
}

/// A product that an item brings about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedProduct {
    /// The offering.
    pub offering: ProductOfferingId,
    /// Its name.
    pub name: String,
    /// The price versions to pin.
    pub prices: Vec<ProductOfferingPriceId>,
    /// The services to activate.
    pub services: Vec<ServiceFacts>,
    /// The place in the plan of the bundle that it belongs to.
    pub parent: Option<usize>,
}

/// The products that `quantity` of an offering bring about for an account in `currency`, bundles before their parts.
/// `field` is the item's path for refusals.
pub fn decompose(
    offering: &OfferingFacts,
    currency: Currency,
    quantity: i64,
    field: &str,
) -> Result<Vec<PlannedProduct>, Refusal> {
    let mut plan = Vec::new();
    add(offering, currency, None, field, &mut plan)?;
    let services = plan.iter().map(|product| product.services.len()).sum::<usize>();
    if quantity > 1 && services > 0 {
        return Err(Refusal::invalid(
            "quantity",
            format!("{field}.quantity"),
            quantity,
            format!(
                "{} stands for a subscription: order {quantity} items of quantity 1",
                offering.name
            ),
        ));
    }
    if plan.iter().all(|product| product.prices.is_empty()) {
        return Err(refusal(
            offering,
            "noPrice",
            field,
            "has no price that is valid now",
        ));
    }
    Ok(plan)
}

fn add(
    offering: &OfferingFacts,
    currency: Currency,
    parent: Option<usize>,
    field: &str,
    plan: &mut Vec<PlannedProduct>,
) -> Result<(), Refusal> {
    if let Some(reason) = &offering.unsellable {
        return Err(refusal(offering, "notSellable", field, reason));
    }
    if let Some((_, Some(other))) = offering
        .prices
        .iter()
        .find(|(_, price)| price.is_some_and(|of| of != currency))
    {
        let reason = format!("is priced in {other}, and the account is billed in {currency}");
        return Err(refusal(offering, "wrongCurrency", field, &reason));
    }
    let here = plan.len();
    plan.push(PlannedProduct {
        offering: offering.id,
        name: offering.name.clone(),
        prices: offering.prices.iter().map(|(id, _)| *id).collect(),
        services: offering.services.clone(),
        parent,
    });
    for part in &offering.bundled {
        add(part, currency, Some(here), field, plan)?;
    }
    Ok(())
}

fn refusal(offering: &OfferingFacts, code: &'static str, field: &str, reason: &str) -> Refusal {
    Refusal::invalid(
        code,
        format!("{field}.productOffering.id"),
        offering.id,
        format!("{field}.productOffering: {} {reason}", offering.name),
    )
}

/// How the network's work for one order item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ItemWork {
    /// Activations that may still succeed: due, under way or unknown.
    pub activating: usize,
    /// Activations that the network refused or that were taken back.
    pub refused: usize,
    /// Services that work at the network now and have no deactivation yet.
    pub working: usize,
    /// Deactivations that aren't confirmed yet.
    pub deactivating: usize,
    /// Pieces of work that people have to look at.
    pub fallout: usize,
    /// Whether nothing of the item is wanted any more: its order is being cancelled.
    pub unwanted: bool,
}

/// What an order item does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemStep {
    /// Wait for the network.
    Wait,
    /// People have to look at it; everything stays held.
    Hold,
    /// Everything works: the products become active.
    Complete,
    /// Something was refused: what works already has to be deactivated, what wasn't sent is taken back.
    Compensate,
    /// Nothing works any more: resources are released and the item fails, or is cancelled where it is unwanted.
    Fail,
}

/// Decides on an item that adds products. Resources are released only when nothing of it works or may still work.
pub fn next_item_step(work: ItemWork) -> ItemStep {
    let undoing = work.refused > 0 || work.unwanted;
    // One service that people have to look at is no reason to leave the others working.
    if undoing && work.working > 0 {
        return ItemStep::Compensate;
    }
    if work.fallout > 0 {
        return ItemStep::Hold;
    }
    if work.activating > 0 || undoing && work.deactivating > 0 {
        return ItemStep::Wait;
    }
    if undoing {
        ItemStep::Fail
    } else {
        ItemStep::Complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Slot, TypedId};

    fn offering(number: u64, currency: &str) -> OfferingFacts {
        let slot = Slot::new(0).unwrap();
        OfferingFacts {
            id: ProductOfferingId::at(1, slot, number),
            name: format!("offering {number}"),
            unsellable: None,
            prices: vec![(
                ProductOfferingPriceId::at(1, slot, number),
                Some(Currency::of(currency).unwrap()),
            )],
            services: vec![ServiceFacts {
                specification: ServiceSpecificationId::at(1, slot, number),
                name: "voice".to_owned(),
                resources: vec![ResourceCategory::Msisdn, ResourceCategory::SimCard],
            }],
            bundled: Vec::new(),
        }
    }

    #[test]
    fn a_bundle_comes_before_its_parts() {
        let mut family = offering(1, "EUR");
        family.services.clear();
        family.bundled = vec![offering(2, "EUR"), offering(3, "EUR")];
        let plan = decompose(&family, Currency::of("EUR").unwrap(), 1, "productOrderItem[0]").unwrap();
        assert_eq!(
            plan.iter().map(|product| product.parent).collect::<Vec<_>>(),
            [None, Some(0), Some(0)]
        );
    }

    #[test]
    fn what_cannot_be_sold_is_refused_by_field() {
        let mut retired = offering(1, "EUR");
        retired.unsellable = Some("is retired".to_owned());
        let mut free = offering(2, "EUR");
        free.prices.clear();
        let cases = [
            (retired, 1, "notSellable"),
            (offering(3, "JPY"), 1, "wrongCurrency"),
            (offering(4, "EUR"), 2, "quantity"),
            (free, 1, "noPrice"),
        ];
        for (facts, quantity, code) in cases {
            let refusal = decompose(
                &facts,
                Currency::of("EUR").unwrap(),
                quantity,
                "productOrderItem[0]",
            )
            .unwrap_err();
            assert_eq!(refusal.code, code);
            assert!(refusal.field.unwrap().starts_with("productOrderItem[0]."));
        }
    }

    #[test]
    fn resources_are_released_only_when_nothing_may_still_work() {
        let work = |activating, refused, working, deactivating, fallout| ItemWork {
            activating,
            refused,
            working,
            deactivating,
            fallout,
            unwanted: false,
        };
        let unwanted = |work: ItemWork| ItemWork {
            unwanted: true,
            ..work
        };
        let cases = [
            (work(2, 0, 0, 0, 0), ItemStep::Wait),
            (work(1, 0, 1, 0, 0), ItemStep::Wait),
            (work(0, 0, 2, 0, 0), ItemStep::Complete),
            (work(0, 1, 1, 0, 0), ItemStep::Compensate),
            (work(1, 1, 0, 0, 0), ItemStep::Wait),
            (work(0, 1, 0, 1, 0), ItemStep::Wait),
            (work(0, 2, 0, 0, 0), ItemStep::Fail),
            (work(0, 1, 0, 0, 1), ItemStep::Hold),
            (work(0, 0, 0, 0, 0), ItemStep::Complete),
            (work(0, 0, 1, 0, 1), ItemStep::Hold),
            (work(0, 1, 1, 0, 1), ItemStep::Compensate),
            (unwanted(work(0, 0, 1, 0, 1)), ItemStep::Compensate),
            (unwanted(work(0, 0, 0, 0, 0)), ItemStep::Fail),
            (unwanted(work(1, 0, 0, 0, 0)), ItemStep::Wait),
            (unwanted(work(1, 0, 1, 0, 0)), ItemStep::Compensate),
            (unwanted(work(0, 0, 0, 2, 0)), ItemStep::Wait),
            (unwanted(work(0, 0, 0, 1, 1)), ItemStep::Hold),
        ];
        for (state, expected) in cases {
            assert_eq!(next_item_step(state), expected, "{state:?}");
        }
    }
}
