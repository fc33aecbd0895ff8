//! The event log: topics, messages, consumer groups with their lag, and events that are parked.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use bss_app::AppError;
use bss_domain::{Instant, Refusal};
use bss_events::{Record, Topic};
use bss_store::event_log::browse::{self, GroupPartition, MessageFilter};
use bss_store::event_log::parked::{self, ParkedSummary};
use bss_store::{Session, StoreError};
use http::{StatusCode, Uri};
use serde_json::{Value, json};
use uuid::Uuid;

use super::query::{Pairs, latest, named, only, value, window};
use crate::ApiState;
use crate::kit::{ApiError, Call, ListQuery, json_body, page};

/// A group that hasn't moved for so long though there is something to consume is stalled.
const STALLED_S: i64 = 30;

pub(super) async fn topics(State(state): State<ApiState>, call: Call) -> Result<Json<Vec<Value>>, ApiError> {
    let session = call.read(&state).await?;
    let found = browse::topics(&session).await?;
    session.finish()?;
    let shown = found.iter().map(|topic| {
        json!({ "name": topic.topic.name(), "partitions": topic.partitions, "messages": topic.messages })
    });
    Ok(Json(shown.collect()))
}

pub(super) async fn messages(
    State(state): State<ApiState>,
    call: Call,
    Path(name): Path<String>,
    Query(pairs): Pairs,
) -> Result<Json<Vec<Value>>, ApiError> {
    let topic: Topic = name.parse().map_err(|_| AppError::not_found("Topic", &name))?;
    let query = ListQuery::read(pairs)?;
    only(&query, &["partition", "key", "type", "before"], &[])?;
    let place = place(&query)?;
    let filter = MessageFilter {
        partition: place.partition,
        key: value(&query, "key").map(|key| named("key", key)).transpose()?,
        kind: value(&query, "type"),
        before_position: place.position,
        before: place.at,
    };
    let session = call.read(&state).await?;
    let found = browse::messages(&session, topic, filter, i64::from(query.request.limit)).await?;
    session.finish()?;
    Ok(Json(found.iter().map(message).collect()))
}

/// Where a page of messages begins.
#[derive(Default)]
struct Place {
    partition: Option<u16>,
    position: Option<i64>,
    at: Option<Instant>,
}

/// What is asked for: a partition, and behind `partition:position` or an instant.
fn place(query: &ListQuery) -> Result<Place, Refusal> {
    let number = |name: &'static str, text: &str| {
        let message = format!("{name}: a partition is a number from 0 to 63");
        text.parse::<u16>()
            .ok()
            .filter(|number| *number < bss_events::PARTITIONS)
            .ok_or_else(|| Refusal::invalid("wrongQuery", name, text, message))
    };
    let mut place = Place::default();
    if let Some(text) = value(query, "partition") {
        place.partition = Some(number("partition", text)?);
    }
    let Some(text) = value(query, "before") else {
        return Ok(place);
    };
    if let Ok(at) = text.parse::<Instant>() {
        place.at = Some(at);
        return Ok(place);
    }
    let wrong = || {
        let message = "before: give partition:position, or an instant as 2026-01-31T12:00:00Z";
        Refusal::invalid("wrongQuery", "before", text, message)
    };
    let (partition, position) = text.split_once(':').ok_or_else(wrong)?;
    place.position = Some(position.parse().map_err(|_| wrong())?);
    place.partition = Some(number("before", partition)?);
    Ok(place)
}

fn message(record: &Record) -> Value {
    let event = &record.event;
    let mut shown = json!({
        "partition": record.partition, "position": record.position, "key": event.key, "id": event.id,
        "type": event.kind, "time": event.time.to_string(), "data": event.data.value(),
    });
    if let Some(parent) = &event.traceparent {
        shown["traceparent"] = parent.to_string().into();
    }
    if let Some(subject) = &event.subject {
        shown["subject"] = subject.as_str().into();
    }
    shown
}

pub(super) async fn groups(State(state): State<ApiState>, call: Call) -> Result<Json<Vec<Value>>, ApiError> {
    let session = call.read(&state).await?;
    let groups = GroupStanding::all(&session).await?;
    session.finish()?;
    Ok(Json(groups.iter().map(GroupStanding::shown).collect()))
}

/// A consumer group over all of its partitions.
pub(super) struct GroupStanding {
    pub(super) name: String,
    pub(super) lag: i64,
    pub(super) parked: i64,
    pub(super) is_stalled: bool,
    partitions: Vec<GroupPartition>,
}

