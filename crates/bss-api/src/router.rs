use std::sync::Arc;

use axum::Router;

use crate::ApiState;
use crate::auth::{Guard, Routes};
use crate::{kit, resources};

/// The API behind its guard.
pub fn router(state: ApiState, guard: Arc<Guard>) -> Router {
    routes(state).guarded(guard).fallback(kit::nothing_here)
}

/// Every route of the API.
pub fn routes(state: ApiState) -> Routes {
    Routes::new()
        // TM Forum's resources.
        .merge(kit::routes(resources::ALL))
        .with_state(state)
}
