//! TMF635: what was used.

use axum::Json;
use axum::response::IntoResponse;
use bss_app::trace;
use bss_app::usage::Usages;
use bss_domain::usage::shape;

use crate::kit::{Api, Operations, RELATED_CUSTOMER, Resource, View};

/// TMF635 Usage.
pub static API: Api = Api {
    title: "TMF635 Usage",
    base_path: "/tmf-api/usageManagement/v4",
};

/// Usage.
pub static USAGE: Resource = Resource {
    api: &API,
    path: "usage",
    kind: "Usage",
    shape: shape::SHAPE,
    reads: &Usages,
    commands: Some(&Usages),
    operations: Operations {
        create: true,
        ..Operations::NONE
    },
    owner: RELATED_CUSTOMER,
    last_update: None,
    precious: true,
};

/// How a record got its price, and where it was billed.
pub static EXPLAIN: View = View {
    resource: &USAGE,
    name: "explain",
    about: "how a record got its price, and where it was billed",
    media_type: "application/json",
    show: |state, call, usage| {
        Box::pin(async move {
            let shown = trace::trace(&state.app, &call.context, usage.id).await?;
            Ok(Json(shown).into_response())
        })
    },
};
