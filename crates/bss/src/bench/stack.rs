//! The whole product as `bss up` starts it, in a process of its own.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bss_load::api_client::ApiClient;
use bss_platform::BssState;

use super::meter::{median, resident_mb};
use super::place::Place;
use super::{Bench, Line};
use crate::commands::{public_url, token};
use crate::config::Config;
use crate::failure::Failure;
use crate::stack;

const TIMEOUT: Duration = Duration::from_mins(3);
const WARM_STARTS: usize = 5;
/// A stack that has nothing to do is looked at after so long.
const IDLE: Duration = Duration::from_secs(5);
/// Limits that the load stays below; each request is counted against them all the same.
const RATE: &str = "10000000";

/// A running stack.
pub struct Stack {
    state: BssState,
    /// A client of its public API that may do everything.
    pub api: ApiClient,
    /// The client's token.
    pub token: String,
    /// The public address.
    pub address: SocketAddr,
}

impl Stack {
    /// Makes a stack, measures how long it takes to start it again, and how much memory it takes when idle.
    pub async fn start(bench: &Bench, place: &Place) -> Result<(Self, Vec<Line>), Failure> {
        let config = config(bench, place);
        let mut state = stack::start(&config, TIMEOUT).await?;
        let mut warm = Vec::new();
        for _ in 0..WARM_STARTS {
            place.stop().await?;
            let begun = Instant::now();
            state = stack::start(&config, TIMEOUT).await?;
            warm.push(begun.elapsed().as_secs_f64());
        }
        tokio::time::sleep(bench.timed(IDLE)).await;
        let idle = resident_mb(state.process.pid);
        let lines = vec![
            Line::new("warm start with PostgreSQL, the middle of 5", median(warm), "s").at_most(3.0),
            Line::new("resident memory, idle", idle, "MB").at_most(150.0),
        ];
        Ok((Self::of(&config, state).await?, lines))
    }

    async fn of(config: &Config, state: BssState) -> Result<Self, Failure> {
        let token = token(config, "admin", "default", None).await?;
        let base = public_url(config)?;
        let api = ApiClient::new(&base, &token).map_err(|error| Failure::refused(error.to_string()))?;
        let address = Self::listener(&state, "gateway")?;
        Ok(Self {
            state,
            api,
            token,
            address,
        })
    }

    fn listener(state: &BssState, name: &str) -> Result<SocketAddr, Failure> {
        state
            .listeners
            .get(name)
            .and_then(|address| address.parse().ok())
            .ok_or_else(|| Failure::refused(format!("the stack has no listener {name}")))
    }

    /// The network simulator's address.
    pub fn network(&self) -> Result<SocketAddr, Failure> {
        Self::listener(&self.state, "network-sim")
    }

    /// The process.
    pub fn pid(&self) -> i32 {
        self.state.process.pid
    }
}

/// What is in force, on free ports, with a simulated clock and nothing of another stack's.
fn config(bench: &Bench, place: &Place) -> Config {
    let mut config = bench.config.clone();
    config.data_dir.clone_from(&place.data_dir);
    config.database_url = None;
    config.public_urls = Vec::new();
    for name in [
        "database_url",
        "issuer_url",
        "network_url",
        "usage_dir",
        "public_urls",
        "otlp_endpoint",
    ] {
        config.given.insert(name, String::new());
    }
    for name in ["port", "ops_port", "postgres_port", "network_sim_port"] {
        config.given.insert(name, "0".to_owned());
    }
    config.given.insert("auto_ports", "true".to_owned());
    config.given.insert("simulated_clock", "true".to_owned());
    config.given.insert("address_rate", RATE.to_owned());
    config.given.insert("consumer_rate", RATE.to_owned());
    config
}
