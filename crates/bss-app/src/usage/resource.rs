use std::collections::BTreeSet;

use async_trait::async_trait;
use bss_domain::ids::{BillingAccountId, CustomerId, ProductId, UsageId};
use bss_domain::shape::check_new;
use bss_domain::usage::{ServiceKind, UsageState, shape};
use bss_domain::{Instant, Interval, Refusal, TypedId};
use bss_store::resource::{Comparison, Page, Stored, TOTAL_BOUND};
use bss_store::usage_record::{self, RecordFilter, UsageRecord};
use bss_store::{Session, billing_account};
use serde_json::Value;
use uuid::Uuid;

use super::{from_tmf, guided_to_tmf, to_tmf};
use crate::resource::{Filter, ListRequest, Reads, ResourceUseCases};
use crate::usage_import::{UsageImport, record_usage};
use crate::{App, AppError, RequestContext};

/// Usage as the resource kit sees it. A record is read once charging has given it its price, and from then on.
pub struct Usages;

/// By what usage is found.
const FOUND_BY: &str = "usage is found by id, usageType, status, usageDate, billingAccount.id, \
                        relatedParty[role=customer].id and ratedProductUsage.productRef.id";

#[async_trait]
impl Reads for Usages {
    async fn get(&self, session: &Session, id: Uuid) -> Result<Option<Stored>, AppError> {
        let records = usage_record::find(session, &[id.into()]).await?;
        Ok(documents(session, &records).await?.pop())
    }

    async fn list(&self, session: &Session, request: &ListRequest) -> Result<Page, AppError> {
        let filter = filter_of(session, request).await?;
        let records = usage_record::list(session, &filter).await?;
        let bound = TOTAL_BOUND as i64;
        let counted = usage_record::count(session, &filter, bound + 1).await?;
        let seen = filter.offset + records.len() as i64;
        let total = counted.min(bound).max(if records.is_empty() { 0 } else { seen });
        Ok(Page {
            rows: documents(session, &records).await?,
            total: total.unsigned_abs(),
            exact: counted <= bound,
        })
    }

    /// The close of a period may rate a record again without a new revision.
    fn revision_tells_all(&self) -> bool {
        false
    }
}

#[async_trait]
impl ResourceUseCases for Usages {
    async fn create(&self, app: &App, context: &RequestContext, body: Value) -> Result<Stored, AppError> {
        check_new(shape::SHAPE, &body)?;
        let new = from_tmf(&body)?;
        let usage = record_usage(app, context, &UsageImport::default(), &new).await?;
        Ok(stored(usage.id, usage.metered.started, guided_to_tmf(&usage)))
    }

    async fn patch(
        &self,
        _app: &App,
        _context: &RequestContext,
        _id: Uuid,
        _patch: Value,
        _expected: Option<i64>,
    ) -> Result<Stored, AppError> {
        Err(Refusal::conflict(
            "immutable",
            "what was used never changes: send a corrected record",
        )
        .into())
    }

    async fn delete(
        &self,
        _app: &App,
        _context: &RequestContext,
        _id: Uuid,
        _expected: Option<i64>,
    ) -> Result<(), AppError> {
        Err(Refusal::conflict("immutable", "what was used is never removed").into())
    }
}

fn stored(id: UsageId, started: Instant, body: Value) -> Stored {
    Stored {
        id: id.uuid(),
        revision: 1,
        body,
        created_at: started,
        updated_at: started,
    }
}

async fn documents(session: &Session, records: &[UsageRecord]) -> Result<Vec<Stored>, AppError> {
    let accounts: BTreeSet<BillingAccountId> = records.iter().map(|record| record.account).collect();
    let accounts: Vec<BillingAccountId> = accounts.into_iter().collect();
    let owners = billing_account::owners(session, &accounts).await?;
    let document = |record: &UsageRecord| {
        let gone = || format!("billing account {} of a usage record is gone", record.account);
        let owner = owners
            .get(&record.account)
            .ok_or_else(|| AppError::internal(gone()))?;
        Ok(stored(record.id, record.metered.started, to_tmf(record, *owner)))
    };
    records.iter().map(document).collect()
}

fn wrong(field: &str, value: impl ToString, message: impl Into<String>) -> Refusal {
    Refusal::invalid("wrongQuery", field, value.to_string(), message)
}

