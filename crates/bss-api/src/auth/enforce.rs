use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use bss_app::{Caller, Role};
use bss_domain::ids::{CustomerId, TenantId};
use bss_store::{Scope, Store, StoreError};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::claims::Claims;
use super::matrix::{Matrix, Reach, Rule};
use super::verifier::Verifier;
use crate::kit::ApiError;

/// What a call to a protected route may do: an extractor for handlers, there only where the matrix let the call in.
#[derive(Debug, Clone)]
pub struct Access {
    /// Who calls; of its roles only those that count on this route.
    pub caller: Caller,
    /// Whose data it reaches.
    pub reach: Reach,
}

impl Access {
    /// The customer that everything read and written must belong to; none: the whole tenant is open.
    pub fn confined_to(&self) -> Option<CustomerId> {
        match self.reach {
            Reach::All => None,
            Reach::Own => self.caller.customer,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Access {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or_else(|| Denied::NotInMatrix.into_response())
    }
}

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Denied {
    /// No token, or none that is valid; the text says why.
    Unauthenticated(String),
    /// The token is valid and isn't enough.
    Forbidden(&'static str),
    /// A defect of ours: the route was forgotten.
    NotInMatrix,
    /// The tenants can't be looked up.
    Unavailable,
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let (status, code, message) = match self {
            Self::Unauthenticated(why) => (StatusCode::UNAUTHORIZED, "unauthenticated", why),
            Self::Forbidden(why) => (StatusCode::FORBIDDEN, "forbidden", why.to_owned()),
            Self::NotInMatrix => {
                let message = "this route is not in the authorization matrix";
                (StatusCode::FORBIDDEN, "notInMatrix", message.to_owned())
            }
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "try again in a few seconds".to_owned(),
            ),
        };
        let mut response = ApiError::new(status, code, message).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"bss\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// Lets calls in as the matrix says.
pub struct Guard {
    matrix: Matrix,
    verifier: Verifier,
    store: Store,
    /// Tenants that were found once; none is ever removed.
    tenants: Mutex<HashSet<TenantId>>,
}

impl Guard {
    pub fn new(matrix: Matrix, verifier: Verifier, store: Store) -> Self {
        Self {
            matrix,
            verifier,
            store,
            tenants: Mutex::default(),
        }
    }

    /// The one place where a call is let in or refused. `path` is the route's template.
    async fn admit(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<Option<Access>, Denied> {
        let Some(rule) = self.matrix.rule(method, path) else {
            tracing::error!(%method, path, "a route is missing from the authorization matrix");
            return Err(Denied::NotInMatrix);
        };
        let Rule::Roles(granted) = rule else {
            return Ok(None);
        };
        let token =
            bearer(headers).ok_or_else(|| Denied::Unauthenticated("a bearer token is needed".to_owned()))?;
        let claims = self
            .verifier
            .verify(token)
            .map_err(|error| Denied::Unauthenticated(error.to_string()))?;
        let tenant = self.tenant_of(&claims).await?;
        let roles = claims
            .realm_access
            .roles
            .iter()
            .filter_map(|name| name.parse::<Role>().ok());
        let counting: std::collections::BTreeSet<Role> =
            roles.filter(|role| granted.contains_key(role)).collect();
        let Some(reach) = counting.iter().filter_map(|role| granted.get(role)).max() else {
            return Err(Denied::Forbidden("none of your roles may do this"));
        };
        let customer = claims.party_id.map(CustomerId::from);
        if *reach == Reach::Own && customer.is_none() {
            return Err(Denied::Forbidden(
                "the token names no customer whose data it may see (party_id)",
            ));
        }
        let caller = Caller {
            tenant,
            subject: claims.sub.clone(),
            roles: counting,
            customer,
        };
        Ok(Some(Access {
            caller,
            reach: *reach,
        }))
    }

    /// The token's tenant, if it is one of ours: row-level security hides other tenants' rows, but would let rows
    /// of a tenant that doesn't exist be written.
    async fn tenant_of(&self, claims: &Claims) -> Result<TenantId, Denied> {
        let Some(tenant) = claims.tenant.map(TenantId::from) else {
            return Err(Denied::Forbidden("the token names no tenant"));
        };
        if self
            .tenants
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&tenant)
        {
            return Ok(tenant);
        }
        match exists(&self.store, tenant).await {
            Ok(true) => {
                self.tenants
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(tenant);
                Ok(tenant)
            }
            Ok(false) => Err(Denied::Forbidden("the token names a tenant that doesn't exist")),
            Err(error) => {
                tracing::warn!(%error, "a tenant could not be looked up");
                Err(Denied::Unavailable)
            }
        }
    }
}

async fn exists(store: &Store, tenant: TenantId) -> Result<bool, StoreError> {
    let session = store.read(Scope::new(tenant, "guard")).await?;
    let found = bss_store::identity::tenant::exists(&session, tenant).await?;
    session.finish()?;
    Ok(found)
}

/// Puts the guard in front of every route of a router. Paths that are no route are answered by its fallback.
pub(super) fn protect(router: Router, guard: Arc<Guard>) -> Router {
    router.route_layer(from_fn_with_state(guard, enforce))
}

async fn enforce(
    State(guard): State<Arc<Guard>>,
    path: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let template = path.as_ref().map_or("", MatchedPath::as_str);
    match guard.admit(request.method(), template, request.headers()).await {
        Ok(access) => {
            if let Some(access) = access {
                request.extensions_mut().insert(access.caller.clone());
                request.extensions_mut().insert(access);
            }
            next.run(request).await
        }
        Err(denied) => denied.into_response(),
    }
}

/// The bearer token of a request (RFC 6750 §2.1); never from the address.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
