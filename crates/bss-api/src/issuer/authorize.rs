//! The authorization request (OpenID Connect Core §3.1.2.1), parsed before anything is looked up.

use super::error::{Code, OAuthError};
use super::params::Params;
use super::pkce;

/// Scopes that mean something here; others are ignored (OpenID Connect Core §3.1.2.1).
pub const SCOPES: [&str; 3] = ["openid", "profile", "roles"];

/// Whether the user must, may or must not be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prompt {
    /// Asked only where there is no session.
    WhenNeeded,
    /// Asked even with a session.
    Always,
    /// Never asked: without a session the answer is `login_required`.
    Never,
}

/// What a client asks for, its address and itself checked already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// The granted scopes, space-separated.
    pub scope: String,
    /// Given back in the ID token.
    pub nonce: Option<String>,
    /// The S256 challenge.
    pub challenge: String,
    /// Whether the user is asked.
    pub prompt: Prompt,
    /// How old a sign-in may be, in seconds.
    pub max_age_s: Option<i64>,
}

impl AuthorizationRequest {
    /// Parses what the client asks for.
    ///
    /// # Errors
    /// Those that are sent back to the client's address.
    pub fn parse(params: &Params) -> Result<Self, OAuthError> {
        for (name, code) in [
            ("request", Code::RequestNotSupported),
            ("request_uri", Code::RequestUriNotSupported),
        ] {
            if params.get(name).is_some() {
                return Err(OAuthError::new(code, format!("{name} is not supported")));
            }
        }
        match params.get("response_type") {
            Some("code") => {}
            None => return Err(OAuthError::invalid_request("response_type is missing")),
            Some(_) => {
                return Err(OAuthError::new(
                    Code::UnsupportedResponseType,
                    "response_type must be code",
                ));
            }
        }
        if params.get("response_mode").is_some_and(|mode| mode != "query") {
            return Err(OAuthError::invalid_request("response_mode must be query"));
        }
        Ok(Self {
            scope: granted_scope(params)?,
            nonce: params.get("nonce").map(str::to_owned),
            challenge: challenge(params)?,
            prompt: prompt(params)?,
            max_age_s: max_age_s(params)?,
        })
    }
}

/// Whether a granted scope makes the flow OpenID Connect.
pub fn is_openid(scope: &str) -> bool {
    scope.split(' ').any(|word| word == "openid")
}

fn granted_scope(params: &Params) -> Result<String, OAuthError> {
    let asked = params.words("scope");
    if asked.iter().any(|word| {
        word.bytes()
            .any(|byte| !(0x21..=0x7E).contains(&byte) || byte == b'"' || byte == b'\\')
    }) {
        return Err(OAuthError::new(
            Code::InvalidScope,
            "scope has a character that no scope may have",
        ));
    }
    let granted: Vec<&str> = SCOPES.into_iter().filter(|scope| asked.contains(scope)).collect();
    Ok(granted.join(" "))
}

fn challenge(params: &Params) -> Result<String, OAuthError> {
    let Some(challenge) = params.get("code_challenge") else {
        return Err(OAuthError::invalid_request(
            "code_challenge is missing: PKCE is required",
        ));
    };
    if params.get("code_challenge_method") != Some("S256") {
        return Err(OAuthError::invalid_request("code_challenge_method must be S256"));
    }
    if !pkce::is_challenge(challenge) {
        return Err(OAuthError::invalid_request(
            "code_challenge is no SHA-256 in base64url",
        ));
    }
    Ok(challenge.to_owned())
}

fn prompt(params: &Params) -> Result<Prompt, OAuthError> {
    let words = params.words("prompt");
    match words.as_slice() {
        [] => Ok(Prompt::WhenNeeded),
        ["none"] => Ok(Prompt::Never),
        words if words.contains(&"none") => {
            Err(OAuthError::invalid_request("prompt none stands with others"))
        }
        words
            if words
                .iter()
                .any(|word| matches!(*word, "login" | "select_account")) =>
        {
            Ok(Prompt::Always)
        }
        // There is nothing to consent to: clients are the operator's own.
        ["consent"] => Ok(Prompt::WhenNeeded),
        _ => Err(OAuthError::invalid_request("prompt has an unknown value")),
    }
}

fn max_age_s(params: &Params) -> Result<Option<i64>, OAuthError> {
    let Some(text) = params.get("max_age") else {
        return Ok(None);
    };
    match text.parse::<u32>() {
        Ok(seconds) => Ok(Some(i64::from(seconds))),
        Err(_) => Err(OAuthError::invalid_request("max_age is no number of seconds")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &[(&str, &str)] = &[
        ("response_type", "code"),
        ("scope", "profile openid email"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
        ("nonce", "n-1"),
    ];

    /// The good request with one parameter changed, or left out where the value is empty.
    fn with(name: &str, value: &str) -> Result<AuthorizationRequest, OAuthError> {
        let mut pairs: Vec<(String, String)> = GOOD
            .iter()
            .filter(|(n, _)| *n != name)
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        pairs.push((name.to_owned(), value.to_owned()));
        AuthorizationRequest::parse(&Params::parse(pairs).unwrap())
    }

    #[test]
    fn a_good_request_is_understood() {
        let request = with("prompt", "").unwrap();
        assert_eq!(
            (request.scope.as_str(), request.nonce.as_deref()),
            ("openid profile", Some("n-1"))
        );
        assert!(is_openid(&request.scope) && !is_openid(&with("scope", "profile").unwrap().scope));
        for (value, expected) in [
            ("", Prompt::WhenNeeded),
            ("none", Prompt::Never),
            ("login", Prompt::Always),
            ("consent login", Prompt::Always),
        ] {
            assert_eq!(with("prompt", value).unwrap().prompt, expected, "{value}");
        }
        assert_eq!(with("max_age", "30").unwrap().max_age_s, Some(30));
    }

    #[test]
    fn a_bad_request_is_told_what_is_wrong() {
        for (name, value, code) in [
            ("response_type", "", Code::InvalidRequest),
            ("response_type", "token", Code::UnsupportedResponseType),
            ("response_type", "code id_token", Code::UnsupportedResponseType),
            ("response_mode", "fragment", Code::InvalidRequest),
            ("code_challenge", "", Code::InvalidRequest),
            ("code_challenge", "tooshort", Code::InvalidRequest),
            ("code_challenge_method", "", Code::InvalidRequest),
            ("code_challenge_method", "plain", Code::InvalidRequest),
            ("scope", "openid \"", Code::InvalidScope),
            ("prompt", "none login", Code::InvalidRequest),
            ("prompt", "create", Code::InvalidRequest),
            ("max_age", "-1", Code::InvalidRequest),
            ("request", "eyJ", Code::RequestNotSupported),
            ("request_uri", "https://x", Code::RequestUriNotSupported),
        ] {
            assert_eq!(with(name, value).unwrap_err().code, code, "{name}={value}");
        }
    }
}
