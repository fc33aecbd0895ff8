use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use bss_app::AppError;
use bss_app::resource::{Filter, ResourceUseCases};
use bss_domain::Refusal;
use bss_domain::ids::CustomerId;
use bss_store::resource::{Comparison, Path as AttributePath, Stored};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use serde_json::Value;
use uuid::Uuid;

use super::call::{etag, json_body};
use super::links::page_headers;
use super::present::{check_addresses, href, presented, without_echo};
use super::{ApiError, Call, ListQuery, Owner, Resource};
use crate::ApiState;
use crate::auth::Routes;

type Answer = Result<Response, ApiError>;
type Pairs = Query<Vec<(String, String)>>;

/// The routes of these resources.
pub fn routes(resources: &[&'static Resource]) -> Routes<ApiState> {
    resources
        .iter()
        .fold(Routes::new(), |routes, resource| routes.merge(of(resource)))
}

fn of(resource: &'static Resource) -> Routes<ApiState> {
    let collection = resource.collection();
    let one = format!("{collection}/{{id}}");
    let mut routes = Routes::new()
        .add(Method::GET, &collection, move |State(state), call, uri, pairs| {
            list(resource, state, call, uri, pairs)
        })
        .add(Method::GET, &one, move |State(state), call, id, pairs| {
            get(resource, state, call, id, pairs)
        });
    let operations = resource.operations;
    if operations.create {
        routes = routes.add(Method::POST, &collection, move |State(state), call, body| {
            create(resource, state, call, body)
        });
    }
    if operations.patch {
        routes = routes.add(Method::PATCH, &one, move |State(state), call, id, body| {
            patch(resource, state, call, id, body)
        });
    }
    if operations.delete {
        routes = routes.add(Method::DELETE, &one, move |State(state), call, id| {
            delete(resource, state, call, id)
        });
    }
    routes
}

async fn list(
    resource: &'static Resource,
    state: ApiState,
    call: Call,
    uri: Uri,
    Query(pairs): Pairs,
) -> Answer {
    let mut query = ListQuery::read(pairs)?;
    if let Some(customer) = call.confined_to {
        query.request.filters.extend(own(resource, customer)?);
    }
    let session = call.read(&state).await?;
    let page = resource.reads.list(&session, &query.request).await?;
    session.finish().await?;
    let fields = query.fields.as_deref();
    let shown: Vec<Value> = page
        .rows
        .iter()
        .map(|stored| presented(&state, resource, stored, fields))
        .collect();
    let counts = (shown.len(), page.total, page.exact);
    let headers = page_headers(state.base_url(), &uri, &query, counts);
    Ok((headers, Json(shown)).into_response())
}

async fn get(
    resource: &'static Resource,
    state: ApiState,
    call: Call,
    Path(id): Path<String>,
    Query(pairs): Pairs,
) -> Answer {
    let query = ListQuery::read(pairs)?;
    let stored = find(resource, &state, &call, &id).await?;
    if call.knows(stored.revision) {
        return Ok((StatusCode::NOT_MODIFIED, tagged(&stored)?).into_response());
    }
    let shown = presented(&state, resource, &stored, query.fields.as_deref());
    Ok((tagged(&stored)?, Json(shown)).into_response())
}

async fn create(resource: &'static Resource, state: ApiState, call: Call, body: Bytes) -> Answer {
    let route = resource.collection();
    let call = call.creating(&state, &route, resource.precious, &body)?;
    let body = json_body(&body)?;
    check_addresses(&state, &body)?;
    if let Some(customer) = call.confined_to
        && !belongs(resource, &body, customer)?
    {
        return Err(hidden());
    }
    let stored = commands(resource)?
        .create(&state.app, &call.context, body)
        .await?;
    let mut headers = tagged(&stored)?;
    let location = href(&state, resource, &stored);
    headers.insert(header::LOCATION, header_value(&location)?);
    let shown = presented(&state, resource, &stored, None);
    Ok((StatusCode::CREATED, headers, Json(shown)).into_response())
}

async fn patch(
    resource: &'static Resource,
    state: ApiState,
    call: Call,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let stored = find(resource, &state, &call, &id).await?;
    let expected = call.expected(resource.kind, &id, stored.revision)?;
    let sent = json_body(&body)?;
    let shown = presented(&state, resource, &stored, None);
    let patch = without_echo(resource, &shown, sent);
    check_addresses(&state, &patch)?;
    let changed = commands(resource)?
        .patch(&state.app, &call.context, stored.id, patch, expected)
        .await?;
    let shown = presented(&state, resource, &changed, None);
    Ok((tagged(&changed)?, Json(shown)).into_response())
}

async fn delete(resource: &'static Resource, state: ApiState, call: Call, Path(id): Path<String>) -> Answer {
    let stored = find(resource, &state, &call, &id).await?;
    let expected = call.expected(resource.kind, &id, stored.revision)?;
    commands(resource)?
        .delete(&state.app, &call.context, stored.id, expected)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The resource, where it exists and the caller may see it.
async fn find(resource: &Resource, state: &ApiState, call: &Call, id: &str) -> Result<Stored, ApiError> {
    let missing = || ApiError::from(AppError::not_found(resource.kind, id));
    let known: Uuid = id.parse().map_err(|_| missing())?;
    let session = call.read(state).await?;
    let stored = resource.reads.get(&session, known).await?;
    session.finish().await?;
    let stored = stored.ok_or_else(missing)?;
    match call.confined_to {
        Some(customer) if !owns(resource, &stored, customer)? => Err(missing()),
        _ => Ok(stored),
    }
}

fn owns(resource: &Resource, stored: &Stored, customer: CustomerId) -> Result<bool, ApiError> {
    if resource.owner == Owner::Itself {
        return Ok(stored.id == Uuid::from(customer));
    }
    belongs(resource, &stored.body, customer)
}

fn belongs(resource: &Resource, body: &Value, customer: CustomerId) -> Result<bool, ApiError> {
    Ok(match resource.owner {
        Owner::Everyone => true,
        Owner::Nobody | Owner::Itself => false,
        Owner::Customer(path) => {
            let path = AttributePath::parse(path).map_err(AppError::internal)?;
            path.find(body).and_then(Value::as_str) == Some(customer.to_string().as_str())
        }
    })
}

/// The filters that leave a customer its own; refused where none of it can be its own.
fn own(resource: &Resource, customer: CustomerId) -> Result<Vec<Filter>, ApiError> {
    let by = |attribute: &str| {
        vec![Filter {
            attribute: attribute.to_owned(),
            comparison: Comparison::Equal,
            values: vec![customer.to_string()],
        }]
    };
    match resource.owner {
        Owner::Everyone => Ok(Vec::new()),
        Owner::Nobody => Err(hidden()),
        Owner::Itself => Ok(by("id")),
        Owner::Customer(path) => Ok(by(path)),
    }
}

fn hidden() -> ApiError {
    AppError::Forbidden("this belongs to another customer, or to none".to_owned()).into()
}

fn commands(resource: &Resource) -> Result<&'static dyn ResourceUseCases, ApiError> {
    resource
        .commands
        .ok_or_else(|| Refusal::conflict("readOnly", format!("{} is only read", resource.kind)).into())
}

fn tagged(stored: &Stored) -> Result<HeaderMap, ApiError> {
    let mut headers = HeaderMap::new();
    headers.insert(header::ETAG, header_value(&etag(stored.revision))?);
    Ok(headers)
}

fn header_value(text: &str) -> Result<HeaderValue, ApiError> {
    HeaderValue::from_str(text).map_err(|error| AppError::internal(error).into())
}
