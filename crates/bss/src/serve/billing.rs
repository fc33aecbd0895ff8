//! Bill runs that nobody asks for: one that was stopped is taken up, and one starts every day where that is configured.

use std::time::Duration;

use bss_app::bill_run::{self, BillRunOptions, BillRunScope, StartedRun};
use bss_app::{AppError, RequestContext};
use bss_domain::ids::TenantId;
use bss_store::identity::tenant;

use super::Serving;

/// How often it is looked whether there is something to do.
const EVERY: Duration = Duration::from_secs(5);
const ACTOR: &str = "bill runs";

/// Looks after all tenants' runs, one after another, until told to stop.
pub async fn keep(serving: Serving) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while serving.stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let tenants = match tenant::all(&serving.app.store).await {
            Ok(tenants) => tenants,
            Err(error) => {
                tracing::warn!(%error, "tenants can't be read: no bill run is taken up");
                continue;
            }
        };
        for tenant in tenants {
            if let Err(error) = look_after(&serving, tenant).await {
                tracing::warn!(%tenant, %error, "bill runs can't be looked after");
            }
        }
    }
}

async fn look_after(serving: &Serving, tenant: TenantId) -> Result<(), AppError> {
    let context = RequestContext::system(tenant, ACTOR);
    let Some(started) = next(serving, &context).await? else {
        return Ok(());
    };
    let run = started.id();
    tracing::info!(%run, "a bill run starts, or goes on where it was stopped");
    let options = BillRunOptions::default();
    let report = bill_run::finish(&serving.app, &context, started, &options, &serving.stop).await?;
    tracing::info!(%run, closed = report.closed, bills = report.bills, waiting = report.waiting, "the bill run has ended");
    Ok(())
}

async fn next(serving: &Serving, context: &RequestContext) -> Result<Option<StartedRun>, AppError> {
    if let Some(stopped) = bill_run::resume(&serving.app, context).await? {
        return Ok(Some(stopped));
    }
    let Some(hour) = serving.config.bill_run_hour else {
        return Ok(None);
    };
    if !bill_run::is_due_daily(&serving.app, context, hour).await? {
        return Ok(None);
    }
    match bill_run::start(&serving.app, context, BillRunScope::default()).await {
        Ok(started) => Ok(Some(started)),
        // Somebody was faster: theirs is today's.
        Err(AppError::Refused(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
