//! Single records (TMF635 `POST /usage`): guided at once, or refused with the reason.

use bss_domain::Refusal;
use bss_domain::usage::{Identity, Metered, RecordHash, Usage};
use bss_store::usage_record;

use super::UsageImport;
use super::batch::{Guide, usage_event};
use crate::{App, AppError, RequestContext, idempotency};

/// A record that a caller sends in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUsage {
    /// The name of the source that measured it; the caller's own choice.
    pub source: String,
    /// The source's own id of the record: the same one is never charged twice.
    pub external_id: String,
    /// What was measured.
    pub metered: Metered,
}

/// Takes a record in: it is rated within moments. One that can't be guided is refused, and nothing of it is kept.
/// Sent again, it has the same id; with an idempotency key the earlier answer is given again.
pub async fn record_usage(
    app: &App,
    context: &RequestContext,
    rules: &UsageImport,
    new: &NewUsage,
) -> Result<Usage, AppError> {
    let now = app.clock.now();
    let identity = Identity {
        hash: RecordHash::of_own_id(context.tenant(), &new.source, &new.external_id),
        own_id: true,
    };
    let mut work = app.store.begin(context.scope()).await?;
    if let Some(usage) = idempotency::replay(&work, context).await? {
        work.rollback().await?;
        return Ok(usage);
    }
    let record = (&new.metered, identity.hash);
    let guide = Guide::of_one(&work, &new.source, rules, now, record).await?;
    let usage = guide
        .guide(&new.metered, identity, None)
        .map_err(|reason| Refusal::invalid(reason.code(), "usage", usage_name(new), reason.to_string()))?;
    let days = [usage_record::day_of(usage.metered.started)].into();
    usage_record::ensure_days(&work, &days).await?;
    work.emit(usage_event(app, context, now, &usage)?);
    idempotency::keep(&work, context, 201, &usage).await?;
    work.commit().await?;
    Ok(usage)
}

fn usage_name(new: &NewUsage) -> String {
    format!("{} {}", new.source, new.external_id)
}
