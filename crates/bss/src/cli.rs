//! The command line.

use std::path::PathBuf;

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
    /// Walk from the catalog to paid bills over the public API, and prove that everything adds up
    Demo(DemoOptions),
    /// Run one or several roles in the foreground, for clusters
    Serve(ServeOptions),
    /// What is in force, and where each value came from
    Config(JsonOption),
    /// Usage from files, and the rejects that they leave
    Import {
        #[command(subcommand)]
        command: ImportCommand,
    },
    /// The product catalog
    Catalog {
        #[command(subcommand)]
        command: CatalogCommand,
    },
    /// Bill runs, previews, explanations and proofs
    Bill {
        #[command(subcommand)]
        command: BillCommand,
    },
    /// Backup and restore of the database with its keys and secrets
    Db {
        #[command(subcommand)]
        command: DbCommand,
    },
    /// The ledger's proof
    Ledger {
        #[command(subcommand)]
        command: LedgerCommand,
    },
    /// Everything that an order, product, usage record, bill or payment caused or came from, as a tree
    Trace(TraceOptions),
    /// Load, such as usage files as switches write them
    Load {
        #[command(subcommand)]
        command: LoadCommand,
    },
    /// What the product does on this machine, each figure beside its reference in the same run
    Bench(BenchOptions),
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

/// `bss trace`
#[derive(Debug, Args)]
pub struct TraceOptions {
    /// The id of a product order, product, usage record, customer bill or payment, or of a part of one
    pub id: uuid::Uuid,
    /// The tenant
    #[arg(long, default_value = "default", value_name = "NAME")]
    pub tenant: String,
    /// Answer with one JSON object
    #[arg(long)]
    pub json: bool,
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

/// `bss import`
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Import usage files; a file that was cut off goes on where it stood, one that is done changes nothing
    Cdr(ImportCdrOptions),
    /// List the rejected lines, or send mended ones in again
    Rejects(ImportRejectsOptions),
}

/// `bss import cdr`
#[derive(Debug, Args)]
pub struct ImportCdrOptions {
    /// The files
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// asterisk or generic
    #[arg(long)]
    pub format: String,
    /// The source's name, part of every record's identity [default: the format's name]
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// The zone of the source's times; needed where the source is new
    #[arg(long, value_name = "ZONE")]
    pub zone: Option<String>,
    /// The country code of numbers without one
    #[arg(long, value_name = "DIGITS")]
    pub country_code: Option<String>,
    /// What stands before a national number, such as 0
    #[arg(long, value_name = "DIGITS")]
    pub trunk_prefix: Option<String>,
    /// What stands before an international number beside +, such as 00
    #[arg(long, value_name = "DIGITS")]
    pub international_prefix: Option<String>,
    /// The tenant
    #[arg(long, default_value = "default", value_name = "NAME")]
    pub tenant: String,
    /// Answer with one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `bss import rejects`
#[derive(Debug, Args)]
pub struct ImportRejectsOptions {
    /// Only those of this file
    #[arg(long, value_name = "ID")]
    pub file: Option<uuid::Uuid>,
    /// Only those with this reason's code
    #[arg(long)]
    pub code: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100)]
    pub limit: i64,
    /// Send this reject in again
    #[arg(long, value_name = "ID", conflicts_with = "replay_all")]
    pub replay: Option<uuid::Uuid>,
    /// The mended line, in place of what was written
    #[arg(long, value_name = "LINE", requires = "replay")]
    pub mended: Option<String>,
    /// Send all that are listed in again, as they are
    #[arg(long)]
    pub replay_all: bool,
    /// The tenant
    #[arg(long, default_value = "default", value_name = "NAME")]
    pub tenant: String,
    /// Answer with one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `bss catalog`
#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    /// Load a folder of files, or one file, over the public API
    Import(CatalogImportOptions),
}

