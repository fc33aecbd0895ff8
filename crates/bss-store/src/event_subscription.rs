//! Callbacks that are told of events, and what each of them is still to be told.

use std::time::Duration;

use bss_domain::event_subscription::EventSubscription;
use bss_domain::ids::{EventId, EventSubscriptionId, TenantId};
use bss_domain::{Instant, TypedId};
use serde_json::Value;
use uuid::Uuid;

use crate::{Session, Store, StoreError, Timestamptz};

/// Registers a callback; one that is registered at the API already is [`StoreError::Taken`].
pub async fn insert(session: &Session, new: &EventSubscription, now: Instant) -> Result<(), StoreError> {
    session
        .execute(
            "INSERT INTO event_subscription (tenant_id, id, api, kinds, event_types, query, callback, created_at, \
             created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            &[
                &session.tenant().uuid(),
                &new.id.uuid(),
                &new.api,
                &new.kinds,
                &new.event_types,
                &new.query,
                &new.callback,
                &Timestamptz(now),
                &session.actor(),
            ],
        )
        .await?;
    Ok(())
}

/// Removes a callback of an API with all that it was still to be told; false where there is none.
pub async fn delete(session: &Session, api: &str, id: EventSubscriptionId) -> Result<bool, StoreError> {
    let removed = session
        .execute(
            "DELETE FROM event_subscription WHERE id = $1 AND api = $2",
            &[&id.uuid(), &api],
        )
        .await?;
    Ok(removed == 1)
}

/// The tenant's callbacks.
pub async fn all(session: &Session) -> Result<Vec<EventSubscription>, StoreError> {
    let rows = session
        .query(
            "SELECT id, api, kinds, event_types, query, callback FROM event_subscription ORDER BY id",
            &[],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| EventSubscription {
            id: row.get::<_, Uuid>(0).into(),
            api: row.get(1),
            kinds: row.get(2),
            event_types: row.get(3),
            query: row.get(4),
            callback: row.get(5),
        })
        .collect())
}

/// Writes down what callbacks are to be told; the same event again changes nothing.
pub async fn tell(
    session: &Session,
    rows: &[(EventSubscriptionId, EventId, Value)],
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let subscriptions: Vec<Uuid> = rows.iter().map(|(id, _, _)| id.uuid()).collect();
    let events: Vec<Uuid> = rows.iter().map(|(_, event, _)| event.uuid()).collect();
    let bodies: Vec<&Value> = rows.iter().map(|(_, _, body)| body).collect();
    // A callback that was removed meanwhile is told nothing.
    session
        .execute(
            "INSERT INTO event_delivery (tenant_id, subscription_id, event_id, body) \
             SELECT $1, n.subscription, n.event, n.body \
             FROM unnest($2::uuid[], $3::uuid[], $4::jsonb[]) AS n (subscription, event, body) \
             JOIN event_subscription s ON s.id = n.subscription ON CONFLICT DO NOTHING",
            &[&session.tenant().uuid(), &subscriptions, &events, &bodies],
        )
        .await?;
    Ok(())
}

/// Something that a callback is to be told, claimed for one attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The callback's registration.
    pub subscription: EventSubscriptionId,
    /// The event.
    pub event: EventId,
    /// Where it is called.
    pub callback: String,
    /// What it is told.
    pub body: Value,
    /// Attempts begun, this one included.
    pub attempts: i32,
}

/// In which tenants something is due, at most so many rows being looked at.
pub async fn due(store: &Store, limit: i64) -> Result<Vec<TenantId>, StoreError> {
    let connection = store.worker_connection().await?;
    let statement = connection
        .prepare_cached(
            "SELECT DISTINCT tenant_id FROM (SELECT tenant_id FROM event_delivery WHERE due_at <= clock_timestamp() \
             AND (leased_until IS NULL OR leased_until < clock_timestamp()) ORDER BY due_at LIMIT $1) d",
        )
        .await?;
    let rows = connection.query(&statement, &[&limit]).await?;
    Ok(rows.iter().map(|row| row.get::<_, Uuid>(0).into()).collect())
}

/// Claims what is due in the session's tenant for one attempt each: of two workers that try, one gets it.
pub async fn claim(session: &Session, limit: i64, lease: Duration) -> Result<Vec<Delivery>, StoreError> {
    let rows = session
        .query(
            "UPDATE event_delivery d SET attempts = attempts + 1, \
             leased_until = clock_timestamp() + $2 * interval '1 ms' FROM event_subscription s \
             WHERE s.id = d.subscription_id AND (d.subscription_id, d.event_id) IN ( \
                 SELECT subscription_id, event_id FROM event_delivery WHERE due_at <= clock_timestamp() \
                 AND (leased_until IS NULL OR leased_until < clock_timestamp()) \
                 ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED) \
             RETURNING d.subscription_id, d.event_id, s.callback, d.body, d.attempts",
            &[&limit, &(lease.as_millis() as f64)],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| Delivery {
            subscription: row.get::<_, Uuid>(0).into(),
            event: row.get::<_, Uuid>(1).into(),
            callback: row.get(2),
            body: row.get(3),
            attempts: row.get(4),
        })
        .collect())
}

/// The callback has answered: there is nothing left to tell.
pub async fn told(session: &Session, delivery: &Delivery) -> Result<(), StoreError> {
    session
        .execute(
            "DELETE FROM event_delivery WHERE subscription_id = $1 AND event_id = $2",
            &[&delivery.subscription.uuid(), &delivery.event.uuid()],
        )
        .await?;
    Ok(())
}

/// The callback didn't take it: it is called again after a wait, or left to people where there is none. An attempt
/// that was overtaken changes nothing.
pub async fn postpone(
    session: &Session,
    delivery: &Delivery,
    wait_ms: Option<u64>,
    reason: &str,
) -> Result<(), StoreError> {
    session
        .execute(
            "UPDATE event_delivery SET leased_until = NULL, reason = $4, \
             due_at = coalesce(clock_timestamp() + $5 * interval '1 ms', 'infinity') \
             WHERE subscription_id = $1 AND event_id = $2 AND attempts = $3",
            &[
                &delivery.subscription.uuid(),
                &delivery.event.uuid(),
                &delivery.attempts,
                &reason,
                &wait_ms.map(|wait| wait as f64),
            ],
        )
        .await?;
    Ok(())
}
