//! Work at the network: written with the decision, found when due, claimed for one attempt, and settled by whoever
//! holds that attempt.

use std::time::Duration;

use bss_domain::ids::{CustomerId, ProductOrderId, ServiceId, TenantId};
use bss_domain::{Instant, Slot, TypedId};
use bss_events::TraceParent;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{Session, Store, StoreError, Timestamptz};

/// What is to be done at the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkAction {
    /// Make a service work.
    Activate,
    /// Make it stop.
    Deactivate,
}

impl NetworkAction {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Deactivate => "deactivate",
        }
    }

    fn named(name: &str) -> Self {
        if name == "deactivate" {
            Self::Deactivate
        } else {
            Self::Activate
        }
    }
}

/// Where a piece of work stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActivationState {
    /// To be sent.
    Due,
    /// Sent, and nobody knows: to be asked.
    Unknown,
    /// Done.
    Confirmed,
    /// The network said no, or it was never sent since it wasn't needed any more.
    Refused,
    /// People have to look at it.
    Fallout,
}

impl ActivationState {
    /// Its name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Unknown => "unknown",
            Self::Confirmed => "confirmed",
            Self::Refused => "refused",
            Self::Fallout => "fallout",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [
            Self::Due,
            Self::Unknown,
            Self::Confirmed,
            Self::Refused,
            Self::Fallout,
        ]
        .into_iter()
        .find(|state| state.name() == name)
    }
}

/// A piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activation {
    /// The request id that the network knows it by.
    pub id: Uuid,
    /// The customer.
    pub customer: CustomerId,
    /// The order.
    pub order: ProductOrderId,
    /// Its item.
    pub item: String,
    /// The service.
    pub service: ServiceId,
    /// What is to be done.
    pub action: NetworkAction,
    /// Where it stands.
    pub state: ActivationState,
    /// Attempts begun.
    pub attempts: i32,
    /// Why it was refused or fell out.
    pub reason: Option<String>,
    /// The trace of its order.
    pub traceparent: Option<TraceParent>,
    /// When it was asked for, real time.
    pub created_at: Instant,
}

const COLUMNS: &str = "id, customer_id, product_order_id, order_item_id, service_id, action, state, attempts, reason, \
                       traceparent, created_at";

impl Activation {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let id: Uuid = row.try_get(0)?;
        let state: &str = row.try_get(6)?;
        Ok(Self {
            id,
            customer: row.try_get::<_, Uuid>(1)?.into(),
            order: row.try_get::<_, Uuid>(2)?.into(),
            item: row.try_get(3)?,
            service: row.try_get::<_, Uuid>(4)?.into(),
            action: NetworkAction::named(row.try_get(5)?),
            state: ActivationState::named(state).ok_or_else(|| StoreError::Corrupt {
                what: format!("activation {id}"),
                detail: format!("unknown state {state}"),
            })?,
            attempts: row.try_get(7)?,
            reason: row.try_get(8)?,
            // A trace is no reason to lose the work that it belongs to.
            traceparent: row
                .try_get::<_, Option<&str>>(9)?
                .and_then(|text| text.parse().ok()),
            created_at: row.try_get::<_, Timestamptz>(10)?.0,
        })
    }
}

/// Writes new work, due at once.
pub async fn insert(session: &Session, work: &Activation) -> Result<(), StoreError> {
    session
        .execute(
            "INSERT INTO activation (tenant_id, slot, id, customer_id, product_order_id, order_item_id, service_id, \
             action, state, traceparent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'due', $9)",
            &[
                &session.tenant().uuid(),
                &Slot::of(work.id).sql(),
                &work.id,
                &work.customer.uuid(),
                &work.order.uuid(),
                &work.item,
                &work.service.uuid(),
                &work.action.name(),
                &work.traceparent.map(|parent| parent.to_string()),
            ],
        )
        .await?;
    Ok(())
}

/// What is due in any tenant and isn't being worked at, oldest first.
pub async fn due(store: &Store, limit: usize) -> Result<Vec<(TenantId, Uuid)>, StoreError> {
    let connection = store.worker_connection().await?;
    let statement = connection
        .prepare_cached(
            "SELECT tenant_id, id FROM activation WHERE state IN ('due', 'unknown') AND due_at <= clock_timestamp() \
             AND (leased_until IS NULL OR leased_until < clock_timestamp()) ORDER BY due_at LIMIT $1",
        )
        .await?;
    let rows = connection.query(&statement, &[&(limit as i64)]).await?;
    Ok(rows
        .iter()
        .map(|row| (row.get::<_, Uuid>(0).into(), row.get(1)))
        .collect())
}

