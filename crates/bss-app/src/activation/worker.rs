use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bss_domain::TypedId;
use bss_domain::activation::{NetworkAnswer, NextStep, next_step};
use bss_domain::ids::TenantId;
use bss_domain::service::Service;
use bss_events::EventLog as _;
use bss_store::activation::{self, Activation, ActivationState};
use bss_store::product::SERVICE;
use bss_store::resource::{self, Stored};
use rand::RngExt;
use serde::Deserialize as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

use super::{Network, NetworkRequest};
use crate::order_processing::{Outcome, settle};
use crate::{App, AppError, RequestContext};

/// How the worker works.
#[derive(Debug, Clone)]
pub struct ActivationConfig {
    /// Requests under way at once.
    pub concurrency: usize,
    /// For how long one attempt is this worker's: longer than the network's time-out.
    pub lease: Duration,
    /// The longest pause between looks when nothing is due; events of this process are heard of at once.
    pub idle: Duration,
}

impl Default for ActivationConfig {
    fn default() -> Self {
        Self {
            concurrency: 64,
            lease: Duration::from_secs(30),
            idle: Duration::from_millis(250),
        }
    }
}

/// It is looked for due work no more often than this.
const LOOK_GAP: Duration = Duration::from_millis(5);

/// The name under which the worker writes.
const ACTOR: &str = "activation";

/// Does what is due until cancelled; what is under way then is brought to its end. Each request goes its own way: one
/// that hangs holds up nobody else.
pub async fn run(app: App, network: Arc<dyn Network>, config: ActivationConfig, stop: CancellationToken) {
    let mut appends = app.store.log().appends();
    let mut under_way: JoinSet<()> = JoinSet::new();
    let mut pause = LOOK_GAP;
    loop {
        let free = config.concurrency.saturating_sub(under_way.len());
        let claimed = claim(&app, &config, free).await.unwrap_or_else(|error| {
            tracing::warn!(error = %shown(&error), "activation");
            Vec::new()
        });
        pause = if claimed.is_empty() {
            (pause * 2).min(config.idle)
        } else {
            LOOK_GAP
        };
        for claimed in claimed {
            let (app, network) = (app.clone(), network.clone());
            under_way.spawn(async move { attempt(&app, &network, claimed).await });
        }
        tokio::select! {
            () = stop.cancelled() => break,
            _ = under_way.join_next(), if !under_way.is_empty() => pause = LOOK_GAP,
            // Whatever asks the network for something is an event of this process, or found by looking.
            () = appends.wait(pause) => {}
        }
        // Several ends and appends are one look.
        stop.run_until_cancelled(tokio::time::sleep(LOOK_GAP)).await;
        while under_way.try_join_next().is_some() {}
    }
    while under_way.join_next().await.is_some() {}
}

/// Does once what is due now, and tells how much that was.
pub async fn run_due(
    app: &App,
    network: &Arc<dyn Network>,
    config: &ActivationConfig,
) -> Result<usize, AppError> {
    let claimed = claim(app, config, config.concurrency).await?;
    let done = claimed.len();
    let attempts = claimed.into_iter().map(|claimed| attempt(app, network, claimed));
    futures::future::join_all(attempts).await;
    Ok(done)
}

/// A piece of work that is this worker's for one attempt, and what it asks of the network.
struct Claimed {
    tenant: TenantId,
    piece: Activation,
    request: NetworkRequest,
}

