//! Host check: only the hosts of `public_urls` are answered.

use std::collections::BTreeSet;

use http::StatusCode;

use crate::address::Origin;
use crate::layer::{Layer, Next, Request, Response};
use crate::refusal::Refusal;

/// Refuses foreign hosts. A page on another name that resolves to our address (DNS rebinding) gets nothing, and no
/// link that we make can carry a name that somebody else chose.
pub struct HostCheck {
    /// Host and port in lower case, the port left out where it is the scheme's own.
    pub known: BTreeSet<String>,
}

/// Host and port in one spelling: lower case, without the port that the scheme has anyway.
pub fn normal_authority(authority: &str, https: bool) -> String {
    let lower = authority.to_ascii_lowercase();
    let own_port = if https { ":443" } else { ":80" };
    lower.strip_suffix(own_port).map(str::to_owned).unwrap_or(lower)
}

impl Layer for HostCheck {
    async fn handle<N: Next>(&self, request: Request, next: &N) -> Response {
        let known = request.extensions().get::<Origin>().is_some_and(|origin| {
            self.known
                .contains(&normal_authority(&origin.authority, origin.https))
        });
        if known {
            return next.run(request).await;
        }
        Refusal::new(
            StatusCode::MISDIRECTED_REQUEST,
            "unknownHost",
            "This host isn't served here. The operator lists the hosts that are in `public_urls`.",
        )
        .into_response()
    }
}
