use axum::extract::{Path, State};
use axum::response::Response;
use bss_store::resource::Stored;
use futures::future::BoxFuture;
use http::Method;

use super::routes::find;
use super::{ApiError, Call, Resource};
use crate::ApiState;
use crate::auth::Routes;

/// A further way to look at one resource: `{id}/explain`. Whoever may see the resource may see the view, as far as the
/// matrix lets the role in.
pub struct View {
    /// The resource.
    pub resource: &'static Resource,
    /// Its segment in the path.
    pub name: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// The media type of the answer.
    pub media_type: &'static str,
    /// Makes the answer of the resource, which exists and may be seen.
    pub show: fn(ApiState, Call, Stored) -> ViewFuture,
}

/// What a view gives.
pub type ViewFuture = BoxFuture<'static, Result<Response, ApiError>>;

/// Views, as a declaration lists them.
pub type Views = &'static [&'static View];

impl View {
    /// Its path's template.
    pub fn path(&self) -> String {
        format!("{}/{{id}}/{}", self.resource.collection(), self.name)
    }

    /// Its route.
    pub fn route(&'static self) -> Routes<ApiState> {
        let handler = move |State(state): State<ApiState>, call: Call, Path(id): Path<String>| async move {
            let stored = find(self.resource, &state, &call, &id).await?;
            (self.show)(state, call, stored).await
        };
        Routes::new().add(Method::GET, &self.path(), handler)
    }
}
