//! Server-sent events: what changed, as the log tells it, to those who may read it.
//!
//! One reader a process follows the log from the moment that somebody listens, whoever listens; each listener gets
//! what is of its tenant and of its roles. A listener that is too slow loses changes, not the connection: the console
//! loads what it shows anew after a gap.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use bss_app::Role;
use bss_domain::Instant;
use bss_domain::ids::TenantId;
use bss_events::{EventLog, Record, Topic};
use futures::{Stream, stream};
use http::Method;
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use super::events::GroupStanding;
use crate::ApiState;
use crate::auth::{Matrix, Reach, Rule};
use crate::kit::{ApiError, Call};

/// Changes that a listener may be behind.
const BACKLOG: usize = 1_024;
/// Events of a partition that are read at once; a burst beyond is told in the next round.
const BATCH: usize = 500;
/// Other processes' appends are found by looking.
const LOOK: Duration = Duration::from_millis(500);
const LAG_EVERY: Duration = Duration::from_secs(2);

/// What is told: not usage, of which there are too many for anybody's eyes, nor what is derived from the rest.
const TOPICS: &[Topic] = &[
    Topic::Customer,
    Topic::Order,
    Topic::Provisioning,
    Topic::Billing,
    Topic::Invoice,
    Topic::Payment,
    Topic::Catalog,
];

/// A change, for whoever may read it.
#[derive(Debug, Clone)]
struct Change {
    tenant: TenantId,
    topic: Topic,
    place: String,
    data: String,
}

/// The changes of a process's log, as long as somebody listens.
#[derive(Debug, Clone)]
pub struct Live {
    sender: Arc<Mutex<Option<broadcast::Sender<Arc<Change>>>>>,
    stop: CancellationToken,
}

impl Live {
    /// Ends all streams when `stop` is cancelled.
    pub fn new(stop: CancellationToken) -> Self {
        Self {
            sender: Arc::default(),
            stop,
        }
    }

    /// The changes from now on. The first listener starts the reader.
    fn listen(&self, log: Arc<dyn EventLog>) -> broadcast::Receiver<Arc<Change>> {
        let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = sender.as_ref().filter(|sender| sender.receiver_count() > 0) {
            return sender.subscribe();
        }
        let (new, receiver) = broadcast::channel(BACKLOG);
        *sender = Some(new.clone());
        tokio::spawn(follow(log, new, self.stop.clone()));
        receiver
    }
}

/// Reads the log until nobody listens any more.
async fn follow(log: Arc<dyn EventLog>, sender: broadcast::Sender<Arc<Change>>, stop: CancellationToken) {
    let mut appends = log.appends();
    let mut told: Option<HashMap<(Topic, u16), i64>> = None;
    while sender.receiver_count() > 0 && !stop.is_cancelled() {
        match round(&*log, &sender, &mut told).await {
            Ok(()) => {}
            Err(error) => tracing::warn!(%error, "changes can't be read for listeners"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = appends.wait(LOOK) => {}
        }
    }
}

/// Tells what came since the last round; the first one only looks where the log's end is.
async fn round(
    log: &dyn EventLog,
    sender: &broadcast::Sender<Arc<Change>>,
    told: &mut Option<HashMap<(Topic, u16), i64>>,
) -> Result<(), bss_events::LogError> {
    let extents = log.extents(TOPICS).await?;
    let Some(positions) = told else {
        *told = Some(
            extents
                .iter()
                .map(|extent| ((extent.topic, extent.partition), extent.head))
                .collect(),
        );
        return Ok(());
    };
    for extent in extents {
        // A partition that wasn't there when the reader began is new: all of it is.
        let position = positions
            .entry((extent.topic, extent.partition))
            .or_insert(extent.tail);
        while *position < extent.head {
            let records = log.read(extent.topic, extent.partition, *position, BATCH).await?;
            let before = *position;
            for record in records.iter().filter(|record| record.position > before) {
                *position = record.position;
                // Nobody listening is found out by the loop.
                let _ = sender.send(Arc::new(Change::of(record)));
            }
            if *position == before {
                break;
            }
        }
    }
    Ok(())
}

impl Change {
    fn of(record: &Record) -> Self {
        let event = &record.event;
        let name = what(&event.kind);
        let mut data = json!({
            "type": name, "event": decapitalized(&event.kind), "customer": event.key, "at": event.time.to_string(),
        });
        if let Some(subject) = &event.subject {
            data["id"] = subject.as_str().into();
        }
        let facts = event.data.value();
        if let Some(state) = ["state", "status"].iter().find_map(|name| facts[*name].as_str()) {
            data["state"] = state.into();
        }
        Self {
            tenant: event.tenant,
            topic: record.topic,
            place: format!("{}:{}:{}", record.topic, record.partition, record.position),
            data: data.to_string(),
        }
    }
}

/// TM Forum's name of what an event is about: its type without what happened.
fn what(kind: &str) -> &str {
    const HAPPENED: &[&str] = &[
        "AttributeValueChangeEvent",
        "StateChangeEvent",
        "StatusChangeEvent",
        "CreateEvent",
        "DeleteEvent",
        "Event",
    ];
    HAPPENED
        .iter()
        .find_map(|end| kind.strip_suffix(end))
        .unwrap_or(kind)
}

fn decapitalized(kind: &str) -> String {
    let mut letters = kind.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// Who may read what a topic is about may hear of its changes.
fn audience(topic: Topic) -> &'static str {
    match topic {
        Topic::Order => "/tmf-api/productOrderingManagement/v4/productOrder",
        Topic::Provisioning => "/tmf-api/serviceOrdering/v4/serviceOrder",
        Topic::Payment => "/tmf-api/paymentManagement/v4/payment",
        Topic::Catalog => "/tmf-api/productCatalogManagement/v4/productOffering",
        Topic::Billing | Topic::Invoice => "/tmf-api/customerBillManagement/v4/customerBill",
        _ => "/tmf-api/customerManagement/v4/customer",
    }
}

fn may_hear(roles: &BTreeSet<Role>, topic: Topic) -> bool {
    static MATRIX: LazyLock<Option<Matrix>> = LazyLock::new(|| Matrix::committed().ok());
    match MATRIX
        .as_ref()
        .and_then(|matrix| matrix.rule(&Method::GET, audience(topic)))
    {
        Some(Rule::Roles(rule)) => roles.iter().any(|role| rule.get(role) == Some(&Reach::All)),
        _ => false,
    }
}

/// One listener.
struct Listener {
    state: ApiState,
    call: Call,
    changes: broadcast::Receiver<Arc<Change>>,
    lag: Option<tokio::time::Interval>,
    is_greeted: bool,
}

pub(super) async fn live(
    State(state): State<ApiState>,
    call: Call,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let changes = state.live.listen(Arc::new(state.app.store.log()));
    let roles = &call.context.caller.roles;
    let lag = (roles.contains(&Role::Operations) || roles.contains(&Role::Admin))
        .then(|| tokio::time::interval(LAG_EVERY));
    let listener = Listener {
        state,
        call,
        changes,
        lag,
        is_greeted: false,
    };
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(10))))
}

