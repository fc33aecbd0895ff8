//! Role `streams`: what the product does by itself once something has happened.

use std::sync::Arc;
use std::time::Duration;

use bss_app::activation::{self, ActivationConfig, HttpNetwork, HttpNetworkConfig};
use bss_app::{idempotency, notification};
use bss_store::event_log::retention;
use bss_streams::charging::Charging;
use bss_streams::customer_analytics::CustomerAnalytics;
use bss_streams::notifications::Notifications;
use bss_streams::order_processing::OrderProcessing;
use bss_streams::runtime::{Application, Runtime, RuntimeConfig, StreamMetrics};
use bss_telemetry::Part;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Serving, billing};
use crate::failure::Failure;

/// How long the network's answer is waited for before its outcome counts as unknown.
const NETWORK_TIMEOUT: Duration = Duration::from_secs(5);
/// How often days of the log are opened ahead and old ones dropped, and kept answers that are too old forgotten.
const UPKEEP_EVERY: Duration = Duration::from_hours(1);
/// An application that gave up is started again after a pause between these.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

/// Every stream application.
fn applications(serving: &Serving) -> Vec<Arc<dyn Application>> {
    vec![
        Arc::new(OrderProcessing::new(serving.app.clone())),
        Arc::new(Charging::new(serving.app.clone())),
        Arc::new(CustomerAnalytics),
        Arc::new(Notifications),
    ]
}

/// Starts the streams, the worker that speaks to the network and the log's upkeep; gives the streams' counts.
pub fn start(serving: &Serving, tasks: &mut JoinSet<()>) -> Result<StreamMetrics, Failure> {
    start_activation(serving, tasks)?;
    tasks.spawn(keep_log(serving.clone()));
    tasks.spawn(forget_answers(serving.clone()));
    tasks.spawn(billing::keep(serving.clone()));
    start_notifications(serving, tasks)?;
    let runtime = Runtime::new(serving.app.store.clone(), RuntimeConfig::default());
    for application in applications(serving) {
        let part = serving.ops.readiness.register(application.group());
        tasks.spawn(run(runtime.clone(), application, part, serving.stop.clone()));
    }
    Ok(runtime.metrics().clone())
}

async fn run(runtime: Runtime, application: Arc<dyn Application>, part: Part, stop: CancellationToken) {
    let mut pause = PAUSE.0;
    loop {
        part.ready();
        let Err(error) = runtime.run(application.clone(), stop.clone()).await else {
            return;
        };
        tracing::error!(group = application.group(), %error, "a stream application gave up");
        part.not_ready(error.to_string());
        if stop
            .run_until_cancelled(tokio::time::sleep(pause))
            .await
            .is_none()
        {
            return;
        }
        pause = (pause * 2).min(PAUSE.1);
    }
}

fn start_activation(serving: &Serving, tasks: &mut JoinSet<()>) -> Result<(), Failure> {
    let part = serving.ops.readiness.register("activation");
    let network = HttpNetwork::new(&HttpNetworkConfig {
        url: serving.network_url()?,
        timeout: NETWORK_TIMEOUT,
    })
    .map_err(|error| Failure::refused(format!("the network's client: {error}")))?;
    let (app, stop) = (serving.app.clone(), serving.stop.clone());
    tasks.spawn(async move {
        part.ready();
        activation::run(app, Arc::new(network), ActivationConfig::default(), stop).await;
    });
    Ok(())
}

fn start_notifications(serving: &Serving, tasks: &mut JoinSet<()>) -> Result<(), Failure> {
    let client = notification::client()
        .map_err(|error| Failure::refused(format!("the client for callbacks: {error}")))?;
    let (app, stop) = (serving.app.clone(), serving.stop.clone());
    tasks.spawn(notification::run(app, client, stop));
    Ok(())
}

async fn keep_log(serving: Serving) {
    let mut ticks = tokio::time::interval(UPKEEP_EVERY);
    while serving.stop.run_until_cancelled(ticks.tick()).await.is_some() {
        match retention::maintain(&serving.app.store, serving.config.log_retention_days).await {
            Ok(done) => tracing::info!(opened = ?done.opened, dropped = ?done.dropped, "the log's days"),
            Err(error) => tracing::warn!(%error, "the log's days could not be kept"),
        }
    }
}

async fn forget_answers(serving: Serving) {
    let mut ticks = tokio::time::interval(UPKEEP_EVERY);
    while serving.stop.run_until_cancelled(ticks.tick()).await.is_some() {
        match idempotency::purge(&serving.app).await {
            Ok(forgotten) => tracing::info!(forgotten, "answers kept for repeated calls"),
            Err(error) => tracing::warn!(%error, "old answers could not be forgotten"),
        }
    }
}
