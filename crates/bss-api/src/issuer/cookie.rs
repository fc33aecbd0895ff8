//! The two cookies: the session's, and the one that a login form is bound to.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bss_app::identity::{lifetimes, secret};
use http::{HeaderMap, HeaderValue, header};

/// Sets and reads the cookies as the public address allows.
#[derive(Debug, Clone)]
pub struct Cookies {
    /// Over TLS they are `Secure` and have the prefix that keeps sibling hosts from setting them.
    secure: bool,
}

impl Cookies {
    pub fn new(public_url: &str) -> Self {
        Self {
            secure: public_url.starts_with("https://"),
        }
    }

    /// The session's secret.
    pub fn session<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        find(headers, &self.name("bss-session"))
    }

    /// What a login form is bound to.
    pub fn login<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        find(headers, &self.name("bss-login"))
    }

    /// Sets the session's secret. `Lax`: a client on another site sends its user here by a link or a redirect.
    pub fn set_session(&self, secret: &str) -> HeaderValue {
        self.set("bss-session", secret, "Lax", None)
    }

    /// Sets what the login form is bound to. `Strict`: only our own page posts it.
    pub fn set_login(&self, secret: &str) -> HeaderValue {
        self.set("bss-login", secret, "Strict", Some(lifetimes::LOGIN_FORM_S))
    }

    /// Removes the session's cookie.
    pub fn clear_session(&self) -> HeaderValue {
        self.set("bss-session", "", "Lax", Some(0))
    }

    fn name(&self, name: &str) -> String {
        if self.secure {
            format!("__Host-{name}")
        } else {
            name.to_owned()
        }
    }

    fn set(&self, name: &str, value: &str, same_site: &str, max_age_s: Option<i64>) -> HeaderValue {
        let age = max_age_s
            .map(|age| format!("; Max-Age={age}"))
            .unwrap_or_default();
        let secure = if self.secure { "; Secure" } else { "" };
        let text = format!(
            "{}={value}; Path=/; HttpOnly; SameSite={same_site}{age}{secure}",
            self.name(name)
        );
        // Names are ours and values of the URL-safe alphabet, so this is a valid header.
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
    }
}

/// What the form carries for a cookie: who can't read the cookie can't make it.
pub fn csrf_of(login_cookie: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, format!("csrf {login_cookie}").as_bytes()))
}

/// Whether a form carries what belongs to the browser's cookie.
pub fn is_csrf_of(csrf: &str, login_cookie: &str) -> bool {
    secret::equal(csrf.as_bytes(), csrf_of(login_cookie).as_bytes())
}

fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, value)| *found == name && is_secret(value))
        .map(|(_, value)| value)
}

/// Only what [`secret::generate`] makes is looked at.
fn is_secret(text: &str) -> bool {
    text.len() == 43
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_closed_to_scripts_and_other_sites() {
        let secret = secret::generate();
        let plain = Cookies::new("http://localhost:8000").set_session(&secret);
        assert_eq!(
            plain.to_str().unwrap(),
            format!("bss-session={secret}; Path=/; HttpOnly; SameSite=Lax")
        );
        let secure = Cookies::new("https://bss.example");
        let text = secure.set_login(&secret).to_str().unwrap().to_owned();
        assert_eq!(
            text,
            format!("__Host-bss-login={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age=1800; Secure")
        );
        let mut headers = HeaderMap::new();
        headers.insert(
            header::COOKIE,
            HeaderValue::try_from(format!("a=b; __Host-bss-login={secret};x=y")).unwrap(),
        );
        assert_eq!(secure.login(&headers), Some(secret.as_str()));
        assert_eq!(secure.session(&headers), None);
        assert_eq!(Cookies::new("http://x").login(&headers), None);
    }

    #[test]
    fn a_form_belongs_to_its_cookie() {
        let (mine, other) = (secret::generate(), secret::generate());
        assert!(is_csrf_of(&csrf_of(&mine), &mine));
        assert!(!is_csrf_of(&csrf_of(&other), &mine));
        assert!(!is_csrf_of(&mine, &mine) && !is_csrf_of("", &mine));
    }
}
