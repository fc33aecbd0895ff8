//! Pools of numbers, SIM cards and ports: reserve, put to use, release into quarantine, sell again.

use bss_domain::ids::{ResourceId, ServiceId};
use bss_domain::resource::ResourceCategory;
use bss_domain::{Instant, TypedId};
use uuid::Uuid;

use crate::resource::{Column, Kind, Table};
use crate::{Session, StoreError, Timestamptz};

/// The table of resources.
pub const RESOURCE: Table = Table {
    name: "resource",
    sharded: true,
    columns: &[
        Column::new("category", "category", Kind::Text),
        Column::new("value", "value", Kind::Text),
        Column::new("resourceStatus", "resource_status", Kind::Text),
        Column::new("usageState", "usage_state", Kind::Text),
        Column::new("quarantineUntil", "quarantine_until", Kind::Instant),
        Column::new("service.id", "service_id", Kind::Uuid),
    ],
};

/// A resource that was taken from its pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its id.
    pub id: ResourceId,
    /// Its pool.
    pub category: ResourceCategory,
    /// The number, the ICCID, the port.
    pub value: String,
}

/// Takes one that was never used. The pool works on many rows at once, so it writes the document by SQL; the projected
/// columns are set from the same values. The status is a constant in it: only so does the partial index give the first
/// one without a look at the others.
const RESERVE_AVAILABLE: &str = "
    UPDATE resource SET resource_status = 'reserved', service_id = $2, quarantine_until = NULL,
        body = (body - 'quarantineUntil') || jsonb_build_object('resourceStatus', 'reserved',
            'service', jsonb_build_object('id', $2::uuid, '@referredType', 'Service')),
        revision = revision + 1, updated_at = $3, updated_by = $4
    WHERE (slot, id) = (SELECT slot, id FROM resource WHERE category = $1 AND resource_status = 'available' ORDER BY id
        LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, value";
/// Takes the one that has rested longest behind its quarantine.
const RESERVE_RESTED: &str = "
    UPDATE resource SET resource_status = 'reserved', service_id = $2, quarantine_until = NULL,
        body = (body - 'quarantineUntil') || jsonb_build_object('resourceStatus', 'reserved',
            'service', jsonb_build_object('id', $2::uuid, '@referredType', 'Service')),
        revision = revision + 1, updated_at = $3, updated_by = $4
    WHERE (slot, id) = (SELECT slot, id FROM resource WHERE category = $1 AND resource_status = 'suspended'
            AND quarantine_until <= $3 ORDER BY quarantine_until
        LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, value";

/// Takes a free resource out of its pool for a service: one that was never used first, then the one that has
/// rested longest behind its quarantine; none where the pool is empty. Takers don't wait for each other.
pub async fn reserve(
    session: &Session,
    category: ResourceCategory,
    service: ServiceId,
    now: Instant,
) -> Result<Option<Taken>, StoreError> {
    for sql in [RESERVE_AVAILABLE, RESERVE_RESTED] {
        let row = session
            .query_opt(
                sql,
                &[
                    &category.name(),
                    &service.uuid(),
                    &Timestamptz(now),
                    &session.actor(),
                ],
            )
            .await?;
        if let Some(row) = row {
            return Ok(Some(Taken {
                id: row.get::<_, Uuid>(0).into(),
                category,
                value: row.get(1),
            }));
        }
    }
    Ok(None)
}

/// The service that holds them works: they are in use.
pub async fn put_to_use(session: &Session, service: ServiceId, now: Instant) -> Result<u64, StoreError> {
    session
        .execute(
            "UPDATE resource SET usage_state = 'active', body = body || '{\"usageState\": \"active\"}', \
             revision = revision + 1, updated_at = $2, updated_by = $3 WHERE service_id = $1",
            &[&service.uuid(), &Timestamptz(now), &session.actor()],
        )
        .await
}

/// Gives back what a service held: at once where it never was in use, else into quarantine until an instant.
pub async fn release(
    session: &Session,
    service: ServiceId,
    until: Instant,
    now: Instant,
) -> Result<u64, StoreError> {
    session
        .execute(
            "UPDATE resource SET service_id = NULL, usage_state = 'idle',
                resource_status = CASE usage_state WHEN 'active' THEN 'suspended' ELSE 'available' END,
                quarantine_until = CASE usage_state WHEN 'active' THEN $2::timestamptz END,
                body = (body - 'service') || jsonb_build_object('usageState', 'idle', 'resourceStatus',
                        CASE usage_state WHEN 'active' THEN 'suspended' ELSE 'available' END)
                    || CASE usage_state WHEN 'active' THEN jsonb_build_object('quarantineUntil', $5::text)
                        ELSE '{}' END,
                revision = revision + 1, updated_at = $3, updated_by = $4
             WHERE service_id = $1",
            &[
                &service.uuid(),
                &Timestamptz(until),
                &Timestamptz(now),
                &session.actor(),
                &until.to_string(),
            ],
        )
        .await
}
