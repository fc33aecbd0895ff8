//! One file per subcommand.

mod bench;
mod bill;
mod catalog;
mod client;
pub mod config;
mod db;
mod demo;
mod direct;
mod doctor;
mod down;
mod import;
mod ledger;
mod load;
mod logs;
mod ps;
mod restart;
mod tenant;
mod token;
mod trace;
mod up;
mod user;
mod version;

use crate::cli::Command;
use crate::config::Config;
use crate::failure::Failure;
use crate::serve;

pub use db::unfinished as unfinished_restore;
pub use direct::tenant as tenant_named;
pub use token::{public_url, token};
pub use up::announce;

/// Runs a subcommand.
pub async fn dispatch(command: Command, config: Config) -> Result<(), Failure> {
    match command {
        Command::Up(options) => up::run(&config, &options).await,
        Command::Down(options) => down::run(&config, &options).await,
        Command::Ps(options) => ps::run(&config, options.json).await,
        Command::Logs(options) => logs::run(&config, &options).await,
        Command::Restart(options) => restart::run(&config, &options).await,
        Command::Doctor(options) => doctor::run(&config, options.json),
        Command::Serve(options) => serve::run(config, &options).await,
        Command::Import { command } => import::run(&config, command).await,
        Command::Catalog { command } => catalog::run(&config, command).await,
        Command::Bill { command } => bill::run(&config, command).await,
        Command::Db { command } => db::run(&config, command).await,
        Command::Ledger { command } => ledger::run(&config, command).await,
        Command::Demo(options) => demo::run(&config, options).await,
        Command::Load { command } => load::run(&command),
        Command::Bench(options) => bench::run(&config, options).await,
        Command::Trace(options) => trace::run(&config, &options).await,
        Command::Token(options) => token::run(&config, &options).await,
        Command::User { command } => user::run(&config, command).await,
        Command::Client { command } => client::run(&config, command).await,
        Command::Tenant { command } => tenant::run(&config, command).await,
        Command::Config(_) => Ok(()), // answered before: it must also show a configuration with mistakes
        Command::Version(options) => version::run(options.json),
    }
}
