//! A product: where it came from, its life with the pinned prices, what it was billed, what isn't billed yet.

use bss_domain::ids::{CustomerBillId, ProductId};
use bss_domain::{Instant, Interval, Nano, TypedId};
use bss_store::product::PRODUCT;
use bss_store::resource::{self, Stored};
use bss_store::trace as store;
use bss_store::usage_record::{self, RecordFilter};

use super::usage::RECORDS_MAX;
use super::{Explanation, Tracer, customer_of, text_of};
use crate::AppError;

impl Tracer<'_> {
    /// A product with its origin and all that came of it.
    pub(super) async fn product(&mut self, id: ProductId) -> Result<Option<Explanation>, AppError> {
        let Some(stored) = resource::get(self.session, &PRODUCT, id.uuid()).await? else {
            return Ok(None);
        };
        if !self.may_see(customer_of(&stored.body)) {
            return Ok(None);
        }
        let origin = self.origin(&stored).await?;
        let services = self.service_orders_of_product(id).await?;
        let (life, bills) = self.life(&stored).await?;
        let mut node = product_node(&stored)
            .children(origin)
            .children(services)
            .children(life);
        for bill in bills {
            node = node.children(self.settlement(bill).await?);
        }
        Ok(Some(node))
    }

    /// A product's segments, its part of bills, and its usage that no bill has; with the bills' ids.
    pub(super) async fn life(
        &mut self,
        product: &Stored,
    ) -> Result<(Vec<Explanation>, Vec<CustomerBillId>), AppError> {
        let id = ProductId::from(product.id);
        let segments = store::segments(self.session, id).await?;
        let mut nodes = Vec::new();
        for segment in &segments {
            let until = segment.to.map_or_else(|| "now".to_owned(), |to| to.to_string());
            nodes.push(
                Explanation::new("segment", format!("{} to {until}", segment.from))
                    .state(&segment.state)
                    .at(segment.from)
                    .quantity(segment.quantity.unsigned_abs(), "piece")
                    .why(self.price_names(&segment.prices).await?),
            );
        }
        let mut accounts: Vec<_> = segments.iter().map(|segment| segment.account).collect();
        accounts.sort_unstable();
        accounts.dedup();
        let bills = store::bills_of(self.session, id, &accounts).await?;
        for bill in &bills {
            nodes.extend(self.part_of_bill(*bill, id).await?);
        }
        for account in accounts {
            nodes.extend(self.not_billed(id, account).await?);
        }
        Ok((nodes, bills))
    }

    /// A product's lines on a bill.
    async fn part_of_bill(
        &mut self,
        bill: CustomerBillId,
        product: ProductId,
    ) -> Result<Option<Explanation>, AppError> {
        let Some(loaded) = self.load(bill).await? else {
            return Ok(None);
        };
        let mut net_minor = 0;
        let mut lines = Vec::new();
        for line in loaded.bill.lines.iter().filter(|line| line.product == product) {
            net_minor += line.net_minor;
            lines.push(loaded.line_node(line)?);
        }
        let label = format!("{}, this product's lines without tax", loaded.row.number);
        let node = Explanation::new("CustomerBill", label)
            .id(bill)
            .state(&loaded.row.state)
            .at(loaded.bill.bill_date)
            .minor(net_minor, loaded.bill.currency)?;
        Ok(Some(node.children(lines)))
    }

    /// The usage since the account's last closed period began that no bill has claimed.
    async fn not_billed(
        &mut self,
        product: ProductId,
        account: bss_domain::ids::BillingAccountId,
    ) -> Result<Option<Explanation>, AppError> {
        let claims = store::claims(self.session, account).await?;
        let from = claims.last().map_or(Instant::MIN, |claim| claim.from);
        let filter = RecordFilter {
            started: Some(Interval {
                from,
                to: Instant::MAX,
            }),
            accounts: Some(vec![account]),
            product: Some(product),
            limit: RECORDS_MAX,
            ..RecordFilter::default()
        };
        let mut records = usage_record::list(self.session, &filter).await?;
        records.retain(|record| record.is_provisional && super::usage::claim_of(record, &claims).is_none());
        if records.is_empty() {
            return Ok(None);
        }
        let Some(currency) = self.currency_of(account).await? else {
            return Ok(None);
        };
        let sum = records
            .iter()
            .try_fold(Nano::ZERO, |sum, record| sum.plus(record.amount))?;
        let records_text = match records.len() {
            1 => "1 record".to_owned(),
            count => format!("{count} records"),
        };
        Ok(Some(
            Explanation::new("Usage", format!("{records_text} not billed yet"))
                .amount(sum, currency)
                .why("as rated on arrival; the close of the period rates them again in event order"),
        ))
    }
}

/// A product in one line.
pub(super) fn product_node(stored: &Stored) -> Explanation {
    Explanation::new("Product", text_of(&stored.body, "name"))
        .id(stored.id)
        .state(text_of(&stored.body, "status"))
        .at(stored.created_at)
}
