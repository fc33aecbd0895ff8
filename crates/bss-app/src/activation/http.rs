use std::time::Duration;

use async_trait::async_trait;
use bss_domain::activation::NetworkAnswer;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;

use super::{Network, NetworkRequest};

/// Where the network is.
#[derive(Debug, Clone)]
pub struct HttpNetworkConfig {
    /// `http://127.0.0.1:8090`: requests are put to `/activations/{requestId}` below it.
    pub url: String,
    /// How long an answer is waited for.
    pub timeout: Duration,
}

/// A network that is spoken to over HTTP: `PUT /activations/{requestId}` sends, `GET` asks.
#[derive(Debug, Clone)]
pub struct HttpNetwork {
    client: Client,
    url: String,
}

/// What the network answers.
#[derive(Deserialize)]
struct Answer {
    state: String,
    reason: Option<String>,
}

impl HttpNetwork {
    /// A network at a URL.
    pub fn new(config: &HttpNetworkConfig) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .timeout(config.timeout)
            .connect_timeout(config.timeout)
            .build()?;
        Ok(Self {
            client,
            url: config.url.trim_end_matches('/').to_owned(),
        })
    }

    async fn call(&self, call: RequestBuilder, request: &NetworkRequest, asked: bool) -> NetworkAnswer {
        let call = match request.traceparent {
            Some(parent) => call.header("traceparent", parent.to_string()),
            None => call,
        };
        let response = match call.send().await {
            Ok(response) => response,
            // Nothing was sent when no connection came about.
            Err(error) if error.is_connect() && !asked => {
                return NetworkAnswer::Busy("the network can't be reached".to_owned());
            }
            Err(error) => return NetworkAnswer::Unknown(shown(&error)),
        };
        let status = response.status();
        match status {
            StatusCode::NOT_FOUND if asked => NetworkAnswer::NotKnown,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS if !asked => {
                NetworkAnswer::Busy(format!("the network answered {status}"))
            }
            _ if status.is_success() || status == StatusCode::CONFLICT => {
                match response.json::<Answer>().await {
                    Ok(answer) => understood(answer),
                    Err(error) => NetworkAnswer::Unknown(shown(&error)),
                }
            }
            _ if status.is_client_error() && !asked => {
                NetworkAnswer::Refused(format!("the network answered {status}"))
            }
            _ => NetworkAnswer::Unknown(format!("the network answered {status}")),
        }
    }
}

fn understood(answer: Answer) -> NetworkAnswer {
    match answer.state.as_str() {
        "done" => NetworkAnswer::Done,
        "refused" => NetworkAnswer::Refused(answer.reason.unwrap_or_else(|| "no reason given".to_owned())),
        "underWay" => NetworkAnswer::UnderWay,
        other => NetworkAnswer::Unknown(format!("the network answered the unknown state {other:?}")),
    }
}

/// The error without its URL.
fn shown(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        "no answer in time".to_owned()
    } else {
        "the connection broke".to_owned()
    }
}

#[async_trait]
impl Network for HttpNetwork {
    async fn send(&self, request: &NetworkRequest) -> NetworkAnswer {
        let url = format!("{}/activations/{}", self.url, request.request_id);
        self.call(self.client.put(url).json(request), request, false)
            .await
    }

    async fn ask(&self, request: &NetworkRequest) -> NetworkAnswer {
        let url = format!("{}/activations/{}", self.url, request.request_id);
        self.call(self.client.get(url), request, true).await
    }
}
