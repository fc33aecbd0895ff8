//! Role `streams`: what the product does by itself once something has happened.

use std::sync::Arc;
use std::time::Duration;

use bss_app::activation::{self, ActivationConfig, HttpNetwork, HttpNetworkConfig};
use tokio::task::JoinSet;

use super::Serving;
use crate::failure::Failure;

/// How long the network's answer is waited for before its outcome counts as unknown.
const NETWORK_TIMEOUT: Duration = Duration::from_secs(5);

/// Starts the streams and the worker that speaks to the network.
pub fn start(serving: &Serving, tasks: &mut JoinSet<()>) -> Result<(), Failure> {
    let part = serving.ops.readiness.register("activation");
    let url = serving.network_url()?;
    let network = HttpNetwork::new(&HttpNetworkConfig {
        url,
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