/// Claims what is due, so many at most, for one attempt each.
async fn claim(app: &App, config: &ActivationConfig, at_most: usize) -> Result<Vec<Claimed>, AppError> {
    if at_most == 0 {
        return Ok(Vec::new());
    }
    let mut by_tenant: BTreeMap<TenantId, Vec<Uuid>> = BTreeMap::new();
    for (tenant, id) in activation::due(&app.store, at_most).await? {
        by_tenant.entry(tenant).or_default().push(id);
    }
    let mut all = Vec::new();
    for (tenant, ids) in by_tenant {
        let context = RequestContext::system(tenant, ACTOR);
        let work = app.store.begin_work(context.scope()).await?;
        let pieces = activation::claim(&work, &ids, config.lease).await?;
        let services: Vec<Uuid> = pieces.iter().map(|piece| piece.service.uuid()).collect();
        let services = resource::get_all(&work, &SERVICE, &services).await?;
        work.commit().await?;
        for piece in pieces {
            match request(&piece, &services) {
                Ok(request) => all.push(Claimed {
                    tenant,
                    piece,
                    request,
                }),
                // Its lease runs out, and it is looked at again.
                Err(error) => tracing::error!(error = %shown(&error), "an activation can't be asked for"),
            }
        }
    }
    Ok(all)
}

/// What a piece asks of the network.
fn request(piece: &Activation, services: &[Stored]) -> Result<NetworkRequest, AppError> {
    let stored = services
        .iter()
        .find(|stored| stored.id == piece.service.uuid())
        .ok_or_else(|| AppError::not_found("Service", piece.service))?;
    let service = Service::deserialize(&stored.body).map_err(AppError::internal)?;
    Ok(NetworkRequest {
        request_id: piece.id,
        action: piece.action.name(),
        service_id: piece.service.uuid(),
        service: service.name,
        characteristic: service.service_characteristic,
        traceparent: None,
    })
}

/// Asks the network once and writes down what came of it.
async fn attempt(app: &App, network: &Arc<dyn Network>, claimed: Claimed) {
    let Claimed {
        tenant,
        piece,
        mut request,
    } = claimed;
    let span = tracing::info_span!(
        "activation",
        action = piece.action.name(),
        attempt = piece.attempts
    );
    if let Some(parent) = piece.traceparent {
        parent.adopt(&span);
    }
    let attempted: Result<(), AppError> = async move {
        let mut context = RequestContext::system(tenant, ACTOR);
        context.traceparent = context.traceparent.or(piece.traceparent);
        request.traceparent = context.traceparent;
        // The first attempt is sent; what nobody knows is asked. A state of `unknown` outlives a crash, and so does an
        // attempt that began and has no outcome.
        let blind = piece.state == ActivationState::Due && piece.attempts == 1;
        let mut answer = if blind {
            network.send(&request).await
        } else {
            network.ask(&request).await
        };
        if answer == NetworkAnswer::NotKnown {
            // The network has never heard of it: sending is safe.
            answer = network.send(&request).await;
        }
        let outcome = outcome_of(next_step(answer, piece.attempts.unsigned_abs()));
        let mut work = app.store.begin_work(context.scope()).await?;
        settle(app, &context, &mut work, &piece, &outcome).await?;
        work.commit().await?;
        Ok(())
    }
    .instrument(span)
    .await;
    if let Err(error) = attempted {
        // Its lease runs out, and it is asked for again: nothing is lost.
        tracing::warn!(error = %shown(&error), "an activation's outcome could not be written");
    }
}

fn outcome_of(step: NextStep) -> Outcome {
    let (state, wait_ms, reason) = match step {
        NextStep::Confirm => (ActivationState::Confirmed, 0, None),
        NextStep::Refuse(reason) => (ActivationState::Refused, 0, Some(reason)),
        NextStep::SendAfter(wait) => (ActivationState::Due, wait, None),
        NextStep::AskAfter(wait) => (ActivationState::Unknown, wait, None),
        NextStep::Fallout(reason) => (ActivationState::Fallout, 0, Some(reason)),
    };
    // Waits are spread, so that a network that comes back isn't met by everybody at once.
    let spread = if wait_ms == 0 {
        0
    } else {
        rand::rng().random_range(0..=wait_ms / 4)
    };
    Outcome {
        state,
        wait_ms: wait_ms + spread,
        reason,
    }
}

/// The error with its cause: this text is for the log.
fn shown(error: &AppError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}
