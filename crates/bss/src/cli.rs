//! The command line.

use clap::{Args, Parser, Subcommand};

use crate::config::SettingFlags;
use crate::serve::Role;

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
    /// Run one or several roles in the foreground, for clusters
    Serve(ServeOptions),
    /// What is in force, and where each value came from
    Config(JsonOption),
    /// An access token for curl, as one of the roles
    Token(TokenOptions),
    /// Users of the built-in issuer
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Machines that sign in with a secret of their own
    Client {
        #[command(subcommand)]
        command: ClientCommand,
    },
    /// Operators that share this installation
    Tenant {
        #[command(subcommand)]
        command: TenantCommand,
    },
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
    /// The roles, separated by commas; all where nothing is said
    #[arg(long = "role", value_name = "ROLES", value_delimiter = ',', value_enum)]
    pub roles: Vec<Role>,
    /// Started by `bss up`: one per data folder, written down there, log into its files, report to the starter
    #[arg(long, hide = true)]
    pub daemon: bool,
}

/// `bss token`
#[derive(Debug, Args)]
pub struct TokenOptions {
    /// admin, csr, product-manager, billing, network, operations or customer
    #[arg(long = "as", value_name = "ROLE")]
    pub role: String,
    /// The tenant
    #[arg(long, default_value = "default", value_name = "NAME")]
    pub tenant: String,
    /// The customer whose data the role `customer` sees
    #[arg(long, value_name = "ID")]
    pub party: Option<uuid::Uuid>,
}

/// `bss user`
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a user; the generated password goes to standard output
    Add(UserOptions),
    /// Give a user a new, generated password
    Password {
        /// The sign-in name
        name: String,
    },
    /// The users of a tenant
    List {
        /// The tenant
        #[arg(long, default_value = "default", value_name = "NAME")]
        tenant: String,
        #[command(flatten)]
        json: JsonOption,
    },
}

/// `bss user add`
#[derive(Debug, Args)]
pub struct UserOptions {
    /// The sign-in name
    pub name: String,
    /// The roles, separated by commas
    #[arg(long, value_name = "ROLES", value_delimiter = ',', required = true)]
    pub role: Vec<String>,
    /// How the user is shown; the sign-in name where nothing is said
    #[arg(long, value_name = "TEXT")]
    pub display_name: Option<String>,
    /// The tenant
    #[arg(long, default_value = "default", value_name = "NAME")]
    pub tenant: String,
    /// The customer whose data the role `customer` sees
    #[arg(long, value_name = "ID")]
    pub party: Option<uuid::Uuid>,
}

/// `bss client`
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Add a client; its generated secret goes to standard output
    Add(ClientOptions),
}

/// `bss client add`
#[derive(Debug, Args)]
pub struct ClientOptions {
    /// The client's id
    pub id: String,
    /// The roles of its tokens, separated by commas
    #[arg(long, value_name = "ROLES", value_delimiter = ',', required = true)]
    pub role: Vec<String>,
    /// The tenant
    #[arg(long, default_value = "default", value_name = "NAME")]
    pub tenant: String,
}

/// `bss tenant`
#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// Add a tenant
    Add {
        /// Its name
        name: String,
    },
}
