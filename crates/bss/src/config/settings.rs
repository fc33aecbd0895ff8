//! The settings: each is a flag, a `BSS_*` variable and a key of `bss.toml`, of one name.

use std::collections::BTreeMap;

use clap::Args;

/// One setting.
#[derive(Debug)]
pub(super) struct Setting {
    /// Its name in `bss.toml`.
    pub name: &'static str,
    /// Its value where nothing is said; empty: none.
    pub default: &'static str,
    /// What it is for.
    pub help: &'static str,
    /// Whether its value must not be shown.
    pub secret: bool,
}

const fn setting(name: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting {
        name,
        default,
        help,
        secret: false,
    }
}

/// Every setting.
pub(super) const SETTINGS: &[Setting] = &[
    setting("data_dir", ".bss", "the data folder"),
    setting(
        "profile",
        "demo",
        "what runs: demo, or operator, which has no simulated network and needs network_url",
    ),
    setting("address", "127.0.0.1", "the address of the public listener"),
    setting(
        "port",
        "8000",
        "the port of the public listener: console, APIs, sign-in",
    ),
    setting(
        "ops_port",
        "9464",
        "the port of metrics and health on the loopback",
    ),
    setting(
        "api_port",
        "8080",
        "the port of the API where it runs without the gateway",
    ),
    setting(
        "network_sim_port",
        "0",
        "the port of the network simulator on the loopback; 0: any free one",
    ),
    setting(
        "auto_ports",
        "false",
        "take the next free port where one is taken",
    ),
    setting(
        "public_urls",
        "",
        "the addresses that clients use; others are answered 421",
    ),
    setting(
        "trusted_proxies",
        "",
        "the addresses whose forwarded headers count",
    ),
    setting("behind_tls_proxy", "false", "TLS ends in front of bss"),
    Setting {
        secret: true,
        ..setting(
            "database_url",
            "",
            "an existing PostgreSQL, 15 or newer, instead of the managed one",
        )
    },
    setting("postgres_bin", "", "the folder of PostgreSQL's programs"),
    setting("postgres_port", "5432", "the port of the managed PostgreSQL"),
    setting(
        "memory_mb",
        "",
        "the managed PostgreSQL's memory; none: a share of the machine's",
    ),
    setting(
        "simulated_clock",
        "false",
        "give a new database a simulated business clock",
    ),
    setting(
        "disk_reserve_mb",
        "512",
        "writes are refused below this much free disk",
    ),
    setting(
        "issuer_url",
        "",
        "an external OIDC issuer instead of the built-in one",
    ),
    setting(
        "network_url",
        "",
        "the network that activates services; none: the simulator",
    ),
    setting(
        "usage_dir",
        "",
        "the watched folder of usage files; none: usage in the data folder",
    ),
    setting(
        "bill_run_hour",
        "",
        "the hour of UTC's day at which bill runs start by themselves; none: never",
    ),
    setting(
        "require_idempotency_key",
        "false",
        "refuse orders, usage and payments without an Idempotency-Key",
    ),
    setting(
        "address_rate",
        "2000",
        "requests in a second from one address, with bursts of twice as many",
    ),
    setting(
        "consumer_rate",
        "1000",
        "requests in a second of one caller, with bursts of twice as many",
    ),
    setting(
        "log_retention_days",
        "30",
        "events older than this go, once every group has consumed them",
    ),
    setting("log", "info", "which log lines, such as info,bss_store=debug"),
    setting("log_format", "auto", "auto, human or json"),
    setting(
        "otlp_endpoint",
        "",
        "where traces go, OTLP over gRPC, such as http://127.0.0.1:4317",
    ),
];

