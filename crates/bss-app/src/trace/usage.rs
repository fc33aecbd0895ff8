//! A usage record: file and line, product, the parts of its rating, and the bill line that it is in.

use bss_domain::customer_bill::{BillLine, LineKind};
use bss_domain::ids::{BillingAccountId, UsageId};
use bss_domain::rating::RatedItem;
use bss_domain::{Currency, Instant, Nano, TypedId};
use bss_store::billing_account::BILLING_ACCOUNT;
use bss_store::resource;
use bss_store::trace::{self as store, ClaimRow};
use bss_store::usage_file;
use bss_store::usage_record::{self, RecordFilter, UsageRecord};

use super::bill::LoadedBill;
use super::{Explanation, Tracer, customer_of};
use crate::AppError;

/// Records that are shown below a line; the rest is one node with their sum.
const RECORDS_SHOWN: usize = 20;
/// Records of a product and period that are read at most.
pub(super) const RECORDS_MAX: i64 = 200_000;

/// A record as it stands now: with the final rating where its period was closed.
struct FinalRecord {
    record: UsageRecord,
    item: RatedItem,
}

impl Tracer<'_> {
    /// A record and where it went.
    pub(super) async fn usage(&mut self, id: UsageId) -> Result<Option<Explanation>, AppError> {
        let records = usage_record::find(self.session, &[id]).await?;
        let Some(last) = self.finally(records).await?.pop() else {
            return Ok(None);
        };
        let account = last.record.account;
        let stored = resource::get(self.session, &BILLING_ACCOUNT, account.uuid()).await?;
        if !self.may_see(stored.and_then(|stored| customer_of(&stored.body))) {
            return Ok(None);
        }
        let Some(currency) = self.currency_of(account).await? else {
            return Ok(None);
        };
        let unit = last.record.metered.service.unit();
        let parts = self
            .parts(&last.item, last.record.price, (unit, currency))
            .await?;
        let mut node = record_node(&last, currency).children(parts);
        node = node.child(self.origin_of(&last.record).await?);
        node = node.children(self.product_with_origin(last.record.product).await?);
        node = node.child(self.billed(&last).await?);
        Ok(Some(node))
    }

    /// The currency of an account.
    pub(super) async fn currency_of(&self, account: BillingAccountId) -> Result<Option<Currency>, AppError> {
        let stored = resource::get(self.session, &BILLING_ACCOUNT, account.uuid()).await?;
        let code = stored.and_then(|stored| stored.body["currency"].as_str().map(str::to_owned));
        Ok(code.map(|code| Currency::of(&code)).transpose()?)
    }

    async fn origin_of(&self, record: &UsageRecord) -> Result<Explanation, AppError> {
        let Some(origin) = record.origin else {
            return Ok(Explanation::new("source", &record.source).why("a single record"));
        };
        let name = usage_file::get(self.session, origin.file)
            .await?
            .map(|file| file.name);
        let label = format!("{}, line {}", name.unwrap_or_default(), origin.line);
        Ok(Explanation::new("UsageFile", label)
            .id(origin.file)
            .why(format!("from {}", record.source)))
    }

    /// The bill that has a record.
    async fn billed(&mut self, last: &FinalRecord) -> Result<Explanation, AppError> {
        let record = &last.record;
        if !record.is_provisional {
            return Ok(Explanation::new(
                "prepaid",
                "taken from the prepaid balance at once",
            ));
        }
        let claims = store::claims(self.session, record.account).await?;
        let waiting =
            || Explanation::new("CustomerBill", "not billed yet").why("no closed period has claimed it");
        let Some(claim) = claim_of(record, &claims) else {
            return Ok(waiting());
        };
        let Some(loaded) = self.load(claim.bill).await? else {
            return Ok(waiting());
        };
        let mut bill = Explanation::new("CustomerBill", &loaded.row.number)
            .id(claim.bill)
            .state(&loaded.row.state)
            .at(loaded.bill.bill_date);
        for line in loaded.bill.lines.iter().filter(|line| is_in(last, line)) {
            let mut node = loaded.line_node(line)?;
            // The line's amount is that of all its records.
            if let Some(amount) = node.amount.take() {
                let all = format!("{} {} in all", amount.value.decimal(), amount.currency);
                node.why = Some(
                    node.why
                        .map_or_else(|| all.clone(), |why| format!("{all}, {why}")),
                );
            }
            bill = bill.child(node);
        }
        Ok(bill)
    }

    /// The records of a bill's line: the first ones, and the sum of the rest.
    pub(super) async fn records_of_line(
        &mut self,
        loaded: &LoadedBill,
        line: &BillLine,
    ) -> Result<Vec<Explanation>, AppError> {
        let claims = store::claims(self.session, loaded.bill.account).await?;
        let filter = RecordFilter {
            started: Some(line.period),
            accounts: Some(vec![loaded.bill.account]),
            product: Some(line.product),
            limit: RECORDS_MAX,
            ..RecordFilter::default()
        };
        let mut records = usage_record::list(self.session, &filter).await?;
        records.retain(|record| {
            record.is_provisional
                && claim_of(record, &claims).is_some_and(|claim| claim.bill == loaded.bill.id)
        });
        let mut records = self.finally(records).await?;
        records.retain(|record| is_in(record, line));
        records.sort_by_key(|record| record.record.id);
        let currency = loaded.bill.currency;
        let rest = records.split_off(records.len().min(RECORDS_SHOWN));
        let mut nodes: Vec<_> = records
            .iter()
            .map(|record| record_node(record, currency))
            .collect();
        if !rest.is_empty() {
            let sum = rest
                .iter()
                .try_fold(Nano::ZERO, |sum, record| sum.plus(record.item.amount))?;
            nodes.push(Explanation::new("more", format!("{} more", rest.len())).amount(sum, currency));
        }
        Ok(nodes)
    }

    /// Records with their final ratings.
    async fn finally(&self, records: Vec<UsageRecord>) -> Result<Vec<FinalRecord>, AppError> {
        let ids: Vec<UsageId> = records.iter().map(|record| record.id).collect();
        let corrected: std::collections::HashMap<UsageId, Vec<u8>> = store::corrections(self.session, &ids)
            .await?
            .into_iter()
            .map(|correction| (correction.usage, correction.parts))
            .collect();
        records
            .into_iter()
            .map(|record| {
                let parts = corrected.get(&record.id).unwrap_or(&record.parts);
                let item = RatedItem::decode(parts).map_err(AppError::internal)?;
                Ok(FinalRecord { record, item })
            })
            .collect()
    }
}

/// The closed period that has a record: the first one that ended after its start and whose watermark covers it.
pub(super) fn claim_of<'c>(record: &UsageRecord, claims: &'c [ClaimRow]) -> Option<&'c ClaimRow> {
    let started: Instant = record.metered.started;
    claims
        .iter()
        .find(|claim| started < claim.through && record.position <= claim.watermark)
}

fn is_in(last: &FinalRecord, line: &BillLine) -> bool {
    line.kind == LineKind::Usage
        && line.product == last.record.product
        && line.price == last.record.price
        && line.rate == Some(last.item.rate)
        && line.period.contains(last.record.metered.started)
}

fn record_node(last: &FinalRecord, currency: Currency) -> Explanation {
    let record = &last.record;
    let metered = &record.metered;
    Explanation::new(
        "Usage",
        format!("{} {}", metered.service.name(), record.direction.name()),
    )
    .id(record.id)
    .state(record.state.name())
    .at(metered.started)
    .amount(last.item.amount, currency)
    .quantity(metered.quantity.unsigned_abs(), metered.service.unit())
}
