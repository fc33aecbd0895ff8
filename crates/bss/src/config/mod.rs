//! Configuration: flags over `BSS_*` variables over `bss.toml` over defaults. Only the binary reads the
//! environment and files; all mistakes are reported together.

mod reader;
mod settings;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use bss_telemetry::LogFormat;

use crate::failure::Failure;
use reader::Reader;
pub use reader::Report;
use settings::SETTINGS;
pub use settings::SettingFlags;

/// What a stack is for, which decides what runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// A demonstration: every part, the simulated network among them.
    Demo,
    /// An operator with a network of their own.
    Operator,
}

/// What is in force for a command.
#[derive(Debug, Clone)]
#[allow(dead_code)] // until the roles that read the rest are wired
pub struct Config {
    /// The data folder.
    pub data_dir: PathBuf,
    /// What runs.
    pub profile: Profile,
    /// The address of the public listener.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// The operations listener's port on the loopback.
    pub ops_port: u16,
    /// The port of the API where it runs without the gateway.
    pub api_port: u16,
    /// The network simulator's port on the loopback.
    pub network_sim_port: u16,
    /// Whether to take the next free port where one is taken.
    pub auto_ports: bool,
    /// The addresses that are answered; the first is the issuer and the base of `href`s.
    pub public_urls: Vec<String>,
    /// Addresses whose forwarded headers count.
    pub trusted_proxies: Vec<IpAddr>,
    /// Whether TLS ends in front of us.
    pub behind_tls_proxy: bool,
    /// An existing server instead of the managed one.
    pub database_url: Option<String>,
    /// The folder of PostgreSQL's programs.
    pub postgres_bin: Option<PathBuf>,
    /// The managed PostgreSQL's port.
    pub postgres_port: u16,
    /// The managed PostgreSQL's memory in MB.
    pub memory_mb: Option<u64>,
    /// Whether a new database gets a simulated business clock.
    pub simulated_clock: bool,
    /// Writes are refused below this.
    pub disk_reserve_mb: u64,
    /// An external OIDC issuer instead of the built-in one.
    pub issuer_url: Option<String>,
    /// The network that activates services; none: the simulator of this process.
    pub network_url: Option<String>,
    /// The watched folder of usage files; none: `<data-dir>/usage`.
    pub usage_dir: Option<PathBuf>,
    /// The hour of UTC's day, on the business clock, at which a bill run starts by itself; none: never.
    pub bill_run_hour: Option<u8>,
    /// Whether a POST that creates orders, usage or money must carry an `Idempotency-Key`.
    pub require_idempotency_key: bool,
    /// Requests in a second from one address; bursts may be twice as many.
    pub address_rate: u32,
    /// Requests in a second of one caller; bursts may be twice as many.
    pub consumer_rate: u32,
    /// Events older than this many days go, once every group has consumed them.
    pub log_retention_days: u16,
    /// Which log lines.
    pub log: String,
    /// How they look.
    pub log_format: LogFormat,
    /// Where traces go.
    pub otlp_endpoint: Option<String>,
    /// What was said and isn't a default: settings by name, as texts, to hand on to another process.
    pub given: BTreeMap<&'static str, String>,
}

/// A setting's name, if there is such a setting.
pub fn name_of(name: &str) -> Option<&'static str> {
    SETTINGS
        .iter()
        .map(|setting| setting.name)
        .find(|known| *known == name)
}

impl Config {
    /// The public listener.
    pub fn gateway(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.port)
    }
}

/// A configuration as read, with its mistakes.
#[derive(Debug)]
pub struct Loaded {
    config: Config,
    /// Every setting with its value and where it came from.
    pub report: Vec<Report>,
    mistakes: Vec<String>,
}

impl Loaded {
    /// The configuration, or all its mistakes.
    pub fn into_config(self) -> Result<Config, Failure> {
        if self.mistakes.is_empty() {
            Ok(self.config)
        } else {
            Err(Failure::Usage(self.mistakes))
        }
    }

    /// Every mistake.
    pub fn mistakes(&self) -> &[String] {
        &self.mistakes
    }
}

/// Reads the configuration from the flags, the environment and the file.
pub fn load(flags: &SettingFlags) -> Loaded {
    let environment: BTreeMap<String, String> = std::env::vars()
        .filter(|(name, _)| name.starts_with("BSS_") || name == reader::OTLP_VARIABLE)
        .collect();
    let file = flags
        .config
        .clone()
        .or_else(|| environment.get("BSS_CONFIG").cloned());
    let text = match &file {
        Some(path) => std::fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}")),
        None => Ok(std::fs::read_to_string("bss.toml").unwrap_or_default()),
    };
    let name = file.unwrap_or_else(|| "bss.toml".to_owned());
    assemble(Reader::new(flags.values(), environment, &name, text))
}