impl Listener {
    /// The next thing to say; none when the process stops.
    async fn next(&mut self) -> Option<Event> {
        if !self.is_greeted {
            self.is_greeted = true;
            let hello = json!({ "at": Instant::now().to_string() });
            return Some(Event::default().event("hello").data(hello.to_string()));
        }
        let stop = self.state.live.stop.clone();
        loop {
            tokio::select! {
                () = stop.cancelled() => return None,
                () = tick(&mut self.lag) => {
                    if let Some(lag) = self.lag().await {
                        return Some(Event::default().event("lag").data(lag.to_string()));
                    }
                }
                change = self.changes.recv() => match change {
                    Ok(change) => {
                        let caller = &self.call.context.caller;
                        if change.tenant == caller.tenant && may_hear(&caller.roles, change.topic) {
                            return Some(Event::default().id(&change.place).event("change").data(&change.data));
                        }
                    }
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
            }
        }
    }

    /// The groups' lag; none where it can't be read now.
    async fn lag(&self) -> Option<Value> {
        let read = async {
            let session = self.call.read(&self.state).await?;
            let groups = GroupStanding::all(&session).await?;
            session.finish()?;
            let shown = groups
                .iter()
                .map(|group| json!({ "name": group.name, "lag": group.lag, "parked": group.parked }));
            Ok::<_, ApiError>(json!({ "group": shown.collect::<Vec<_>>() }))
        };
        read.await.ok()
    }
}

/// Waits for the next tick; for ever where there is none.
async fn tick(interval: &mut Option<tokio::time::Interval>) {
    match interval {
        Some(interval) => {
            interval.tick().await;
        }
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_named_after_what_they_are_about() {
        for (kind, name) in [
            ("ProductOrderStateChangeEvent", "ProductOrder"),
            ("CustomerBillCreateEvent", "CustomerBill"),
            ("CreditAppliedEvent", "CreditApplied"),
        ] {
            assert_eq!(what(kind), name);
        }
        assert_eq!(decapitalized("PaymentCreateEvent"), "paymentCreateEvent");
    }

    #[test]
    fn who_may_not_read_it_does_not_hear_of_it() {
        assert!(may_hear(&[Role::Billing].into(), Topic::Payment));
        assert!(!may_hear(&[Role::Network].into(), Topic::Payment));
        assert!(
            !may_hear(&[Role::Customer].into(), Topic::Order),
            "own is not all"
        );
        assert!(TOPICS.iter().all(|topic| may_hear(&[Role::Admin].into(), *topic)));
    }
}