/// `bss catalog import`
#[derive(Debug, Args)]
pub struct CatalogImportOptions {
    /// A folder of .json files, taken in the order of their names, or one file
    #[arg(value_name = "PLACE")]
    pub place: PathBuf,
    /// The tenant
    #[arg(long, default_value = "default", value_name = "NAME")]
    pub tenant: String,
    /// Answer with one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `bss load`
#[derive(Debug, Subcommand)]
pub enum LoadCommand {
    /// Generate a usage file; what must come out of it goes to standard output
    Cdr(LoadCdrOptions),
}

/// `bss load cdr`
#[derive(Debug, Args)]
pub struct LoadCdrOptions {
    /// Where to write it
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// So many made-up subscribers
    #[arg(long, default_value_t = 200)]
    pub customers: u64,
    /// A file with the subscribers' numbers instead, one a line
    #[arg(long, value_name = "FILE")]
    pub numbers: Option<PathBuf>,
    /// Lines
    #[arg(long, default_value_t = 50_000)]
    pub records: u64,
    /// The same seed gives the same file
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// asterisk or generic
    #[arg(long, default_value = "asterisk")]
    pub format: String,
    /// The country code of home
    #[arg(long, default_value = "48", value_name = "DIGITS")]
    pub home: String,
    /// The zone of the switch's clock
    #[arg(long, default_value = "Europe/Warsaw")]
    pub zone: String,
    /// The usage begins after this
    #[arg(long, default_value = "2026-01-01T00:00:00Z", value_name = "INSTANT")]
    pub from: String,
    /// And before this
    #[arg(long, default_value = "2026-02-01T00:00:00Z", value_name = "INSTANT")]
    pub to: String,
}

/// `bss bench`
#[derive(Debug, Args)]
pub struct BenchOptions {
    /// Only these rows, separated by commas; all where nothing is said
    #[arg(long, value_name = "ROWS", value_delimiter = ',', value_enum)]
    pub only: Vec<crate::bench::Row>,
    /// The share of the full sizes and times: less than 1 is a trial, whose figures mean nothing
    #[arg(long, default_value_t = 1.0, value_name = "SHARE", value_parser = share)]
    pub scale: f64,
    /// Take the figures into benchmarks.json and the table of BENCHMARKS.md in this folder
    #[arg(long, value_name = "DIR")]
    pub docs: Option<PathBuf>,
    /// Where the data folders are made; the machine's folder for temporary files where nothing is said
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Answer with one JSON object
    #[arg(long)]
    pub json: bool,
    /// Answer every request with a file's bytes: the reference of the reads, started by the benchmark itself
    #[arg(long, hide = true, value_name = "FILE")]
    pub serve_reference: Option<PathBuf>,
}

fn share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|share| *share > 0.0 && *share <= 1.0)
        .ok_or_else(|| "not a share above 0 and up to 1".to_owned())
}

/// `bss demo`
#[derive(Debug, Args)]
pub struct DemoOptions {
    /// At least so many customers; those of earlier runs stay
    #[arg(long, default_value_t = 200)]
    pub customers: u32,
    /// Lines of usage files
    #[arg(long, default_value_t = 50_000)]
    pub records: u64,
    /// The same seed gives the same names
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The folder with the catalog
    #[arg(long, value_name = "FOLDER", default_value = "demo/catalog")]
    pub catalog: PathBuf,
    /// Do nothing where there are customers already
    #[arg(long)]
    pub if_new: bool,
    /// Keep the usage files and the lists of names and numbers in this folder
    #[arg(long, value_name = "FOLDER")]
    pub keep: Option<PathBuf>,
    /// The tenant
    #[arg(long, default_value = "default", value_name = "NAME")]
    pub tenant: String,
    /// Answer with one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `bss bill`
#[derive(Debug, Subcommand)]
pub enum BillCommand {
    /// Close every period that is due; a run that was stopped is taken up by the next
    Run(BillRunFlags),
    /// An account's bill as it would be if its present period closed now
    Preview {
        /// The billing account's id
        account: String,
        /// The tenant
        #[arg(long, default_value = "default", value_name = "NAME")]
        tenant: String,
        #[command(flatten)]
        json: JsonOption,
    },
    /// Each line of a bill with what it came from, as one JSON object
    Explain {
        /// The bill's id
        bill: String,
        /// The tenant
        #[arg(long, default_value = "default", value_name = "NAME")]
        tenant: String,
    },
    /// Validate a bill on hold as it is
    Release {
        /// The bill's id
        bill: String,
        /// The tenant
        #[arg(long, default_value = "default", value_name = "NAME")]
        tenant: String,
    },
    /// Compute a bill on hold anew: bill, claims and watermark are replaced together
    Anew {
        /// The bill's id
        bill: String,
        /// The tenant
        #[arg(long, default_value = "default", value_name = "NAME")]
        tenant: String,
    },
    /// Compute bills again from their stored inputs: the bytes must be the same
    Verify {
        /// The bill's id; all where nothing is said
        bill: Option<String>,
        /// The tenant
        #[arg(long, default_value = "default", value_name = "NAME")]
        tenant: String,
        #[command(flatten)]
        json: JsonOption,
    },
}

/// `bss bill run`
#[derive(Debug, Args)]
pub struct BillRunFlags {
    /// The tenant
    #[arg(long, default_value = "default", value_name = "NAME")]
    pub tenant: String,
    /// Answer with one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `bss ledger`
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Check every invariant of the money, each with its figures
    Check {
        /// The tenant
        #[arg(long, default_value = "default", value_name = "NAME")]
        tenant: String,
        #[command(flatten)]
        json: JsonOption,
    },
}

/// `bss db`
#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Write one snapshot of the running stack's database with its keys and secrets, encrypted
    Backup(BackupOptions),
    /// Fill an empty data folder from a backup; start it afterwards
    Restore(BackupOptions),
}

/// `bss db backup`, `bss db restore`
#[derive(Debug, Args)]
pub struct BackupOptions {
    /// The backup
    pub file: PathBuf,
    /// A file with the passphrase, 12 characters at least; none: the variable BSS_BACKUP_PASSPHRASE
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Answer with one JSON object
    #[arg(long)]
    pub json: bool,
}
