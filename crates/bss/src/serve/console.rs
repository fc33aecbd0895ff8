//! The console's generated files, embedded in the binary.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

/// The files as `scripts/build-console.sh` generates them; none where the binary was built without.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../console/.output/public"]
#[allow_missing = true]
struct Files;

/// Where the console's build leaves the hashes of its inline scripts, one a line, quoted as in a policy.
const SCRIPT_HASHES: &str = "csp-hashes.txt";
/// The page for every address that the console itself routes.
const PAGE: &str = "200.html";

/// The hashes of the pages' inline scripts, for the Content-Security-Policy.
pub fn script_hashes() -> Vec<String> {
    let Some(file) = Files::get(SCRIPT_HASHES) else {
        return Vec::new();
    };
    String::from_utf8_lossy(&file.data)
        .lines()
        .map(|line| line.trim_matches('\'').to_owned())
        .collect()
}

/// Answers with a file, or with the page that routes by itself; an API's path never gets a page.
pub async fn answer(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let api = ["tmf-api/", "bss-api/", "realms/"]
        .iter()
        .any(|root| path.starts_with(root));
    if api || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return not_found();
    }
    if let Some(file) = Files::get(path).filter(|_| path != SCRIPT_HASHES) {
        return file_answer(&request, path, file);
    }
    // A file that isn't there is missing; anything else is an address within the console.
    if path.rsplit('/').next().is_some_and(|name| name.contains('.')) {
        return not_found();
    }
    match Files::get(PAGE) {
        Some(page) => file_answer(&request, PAGE, page),
        None => (
            StatusCode::NOT_FOUND,
            "This binary was built without the console: run scripts/build-console.sh and build again.\n",
        )
            .into_response(),
    }
}

fn not_found() -> Response {
    let body = serde_json::json!({
        "code": "404",
        "reason": "Not Found",
        "message": "there is nothing at this address",
        "status": "404",
    });
    (StatusCode::NOT_FOUND, axum::Json(body)).into_response()
}

fn file_answer(request: &Request, path: &str, file: EmbeddedFile) -> Response {
    let hash = file.metadata.sha256_hash();
    let etag = hash
        .iter()
        .take(16)
        .fold(String::from("\""), |text, byte| format!("{text}{byte:02x}"))
        + "\"";
    // Names below _nuxt carry their content's hash: they never change.
    let caching = if path.starts_with("_nuxt/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let known = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .is_some_and(|given| given.as_bytes() == etag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Body::from(file.data.into_owned()).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(path)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(method: Method, path: &str) -> Response {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::empty())
            .unwrap();
        answer(request).await
    }

    #[tokio::test]
    async fn an_apis_path_and_a_missing_file_never_get_a_page() {
        for (method, path) in [
            (Method::GET, "/tmf-api/nothing/v4/x"),
            (Method::POST, "/customers"),
            (Method::GET, "/_nuxt/gone.js"),
            (Method::GET, "/csp-hashes.txt"),
        ] {
            let response = ask(method, path).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
            assert_eq!(
                response.headers()[header::CONTENT_TYPE],
                "application/json",
                "{path}"
            );
        }
    }

    #[tokio::test]
    async fn pages_come_with_an_etag_where_the_console_was_built() {
        let response = ask(Method::GET, "/customers/some-id").await;
        if Files::get(PAGE).is_none() {
            assert_eq!(response.status(), StatusCode::NOT_FOUND);
            return;
        }
        assert_eq!(response.status(), StatusCode::OK);
        let etag = response.headers()[header::ETAG].clone();
        let again = Request::get("/customers")
            .header(header::IF_NONE_MATCH, etag)
            .body(Body::empty())
            .unwrap();
        assert_eq!(answer(again).await.status(), StatusCode::NOT_MODIFIED);
        assert!(!script_hashes().is_empty());
    }
}
