//! Where a piece of work is measured: a PostgreSQL of its own with the product's own settings, in a folder of its own
//! and on free ports. It is stopped and removed however the work ends.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bss_app::App;
use bss_domain::ids::TenantId;
use bss_domain::{Slot, TypedId};
use bss_platform::{
    PlatformError, PostgresConfig, RunningPostgres, ensure_postgres, postgres_client, remove_cluster,
    stop_postgres,
};
use bss_store::event_log::retention;
use bss_store::{ClockMode, Scope, Store, StoreConfig, migrate};
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;
use crate::stack;

const STOP_TIMEOUT: Duration = Duration::from_mins(1);
/// Days of the log that are opened and kept, as by default.
const RETENTION_DAYS: u16 = 30;
/// Connections of streams and runs: those of the product's default, and some for what looks on.
const WORKER_CONNECTIONS: usize = 12;

/// A data folder.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder.
    pub data_dir: PathBuf,
    postgres_bin: Option<PathBuf>,
    memory_mb: Option<u64>,
}

impl Place {
    /// A folder that needn't exist yet.
    pub fn new(data_dir: PathBuf, postgres_bin: Option<PathBuf>, memory_mb: Option<u64>) -> Self {
        Self {
            data_dir,
            postgres_bin,
            memory_mb,
        }
    }

    /// Does work here, and stops and removes everything afterwards, also where it failed or was interrupted.
    pub async fn throw_away<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let done = unless_interrupted(work).await;
        let ended = self.remove().await;
        let done = done?;
        ended?;
        Ok(done)
    }

    /// Does work here and stops what it started; what it has stored stays until it has done all.
    pub async fn keep_unless_done<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let done = unless_interrupted(work).await;
        let ended = if done.is_ok() {
            self.remove().await
        } else {
            self.stop().await
        };
        let done = done?;
        ended?;
        Ok(done)
    }

    /// Stops what runs here.
    pub async fn stop(&self) -> Result<(), Failure> {
        if self.data_dir.is_dir() {
            stack::stop_bss(&self.data_dir).await?;
            stop_postgres(&self.data_dir, STOP_TIMEOUT).await?;
        }
        Ok(())
    }

    async fn remove(&self) -> Result<(), Failure> {
        self.stop().await?;
        if self.data_dir.is_dir() {
            remove_cluster(&self.data_dir)?;
            std::fs::remove_dir_all(&self.data_dir).map_err(PlatformError::io("remove", &self.data_dir))?;
        }
        Ok(())
    }

    /// Starts PostgreSQL, or finds it running.
    pub async fn postgres(&self) -> Result<RunningPostgres, Failure> {
        Ok(ensure_postgres(&PostgresConfig {
            data_dir: self.data_dir.clone(),
            bin_dir: self.postgres_bin.clone(),
            port: 0,
            auto_ports: true,
            memory_mb: self.memory_mb,
        })
        .await?)
    }

    /// The application on a database that is made and migrated where it is new.
    pub async fn app(&self, postgres: &RunningPostgres) -> Result<App, Failure> {
        migrate(&postgres.owner_url, ClockMode::Simulated).await?;
        let mut config = StoreConfig::new(&postgres.owner_url);
        config.worker_connections = WORKER_CONNECTIONS;
        let store = Store::connect(&config).await?;
        retention::maintain(&store, RETENTION_DAYS).await?;
        Ok(App::new(store).await?)
    }

    /// Runs SQL by psql as the server's superuser, with a file as its standard input; gives what it prints.
    pub async fn psql(&self, sql: &str, input: Option<&Path>) -> Result<String, Failure> {
        let mut command = postgres_client(&self.data_dir, "psql")?;
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]);
        let input = match input {
            Some(path) => Stdio::from(std::fs::File::open(path).map_err(PlatformError::io("open", path))?),
            None => Stdio::null(),
        };
        output_of(command.stdin(input), "psql").await
    }

    /// Runs SQL by psql and writes what it prints into a file.
    pub async fn psql_into(&self, sql: &str, file: &Path) -> Result<(), Failure> {
        let out = std::fs::File::create(file).map_err(PlatformError::io("create", file))?;
        let mut command = postgres_client(&self.data_dir, "psql")?;
        command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql]);
        let mut child = command
            .kill_on_drop(true)
            .stdout(out)
            .spawn()
            .map_err(|error| Failure::refused(format!("cannot run psql: {error}")))?;
        let status = child
            .wait()
            .await
            .map_err(|error| Failure::refused(format!("psql: {error}")))?;
        status
            .success()
            .then_some(())
            .ok_or_else(|| Failure::refused("psql failed"))
    }

    /// The folder of the database's files.
    pub fn cluster(&self) -> Result<PathBuf, Failure> {
        // A link leads to where the database's user can reach it.
        let home = self.data_dir.join("postgres");
        Ok(home
            .canonicalize()
            .map_err(PlatformError::io("find", &home))?
            .join("cluster"))
    }

    /// Writes a checkpoint: what it costs belongs to the work before it.
    pub async fn checkpoint(&self) -> Result<(), Failure> {
        self.psql("CHECKPOINT", None).await.map(drop)
    }
}

/// The tenant of work that needs no issuer.
pub fn tenant() -> TenantId {
    TenantId::at(1, Slot::hash(b"bench"), 1)
}

/// Its scope.
pub fn scope() -> Scope {
    Scope::new(tenant(), "bench")
}

/// What a program prints, where it ends well.
pub async fn output_of(command: &mut tokio::process::Command, name: &str) -> Result<String, Failure> {
    let output = command
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| Failure::refused(format!("cannot run {name}: {error}")))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(Failure::refused(format!("{name}: {}", said.trim())))
    }
}

/// Work that ends with a failure where a signal comes first.
async fn unless_interrupted<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let listen =
        |kind| signal(kind).map_err(|error| Failure::refused(format!("cannot hear signals: {error}")));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    tokio::select! {
        done = work => done,
        _ = terminate.recv() => Err(Failure::refused("stopped by SIGTERM")),
        _ = interrupt.recv() => Err(Failure::refused("interrupted")),
    }
}
