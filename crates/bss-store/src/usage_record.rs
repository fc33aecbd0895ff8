//! Rated usage: one row per record, in partitions by day of start.

use std::collections::BTreeSet;

use bss_domain::ids::{BillingAccountId, ProductId, ProductOfferingPriceId, TypedId, UsageFileId, UsageId};
use bss_domain::usage::{Direction, FileLine, Metered, ServiceKind, Usage, UsageState};
use bss_domain::{Instant, Interval, Nano};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::{Session, StoreError};

/// A rated record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRecord {
    /// Its id: start, slot and hash.
    pub id: UsageId,
    /// Where it came from.
    pub source: String,
    /// The file and line that it stands in; none for a single record.
    pub origin: Option<FileLine>,
    /// Which end the customer was.
    pub direction: Direction,
    /// What was measured.
    pub metered: Metered,
    /// The product whose price rated it.
    pub product: ProductId,
    /// The account that is billed.
    pub account: BillingAccountId,
    /// The price version by which it was rated; the parts' indexes are those of its tariff.
    pub price: ProductOfferingPriceId,
    /// Its amount.
    pub amount: Nano,
    /// The parts of the amount, as [`bss_domain::rating::RatedItem`] encodes them.
    pub parts: Vec<u8>,
    /// The log position that brought it.
    pub position: i64,
    /// Whether the close of the period rates it again.
    pub is_provisional: bool,
    /// `rated` or `rerated`.
    pub state: UsageState,
}

/// Rows that are to be inserted, column by column.
#[derive(Debug, Default)]
pub struct NewRecords<'u> {
    id: Vec<Uuid>,
    slot: Vec<i16>,
    service: Vec<i16>,
    direction: Vec<i16>,
    line: Vec<Option<i32>>,
    product: Vec<Uuid>,
    account: Vec<Uuid>,
    price: Vec<Uuid>,
    file: Vec<Option<Uuid>>,
    quantity: Vec<i64>,
    amount: Vec<i64>,
    position: Vec<i64>,
    provisional: Vec<bool>,
    source: Vec<&'u str>,
    calling: Vec<&'u str>,
    called: Vec<&'u str>,
    visited: Vec<Option<&'u str>>,
    parts: Vec<Vec<u8>>,
}

/// What rating made of a record.
#[derive(Debug, Clone)]
pub struct Rating {
    /// The price version.
    pub price: ProductOfferingPriceId,
    /// The amount.
    pub amount: Nano,
    /// Its parts, encoded.
    pub parts: Vec<u8>,
    /// Whether the close of the period rates it again.
    pub is_provisional: bool,
}

impl<'u> NewRecords<'u> {
    /// Adds a row.
    pub fn push(&mut self, usage: &'u Usage, rating: Rating, position: i64) {
        self.id.push(usage.id.uuid());
        self.slot.push(usage.id.slot().sql());
        self.service.push(usage.metered.service.sql());
        self.direction.push(usage.direction.sql());
        self.line.push(usage.origin.map(|origin| origin.line as i32));
        self.product.push(usage.owner.product.uuid());
        self.account.push(usage.owner.account.uuid());
        self.price.push(rating.price.uuid());
        self.file.push(usage.origin.map(|origin| origin.file.uuid()));
        self.quantity.push(usage.metered.quantity);
        self.amount.push(rating.amount.0);
        self.position.push(position);
        self.provisional.push(rating.is_provisional);
        self.source.push(&usage.source);
        self.calling.push(&usage.metered.calling);
        self.called.push(&usage.metered.called);
        self.visited.push(usage.metered.visited_network.as_deref());
        self.parts.push(rating.parts);
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.id.is_empty()
    }
}

/// Inserts rated records. A record that is there already is [`StoreError::Taken`], and the transaction is lost.
pub async fn insert(session: &Session, rows: &NewRecords<'_>) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    session
        .execute(
            "INSERT INTO usage_record (id, slot, service, direction, state, line, tenant_id, product_id, account_id, \
             price_id, file_id, quantity, amount_nano, position, provisional, source, calling, called, visited, parts) \
             SELECT r.id, r.slot, r.service, r.direction, $1, r.line, $2, r.product_id, r.account_id, r.price_id, \
             r.file_id, r.quantity, r.amount_nano, r.position, r.provisional, r.source, r.calling, r.called, \
             r.visited, r.parts \
             FROM unnest($3::uuid[], $4::smallint[], $5::smallint[], $6::smallint[], $7::integer[], $8::uuid[], \
             $9::uuid[], $10::uuid[], $11::uuid[], $12::bigint[], $13::bigint[], $14::bigint[], $15::boolean[], \
             $16::text[], $17::text[], $18::text[], $19::text[], $20::bytea[]) \
             AS r (id, slot, service, direction, line, product_id, account_id, price_id, file_id, quantity, \
             amount_nano, position, provisional, source, calling, called, visited, parts)",
            &[
                &UsageState::Rated.sql(),
                &Uuid::from(session.tenant()),
                &rows.id,
                &rows.slot,
                &rows.service,
                &rows.direction,
                &rows.line,
                &rows.product,
                &rows.account,
                &rows.price,
                &rows.file,
                &rows.quantity,
                &rows.amount,
                &rows.position,
                &rows.provisional,
                &rows.source,
                &rows.calling,
                &rows.called,
                &rows.visited,
                &rows.parts,
            ],
        )
        .await?;
    Ok(())
}

