use std::sync::Arc;

use axum::Router;
use http::Method;

use crate::auth::{Guard, Routes};
use crate::{ApiState, console, kit, openapi, resources, v1};

/// The API and the console: what is behind the guard, then the files that anyone may have.
pub fn router(state: ApiState, guard: Arc<Guard>) -> Router {
    all()
        .with_state(state)
        .guarded(guard)
        .fallback(console::file_or_nothing)
}

/// Method and path of every route behind the guard.
pub fn route_list() -> Vec<(Method, String)> {
    all().list().to_vec()
}

/// The table of contents.
fn all() -> Routes<ApiState> {
    Routes::new()
        // TM Forum's resources, one declaration each.
        .merge(kit::routes(resources::ALL, resources::VIEWS))
        // What TM Forum has no API for.
        .merge(v1::routes())
        // The description of all this, for programs and for people.
        .merge(openapi::routes())
}
