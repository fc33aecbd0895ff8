#![doc = include_str!("../README.md")]

mod backup;
mod bench;
mod cli;
mod commands;
mod config;
mod failure;
mod output;
mod serve;
#[cfg(test)]
mod shown_commands;
mod stack;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use failure::Failure;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return failure::of_usage(&error),
    };
    failure::exit(run(cli))
}

fn run(cli: Cli) -> Result<(), Failure> {
    let config = config::load(&cli.settings);
    if let Command::Config(options) = &cli.command {
        return commands::config::run(config, options);
    }
    let config = config.into_config()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::refused(format!("cannot start the runtime: {error}")))?;
    let done = runtime.block_on(commands::dispatch(cli.command, config));
    // A thread that waits in the operating system (a lock, a pipe) must not hold the end up.
    runtime.shutdown_background();
    done
}
