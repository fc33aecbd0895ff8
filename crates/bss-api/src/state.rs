use std::path::PathBuf;
use std::sync::Arc;

use bss_app::App;
use tokio_util::sync::CancellationToken;

use crate::v1::Live;

/// How the API is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiConfig {
    /// The addresses that it is called by, without a slash at the end; the first is the base of `href`s.
    pub public_urls: Vec<String>,
    /// Whether calls that order something or move money need an `Idempotency-Key`.
    pub require_idempotency_key: bool,
    /// The folder in which files that are sent in are put aside while they are read; they have no names in it.
    pub spool_dir: PathBuf,
}

/// What every handler has.
#[derive(Clone)]
pub struct ApiState {
    /// The application.
    pub app: App,
    /// The configuration.
    pub config: Arc<ApiConfig>,
    /// Who listens to changes.
    pub live: Live,
}

impl ApiState {
    /// The state of an API over an application; cancelling `stop` ends the streams that would go on for ever.
    pub fn new(app: App, config: ApiConfig, stop: CancellationToken) -> Self {
        Self {
            app,
            config: Arc::new(config),
            live: Live::new(stop),
        }
    }

    /// The base of `href`s.
    pub fn base_url(&self) -> &str {
        self.config.public_urls.first().map_or("", String::as_str)
    }
}
