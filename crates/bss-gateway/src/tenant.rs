//! The tenant that a request acts in.

use std::sync::Arc;

use http::StatusCode;

use crate::layer::{Layer, Next, Request, Response};
use crate::refusal::Refusal;
use crate::token::VerifiedClaims;

/// The tenant of a verified request (request extension), as the token's `tenant` claim names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant(pub Arc<str>);

/// Refuses a token that names no tenant, unless the operator runs a single one and has said which.
pub struct TenantLayer {
    pub default: Option<Arc<str>>,
}

const TENANT_LENGTH_MAX: usize = 64;

impl Layer for TenantLayer {
    async fn handle<N: Next>(&self, mut request: Request, next: &N) -> Response {
        let Some(claims) = request.extensions().get::<Arc<VerifiedClaims>>() else {
            // A public path: nobody has been verified, and it acts in no tenant.
            return next.run(request).await;
        };
        let named = claims.tenant.as_deref().map(Arc::from);
        let tenant = named.or_else(|| self.default.clone());
        let Some(tenant) = tenant.filter(|name| (1..=TENANT_LENGTH_MAX).contains(&name.len())) else {
            let message = "The token names no tenant. Its issuer must add the claim `tenant`.";
            return Refusal::new(StatusCode::FORBIDDEN, "noTenant", message).into_response();
        };
        request.extensions_mut().insert(Tenant(tenant));
        next.run(request).await
    }
}
