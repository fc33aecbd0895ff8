//! The process that serves: start, readiness, drain.

mod billing;
mod database;
pub mod disk;
mod figures;
mod gateway;
pub mod identity;
mod listeners;
mod network_sim;
mod process;
mod streams;
mod usage;

use std::sync::Arc;

use bss_app::App;
use bss_platform::DiskGuard;
use bss_telemetry::Ops;
use clap::ValueEnum;
use tokio_util::sync::CancellationToken;

use crate::cli::ServeOptions;
use crate::config::{Config, Profile};
use crate::failure::Failure;
use listeners::Listeners;

pub use process::Mode;
use process::run_roles;

/// What a process does for the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Everything public on one address: console, APIs, sign-in
    Gateway,
    /// The APIs alone, on an address of their own, behind a proxy that hands sign-in to a gateway
    Api,
    /// What the product does by itself once something has happened
    Streams,
    /// The watched folder of usage files
    Usage,
    /// The demonstration's network
    NetworkSim,
}

impl Role {
    /// The roles of a stack in one process: the gateway has the APIs in it.
    fn of(profile: Profile) -> Vec<Self> {
        let mut roles = vec![Self::Gateway, Self::Streams, Self::Usage];
        if profile == Profile::Demo {
            roles.push(Self::NetworkSim);
        }
        roles
    }
}

/// What every role of a process shares.
#[derive(Clone)]
pub struct Serving {
    /// The configuration.
    pub config: Arc<Config>,
    /// Metrics and readiness.
    pub ops: Ops,
    /// The application, on the process's one store.
    pub app: App,
    /// Whether writes are allowed.
    pub disk: Arc<DiskGuard>,
    /// Ends when the process is to end.
    pub stop: CancellationToken,
    /// The addresses that are open.
    pub listeners: Listeners,
}

/// `bss serve`
pub async fn run(config: Config, options: &ServeOptions) -> Result<(), Failure> {
    let mode = if options.daemon { Mode::Daemon } else { Mode::Roles };
    let roles = if options.roles.is_empty() {
        Role::of(config.profile)
    } else {
        options.roles.clone()
    };
    run_roles(config, mode, roles).await
}

/// `bss up`: every role of the profile.
pub async fn run_stack(config: Config, mode: Mode) -> Result<(), Failure> {
    let roles = Role::of(config.profile);
    run_roles(config, mode, roles).await
}

impl Serving {
    /// The addresses that clients use: as configured, or those of the open listener.
    fn public_urls(&self) -> Vec<String> {
        if !self.config.public_urls.is_empty() {
            return self.config.public_urls.clone();
        }
        let open = self.listeners.all();
        let port = open.get("gateway").and_then(|address| address.rsplit(':').next());
        let port = port.map_or_else(|| self.config.port.to_string(), str::to_owned);
        ["127.0.0.1", "localhost"]
            .map(|host| format!("http://{host}:{port}"))
            .to_vec()
    }

    /// The network that activates services: as configured, or the simulator of this process.
    fn network_url(&self) -> Result<String, Failure> {
        let own = || {
            self.listeners
                .all()
                .get("network-sim")
                .map(|address| format!("http://{address}"))
        };
        self.config.network_url.clone().or_else(own).ok_or_else(|| {
            Failure::Usage(vec![
                "network_url: the role streams needs a network, and this process has no role network-sim"
                    .to_owned(),
            ])
        })
    }
}