/// Claims work for one attempt each: of two workers that try, one gets it. The attempt's number is the fence.
pub async fn claim(session: &Session, ids: &[Uuid], lease: Duration) -> Result<Vec<Activation>, StoreError> {
    let slots: Vec<i16> = ids.iter().map(|id| Slot::of(*id).sql()).collect();
    let sql = format!(
        "UPDATE activation a SET attempts = attempts + 1, leased_until = clock_timestamp() + $3 * interval '1 ms' \
         WHERE (a.slot, a.id) IN (SELECT slot, id FROM activation \
             JOIN unnest($1::smallint[], $2::uuid[]) AS wanted (slot, id) USING (slot, id) \
             WHERE state IN ('due', 'unknown') AND due_at <= clock_timestamp() \
             AND (leased_until IS NULL OR leased_until < clock_timestamp()) FOR UPDATE OF activation SKIP LOCKED) \
         RETURNING {COLUMNS}"
    );
    let lease_ms = lease.as_millis() as f64;
    let rows = session.query(&sql, &[&slots, &ids, &lease_ms]).await?;
    rows.iter().map(Activation::read).collect()
}

/// Settles an attempt: its new state, and after which wait it is due again. False where another worker has begun a
/// later attempt in the meantime.
pub async fn settle(
    session: &Session,
    work: &Activation,
    state: ActivationState,
    wait: Duration,
    reason: Option<&str>,
) -> Result<bool, StoreError> {
    let settled = session
        .execute(
            "UPDATE activation SET state = $4, reason = coalesce($5, reason), leased_until = NULL, \
             due_at = clock_timestamp() + $6 * interval '1 ms' \
             WHERE slot = $1 AND id = $2 AND attempts = $3 AND state IN ('due', 'unknown')",
            &[
                &Slot::of(work.id).sql(),
                &work.id,
                &work.attempts,
                &state.name(),
                &reason,
                &(wait.as_millis() as f64),
            ],
        )
        .await?;
    Ok(settled == 1)
}

/// Takes back work that the network is known not to have: it was never sent, or the last answer said so. False where
/// an attempt is under way or has no outcome.
pub async fn withdraw(session: &Session, id: Uuid, reason: &str) -> Result<bool, StoreError> {
    let withdrawn = session
        .execute(
            "UPDATE activation SET state = 'refused', reason = $3 \
             WHERE slot = $1 AND id = $2 AND state = 'due' AND leased_until IS NULL",
            &[&Slot::of(id).sql(), &id, &reason],
        )
        .await?;
    Ok(withdrawn == 1)
}

/// Makes an order's fallen-out work due again, with new attempts: it is asked first, since it may have been done.
pub async fn retry_fallout(session: &Session, order: ProductOrderId) -> Result<Vec<String>, StoreError> {
    let rows = session
        .query(
            "UPDATE activation SET state = 'unknown', attempts = 0, due_at = clock_timestamp(), leased_until = NULL \
             WHERE slot = $1 AND product_order_id = $2 AND state = 'fallout' RETURNING order_item_id",
            &[&order.slot().sql(), &order.uuid()],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// All work of an order, oldest first.
pub async fn of_order(session: &Session, order: ProductOrderId) -> Result<Vec<Activation>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM activation WHERE slot = $1 AND product_order_id = $2 ORDER BY created_at, id"
    );
    let rows = session.query(&sql, &[&order.slot().sql(), &order.uuid()]).await?;
    rows.iter().map(Activation::read).collect()
}

/// The fallout queue: work that people have to look at, newest first, and how much there is.
pub async fn fallout(
    session: &Session,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Activation>, i64), StoreError> {
    let total: i64 = session
        .query_one("SELECT count(*) FROM activation WHERE state = 'fallout'", &[])
        .await?
        .get(0);
    let sql = format!(
        "SELECT {COLUMNS} FROM activation WHERE state = 'fallout' ORDER BY created_at DESC, id OFFSET $1 LIMIT $2"
    );
    let rows = session.query(&sql, &[&offset, &limit]).await?;
    Ok((
        rows.iter().map(Activation::read).collect::<Result<_, _>>()?,
        total,
    ))
}
