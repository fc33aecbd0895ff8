//! Calls that may be sent again: the answer is kept under the caller's key in the transaction of its effect.

use bss_store::Session;
use bss_store::idempotency::{self, Kept};
use bss_store::identity::tenant;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{App, AppError, RequestContext};

/// To be called first in the transaction: gives the earlier answer of a call that is repeated. The same key under
/// way is [`AppError::KeyInFlight`], the same key with another body [`AppError::KeyReused`].
pub async fn replay<T: DeserializeOwned>(
    work: &Session,
    context: &RequestContext,
) -> Result<Option<T>, AppError> {
    let Some(key) = &context.idempotency else {
        return Ok(None);
    };
    if !idempotency::take(work, &key.route, &key.key).await? {
        return Err(AppError::KeyInFlight(key.key.clone()));
    }
    let Some(kept) = idempotency::find(work, &key.route, &key.key).await? else {
        return Ok(None);
    };
    if kept.request_hash != key.request_hash {
        return Err(AppError::KeyReused(key.key.clone()));
    }
    serde_json::from_value(kept.body)
        .map(Some)
        .map_err(AppError::internal)
}

/// To be called last before the commit: keeps the answer.
pub async fn keep<T: Serialize>(
    work: &Session,
    context: &RequestContext,
    status: u16,
    answer: &T,
) -> Result<(), AppError> {
    let Some(key) = &context.idempotency else {
        return Ok(());
    };
    let kept = Kept {
        request_hash: key.request_hash.clone(),
        status,
        body: serde_json::to_value(answer).map_err(AppError::internal)?,
    };
    idempotency::keep(work, &key.route, &key.key, &kept)
        .await
        .map_err(AppError::from)
}

/// The name under which old answers are forgotten.
const ACTOR: &str = "idempotency";

/// Forgets the answers of all tenants that nobody may ask for again, in bounded transactions, and tells how many they
/// were.
pub async fn purge(app: &App) -> Result<u64, AppError> {
    let mut forgotten = 0;
    for tenant in tenant::all(&app.store).await? {
        let context = RequestContext::system(tenant, ACTOR);
        loop {
            let work = app.store.begin_work(context.scope()).await?;
            let purged = idempotency::purge(&work).await?;
            work.commit().await?;
            forgotten += purged;
            if purged < idempotency::PURGED_MAX {
                break;
            }
        }
    }
    Ok(forgotten)
}