impl GroupStanding {
    /// All groups, by name, with what the session's tenant has parked in each.
    pub(super) async fn all(session: &Session) -> Result<Vec<Self>, StoreError> {
        let mut parked: BTreeMap<String, i64> = parked::counts(session).await?.into_iter().collect();
        let mut by_name: BTreeMap<String, Vec<GroupPartition>> = BTreeMap::new();
        for partition in browse::groups(session).await? {
            by_name
                .entry(partition.group.clone())
                .or_default()
                .push(partition);
        }
        let now = Instant::now();
        let is_stalled = |one: &GroupPartition| {
            one.lag() > 0 && now.as_second() - one.committed_at.as_second() > STALLED_S
        };
        let standing = |(name, partitions): (String, Vec<GroupPartition>)| Self {
            lag: partitions.iter().map(GroupPartition::lag).sum(),
            parked: parked.remove(&name).unwrap_or_default(),
            is_stalled: partitions.iter().any(is_stalled),
            name,
            partitions,
        };
        Ok(by_name.into_iter().map(standing).collect())
    }

    fn shown(&self) -> Value {
        let mut topics: Vec<&str> = self.partitions.iter().map(|one| one.topic.name()).collect();
        topics.dedup();
        let mut workers: Vec<&str> = self
            .partitions
            .iter()
            .filter_map(|one| one.worker.as_deref())
            .collect();
        workers.sort_unstable();
        workers.dedup();
        let partition = self.partitions.iter().map(|one| {
            let mut shown = json!({
                "topic": one.topic.name(), "partition": one.partition, "position": one.position, "head": one.head,
            });
            if let Some(worker) = &one.worker {
                shown["worker"] = worker.as_str().into();
            }
            shown
        });
        let committed = self.partitions.iter().map(|one| one.committed_at).max();
        json!({
            "name": self.name, "topics": topics, "lag": self.lag, "parked": self.parked, "workers": workers.len(),
            "committedAt": committed.map(|at| at.to_string()),
            "state": if self.is_stalled { "stalled" } else { "live" },
            "partition": partition.collect::<Vec<_>>(),
        })
    }
}

pub(super) async fn parked(
    State(state): State<ApiState>,
    call: Call,
    uri: Uri,
    Query(pairs): Pairs,
) -> Result<Response, ApiError> {
    let query = latest(pairs, &["group"], "at")?;
    let (offset, limit) = window(&query);
    let session = call.read(&state).await?;
    let (found, total) = parked::list(&session, value(&query, "group"), limit, offset).await?;
    session.finish()?;
    let shown = found.iter().map(parked_shown).collect();
    Ok(page(&state, &uri, &query, shown, (total.unsigned_abs(), true)))
}

fn parked_shown(event: &ParkedSummary) -> Value {
    json!({
        "id": event.id, "group": event.group, "topic": event.topic.name(), "partition": event.partition,
        "position": event.position, "key": event.key, "type": event.kind, "reason": event.reason,
        "attempts": event.attempts, "at": event.parked_at.to_string(), "waiting": event.waiting,
    })
}

/// The group's worker tries it again, and what waits behind it after it.
pub(super) async fn retry(
    State(state): State<ApiState>,
    call: Call,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let known = parked_id(&id)?;
    let work = state.app.store.begin(call.context.scope()).await?;
    if !parked::retry(&work, known).await? {
        return Err(AppError::not_found("ParkedEvent", known).into());
    }
    work.commit().await?;
    Ok(StatusCode::ACCEPTED)
}

/// Gives it up, for a reason that stays with it; what waits behind it goes on.
pub(super) async fn skip(
    State(state): State<ApiState>,
    call: Call,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let known = parked_id(&id)?;
    let body = json_body(&body)?;
    let reason = body["reason"].as_str().map(str::trim).unwrap_or_default();
    let work = state.app.store.begin(call.context.scope()).await?;
    if !parked::skip(&work, known, reason).await? {
        return Err(AppError::not_found("ParkedEvent", known).into());
    }
    if reason.is_empty() {
        return Err(Refusal::missing("reason").into());
    }
    work.commit().await?;
    Ok(StatusCode::ACCEPTED)
}

fn parked_id(id: &str) -> Result<Uuid, AppError> {
    id.parse().map_err(|_| AppError::not_found("ParkedEvent", id))
}
