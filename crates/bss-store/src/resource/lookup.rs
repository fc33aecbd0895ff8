use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bss_domain::ids::TenantId;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{Stored, Table, get, get_all};
use crate::{Scope, Store, StoreError};

/// In whose name lookups read.
const ACTOR: &str = "lookup";
/// Lookups of one trip at most.
const TOGETHER_MAX: usize = 64;
/// Trips of one table under way at once.
const TRIPS_MAX: usize = 2;

/// Lookups of single resources, put together while earlier ones are under way: under load many callers share one trip
/// to the database, and alone none of them waits. Each reads what is committed when its trip begins.
#[derive(Clone, Default)]
pub(crate) struct Lookups(Arc<Mutex<HashMap<Place, Queue>>>);

/// Only lookups of one tenant and table go together.
type Place = (TenantId, &'static str);
type Waiting = (Uuid, oneshot::Sender<Option<Stored>>);

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    trips: usize,
}

impl Lookups {
    /// Takes a place in the queue; whether a trip has to begin for it.
    fn join(&self, place: Place, waiting: Waiting) -> bool {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queues.entry(place).or_default();
        queue.waiting.push(waiting);
        let begins = queue.trips < TRIPS_MAX;
        queue.trips += usize::from(begins);
        begins
    }

    /// Those of the next trip; none: these trips are over.
    fn next(&self, place: Place) -> Vec<Waiting> {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = queues.get_mut(&place) else {
            return Vec::new();
        };
        let next = queue.waiting.len().min(TOGETHER_MAX);
        if next == 0 {
            leave(&mut queues, place);
            return Vec::new();
        }
        queue.waiting.drain(..next).collect()
    }

    /// Trips broke off: who waits asks alone.
    fn break_off(&self, place: Place) {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queues.get_mut(&place) {
            queue.waiting.clear();
            leave(&mut queues, place);
        }
    }
}

/// A queue without trips is forgotten.
fn leave(queues: &mut HashMap<Place, Queue>, place: Place) {
    if let Some(queue) = queues.get_mut(&place) {
        queue.trips -= 1;
        if queue.trips == 0 {
            queues.remove(&place);
        }
    }
}

/// Trips one after another, which end when nobody waits any more, or by a panic.
struct Trips {
    store: Store,
    place: Place,
    over: bool,
}

impl Drop for Trips {
    fn drop(&mut self) {
        if !self.over {
            self.store.lookups().break_off(self.place);
        }
    }
}

/// Reads a resource, together with what others look up in the same table at this moment.
pub async fn lookup(
    store: &Store,
    tenant: TenantId,
    table: &'static Table,
    id: Uuid,
) -> Result<Option<Stored>, StoreError> {
    let (sender, found) = oneshot::channel();
    if store.lookups().join((tenant, table.name), (id, sender)) {
        tokio::spawn(trips(store.clone(), tenant, table));
    }
    if let Ok(found) = found.await {
        return Ok(found);
    }
    // The trip failed: whoever was on it asks alone, and gets an answer or an error of its own.
    let session = store.read(Scope::new(tenant, ACTOR)).await?;
    let found = get(&session, table, id).await?;
    session.finish()?;
    Ok(found)
}

async fn trips(store: Store, tenant: TenantId, table: &'static Table) {
    let place = (tenant, table.name);
    let mut trips = Trips {
        store,
        place,
        over: false,
    };
    loop {
        let waiting = trips.store.lookups().next(place);
        if waiting.is_empty() {
            trips.over = true;
            return;
        }
        if let Err(error) = trip(&trips.store, tenant, table, waiting).await {
            tracing::warn!(table = table.name, %error, "a lookup of several failed; each asks alone");
        }
    }
}

async fn trip(
    store: &Store,
    tenant: TenantId,
    table: &'static Table,
    waiting: Vec<Waiting>,
) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = waiting.iter().map(|(id, _)| *id).collect();
    let session = store.read(Scope::new(tenant, ACTOR)).await?;
    let found = get_all(&session, table, &ids).await?;
    session.finish()?;
    let mut found: HashMap<Uuid, Stored> = found.into_iter().map(|stored| (stored.id, stored)).collect();
    for (place, (id, sender)) in waiting.into_iter().enumerate() {
        let again = ids[place + 1..].contains(&id);
        let stored = if again {
            found.get(&id).cloned()
        } else {
            found.remove(&id)
        };
        // Who has gone meanwhile needs no answer.
        let _ = sender.send(stored);
    }
    Ok(())
}