const COLUMNS: &str = "r.id, r.service, r.direction, r.state, r.line, r.product_id, r.account_id, r.price_id, \
                       r.file_id, r.quantity, r.amount_nano, r.position, r.provisional, r.source, r.calling, \
                       r.called, r.visited, r.parts";

/// The records of these ids that are there. The least and the greatest id bound the partitions that are searched.
pub async fn find(session: &Session, ids: &[UsageId]) -> Result<Vec<UsageRecord>, StoreError> {
    let (Some(first), Some(last)) = (ids.iter().min(), ids.iter().max()) else {
        return Ok(Vec::new());
    };
    let list: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let sql = format!("SELECT {COLUMNS} FROM usage_record r WHERE r.id = ANY($1) AND r.id BETWEEN $2 AND $3");
    let rows = session.query(&sql, &[&list, &first.uuid(), &last.uuid()]).await?;
    rows.iter().map(read).collect()
}

/// Which records a list shows. What isn't set leaves all.
#[derive(Debug, Clone, Default)]
pub struct RecordFilter {
    /// Those that began within.
    pub started: Option<Interval>,
    /// Those of these accounts.
    pub accounts: Option<Vec<BillingAccountId>>,
    /// Those of this product.
    pub product: Option<ProductId>,
    /// Those of this file.
    pub file: Option<UsageFileId>,
    /// Those of these kinds of service.
    pub services: Option<Vec<ServiceKind>>,
    /// Those in these states.
    pub states: Option<Vec<UsageState>>,
    /// The one of this id.
    pub ids: Option<Vec<UsageId>>,
    /// Whether the earliest start comes first.
    pub ascending: bool,
    /// How many to leave out.
    pub offset: i64,
    /// How many at most.
    pub limit: i64,
}

/// The conditions of a filter, with its nine parameters. What isn't set is NULL.
const WHERE: &str = "r.id >= $1 AND r.id < $2 AND ($3::smallint[] IS NULL OR r.slot = ANY($3)) \
                     AND ($4::uuid[] IS NULL OR r.account_id = ANY($4)) AND ($5::uuid IS NULL OR r.product_id = $5) \
                     AND ($6::uuid IS NULL OR r.file_id = $6) AND ($7::smallint[] IS NULL OR r.service = ANY($7)) \
                     AND ($8::smallint[] IS NULL OR r.state = ANY($8)) AND ($9::uuid[] IS NULL OR r.id = ANY($9))";

/// A filter's parameters, in the order of [`WHERE`].
struct Parameters {
    from: Uuid,
    to: Uuid,
    slots: Option<Vec<i16>>,
    accounts: Option<Vec<Uuid>>,
    product: Option<Uuid>,
    file: Option<Uuid>,
    services: Option<Vec<i16>>,
    states: Option<Vec<i16>>,
    ids: Option<Vec<Uuid>>,
}

impl Parameters {
    fn of(filter: &RecordFilter) -> Self {
        let (mut from, mut to) = bounds(filter.started);
        // Named ids bound the days that are searched as well.
        if let Some(ids) = &filter.ids {
            let (first, last) = (ids.iter().min(), ids.iter().max());
            from = from.max(first.map_or(Uuid::max(), |id| id.uuid()));
            to = to.min(last.map_or(Uuid::nil(), |id| behind(id.uuid())));
        }
        Self {
            from,
            to,
            slots: slots_of(filter),
            accounts: filter.accounts.as_deref().map(uuids),
            product: filter.product.map(TypedId::uuid),
            file: filter.file.map(TypedId::uuid),
            services: filter
                .services
                .as_ref()
                .map(|all| all.iter().map(|one| one.sql()).collect()),
            states: filter
                .states
                .as_ref()
                .map(|all| all.iter().map(|one| one.sql()).collect()),
            ids: filter.ids.as_deref().map(uuids),
        }
    }

    fn list(&self) -> Vec<&(dyn ToSql + Sync)> {
        vec![
            &self.from,
            &self.to,
            &self.slots,
            &self.accounts,
            &self.product,
            &self.file,
            &self.services,
            &self.states,
            &self.ids,
        ]
    }
}

fn uuids<I: TypedId>(ids: &[I]) -> Vec<Uuid> {
    ids.iter().map(|id| id.uuid()).collect()
}

