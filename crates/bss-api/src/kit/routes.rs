use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use bss_app::AppError;
use bss_app::resource::{Filter, ResourceUseCases};
use bss_domain::Refusal;
use bss_domain::ids::CustomerId;
use bss_store::resource::{Comparison, Path as AttributePath, Stored};
use bss_store::{Session, billing_account};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use serde_json::Value;
use uuid::Uuid;

use super::call::{etag, json_body};
use super::hub::hub_routes;
use super::links::page as answer_page;
use super::present::{check_addresses, href, presented, without_echo};
use super::{ApiError, Call, ListQuery, Owner, Resource, Views};
use crate::ApiState;
use crate::auth::Routes;

type Answer = Result<Response, ApiError>;
type Pairs = Query<Vec<(String, String)>>;

/// The routes of these resources, of their views and of the hubs of their APIs.
pub fn routes(resources: &[&'static Resource], views: Views) -> Routes<ApiState> {
    let routes = resources
        .iter()
        .fold(Routes::new(), |routes, resource| routes.merge(of(resource)));
    let routes = views
        .iter()
        .fold(routes, |routes, view| routes.merge(view.route()));
    routes.merge(hub_routes(resources))
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
    let session = call.read(&state).await?;
    if let Some(customer) = call.confined_to {
        let own = own(resource, &session, customer).await?;
        query.request.filters.extend(own);
    }
    let page = resource.reads.list(&session, &query.request).await?;
    session.finish()?;
    let fields = query.fields.as_deref();
    let shown: Vec<Value> = page
        .rows
        .into_iter()
        .map(|stored| presented(&state, resource, stored, fields))
        .collect();
    Ok(answer_page(&state, &uri, &query, shown, (page.total, page.exact)))
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
    if resource.reads.revision_tells_all() && call.knows(stored.revision) {
        return Ok((StatusCode::NOT_MODIFIED, tagged(&stored)?).into_response());
    }
    let headers = tagged(&stored)?;
    let shown = presented(&state, resource, stored, query.fields.as_deref());
    Ok((headers, Json(shown)).into_response())
}

async fn create(resource: &'static Resource, state: ApiState, call: Call, body: Bytes) -> Answer {
    let route = resource.collection();
    let call = call.creating(&state, &route, resource.precious, &body)?;
    let body = json_body(&body)?;
    check_addresses(&state, &body)?;
    if let Some(customer) = call.confined_to
        && !matches!(resource.owner, Owner::Found(_))
        && !belongs(resource, &body, customer)?
    {
        return Err(hidden());
    }
    let stored = commands(resource)?
        .create(&state.app, &call.context, body)
        .await?;
    let stored = whole(resource, &state, &call, stored).await?;
    let mut headers = tagged(&stored)?;
    let location = href(&state, resource, &stored);
    headers.insert(header::LOCATION, header_value(&location)?);
    let shown = presented(&state, resource, stored, None);
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
    let known = stored.id;
    let shown = presented(&state, resource, stored, None);
    let patch = without_echo(resource, &shown, sent);
    check_addresses(&state, &patch)?;
    let changed = commands(resource)?
        .patch(&state.app, &call.context, known, patch, expected)
        .await?;
    let changed = whole(resource, &state, &call, changed).await?;
    let headers = tagged(&changed)?;
    let shown = presented(&state, resource, changed, None);
    Ok((headers, Json(shown)).into_response())
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
pub(super) async fn find(
    resource: &Resource,
    state: &ApiState,
    call: &Call,
    id: &str,
) -> Result<Stored, ApiError> {
    let missing = || ApiError::from(AppError::not_found(resource.kind, id));
    let known: Uuid = id.parse().map_err(|_| missing())?;
    let found = resource.reads.look_up(&state.app, &call.context, known).await?;
    let stored = found.ok_or_else(missing)?;
    let seen = match call.confined_to {
        Some(customer) => owns(resource, (state, call), &stored, customer).await?,
        None => true,
    };
    if seen { Ok(stored) } else { Err(missing()) }
}

/// The resource as it reads now, where a command's answer doesn't say all of it.
async fn whole(
    resource: &Resource,
    state: &ApiState,
    call: &Call,
    stored: Stored,
) -> Result<Stored, ApiError> {
    if resource.reads.revision_tells_all() {
        return Ok(stored);
    }
    let read = resource
        .reads
        .look_up(&state.app, &call.context, stored.id)
        .await?;
    Ok(read.unwrap_or(stored))
}

async fn owns(
    resource: &Resource,
    (state, call): (&ApiState, &Call),
    stored: &Stored,
    customer: CustomerId,
) -> Result<bool, ApiError> {
    match resource.owner {
        Owner::Itself => Ok(stored.id == Uuid::from(customer)),
        Owner::Account(path) => {
            let session = call.read(state).await?;
            let accounts = billing_account::of_customer(&session, customer).await?;
            session.finish()?;
            let named = text_at(path, &stored.body)?;
            Ok(accounts.iter().any(|account| Some(account.to_string()) == named))
        }
        _ => belongs(resource, &stored.body, customer),
    }
}

fn belongs(resource: &Resource, body: &Value, customer: CustomerId) -> Result<bool, ApiError> {
    Ok(match resource.owner {
        Owner::Everyone => true,
        // Nobody who is confined creates what belongs to an account.
        Owner::Nobody | Owner::Itself | Owner::Account(_) => false,
        Owner::Customer(path) | Owner::Found(path) => text_at(path, body)? == Some(customer.to_string()),
    })
}

fn text_at(path: &str, body: &Value) -> Result<Option<String>, ApiError> {
    let path = AttributePath::parse(path).map_err(AppError::internal)?;
    Ok(path.find(body).and_then(Value::as_str).map(str::to_owned))
}

/// The filters that leave a customer its own; refused where none of it can be its own.
async fn own(resource: &Resource, session: &Session, customer: CustomerId) -> Result<Vec<Filter>, ApiError> {
    let by = |attribute: &str, values: Vec<String>| {
        vec![Filter {
            attribute: attribute.to_owned(),
            comparison: Comparison::Equal,
            values,
        }]
    };
    match resource.owner {
        Owner::Everyone => Ok(Vec::new()),
        Owner::Nobody => Err(hidden()),
        Owner::Itself => Ok(by("id", vec![customer.to_string()])),
        Owner::Customer(path) | Owner::Found(path) => Ok(by(path, vec![customer.to_string()])),
        Owner::Account(path) => {
            let accounts = billing_account::of_customer(session, customer).await?;
            Ok(by(path, accounts.iter().map(ToString::to_string).collect()))
        }
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
