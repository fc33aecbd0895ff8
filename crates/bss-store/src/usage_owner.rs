//! Whose a number was at an instant: what guides usage to its customer.

use bss_domain::Instant;
use bss_domain::usage::Owner;
use uuid::Uuid;

use crate::{Session, StoreError, Timestamptz};

/// The owners of numbers at instants, in the order of the question; none where nobody had the number then.
pub async fn at(session: &Session, questions: &[(&str, Instant)]) -> Result<Vec<Option<Owner>>, StoreError> {
    let mut owners = vec![None; questions.len()];
    if questions.is_empty() {
        return Ok(owners);
    }
    let numbers: Vec<&str> = questions.iter().map(|(number, _)| *number).collect();
    let instants: Vec<Timestamptz> = questions.iter().map(|(_, at)| Timestamptz(*at)).collect();
    let rows = session
        .query(
            "SELECT n.place::integer, a.customer_id, a.product_id, a.billing_account_id \
             FROM unnest($1::text[], $2::timestamptz[]) WITH ORDINALITY AS n (number, at, place) \
             JOIN number_assignment a ON a.number = n.number AND a.valid_from <= n.at \
             AND (a.valid_to IS NULL OR a.valid_to > n.at)",
            &[&numbers, &instants],
        )
        .await?;
    for row in rows {
        let place = row.get::<_, i32>(0).unsigned_abs() as usize - 1;
        owners[place] = Some(Owner {
            customer: row.get::<_, Uuid>(1).into(),
            product: row.get::<_, Uuid>(2).into(),
            account: row.get::<_, Uuid>(3).into(),
        });
    }
    Ok(owners)
}
