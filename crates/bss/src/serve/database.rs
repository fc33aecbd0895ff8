//! The database of the process: the managed PostgreSQL, kept alive, or the one that `database_url` names.

use std::time::Duration;

use bss_platform::{PostgresConfig, ensure_postgres, postgres_status};
use bss_store::{ClockMode, Migrated, Store, StoreConfig, clock, migrate};
use bss_telemetry::Part;
use tokio_util::sync::CancellationToken;

use crate::backup;
use crate::commands::unfinished_restore;
use crate::config::Config;
use crate::failure::Failure;
use crate::stack::Reporter;

/// How often the managed server's process is looked at.
const EVERY: Duration = Duration::from_millis(500);
/// The longest pause between attempts to start it again.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// A database that answers.
pub struct Database {
    /// Its owner's URL.
    pub owner_url: String,
    /// The managed server's settings; none where it is the operator's own.
    pub managed: Option<PostgresConfig>,
}

/// Makes sure that the database's server answers.
pub async fn ensure(config: &Config, reporter: Reporter) -> Result<Database, Failure> {
    if backup::is_unfinished(&config.data_dir) {
        return Err(unfinished_restore(&config.data_dir));
    }
    if let Some(url) = &config.database_url {
        return Ok(Database {
            owner_url: url.clone(),
            managed: None,
        });
    }
    if !config.data_dir.join("postgres").exists() {
        reporter.progress("making the database (first start)");
    }
    let mut settings = PostgresConfig {
        data_dir: config.data_dir.clone(),
        bin_dir: config.postgres_bin.clone(),
        port: config.postgres_port,
        auto_ports: config.auto_ports,
        memory_mb: config.memory_mb,
    };
    let running = ensure_postgres(&settings).await?;
    tracing::info!(
        port = running.port,
        pid = running.pid,
        adopted = running.adopted,
        "PostgreSQL answers"
    );
    // Where it is started again, the pools must find it at the same port.
    settings.port = running.port;
    settings.auto_ports = false;
    Ok(Database {
        owner_url: running.owner_url,
        managed: Some(settings),
    })
}

/// Migrates the database and opens the store.
pub async fn open(config: &Config, database: &Database) -> Result<(Store, Migrated), Failure> {
    let mode = if config.simulated_clock {
        ClockMode::Simulated
    } else {
        ClockMode::Real
    };
    let explain = |error: bss_store::StoreError| match &database.managed {
        Some(_) => Failure::from(error),
        None => Failure::of_store(&error, format!("the database that database_url names: {error}")),
    };
    let migrated = migrate(&database.owner_url, mode).await.map_err(explain)?;
    if !migrated.applied.is_empty() {
        tracing::info!(versions = ?migrated.applied, created = migrated.created, "schema migrated");
    }
    let store = Store::connect(&StoreConfig::new(&database.owner_url))
        .await
        .map_err(explain)?;
    Ok((store, migrated))
}

/// Watches the database until told to stop. A managed server that ended in any way is started again at its port.
pub async fn keep(database: Database, store: Store, part: Part, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(EVERY);
    let mut pause = EVERY;
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        match look(&database, &store, &part).await {
            Ok(()) => {
                part.ready();
                pause = EVERY;
            }
            Err(reason) => {
                part.not_ready(reason);
                stop.run_until_cancelled(tokio::time::sleep(pause)).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }
}

async fn look(database: &Database, store: &Store, part: &Part) -> Result<(), String> {
    let Some(settings) = &database.managed else {
        return clock::load(store)
            .await
            .map(drop)
            .map_err(|error| error.to_string());
    };
    if postgres_status(&settings.data_dir).is_some() {
        return Ok(());
    }
    part.not_ready("PostgreSQL has ended and is started again");
    let running = ensure_postgres(settings)
        .await
        .map_err(|error| error.to_string())?;
    tracing::warn!(pid = running.pid, "PostgreSQL had ended and was started again");
    Ok(())
}
