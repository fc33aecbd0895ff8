//! The activation port: what we ask of the network, and the worker that asks.

mod http;
mod worker;

use async_trait::async_trait;
use bss_domain::activation::NetworkAnswer;
use bss_domain::product::Characteristic;
use bss_events::TraceParent;
use serde::Serialize;
use uuid::Uuid;

pub use http::{HttpNetwork, HttpNetworkConfig};
pub use worker::{ActivationConfig, run, run_due};

/// A request to the network.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkRequest {
    /// The same at every attempt: the network carries it out once.
    pub request_id: Uuid,
    /// `activate` or `deactivate`.
    pub action: &'static str,
    /// The service.
    pub service_id: Uuid,
    /// What the service is called.
    pub service: String,
    /// What the network needs to know: number, card, port.
    pub characteristic: Vec<Characteristic>,
    /// The trace of the order.
    #[serde(skip)]
    pub traceparent: Option<TraceParent>,
}

/// A network that services are activated at. An implementation never says `Done` or `Refused` unless the network
/// did, and says `Unknown` for whatever may have reached it.
#[async_trait]
pub trait Network: Send + Sync {
    /// Sends a request, for the first time or again.
    async fn send(&self, request: &NetworkRequest) -> NetworkAnswer;

    /// Asks what became of a request.
    async fn ask(&self, request: &NetworkRequest) -> NetworkAnswer;
}