/// The records that a list asks for.
async fn filter_of(session: &Session, request: &ListRequest) -> Result<RecordFilter, AppError> {
    let mut filter = RecordFilter {
        offset: i64::from(request.offset),
        limit: i64::from(request.limit),
        ..RecordFilter::default()
    };
    for (attribute, descending) in &request.sort {
        if !["usageDate", "id"].contains(&attribute.as_str()) {
            return Err(wrong("sort", attribute, "usage is sorted by usageDate").into());
        }
        filter.ascending = !descending;
    }
    for condition in &request.filters {
        if condition.attribute == "usageDate" {
            started(&mut filter, condition)?;
        } else {
            equal(session, &mut filter, condition).await?;
        }
    }
    Ok(filter)
}

/// One condition by equality. Conditions on the same thing narrow each other: a customer who asks for another's
/// account gets nothing.
async fn equal(session: &Session, filter: &mut RecordFilter, condition: &Filter) -> Result<(), AppError> {
    let name = condition.attribute.as_str();
    if condition.comparison != Comparison::Equal {
        return Err(wrong(
            name,
            condition.values.join(","),
            format!("{name} is compared by = alone"),
        )
        .into());
    }
    match name {
        "id" => narrow(&mut filter.ids, ids(condition)),
        "billingAccount.id" => narrow(&mut filter.accounts, ids(condition)),
        "relatedParty.id" | "relatedParty[role=customer].id" => {
            let mut accounts = Vec::new();
            for customer in ids::<CustomerId>(condition) {
                accounts.extend(billing_account::of_customer(session, customer).await?);
            }
            narrow(&mut filter.accounts, accounts);
        }
        "ratedProductUsage.productRef.id" => match ids::<ProductId>(condition)[..] {
            [product] if filter.product.is_none_or(|known| known == product) => {
                filter.product = Some(product);
            }
            // Two products at once, or none of ours.
            _ => filter.ids = Some(Vec::new()),
        },
        "usageType" => narrow(&mut filter.services, words(condition, ServiceKind::named)?),
        "status" => narrow(&mut filter.states, words(condition, UsageState::named)?),
        _ => return Err(wrong(name, condition.values.join(","), FOUND_BY).into()),
    }
    Ok(())
}

fn narrow<T: PartialEq>(known: &mut Option<Vec<T>>, more: Vec<T>) {
    match known {
        Some(known) => known.retain(|one| more.contains(one)),
        None => *known = Some(more),
    }
}

/// What is no UUID names nothing of ours.
fn ids<I: TypedId>(condition: &Filter) -> Vec<I> {
    let values = condition.values.iter();
    values
        .filter_map(|text| text.parse::<Uuid>().ok().map(I::from))
        .collect()
}

fn words<T>(condition: &Filter, named: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Refusal> {
    let name = &condition.attribute;
    let read =
        |text: &String| named(text).ok_or_else(|| wrong(name, text, format!("no {name} is called so")));
    condition.values.iter().map(read).collect()
}

/// Narrows the interval of starts, whose instants are whole milliseconds.
fn started(filter: &mut RecordFilter, condition: &Filter) -> Result<(), Refusal> {
    let known = filter.started.unwrap_or(Interval {
        from: Instant::UNIX_EPOCH,
        to: Instant::MAX,
    });
    let mut bounds = known;
    for text in &condition.values {
        let read = || {
            wrong(
                "usageDate",
                text,
                "it is no instant, as 2026-01-31T12:00:00Z is one",
            )
        };
        let at: Instant = text.parse().map_err(|_| read())?;
        let next = Instant::from_millisecond(at.as_millisecond() + 1).map_err(|_| read())?;
        match condition.comparison {
            Comparison::Equal if condition.values.len() == 1 => {
                (bounds.from, bounds.to) = (bounds.from.max(at), bounds.to.min(next));
            }
            Comparison::Greater => bounds.from = bounds.from.max(next),
            Comparison::GreaterOrEqual => bounds.from = bounds.from.max(at),
            Comparison::Less => bounds.to = bounds.to.min(at),
            Comparison::LessOrEqual => bounds.to = bounds.to.min(next),
            Comparison::Equal | Comparison::NotEqual => {
                let message = "usageDate is compared to one instant by =, .gt, .gte, .lt and .lte";
                return Err(wrong("usageDate", text, message));
            }
        }
    }
    filter.started = Some(bounds);
    Ok(())
}
