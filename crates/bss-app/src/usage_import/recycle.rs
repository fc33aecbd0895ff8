//! A reject that was mended comes in again, once, with the identity that it had at first.

use bss_domain::Refusal;
use bss_domain::ids::{TypedId, UsageId};
use bss_domain::usage::source::Mediated;
use bss_domain::usage::{Fields, RejectReason, Usage, UsageSource, UsageState};
use bss_events::PARTITIONS;
use bss_store::usage_file::{self, ChargedLines, FileLines};
use bss_store::usage_reject::{self, UsageReject};
use bss_store::{Session, usage_key, usage_record};
use uuid::Uuid;

use super::batch::{Guide, usage_event};
use super::{UsageImport, needed_source};
use crate::{App, AppError, RequestContext};

/// What became of a mended reject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recycled {
    /// It is on its way to charging.
    Accepted(UsageId),
    /// It still can't be taken.
    Rejected(RejectReason),
}

/// Sends a reject in again: with `mended` in the place of what was written, or as it is, where the reason has passed
/// (a number has its owner now, a tariff has its zone).
pub async fn recycle(
    app: &App,
    context: &RequestContext,
    rules: &UsageImport,
    id: Uuid,
    mended: Option<&str>,
) -> Result<Recycled, AppError> {
    let now = app.clock.now();
    let mut work = app.store.begin(context.scope()).await?;
    let mut reject = usage_reject::lock(&work, id)
        .await?
        .ok_or_else(|| AppError::not_found("UsageReject", id))?;
    if !reject.state.may_become(UsageState::Recycled) {
        return Err(Refusal::conflict("recycledAlready", "it was sent in again already").into());
    }
    if let Some(mended) = mended {
        reject.mended = Some(mended.as_bytes().to_vec());
    }
    let source = needed_source(&work, &reject.source).await?;
    let outcome = read_again(&work, rules, &source, &reject, now).await?;
    let recycled = match outcome {
        Ok(mut usage) => {
            usage.reject = Some(id);
            let days = [usage_record::day_of(usage.metered.started)].into();
            usage_record::ensure_days(&work, &days).await?;
            usage_key::keep(&work, &reject.source, reject.identity.hash, usage.id.slot()).await?;
            count_again(&work, &reject).await?;
            reject.state = UsageState::Recycled;
            reject.usage_id = Some(usage.id);
            work.emit(usage_event(app, context, now, &usage)?);
            Recycled::Accepted(usage.id)
        }
        Err(reason) => {
            reason.code().clone_into(&mut reject.code);
            reject.reason = reason.to_string();
            Recycled::Rejected(reason)
        }
    };
    usage_reject::mend(&work, &reject, now).await?;
    work.commit().await?;
    Ok(recycled)
}

async fn read_again(
    session: &Session,
    rules: &UsageImport,
    source: &UsageSource,
    reject: &UsageReject,
    now: bss_domain::Instant,
) -> Result<Result<Usage, RejectReason>, AppError> {
    let raw = reject.mended.as_ref().unwrap_or(&reject.raw);
    // What charging rejected is kept in the plain table's form, whatever the source writes.
    let source = UsageSource {
        format: reject.format,
        ..source.clone()
    };
    let mut fields = Fields::default();
    let metered = match fields.split(raw).and_then(|()| source.mediate(&fields)) {
        Ok(Mediated::Metered(metered)) => metered,
        Ok(Mediated::NotCharged) => {
            return Err(Refusal::invalid(
                "notCharged",
                "mended",
                String::from_utf8_lossy(raw),
                "this line isn't charged, so there is nothing to send in",
            )
            .into());
        }
        Err(reason) => return Ok(Err(reason)),
    };
    let record = (&metered, reject.identity.hash);
    let guide = Guide::of_one(session, &source.name, rules, now, record).await?;
    Ok(guide.guide(&metered, reject.identity, reject.origin))
}

/// The file's counts follow: what was rejected at the intake is accepted now, and what charging rejected waits again.
async fn count_again(session: &Session, reject: &UsageReject) -> Result<(), AppError> {
    let Some(origin) = reject.origin else {
        return Ok(());
    };
    match reject.usage_id {
        None => {
            let by = FileLines {
                accepted: 1,
                rejected: -1,
                ..FileLines::default()
            };
            usage_file::advance(session, origin.file, by).await?;
        }
        Some(usage) => {
            let by = ChargedLines {
                rejected: -1,
                ..ChargedLines::default()
            };
            let partition = usage.slot().partition(PARTITIONS);
            usage_file::count_charged(session, partition, &[(origin.file, by)]).await?;
        }
    }
    Ok(())
}
