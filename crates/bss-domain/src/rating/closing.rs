//! What a period's allowances and counters came to, as it is stored with the period's closing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Counter, RatingState};
use crate::allowance::{AllowanceDefinition, AllowanceInstance};
use crate::ids::{BucketId, ProductId, ProductOfferingPriceId};
use crate::time::Interval;

/// A [`RatingState`] without the definitions, which are their price versions'.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClosingState {
    /// The allowances.
    pub allowances: Vec<ClosedAllowance>,
    /// The counters.
    pub counters: Vec<Counter>,
}

/// An allowance's instance as it was left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClosedAllowance {
    /// Its id.
    pub id: BucketId,
    /// Its price version.
    pub price: ProductOfferingPriceId,
    /// Its product; none where the account shares it.
    pub product: Option<ProductId>,
    /// Its window.
    pub window: Interval,
    /// Whether it was rolled over into this window.
    pub rolled_over: bool,
    /// Base units granted.
    pub granted: u64,
    /// Base units used.
    pub used: u64,
    /// Base units held by sessions.
    pub reserved: u64,
}

impl ClosingState {
    /// What is kept of a state.
    pub fn of(state: &RatingState) -> Self {
        let allowances = state
            .allowances
            .iter()
            .map(|instance| ClosedAllowance {
                id: instance.id,
                price: instance.price,
                product: instance.product,
                window: instance.window,
                rolled_over: instance.rolled_over,
                granted: instance.granted,
                used: instance.used,
                reserved: instance.reserved,
            })
            .collect();
        Self {
            allowances,
            counters: state.counters.clone(),
        }
    }

    /// The state again. An allowance whose price isn't known is left out: it could not have been granted.
    pub fn open(
        &self,
        definition: impl Fn(ProductOfferingPriceId) -> Option<Arc<AllowanceDefinition>>,
    ) -> RatingState {
        let allowances = self.allowances.iter().filter_map(|closed| {
            Some(AllowanceInstance {
                id: closed.id,
                price: closed.price,
                product: closed.product,
                window: closed.window,
                rolled_over: closed.rolled_over,
                granted: closed.granted,
                used: closed.used,
                reserved: closed.reserved,
                definition: definition(closed.price)?,
            })
        });
        let mut state = RatingState {
            allowances: allowances.collect(),
            counters: self.counters.clone(),
        };
        state.sort();
        state
    }
}
