//! The final rating of a closed period: the same function over all records in event order.

use super::{Measured, Plan, RatedItem, RatingError, RatingState, rate};
use crate::ids::UsageId;
use crate::time::Cycle;

/// A record of the period.
#[derive(Debug, Clone, Copy)]
pub struct PeriodRecord<'a> {
    /// Its id, which decides between records that start together.
    pub id: UsageId,
    /// What was used.
    pub usage: Measured<'a>,
    /// The plan's index in the list of the account's plans.
    pub plan: usize,
}

/// Rates a period's records in event order (start, then id), whatever order they come in: `records` is sorted in
/// place, and `each` sees every record with its item. Where a tariff has volume tiers, a first pass counts the totals.
///
/// Gives the state at the period's end, from the opening one.
pub fn rate_period<'a>(
    records: &mut [PeriodRecord<'a>],
    plans: &[Plan],
    cycle: &Cycle,
    opening: &RatingState,
    mut each: impl FnMut(&PeriodRecord<'a>, RatedItem),
) -> Result<RatingState, (UsageId, RatingError)> {
    records.sort_unstable_by_key(|record| (record.usage.start, record.id));
    let mut state = opening.clone();
    state.sort();
    if plans.iter().any(|plan| plan.tariff.needs_totals()) {
        let mut counted = state.clone();
        for record in &*records {
            rate(&record.usage, &plans[record.plan], cycle, &mut counted)
                .map_err(|error| (record.id, error))?;
        }
        for mut counter in counted.counters {
            counter.total = Some(counter.value);
            let known = state.counters.iter_mut().find(|known| {
                known.price == counter.price
                    && known.counter == counter.counter
                    && known.product == counter.product
                    && known.window == counter.window
            });
            match known {
                Some(known) => known.total = counter.total,
                None => state.counters.push(super::Counter { value: 0, ..counter }),
            }
        }
    }
    for record in &*records {
        let item = rate(&record.usage, &plans[record.plan], cycle, &mut state)
            .map_err(|error| (record.id, error))?;
        each(record, item);
    }
    Ok(state)
}