fn assemble(mut reader: Reader) -> Loaded {
    let mut config = Config {
        data_dir: reader.required("data_dir", |text| Ok(PathBuf::from(text))),
        profile: reader.required("profile", parse_profile),
        address: reader.required("address", parse_address),
        port: reader.required("port", parse_port),
        ops_port: reader.required("ops_port", parse_port),
        api_port: reader.required("api_port", parse_port),
        network_sim_port: reader.required("network_sim_port", parse_port),
        auto_ports: reader.required("auto_ports", parse_bool),
        public_urls: reader.list("public_urls", parse_url),
        trusted_proxies: reader.list("trusted_proxies", parse_address),
        behind_tls_proxy: reader.required("behind_tls_proxy", parse_bool),
        database_url: reader.optional("database_url", parse_database_url),
        postgres_bin: reader.optional("postgres_bin", |text| Ok(PathBuf::from(text))),
        postgres_port: reader.required("postgres_port", parse_port),
        memory_mb: reader.optional("memory_mb", parse_memory),
        simulated_clock: reader.required("simulated_clock", parse_bool),
        disk_reserve_mb: reader.required("disk_reserve_mb", parse_number),
        issuer_url: reader.optional("issuer_url", parse_url),
        network_url: reader.optional("network_url", parse_url),
        usage_dir: reader.optional("usage_dir", |text| Ok(PathBuf::from(text))),
        bill_run_hour: reader.optional("bill_run_hour", parse_hour),
        require_idempotency_key: reader.required("require_idempotency_key", parse_bool),
        address_rate: reader.required("address_rate", parse_rate),
        consumer_rate: reader.required("consumer_rate", parse_rate),
        log_retention_days: reader.required("log_retention_days", parse_days),
        log: reader.required("log", |text| Ok(text.to_owned())),
        log_format: reader.required("log_format", parse_log_format),
        otlp_endpoint: reader.optional("otlp_endpoint", parse_url),
        given: BTreeMap::new(),
    };
    if !config.address.is_loopback() && !config.behind_tls_proxy {
        reader.mistake(format!(
            "address {}: a browser's sign-in needs TLS beyond this machine. Put a TLS proxy in front and say \
             --behind-tls-proxy, or stay on 127.0.0.1",
            config.address
        ));
    }
    if config.behind_tls_proxy && config.public_urls.is_empty() {
        reader.mistake("behind_tls_proxy: public_urls must name the addresses that clients use".to_owned());
    }
    if config.profile == Profile::Operator && config.network_url.is_none() {
        reader.mistake(
            "profile operator: network_url must name the network that activates services".to_owned(),
        );
    }
    debug_assert!(
        reader.unread().is_empty(),
        "settings that nothing reads: {:?}",
        reader.unread()
    );
    config.given = reader.given();
    let (report, mistakes) = reader.finish();
    Loaded {
        config,
        report,
        mistakes,
    }
}

fn parse_address(text: &str) -> Result<IpAddr, String> {
    text.parse()
        .map_err(|_| "not an IP address, such as 127.0.0.1".to_owned())
}

fn parse_profile(text: &str) -> Result<Profile, String> {
    match text {
        "demo" => Ok(Profile::Demo),
        "operator" => Ok(Profile::Operator),
        _ => Err("neither demo nor operator".to_owned()),
    }
}

fn parse_port(text: &str) -> Result<u16, String> {
    text.parse()
        .map_err(|_| "not a port between 0 (any free one) and 65535".to_owned())
}

fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("neither true nor false".to_owned()),
    }
}

fn parse_number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "not a whole number".to_owned())
}

fn parse_rate(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|rate| *rate > 0)
        .ok_or_else(|| "not a number of requests in a second, 1 at least".to_owned())
}

fn parse_days(text: &str) -> Result<u16, String> {
    text.parse()
        .ok()
        .filter(|days| *days > 0)
        .ok_or_else(|| "not a number of days, 1 at least".to_owned())
}

fn parse_hour(text: &str) -> Result<u8, String> {
    text.parse()
        .ok()
        .filter(|hour| *hour < 24)
        .ok_or_else(|| "not an hour of the day, 0 to 23".to_owned())
}

fn parse_memory(text: &str) -> Result<u64, String> {
    match parse_number(text)? {
        mb if mb < 64 => Err("below 64 MB, which PostgreSQL needs at least".to_owned()),
        mb => Ok(mb),
    }
}

fn parse_url(text: &str) -> Result<String, String> {
    let rest = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"));
    match rest {
        Some(rest) if !rest.trim_end_matches('/').is_empty() => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err("not an address that begins with http:// or https://".to_owned()),
    }
}

fn parse_database_url(text: &str) -> Result<String, String> {
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        Ok(text.to_owned())
    } else {
        Err("not a URL that begins with postgres://".to_owned())
    }
}

