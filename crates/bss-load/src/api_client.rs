//! A client of the public HTTP API, as an outside program would write it.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

/// How long a file may take until all its lines are taken.
const UPLOAD_TIMEOUT: Duration = Duration::from_mins(10);

/// Why a call gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The server can't be reached, or the connection broke.
    #[error("{method} {path}: {source}")]
    Transport {
        /// The method.
        method: Method,
        /// The path.
        path: String,
        /// What happened.
        source: reqwest::Error,
    },
    /// The server refused; `message` is its own.
    #[error("{method} {path}: {status}: {message}")]
    Refused {
        /// The method.
        method: Method,
        /// The path.
        path: String,
        /// The status.
        status: StatusCode,
        /// The server's message with field and value.
        message: String,
    },
    /// The answer wasn't what TM Forum's API says.
    #[error("{path}: {detail}")]
    Unexpected {
        /// The path.
        path: String,
        /// What was expected.
        detail: String,
    },
}

/// A client with an address and a token.
#[derive(Debug, Clone)]
pub struct ApiClient {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl ApiClient {
    /// A client of the API at `base` (`http://127.0.0.1:8000`) with a bearer token.
    pub fn new(base: &str, token: impl Into<String>) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_mins(1))
            .build()?;
        Ok(Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
            token: token.into(),
        })
    }

    /// The resource or the list at a path.
    pub async fn get(&self, path: &str) -> Result<Value, ApiError> {
        self.call(Method::GET, path, None, None).await
    }

    /// The elements of a list at a path: one page, as the server cuts it.
    pub async fn list(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<Value>, ApiError> {
        let request = self.http.get(format!("{}{path}", self.base)).query(query);
        match self.send(Method::GET, path, request).await? {
            Value::Array(items) => Ok(items),
            other => Err(unexpected(path, format!("a list was expected, not {other}"))),
        }
    }

    /// All elements of a list, page by page.
    pub async fn list_all(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<Value>, ApiError> {
        const PAGE: usize = 1_000;
        let mut all = Vec::new();
        loop {
            let (offset, limit) = (all.len().to_string(), PAGE.to_string());
            let mut query = query.to_vec();
            query.extend([("offset", offset.as_str()), ("limit", limit.as_str())]);
            let page = self.list(path, &query).await?;
            let is_last = page.len() < PAGE;
            all.extend(page);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// Goes on with another token.
    pub fn use_token(&mut self, token: impl Into<String>) {
        self.token = token.into();
    }

    /// Creates a resource. With a key the call may be sent again.
    pub async fn post(
        &self,
        path: &str,
        body: &Value,
        idempotency_key: Option<&str>,
    ) -> Result<Value, ApiError> {
        self.call(Method::POST, path, Some(body), idempotency_key).await
    }

    /// Changes a resource by a merge patch (RFC 7396).
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.call(Method::PATCH, path, Some(body), None).await
    }

    /// Puts a resource.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.call(Method::PUT, path, Some(body), None).await
    }

    /// Sends a file; the status says whether it is new (201) or was known (200).
    pub async fn upload(
        &self,
        path: &str,
        query: &[(&str, &str)],
        content: Vec<u8>,
    ) -> Result<(StatusCode, Value), ApiError> {
        let request = self.http.post(format!("{}{path}", self.base)).query(query);
        let request = request
            .header("content-type", "text/csv")
            .timeout(UPLOAD_TIMEOUT)
            .body(content);
        self.exchange(Method::POST, path, request).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<Value, ApiError> {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(body);
        }
        if method == Method::PATCH {
            request = request.header("content-type", "application/merge-patch+json");
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.send(method, path, request).await
    }

    async fn send(&self, method: Method, path: &str, request: RequestBuilder) -> Result<Value, ApiError> {
        Ok(self.exchange(method, path, request).await?.1)
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        request: RequestBuilder,
    ) -> Result<(StatusCode, Value), ApiError> {
        let transport = |source| ApiError::Transport {
            method: method.clone(),
            path: path.to_owned(),
            source,
        };
        let response = request.bearer_auth(&self.token).send().await.map_err(transport)?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(transport)?;
        if status.is_success() {
            if bytes.is_empty() {
                return Ok((status, Value::Null));
            }
            let answer = serde_json::from_slice(&bytes);
            return Ok((
                status,
                answer.map_err(|error| unexpected(path, format!("no JSON: {error}")))?,
            ));
        }
        let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let message = body["message"]
            .as_str()
            .or(body["reason"].as_str())
            .unwrap_or("no message")
            .to_owned();
        Err(ApiError::Refused {
            method,
            path: path.to_owned(),
            status,
            message,
        })
    }
}

/// An answer that isn't what the API says.
pub(crate) fn unexpected(path: &str, detail: impl Into<String>) -> ApiError {
    ApiError::Unexpected {
        path: path.to_owned(),
        detail: detail.into(),
    }
}

/// A value as a list's filter takes it: there a comma parts alternatives.
pub fn one_value(value: &str) -> String {
    value.replace('\\', "\\\\").replace(',', "\\,")
}

/// The `id` of a resource that the server gave.
pub fn id_of<'a>(path: &str, resource: &'a Value) -> Result<&'a str, ApiError> {
    resource["id"]
        .as_str()
        .ok_or_else(|| unexpected(path, "the resource has no id"))
}
