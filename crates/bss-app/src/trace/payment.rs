//! A payment: what it paid for, what is left of it, and the ledger.

use bss_domain::ids::PaymentId;
use bss_domain::{Money, TypedId};
use bss_store::trace::{self as store, PaymentRow};

use super::{Explanation, Tracer};
use crate::AppError;

impl Tracer<'_> {
    /// A payment with the bills that it paid.
    pub(super) async fn payment(&mut self, id: PaymentId) -> Result<Option<Explanation>, AppError> {
        let Some(row) = store::payment(self.session, id).await? else {
            return Ok(None);
        };
        if !self.may_see(Some(row.customer.uuid())) {
            return Ok(None);
        }
        let mut node = payment_node(&row).minor(row.amount_minor, row.currency)?;
        let mut rest_minor = row.amount_minor;
        for allocation in store::allocations_from(self.session, id).await? {
            rest_minor -= allocation.amount_minor;
            let Some(loaded) = self.load(allocation.bill).await? else {
                continue;
            };
            let total = Money::new(loaded.bill.total_minor, loaded.bill.currency);
            let mut bill = Explanation::new("CustomerBill", &loaded.row.number)
                .id(allocation.bill)
                .state(&loaded.row.state)
                .at(allocation.at)
                .minor(allocation.amount_minor, row.currency)?
                .why(format!("a part of {total}"));
            // The lines say what was bought; their amounts are the bill's, not this payment's.
            for line in &loaded.bill.lines {
                let mut line = loaded.line_node(line)?;
                let amount = line
                    .amount
                    .take()
                    .map(|amount| amount.value.to_minor(amount.currency));
                line.why = Some(match (line.why, amount) {
                    (why, Some(minor)) => {
                        let net = Money::new(minor, row.currency);
                        [Some(format!("{net} without tax")), why]
                            .into_iter()
                            .flatten()
                            .collect::<Vec<_>>()
                            .join("; ")
                    }
                    (why, None) => why.unwrap_or_default(),
                });
                bill = bill.child(line);
            }
            node = node.child(bill.children(self.entries(allocation.bill.uuid()).await?));
        }
        if rest_minor != 0 {
            node = node.child(
                Explanation::new("customerCredit", "credit of the account")
                    .minor(rest_minor, row.currency)?,
            );
        }
        Ok(Some(node.children(self.entries(id.uuid()).await?)))
    }
}

/// A payment in one line, without its amount: how much of it counts depends on where it stands.
pub(super) fn payment_node(row: &PaymentRow) -> Explanation {
    Explanation::new("Payment", format!("by {}", row.channel))
        .id(row.id)
        .state(&row.status)
        .at(row.at)
}
