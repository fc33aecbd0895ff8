use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bss_app::{AppError, notification};
use http::{HeaderValue, Method, StatusCode, header};

use super::call::json_body;
use super::{Api, ApiError, Call, Resource};
use crate::ApiState;
use crate::auth::Routes;

/// Of these nobody is told by a callback: a switch's records are too many for one call each.
const SILENT: &[&str] = &["Usage"];

/// The APIs of these resources whose events callbacks are told of, each with the types of its resources.
pub fn hubs(resources: &[&'static Resource]) -> Vec<(&'static Api, Vec<&'static str>)> {
    let mut hubs: Vec<(&'static Api, Vec<&'static str>)> = Vec::new();
    for resource in resources
        .iter()
        .filter(|resource| !SILENT.contains(&resource.kind))
    {
        let known = hubs
            .iter_mut()
            .find(|(api, _)| api.base_path == resource.api.base_path);
        match known {
            Some((_, kinds)) => kinds.push(resource.kind),
            None => hubs.push((resource.api, vec![resource.kind])),
        }
    }
    hubs
}

/// The path of an API's hub.
pub fn hub_path(api: &Api) -> String {
    format!("{}/hub", api.base_path)
}

/// The routes of the hubs (TMF630 Part 1, notification).
pub(super) fn hub_routes(resources: &[&'static Resource]) -> Routes<ApiState> {
    hubs(resources)
        .into_iter()
        .fold(Routes::new(), |routes, (api, kinds)| {
            let kinds: Arc<[&'static str]> = kinds.into();
            let path = hub_path(api);
            routes
                .add(Method::POST, &path, move |State(state), call, body| {
                    register(api, kinds.clone(), state, call, body)
                })
                .add(
                    Method::DELETE,
                    &format!("{path}/{{id}}"),
                    move |State(state), call, id| remove(api, state, call, id),
                )
        })
}

/// An API's address, as callbacks are told it.
fn address(state: &ApiState, api: &Api) -> String {
    format!("{}{}", state.base_url(), api.base_path)
}

async fn register(
    api: &'static Api,
    kinds: Arc<[&'static str]>,
    state: ApiState,
    call: Call,
    body: Bytes,
) -> Result<Response, ApiError> {
    let body = json_body(&body)?;
    let address = address(&state, api);
    let made = notification::register(&state.app, &call.context, (&address, &kinds), &body).await?;
    let location = format!("{}{}/{}", state.base_url(), hub_path(api), made.id);
    let location = HeaderValue::from_str(&location).map_err(AppError::internal)?;
    let headers = [(header::LOCATION, location)];
    Ok((StatusCode::CREATED, headers, Json(made.document())).into_response())
}

async fn remove(
    api: &'static Api,
    state: ApiState,
    call: Call,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let known = id
        .parse()
        .map_err(|_| AppError::not_found("EventSubscription", &id))?;
    notification::remove(&state.app, &call.context, &address(&state, api), known).await?;
    Ok(StatusCode::NO_CONTENT)
}