fn parse_log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "auto" => Ok(LogFormat::Auto),
        "human" => Ok(LogFormat::Human),
        "json" => Ok(LogFormat::Json),
        _ => Err("none of auto, human, json".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::reader::Origin;
    use super::*;

    fn read(flags: &[(&'static str, &str)], environment: &[(&str, &str)], file: &str) -> Loaded {
        let flags = flags
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        assemble(Reader::new(flags, environment, "bss.toml", Ok(file.to_owned())))
    }

    type Layers = (
        &'static [(&'static str, &'static str)],
        &'static [(&'static str, &'static str)],
        &'static str,
    );

    #[test]
    fn flags_win_over_variables_over_the_file_over_defaults() {
        let cases: [(Layers, u16, Origin); 4] = [
            ((&[], &[], ""), 8000, Origin::Default),
            ((&[], &[], "port = 1"), 1, Origin::File("bss.toml".to_owned())),
            (
                (&[], &[("BSS_PORT", "2")], "port = 1"),
                2,
                Origin::Variable("BSS_PORT".to_owned()),
            ),
            (
                (&[("port", "3")], &[("BSS_PORT", "2")], "port = 1"),
                3,
                Origin::Flag("--port".to_owned()),
            ),
        ];
        for ((flags, environment, file), port, origin) in cases {
            let loaded = read(flags, environment, file);
            let report = loaded.report.iter().find(|report| report.name == "port").unwrap();
            assert_eq!(report.origin, origin);
            assert_eq!(loaded.into_config().unwrap().port, port);
        }
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        let loaded = read(
            &[("port", "eighty")],
            &[("BSS_MEMORY_MB", "12"), ("BSS_DATABASE_URL", "mysql://x")],
            "log_format = 'loud'\nprot = 1\n",
        );
        let Err(Failure::Usage(mistakes)) = loaded.into_config() else {
            panic!("accepted");
        };
        let expected = [
            "--port `eighty`",
            "BSS_MEMORY_MB `12`",
            "BSS_DATABASE_URL",
            "log_format `loud`",
            "prot",
        ];
        for text in expected {
            assert!(
                mistakes.iter().any(|mistake| mistake.contains(text)),
                "{text} is missing in {mistakes:?}"
            );
        }
        assert_eq!(mistakes.len(), expected.len(), "{mistakes:?}");
        assert!(
            !mistakes.iter().any(|mistake| mistake.contains("mysql://x")),
            "a secret is shown"
        );
    }

    #[test]
    fn a_misspelt_variable_is_named_with_what_was_meant() {
        let loaded = read(&[], &[("BSS_PROT", "1"), ("BSS_TEST_LOGS", "x")], "");
        assert_eq!(loaded.mistakes().len(), 1, "{:?}", loaded.mistakes());
        assert!(loaded.mistakes()[0].contains("BSS_PROT") && loaded.mistakes()[0].contains("BSS_PORT"));
    }

    #[test]
    fn a_file_that_is_no_toml_is_named() {
        let loaded = read(&[], &[], "port = = 1");
        assert!(
            loaded.mistakes()[0].starts_with("bss.toml:"),
            "{:?}",
            loaded.mistakes()
        );
    }

    #[test]
    fn a_public_address_needs_tls() {
        let loaded = read(&[("address", "0.0.0.0")], &[], "");
        assert!(loaded.mistakes()[0].contains("--behind-tls-proxy"));
        let behind = [
            ("address", "0.0.0.0"),
            ("behind_tls_proxy", "true"),
            ("public_urls", "https://bss.example"),
        ];
        assert!(read(&behind, &[], "").into_config().is_ok());
    }

    #[test]
    fn an_operators_stack_needs_a_network() {
        let alone = read(&[("profile", "operator")], &[], "");
        assert!(
            alone.mistakes()[0].contains("network_url"),
            "{:?}",
            alone.mistakes()
        );
        let with_network = [("profile", "operator"), ("network_url", "http://network.example")];
        let config = read(&with_network, &[], "").into_config().unwrap();
        assert_eq!(config.profile, Profile::Operator);
    }

    #[test]
    fn a_secret_is_not_reported() {
        let loaded = read(&[], &[("BSS_DATABASE_URL", "postgres://me:hush@db/bss")], "");
        assert!(loaded.report.iter().all(|report| !report.value.contains("hush")));
        assert!(
            loaded
                .into_config()
                .unwrap()
                .database_url
                .unwrap()
                .contains("hush")
        );
    }

    #[test]
    fn lists_are_comma_separated_or_arrays() {
        let file = read(
            &[],
            &[],
            "public_urls = ['https://a.example/', 'https://b.example']",
        )
        .into_config()
        .unwrap();
        let text = read(&[("public_urls", "https://a.example,https://b.example")], &[], "")
            .into_config()
            .unwrap();
        assert_eq!(file.public_urls, ["https://a.example", "https://b.example"]);
        assert_eq!(file.public_urls, text.public_urls);
    }

    #[test]
    fn every_setting_is_read() {
        assert_eq!(read(&[], &[], "").report.len(), SETTINGS.len());
    }
}
