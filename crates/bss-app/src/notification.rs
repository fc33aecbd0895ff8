//! Telling callbacks of events (TM Forum's hub): registered here, written down by the stream, told by a worker.

use std::time::Duration;

use bss_domain::event_subscription::{EventFacts, EventSubscription, next_wait_ms};
use bss_domain::ids::{EventSubscriptionId, TenantId};
use bss_domain::{Refusal, Slot};
use bss_events::CloudEvent;
use bss_store::event_subscription::{self as store, Delivery};
use bss_store::{Session, StoreError};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use rand::RngExt;
use reqwest::Client;
use reqwest::redirect::Policy;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{App, AppError, RequestContext};

/// Callbacks that a tenant may have.
const SUBSCRIPTIONS_MAX: usize = 100;

/// Notifications that are under way at once.
const CONCURRENCY: i64 = 32;

/// How long a callback's answer is waited for.
const TIMEOUT: Duration = Duration::from_secs(10);

/// For how long one attempt is a worker's: longer than its time-out.
const LEASE: Duration = Duration::from_secs(30);

/// The pause when nothing was due.
const IDLE: Duration = Duration::from_millis(200);

/// The name under which the worker writes.
const ACTOR: &str = "notifications";

/// Registers a callback at an API with resources of these types.
pub async fn register(
    app: &App,
    context: &RequestContext,
    (api, kinds): (&str, &[&str]),
    body: &Value,
) -> Result<EventSubscription, AppError> {
    let now = app.clock.now();
    let id: EventSubscriptionId = app.ids.new_id(now, Slot::hash(api.as_bytes()));
    let new = EventSubscription::read(body, id, api, kinds)?;
    let work = app.store.begin(context.scope()).await?;
    if store::all(&work).await?.len() >= SUBSCRIPTIONS_MAX {
        let message = format!("{SUBSCRIPTIONS_MAX} callbacks are registered: remove one first");
        return Err(Refusal::conflict("tooMany", message).into());
    }
    store::insert(&work, &new, now)
        .await
        .map_err(|error| match error {
            StoreError::Taken { .. } => {
                let message =
                    "this callback is registered here already: remove it first to change what it is told";
                let refusal = Refusal {
                    field: Some("callback".to_owned()),
                    value: Some(new.callback.clone()),
                    ..Refusal::conflict("taken", message)
                };
                AppError::from(refusal)
            }
            other => other.into(),
        })?;
    work.commit().await?;
    Ok(new)
}

/// Removes a callback of an API, with all that it was still to be told.
pub async fn remove(
    app: &App,
    context: &RequestContext,
    api: &str,
    id: EventSubscriptionId,
) -> Result<(), AppError> {
    let work = app.store.begin(context.scope()).await?;
    if !store::delete(&work, api, id).await? {
        return Err(AppError::not_found("EventSubscription", id));
    }
    work.commit().await?;
    Ok(())
}

/// Writes down who is to be told of these events, in the transaction that moves the stream's position.
pub async fn write_down<'e>(
    work: &Session,
    events: impl Iterator<Item = &'e CloudEvent>,
) -> Result<(), AppError> {
    let subscriptions = store::all(work).await?;
    if subscriptions.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::new();
    for event in events {
        let Some(subject) = &event.subject else {
            continue;
        };
        let id = event.id.to_string();
        let data = event.data.value();
        let facts = EventFacts {
            id: &id,
            event_type: &event.kind,
            time: event.time,
            subject,
            data: &data,
        };
        for subscription in &subscriptions {
            if let Some(kind) = subscription.kind_of(&event.kind) {
                rows.push((subscription.id, event.id, subscription.notification(&facts, kind)));
            }
        }
    }
    Ok(store::tell(work, &rows).await?)
}

/// A client for callbacks: it follows no redirect, which could lead where nobody registered.
pub fn client() -> Result<Client, reqwest::Error> {
    Client::builder()
        .timeout(TIMEOUT)
        .connect_timeout(TIMEOUT)
        .redirect(Policy::none())
        .build()
}

/// Tells what is due until cancelled; what is under way then is brought to its end.
pub async fn run(app: App, client: Client, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let told = match tell_due(&app, &client).await {
            Ok(told) => told,
            Err(error) => {
                tracing::warn!(%error, "notifications");
                0
            }
        };
        if told == 0 {
            stop.run_until_cancelled(tokio::time::sleep(IDLE)).await;
        }
    }
}

/// Tells once what is due now, and gives how many calls that were.
pub async fn tell_due(app: &App, client: &Client) -> Result<usize, AppError> {
    let mut calls = FuturesUnordered::new();
    for tenant in store::due(&app.store, CONCURRENCY).await? {
        let work = app
            .store
            .begin_work(RequestContext::system(tenant, ACTOR).scope())
            .await?;
        let claimed = store::claim(&work, CONCURRENCY, LEASE).await?;
        work.commit().await?;
        calls.extend(
            claimed
                .into_iter()
                .map(|delivery| attempt(app, client, tenant, delivery)),
        );
    }
    let mut done = 0;
    while let Some(result) = calls.next().await {
        if let Err(error) = result {
            // Its lease runs out, and it is told again.
            tracing::warn!(%error, "the outcome of a notification could not be written");
        }
        done += 1;
    }
    Ok(done)
}

async fn attempt(app: &App, client: &Client, tenant: TenantId, delivery: Delivery) -> Result<(), AppError> {
    let answer = client.post(&delivery.callback).json(&delivery.body).send().await;
    let refused = match answer {
        Ok(response) if response.status().is_success() => None,
        Ok(response) => Some(format!("the callback answered {}", response.status())),
        Err(error) if error.is_timeout() => Some("the callback gave no answer in time".to_owned()),
        Err(_) => Some("the callback can't be reached".to_owned()),
    };
    let work = app
        .store
        .begin_work(RequestContext::system(tenant, ACTOR).scope())
        .await?;
    match refused {
        None => store::told(&work, &delivery).await?,
        Some(reason) => {
            // Waits are spread, so that a callback that comes back isn't met by everything at once.
            let wait = next_wait_ms(delivery.attempts.unsigned_abs());
            let wait = wait.map(|wait| wait + rand::rng().random_range(0..=wait / 4));
            if wait.is_none() {
                tracing::warn!(subscription = %delivery.subscription, event = %delivery.event, %reason, "a notification was given up");
            }
            store::postpone(&work, &delivery, wait, &reason).await?;
        }
    }
    work.commit().await?;
    Ok(())
}
