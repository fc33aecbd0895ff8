use bss_domain::fulfilment::ItemWork;
use bss_domain::ids::ServiceId;
use bss_domain::{Instant, TypedId};
use bss_store::UnitOfWork;
use bss_store::activation::{self, Activation, ActivationState, NetworkAction};

use super::Held;
use crate::{App, AppError, RequestContext};

/// Asks the network for something: written now, sent after the commit.
pub(super) async fn request(
    app: &App,
    context: &RequestContext,
    held: &Held,
    work: &UnitOfWork,
    item: &str,
    service: ServiceId,
    action: NetworkAction,
) -> Result<(), AppError> {
    let id: ServiceId = app.ids.new_id(held.now, held.customer.slot());
    let new = Activation {
        id: id.uuid(),
        customer: held.customer,
        order: held.order.id,
        item: item.to_owned(),
        service,
        action,
        state: ActivationState::Due,
        attempts: 0,
        reason: None,
        traceparent: context.traceparent,
        created_at: Instant::now(),
    };
    Ok(activation::insert(work, &new).await?)
}

/// How an item's work stands, counted from its pieces. Of each service the latest piece counts: a deactivation
/// follows its activation.
pub(super) fn count(pieces: &[&Activation]) -> ItemWork {
    let mut counted = ItemWork::default();
    for piece in pieces {
        let deactivation = pieces
            .iter()
            .any(|other| other.service == piece.service && other.action == NetworkAction::Deactivate);
        match (piece.action, piece.state) {
            (_, ActivationState::Fallout) => counted.fallout += 1,
            (NetworkAction::Activate, ActivationState::Due | ActivationState::Unknown) => {
                counted.activating += 1;
            }
            (NetworkAction::Activate, ActivationState::Refused) => counted.refused += 1,
            (NetworkAction::Activate, ActivationState::Confirmed) if !deactivation => counted.working += 1,
            (NetworkAction::Deactivate, ActivationState::Due | ActivationState::Unknown) => {
                counted.deactivating += 1;
            }
            _ => {}
        }
    }
    counted
}
