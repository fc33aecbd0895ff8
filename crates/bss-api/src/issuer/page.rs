//! The issuer's pages: plain HTML from the server, no scripts, everything from the outside escaped.

use axum::response::{Html, IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};

use super::discovery::{LOGIN, LOGOUT, STYLE};

/// The style sheet.
pub const CSS: &str = include_str!("style.css");

/// The sign-in form.
pub struct LoginPage<'a> {
    /// The client's name.
    pub client: &'a str,
    /// The authorization request as a query: it travels in the form's address.
    pub request: &'a str,
    /// Where the browser is sent afterwards: the policy must allow it.
    pub redirect_uri: &'a str,
    /// What proves that the form came from here.
    pub csrf: &'a str,
    /// The name as typed before, or as the client hinted.
    pub user_name: &'a str,
    /// What went wrong.
    pub problem: Option<&'a str>,
}

impl LoginPage<'_> {
    /// The page with this status.
    pub fn respond(&self, status: StatusCode) -> Response {
        let problem = self.problem.map_or_else(String::new, |text| {
            format!(
                "<p class=\"problem\" id=\"problem\" role=\"alert\">{}</p>\n",
                escape(text)
            )
        });
        // The name has the focus, or the password where the name stands already.
        let (name_focus, password_focus) = if self.user_name.is_empty() {
            (" autofocus", "")
        } else {
            ("", " autofocus")
        };
        let described = if self.problem.is_some() {
            " aria-describedby=\"problem\""
        } else {
            ""
        };
        let body = format!(
            r#"{problem}<form method="post" action="{LOGIN}?{request}">
<input type="hidden" name="csrf" value="{csrf}">
<label for="username">User name</label>
<input id="username" name="username" value="{name}" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="64"{described}{name_focus}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="256"{described}{password_focus}>
<button type="submit">Sign in</button>
</form>
<p class="note">You will return to {client}.</p>"#,
            request = escape(self.request),
            csrf = escape(self.csrf),
            name = escape(self.user_name),
            client = escape(self.client),
        );
        respond(status, "Sign in", &body, Some(self.redirect_uri))
    }
}

/// A page that only says something.
pub fn message(status: StatusCode, title: &str, text: &str) -> Response {
    respond(status, title, &format!("<p>{}</p>", escape(text)), None)
}

/// Asks whether to sign out, where nothing proves that the user wants it.
pub fn confirm_logout(request: &str, csrf: &str, redirect_uri: Option<&str>) -> Response {
    let body = format!(
        r#"<form method="post" action="{LOGOUT}?{}">
<input type="hidden" name="csrf" value="{}">
<p>Do you want to sign out?</p>
<button type="submit">Sign out</button>
</form>"#,
        escape(request),
        escape(csrf),
    );
    respond(StatusCode::OK, "Sign out", &body, redirect_uri)
}

fn respond(status: StatusCode, title: &str, body: &str, redirect_uri: Option<&str>) -> Response {
    let title = escape(title);
    let html = format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · BSS</title>
<link rel="stylesheet" href="{STYLE}">
</head>
<body>
<main>
<p class="product">BSS</p>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"#
    );
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    let policy = HeaderValue::try_from(policy(redirect_uri));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        policy.unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'")),
    );
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not `no-referrer`: with it, browsers send `Origin: null` with the form.
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// No scripts at all. A browser holds `form-action` against the redirect that answers a form, too, so the client's
/// origin stands in it.
fn policy(redirect_uri: Option<&str>) -> String {
    let target = redirect_uri
        .and_then(origin)
        .map(|origin| format!(" {origin}"))
        .unwrap_or_default();
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'{target}; base-uri 'none'; \
         frame-ancestors 'none'"
    )
}

/// The origin of an address, or the scheme alone of an application's own (`com.example.app:`).
fn origin(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once(':')?;
    let Some(rest) = rest
        .strip_prefix("//")
        .filter(|_| matches!(scheme, "http" | "https"))
    else {
        return Some(format!("{scheme}:"));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
    authority
        .bytes()
        .all(harmless)
        .then(|| format!("{scheme}://{authority}"))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    #[tokio::test]
    async fn what_comes_from_outside_stays_text() {
        let attack = "\"><script>alert('1')</script>&";
        let page = LoginPage {
            client: attack,
            request: attack,
            redirect_uri: "https://c.example/cb",
            csrf: attack,
            user_name: attack,
            problem: Some(attack),
        };
        let response = page.respond(StatusCode::BAD_REQUEST);
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(
            policy.contains("form-action 'self' https://c.example;"),
            "{policy}"
        );
        assert!(
            !policy.contains("unsafe") && policy.starts_with("default-src 'none';"),
            "{policy}"
        );
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let html = String::from_utf8(body.to_vec()).unwrap();
        assert!(!html.contains("<script"), "{html}");
        assert_eq!(html.matches("&lt;script&gt;").count(), 5);
    }

    #[test]
    fn the_policy_names_the_clients_origin_and_nothing_else() {
        for (uri, expected) in [
            ("https://c.example/cb?x=1", Some("https://c.example")),
            ("http://127.0.0.1:8000/cb", Some("http://127.0.0.1:8000")),
            ("http://[::1]:8000/cb", Some("http://[::1]:8000")),
            ("com.example.app:/cb", Some("com.example.app:")),
            ("https://c.example; script-src *", None),
            ("nothing", None),
        ] {
            assert_eq!(origin(uri).as_deref(), expected, "{uri}");
        }
    }
}
