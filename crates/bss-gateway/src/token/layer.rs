//! The layer that asks for a token.

use std::sync::Arc;

use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderMap};

use super::verify::{TokenRefusal, Verifier};
use crate::layer::{Layer, Next, Request, Response};
use crate::paths::PublicPaths;
use crate::refusal::Refusal;

/// Who a verified request counts for (request extension): tenant and subject in one text.
#[derive(Debug, Clone)]
pub struct Consumer(pub Arc<str>);

/// Lets only requests with a right token through, but on public paths. There an `Authorization` header is the
/// application's own business, such as a client's password at the token endpoint.
pub struct RequireToken {
    pub verifier: Arc<Verifier>,
    pub public: PublicPaths,
}

impl Layer for RequireToken {
    async fn handle<N: Next>(&self, mut request: Request, next: &N) -> Response {
        if self.public.contains(request.uri().path()) {
            return next.run(request).await;
        }
        let Some(token) = bearer(request.headers()) else {
            let message = "An access token is needed: `Authorization: Bearer …`.";
            return Refusal::new(StatusCode::UNAUTHORIZED, "noToken", message)
                .challenge(None)
                .into_response();
        };
        match self.verifier.verify(token).await {
            Ok(verified) => {
                request.extensions_mut().insert(verified.claims);
                request.extensions_mut().insert(Consumer(verified.consumer));
                next.run(request).await
            }
            Err(TokenRefusal::IssuerAway) => {
                let message =
                    "The issuer of tokens doesn't answer, so the token can't be verified now. Try again.";
                Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "issuerAway", message)
                    .retry_after_s(2)
                    .into_response()
            }
            Err(refusal) => {
                let message = format!(
                    "The access token isn't accepted: {}. Get a new one.",
                    refusal.description()
                );
                Refusal::new(StatusCode::UNAUTHORIZED, "badToken", message)
                    .challenge(Some(refusal.description()))
                    .into_response()
            }
        }
    }
}

/// RFC 6750 §2.1; the scheme's name has no case (RFC 9110 §11.1). Two headers are none: nobody knows which counts.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim())
        .filter(|token| !token.is_empty())
}