/// The settings as flags. They are texts here, so that every mistake is reported with the others.
#[derive(Debug, Clone, Default, Args)]
pub struct SettingFlags {
    /// The configuration file [default: bss.toml in the working folder]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Settings")]
    pub config: Option<String>,
    /// The data folder [default: .bss]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Settings")]
    data_dir: Option<String>,
    /// demo, or operator: without the simulated network [default: demo]
    #[arg(long, global = true, value_name = "PROFILE", help_heading = "Settings")]
    profile: Option<String>,
    /// The address of the public listener [default: 127.0.0.1]
    #[arg(long, global = true, value_name = "IP", help_heading = "Settings")]
    address: Option<String>,
    /// The port of the public listener [default: 8000]
    #[arg(long, global = true, value_name = "PORT", help_heading = "Settings")]
    port: Option<String>,
    /// The port of metrics and health [default: 9464]
    #[arg(long, global = true, value_name = "PORT", help_heading = "Settings")]
    ops_port: Option<String>,
    /// The port of the API without the gateway [default: 8080]
    #[arg(
        long,
        global = true,
        value_name = "PORT",
        help_heading = "Settings",
        hide_short_help = true
    )]
    api_port: Option<String>,
    /// The port of the network simulator [default: any free one]
    #[arg(
        long,
        global = true,
        value_name = "PORT",
        help_heading = "Settings",
        hide_short_help = true
    )]
    network_sim_port: Option<String>,
    /// Take the next free port where one is taken
    #[arg(long, global = true, help_heading = "Settings")]
    auto_ports: bool,
    /// The addresses that clients use, separated by commas
    #[arg(
        long,
        global = true,
        value_name = "URLS",
        help_heading = "Settings",
        hide_short_help = true
    )]
    public_urls: Option<String>,
    /// The addresses whose forwarded headers count
    #[arg(
        long,
        global = true,
        value_name = "IPS",
        help_heading = "Settings",
        hide_short_help = true
    )]
    trusted_proxies: Option<String>,
    /// TLS ends in front of bss
    #[arg(long, global = true, help_heading = "Settings", hide_short_help = true)]
    behind_tls_proxy: bool,
    /// The folder of PostgreSQL's programs
    #[arg(long, global = true, value_name = "DIR", help_heading = "Settings")]
    postgres_bin: Option<String>,
    /// The port of the managed PostgreSQL [default: 5432]
    #[arg(long, global = true, value_name = "PORT", help_heading = "Settings")]
    postgres_port: Option<String>,
    /// The managed PostgreSQL's memory in MB
    #[arg(long, global = true, value_name = "MB", help_heading = "Settings")]
    memory_mb: Option<String>,
    /// Give a new database a simulated business clock
    #[arg(long, global = true, help_heading = "Settings")]
    simulated_clock: bool,
    /// Refuse writes below this much free disk [default: 512]
    #[arg(
        long,
        global = true,
        value_name = "MB",
        help_heading = "Settings",
        hide_short_help = true
    )]
    disk_reserve_mb: Option<String>,
    /// An external OIDC issuer
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help_heading = "Settings",
        hide_short_help = true
    )]
    issuer_url: Option<String>,
    /// The network that activates services
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help_heading = "Settings",
        hide_short_help = true
    )]
    network_url: Option<String>,
    /// The watched folder of usage files
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        help_heading = "Settings",
        hide_short_help = true
    )]
    usage_dir: Option<String>,
    /// The hour of UTC's day at which bill runs start by themselves; without it they never do
    #[arg(long, global = true)]
    bill_run_hour: Option<String>,
    /// Which log lines [default: info]
    #[arg(long, global = true, value_name = "FILTER", help_heading = "Settings")]
    log: Option<String>,
    /// auto, human or json [default: auto]
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        help_heading = "Settings",
        hide_short_help = true
    )]
    log_format: Option<String>,
    /// Where traces go, OTLP over gRPC
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help_heading = "Settings",
        hide_short_help = true
    )]
    otlp_endpoint: Option<String>,
}

impl SettingFlags {
    /// The flags that were given, by the settings' names. A database's URL is a secret and has no flag: arguments
    /// are seen by every user of the machine.
    pub(super) fn values(&self) -> BTreeMap<&'static str, String> {
        let texts = [
            ("data_dir", &self.data_dir),
            ("profile", &self.profile),
            ("address", &self.address),
            ("port", &self.port),
            ("ops_port", &self.ops_port),
            ("api_port", &self.api_port),
            ("network_sim_port", &self.network_sim_port),
            ("public_urls", &self.public_urls),
            ("trusted_proxies", &self.trusted_proxies),
            ("postgres_bin", &self.postgres_bin),
            ("postgres_port", &self.postgres_port),
            ("memory_mb", &self.memory_mb),
            ("disk_reserve_mb", &self.disk_reserve_mb),
            ("issuer_url", &self.issuer_url),
            ("network_url", &self.network_url),
            ("usage_dir", &self.usage_dir),
            ("bill_run_hour", &self.bill_run_hour),
            ("log", &self.log),
            ("log_format", &self.log_format),
            ("otlp_endpoint", &self.otlp_endpoint),
        ];
        let switches = [
            ("auto_ports", self.auto_ports),
            ("behind_tls_proxy", self.behind_tls_proxy),
            ("simulated_clock", self.simulated_clock),
        ];
        let given = texts
            .into_iter()
            .filter_map(|(name, text)| Some((name, text.clone()?)));
        let on = switches
            .into_iter()
            .filter(|(_, on)| *on)
            .map(|(name, _)| (name, "true".to_owned()));
        given.chain(on).collect()
    }
}
