//! PostgreSQL's configuration from the catalogue's templates.

use minijinja::{Environment, UndefinedBehavior, context};

use crate::catalogue;
use crate::error::PlatformError;

/// What the templates may name. Every value is ours: nothing of a user's text reaches a configuration file.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub address: String,
    pub port: u16,
    pub memory_mb: u64,
    pub shared_buffers_mb: u64,
    pub effective_cache_mb: u64,
    pub work_mem_mb: u64,
    pub maintenance_mb: u64,
    pub max_connections: u32,
    pub max_wal_mb: u64,
    pub min_wal_mb: u64,
    pub preload: String,
}

impl Settings {
    /// Settings for a memory budget of `memory_mb` on a machine with `machine_mb` of memory and `free_mb` of
    /// free disk.
    pub(crate) fn sized(address: &str, port: u16, memory_mb: u64, machine_mb: u64, free_mb: u64) -> Self {
        Self {
            address: address.to_owned(),
            port,
            memory_mb,
            shared_buffers_mb: (memory_mb / 4).max(32),
            // The planner's guess of what the kernel caches, not an allocation.
            effective_cache_mb: (machine_mb / 2).max(memory_mb),
            work_mem_mb: (memory_mb / 96).clamp(4, 16),
            maintenance_mb: (memory_mb / 8).clamp(32, 128),
            max_connections: 80,
            max_wal_mb: (free_mb / 10).clamp(256, 4096),
            min_wal_mb: (free_mb / 80).clamp(80, 512),
            preload: "pg_stat_statements".to_owned(),
        }
    }

    /// Renders one template; a name that it doesn't know is an error, not an empty text.
    pub(crate) fn render(&self, source: &str) -> Result<String, PlatformError> {
        let text = catalogue::postgres_template(source)?;
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let values = context! {
            address => self.address.as_str(),
            port => self.port,
            memory_mb => self.memory_mb,
            shared_buffers_mb => self.shared_buffers_mb,
            effective_cache_mb => self.effective_cache_mb,
            work_mem_mb => self.work_mem_mb,
            maintenance_mb => self.maintenance_mb,
            max_connections => self.max_connections,
            max_wal_mb => self.max_wal_mb,
            min_wal_mb => self.min_wal_mb,
            preload => self.preload.as_str(),
        };
        environment
            .render_str(text, values)
            .map_err(|error| PlatformError::Catalogue(format!("{source}: {error:#}")))
    }
}

/// The machine's memory in MB, from `/proc/meminfo`; within a control group, its limit where that is lower.
pub(crate) fn machine_memory_mb() -> u64 {
    let total = std::fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        })
        .map_or(1024, |kib| kib / 1024);
    let limit = std::fs::read_to_string("/sys/fs/cgroup/memory.max")
        .ok()
        .and_then(|text| text.trim().parse::<u64>().ok())
        .map_or(u64::MAX, |bytes| bytes / 1024 / 1024);
    total.min(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_render_durable_settings() {
        let settings = Settings::sized("127.0.0.1", 5432, 768, 16_384, 50_000);
        let text = settings.render("postgresql.conf").unwrap();
        for line in [
            "fsync = on",
            "full_page_writes = on",
            "synchronous_commit = on",
            "port = 5432",
            "shared_buffers = '192MB'",
            "pg_stat_statements.track_utility = off",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is missing in\n{text}"
            );
        }
        assert!(
            settings
                .render("pg_hba.conf")
                .unwrap()
                .contains("127.0.0.1/32  scram-sha-256")
        );
    }
}