/// The next id after this one.
fn behind(id: Uuid) -> Uuid {
    Uuid::from_u128(id.as_u128().saturating_add(1))
}

/// Records in the order of their starts. Without an interval of starts every day is looked through.
pub async fn list(session: &Session, filter: &RecordFilter) -> Result<Vec<UsageRecord>, StoreError> {
    let order = if filter.ascending { "" } else { " DESC" };
    let sql = format!(
        "SELECT {COLUMNS} FROM usage_record r WHERE {WHERE} ORDER BY r.id{order} OFFSET $10 LIMIT $11"
    );
    let parameters = Parameters::of(filter);
    let mut list = parameters.list();
    list.extend([&filter.offset as &(dyn ToSql + Sync), &filter.limit]);
    let rows = session.query(&sql, &list).await?;
    rows.iter().map(read).collect()
}

/// How many records a list has in all, counted up to a bound.
pub async fn count(session: &Session, filter: &RecordFilter, bound: i64) -> Result<i64, StoreError> {
    let sql =
        format!("SELECT count(*) FROM (SELECT FROM usage_record r WHERE {WHERE} LIMIT $10) AS matching");
    let parameters = Parameters::of(filter);
    let mut list = parameters.list();
    list.push(&bound);
    Ok(session.query_one(&sql, &list).await?.get(0))
}

/// How many records a list has in all, and their amounts' sum.
pub async fn total(session: &Session, filter: &RecordFilter) -> Result<(i64, i128), StoreError> {
    let sql =
        format!("SELECT count(*), coalesce(sum(r.amount_nano), 0)::text FROM usage_record r WHERE {WHERE}");
    let parameters = Parameters::of(filter);
    let row = session.query_one(&sql, &parameters.list()).await?;
    let sum: String = row.get(1);
    let sum = sum.parse().map_err(|_| StoreError::Corrupt {
        what: "sum of usage".to_owned(),
        detail: sum.clone(),
    })?;
    Ok((row.get(0), sum))
}

/// A customer's things lie in one slot.
fn slots_of(filter: &RecordFilter) -> Option<Vec<i16>> {
    let of_accounts = filter
        .accounts
        .as_ref()
        .map(|accounts| accounts.iter().map(|id| id.slot().sql()).collect());
    of_accounts.or_else(|| filter.product.map(|product| vec![product.slot().sql()]))
}

/// The least ids of an interval's ends.
fn bounds(started: Option<Interval>) -> (Uuid, Uuid) {
    let least = |at: Instant| Uuid::from_u64_pair((at.as_millisecond().max(0) as u64) << 16, 0);
    started.map_or((Uuid::nil(), Uuid::max()), |started| {
        (least(started.from), least(started.to))
    })
}

/// Makes the partitions of the days (UTC) of these starts where they are missing.
pub async fn ensure_days(session: &Session, days: &BTreeSet<Date>) -> Result<(), StoreError> {
    let texts: Vec<String> = days.iter().map(ToString::to_string).collect();
    session
        .execute("SELECT usage_record_days($1::text[]::date[])", &[&texts])
        .await?;
    Ok(())
}

/// The day (UTC) in whose partition a start lies.
pub fn day_of(started: Instant) -> Date {
    TimeZone::UTC.to_datetime(started).date()
}

fn read(row: &Row) -> Result<UsageRecord, StoreError> {
    let id: UsageId = row.get::<_, Uuid>(0).into();
    let corrupt = |what: &str| StoreError::Corrupt {
        what: format!("usage record {id}"),
        detail: what.to_owned(),
    };
    let (file, line): (Option<Uuid>, Option<i32>) = (row.get(8), row.get(4));
    let start_ms = bss_domain::ids::unix_ms_of(id.uuid());
    Ok(UsageRecord {
        id,
        source: row.get(13),
        origin: file.zip(line).map(|(file, line)| FileLine {
            file: file.into(),
            line: line.unsigned_abs(),
        }),
        direction: Direction::from_sql(row.get(2)).ok_or_else(|| corrupt("direction"))?,
        metered: Metered {
            service: ServiceKind::from_sql(row.get(1)).ok_or_else(|| corrupt("service"))?,
            calling: row.get(14),
            called: row.get(15),
            visited_network: row.get(16),
            started: Instant::from_millisecond(start_ms).map_err(|_| corrupt("start"))?,
            quantity: row.get(9),
        },
        product: row.get::<_, Uuid>(5).into(),
        account: row.get::<_, Uuid>(6).into(),
        price: row.get::<_, Uuid>(7).into(),
        amount: Nano(row.get(10)),
        parts: row.get(17),
        position: row.get(11),
        is_provisional: row.get(12),
        state: UsageState::from_sql(row.get(3)).ok_or_else(|| corrupt("state"))?,
    })
}
