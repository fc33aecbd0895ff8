//! Whose a number was at an instant: what guides usage to its customer.

use std::collections::{BTreeSet, HashMap};

use bss_domain::Instant;
use bss_domain::usage::Owner;
use uuid::Uuid;

use crate::{Session, StoreError, Timestamptz};

/// The owners of numbers at instants, in the order of the question; none where nobody had the number then.
pub async fn at(session: &Session, questions: &[(&str, Instant)]) -> Result<Vec<Option<Owner>>, StoreError> {
    let Some(latest) = questions.iter().map(|(_, at)| *at).max() else {
        return Ok(Vec::new());
    };
    // Each number once and in order: one scan of the index, which goes from leaf to leaf.
    let numbers: BTreeSet<&str> = questions.iter().map(|(number, _)| *number).collect();
    let numbers: Vec<&str> = numbers.into_iter().collect();
    let rows = session
        .query(
            "SELECT number, valid_from, valid_to, customer_id, product_id, billing_account_id \
             FROM number_assignment WHERE number = ANY($1) AND valid_from <= $2",
            &[&numbers, &Timestamptz(latest)],
        )
        .await?;
    let mut tenures: HashMap<&str, Vec<Tenure>> = HashMap::with_capacity(rows.len());
    for row in &rows {
        let tenure = Tenure {
            from: row.get::<_, Timestamptz>(1).0,
            to: row.get::<_, Option<Timestamptz>>(2).map(|at| at.0),
            owner: Owner {
                customer: row.get::<_, Uuid>(3).into(),
                product: row.get::<_, Uuid>(4).into(),
                account: row.get::<_, Uuid>(5).into(),
            },
        };
        tenures.entry(row.get(0)).or_default().push(tenure);
    }
    let owner_of = |(number, at): &(&str, Instant)| {
        let tenure = tenures.get(number)?.iter().find(|tenure| tenure.holds(*at));
        tenure.map(|tenure| tenure.owner)
    };
    Ok(questions.iter().map(owner_of).collect())
}

/// From when to when a number was whose.
struct Tenure {
    from: Instant,
    to: Option<Instant>,
    owner: Owner,
}

impl Tenure {
    fn holds(&self, at: Instant) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }
}
