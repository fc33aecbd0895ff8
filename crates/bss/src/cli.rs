//! The command line.

use clap::{Args, Parser, Subcommand};

use crate::config::SettingFlags;

/// A telecom BSS on one command: catalog, orders, usage, bills, payments, ledger.
#[derive(Debug, Parser)]
#[command(name = "bss", version, propagate_version = true, max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    pub settings: SettingFlags,
    #[command(subcommand)]
    pub command: Command,
}

/// What `bss` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the stack, wait until every part answers, and say where it is
    Up(UpOptions),
    /// Stop the stack; the data stays
    Down(DownOptions),
    /// What runs: state, ports, memory, and what a part waits for
    Ps(JsonOption),
    /// Show the logs
    Logs(LogsOptions),
    /// Start a part anew
    Restart(RestartOptions),
    /// What is wrong with this machine, and how to mend it
    Doctor(JsonOption),
    /// Run in the foreground beside others, for clusters
    Serve(ServeOptions),
    /// What is in force, and where each value came from
    Config(JsonOption),
    /// Which version this is
    Version(JsonOption),
}

/// Whether to answer with one JSON object.
#[derive(Debug, Args)]
pub struct JsonOption {
    /// Answer with one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `bss up`
#[derive(Debug, Args)]
pub struct UpOptions {
    /// Stay in the foreground; Ctrl-C stops everything
    #[arg(long)]
    pub foreground: bool,
    /// Answer with one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `bss down`
#[derive(Debug, Args)]
pub struct DownOptions {
    /// Remove the data as well: the whole data folder
    #[arg(long)]
    pub data: bool,
}

/// `bss logs`
#[derive(Debug, Args)]
pub struct LogsOptions {
    /// Go on as lines are written
    #[arg(short, long)]
    pub follow: bool,
    /// How many lines to begin with
    #[arg(short = 'n', long, default_value_t = 200)]
    pub lines: usize,
    /// bss or postgres; both where nothing is said
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

/// `bss restart`
#[derive(Debug, Args)]
pub struct RestartOptions {
    /// bss or postgres
    #[arg(value_name = "NAME", default_value = "bss")]
    pub name: String,
}

/// `bss serve`
#[derive(Debug, Args)]
pub struct ServeOptions {
    /// Started by `bss up`: one per data folder, written down there, log into its files, report to the starter
    #[arg(long, hide = true)]
    pub daemon: bool,
}
