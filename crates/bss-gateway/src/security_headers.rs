//! Security headers for browsers. What the application has set itself stays.

use http::HeaderMap;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};

use crate::address::Origin;
use crate::layer::{Layer, Next, Request, Response};

/// For everything that isn't a page: nothing in it may run or be framed, should a browser ever show it.
const CSP_DATA: &str = "default-src 'none'; frame-ancestors 'none'";
const HSTS: &str = "max-age=31536000";

pub struct SecurityHeaders {
    csp_page: HeaderValue,
    csp_data: HeaderValue,
}

impl SecurityHeaders {
    /// `script_hashes` are those of the console's inline scripts, as `sha256-…` without quotes; `connect` are
    /// origins beside our own that pages may call, such as an external issuer. Both were checked to hold only
    /// characters that a header may carry.
    pub fn new(script_hashes: &[String], connect: &[String]) -> Self {
        let hashes: Vec<String> = script_hashes.iter().map(|hash| format!("'{hash}'")).collect();
        let (hashes, connect) = (hashes.join(" "), connect.join(" "));
        // Styles stay open to inline ones: component libraries set them on elements, where hashes don't reach.
        let policy = format!(
            "default-src 'self'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; \
             img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' {connect}; \
             frame-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; \
             form-action 'self'; frame-ancestors 'none'"
        );
        let csp_data = HeaderValue::from_static(CSP_DATA);
        Self {
            csp_page: HeaderValue::from_str(&policy).unwrap_or_else(|_| csp_data.clone()),
            csp_data,
        }
    }
}

impl Layer for SecurityHeaders {
    async fn handle<N: Next>(&self, request: Request, next: &N) -> Response {
        let https = request
            .extensions()
            .get::<Origin>()
            .is_some_and(|origin| origin.https);
        let mut response = next.run(request).await;
        let headers = response.headers_mut();
        let kind = headers
            .get(CONTENT_TYPE)
            .map(HeaderValue::as_bytes)
            .unwrap_or_default();
        let (page, json) = (
            kind.starts_with(b"text/html"),
            kind.starts_with(b"application/json"),
        );

        set(
            headers,
            CONTENT_SECURITY_POLICY,
            if page { &self.csp_page } else { &self.csp_data },
        );
        set(
            headers,
            X_CONTENT_TYPE_OPTIONS,
            &HeaderValue::from_static("nosniff"),
        );
        // Not `no-referrer`: with it, browsers send `Origin: null` with the sign-in form.
        set(headers, REFERRER_POLICY, &HeaderValue::from_static("same-origin"));
        if json {
            // Customers' data doesn't belong on a shared computer's disk or in a proxy.
            set(headers, CACHE_CONTROL, &HeaderValue::from_static("no-store"));
        }
        if https {
            // RFC 6797 §7.2: it must not be sent over plain HTTP.
            set(
                headers,
                STRICT_TRANSPORT_SECURITY,
                &HeaderValue::from_static(HSTS),
            );
        }
        response
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &HeaderValue) {
    headers.entry(name).or_insert_with(|| value.clone());
}
