//! One process: what is started in which order, and how it ends.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bss_app::App;
use bss_platform::{
    BssState, ErrorCode, PlatformError, ProcessId, RunningLock, clear_state, stop_postgres, write_state,
};
use bss_telemetry::{LogOutput, Ops, TelemetryConfig, TelemetryGuard, ops};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::figures::Figures;
use super::listeners::Listeners;
use super::{Role, Serving, database, disk, gateway, network_sim, streams, usage};
use crate::commands::announce;
use crate::config::Config;
use crate::failure::Failure;
use crate::stack::{self, Reporter};

/// What runs has this long to end after a signal.
const DRAIN: Duration = Duration::from_secs(10);
/// How long a command that just looks may hold the folder's running lock.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// How the process was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By `bss up`, in the background.
    Daemon,
    /// By `bss up --foreground`: PostgreSQL ends with it.
    Foreground,
    /// By `bss serve`: not the data folder's stack, so not written down there.
    Roles,
}

/// Runs until SIGTERM or SIGINT; then drains.
pub async fn run_roles(config: Config, mode: Mode, roles: Vec<Role>) -> Result<(), Failure> {
    let reporter = Reporter {
        on: mode == Mode::Daemon,
    };
    let done = in_order(config, mode, roles, reporter).await;
    if let Err(failure) = &done {
        tracing::error!(reason = %failure, "ended");
        reporter.failed(&failure.to_string());
    }
    done
}

/// Whatever was begun is ended, in the opposite order.
async fn in_order(config: Config, mode: Mode, roles: Vec<Role>, reporter: Reporter) -> Result<(), Failure> {
    std::fs::create_dir_all(config.data_dir.join("logs"))
        .map_err(PlatformError::io("create", &config.data_dir))?;
    let telemetry = start_telemetry(&config, mode)?;
    let lock = if mode == Mode::Roles {
        None
    } else {
        Some(take_folder(&config.data_dir).await?)
    };
    let mut process = Process {
        config: Arc::new(config),
        mode,
        roles,
        reporter,
        stop: CancellationToken::new(),
        listeners: Listeners::default(),
        ops: Ops::default(),
        figures: Figures::default(),
        tasks: JoinSet::new(),
    };
    let mut signals = Signals::listen()?;
    // A stop that comes during the start ends it in order as well.
    let outcome = tokio::select! {
        outcome = process.run() => outcome,
        name = signals.next() => {
            tracing::info!(signal = name, "stopping");
            Ok(())
        }
    };
    process.end().await?;
    drop(lock);
    telemetry.shutdown();
    outcome
}

struct Process {
    config: Arc<Config>,
    mode: Mode,
    roles: Vec<Role>,
    reporter: Reporter,
    stop: CancellationToken,
    listeners: Listeners,
    ops: Ops,
    figures: Figures,
    tasks: JoinSet<()>,
}

impl Process {
    /// Starts everything and runs until a part ends that must not.
    async fn run(&mut self) -> Result<(), Failure> {
        self.open_ops().await?;
        // Ports are taken before the database is made: a taken one is said at once.
        let gateway = self.open(Role::Gateway, "gateway", self.config.gateway()).await?;
        let api = SocketAddr::new(self.config.address, self.config.api_port);
        let api = self.open(Role::Api, "api", api).await?;
        let sim = SocketAddr::from((Ipv4Addr::LOCALHOST, self.config.network_sim_port));
        let network_sim = self.open(Role::NetworkSim, "network-sim", sim).await?;
        self.write_down()?;
        let serving = self.start().await?;
        if let Some(listener) = network_sim {
            network_sim::start(&serving, listener, &mut self.tasks);
        }
        if self.roles.contains(&Role::Streams) {
            let counts = streams::start(&serving, &mut self.tasks)?;
            self.figures.follow_streams(counts);
        }
        if self.roles.contains(&Role::Usage) {
            usage::start(&serving, &mut self.tasks).await?;
        }
        if let Some(listener) = gateway {
            gateway::start(&serving, listener, &mut self.tasks).await?;
        }
        if let Some(listener) = api {
            gateway::start_api(&serving, listener, &mut self.tasks).await?;
        }
        self.ops.readiness.wait_ready().await;
        self.write_down()?;
        tracing::info!(listeners = ?serving.listeners.all(), "ready");
        self.reporter.ready();
        if self.mode == Mode::Foreground {
            announce(&self.config.data_dir, &self.state()?, None, false)?;
        }
        std::future::pending().await
    }

    /// The operations listener comes first: it says what the start waits for.
    async fn open_ops(&mut self) -> Result<(), Failure> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.config.ops_port));
        let listener = self
            .listeners
            .open("ops", address, self.config.auto_ports)
            .await?;
        self.ops.samplers.push(Arc::new(self.figures.clone()));
        let router = ops::router(self.ops.clone());
        // It answers until the very end, so it isn't among the tasks that are waited for.
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the operations listener ended");
            }
        });
        Ok(())
    }

    async fn open(
        &self,
        role: Role,
        name: &str,
        address: SocketAddr,
    ) -> Result<Option<TcpListener>, Failure> {
        if !self.roles.contains(&role) {
            return Ok(None);
        }
        self.listeners
            .open(name, address, self.config.auto_ports)
            .await
            .map(Some)
    }

    async fn start(&mut self) -> Result<Serving, Failure> {
        let guard = disk::guard(&self.config);
        let part = self.ops.readiness.register("disk");
        self.tasks.spawn(disk::watch(
            guard.clone(),
            self.ops.metrics.clone(),
            part,
            self.stop.clone(),
        ));

        let part = self.ops.readiness.register("database");
        let database = database::ensure(&self.config, self.reporter).await?;
        let (store, _) = database::open(&self.config, &database).await?;
        let room = guard.clone();
        store.write_while(Arc::new(move || room.writes_allowed()));
        self.tasks
            .spawn(database::keep(database, store.clone(), part, self.stop.clone()));
        let app = App::new(store)
            .await
            .map_err(|error| Failure::refused(error.to_string()))?;
        self.figures.follow(app.clone());
        let (clock, store, stop) = (app.clock.clone(), app.store.clone(), self.stop.clone());
        self.tasks.spawn(async move { clock.follow(&store, stop).await });
        Ok(Serving {
            config: self.config.clone(),
            ops: self.ops.clone(),
            app,
            disk: guard,
            stop: self.stop.clone(),
            listeners: self.listeners.clone(),
        })
    }

    fn state(&self) -> Result<BssState, Failure> {
        let process =
            ProcessId::current().ok_or_else(|| Failure::refused("/proc doesn't show this process"))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(BssState {
            process,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            listeners: self.listeners.all(),
            started_at_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// Writes down who runs and where, so that other commands find it.
    fn write_down(&self) -> Result<(), Failure> {
        if self.mode != Mode::Roles {
            stack::remember(&self.config.data_dir, &self.config)?;
            write_state(&self.config.data_dir, &self.state()?)?;
        }
        Ok(())
    }

    /// Stops taking work, waits for what runs, and gives the folder back.
    async fn end(mut self) -> Result<(), Failure> {
        let draining = self.ops.readiness.register("process");
        draining.not_ready("it drains and ends");
        self.stop.cancel();
        let drained = tokio::time::timeout(DRAIN, async {
            while let Some(done) = self.tasks.join_next().await {
                if let Err(error) = done {
                    tracing::error!(%error, "a task failed");
                }
            }
        });
        if drained.await.is_err() {
            tracing::warn!(tasks = self.tasks.len(), "not everything ended in time");
        }
        if self.mode != Mode::Roles {
            clear_state(&self.config.data_dir)?;
        }
        if self.mode == Mode::Foreground && self.config.database_url.is_none() {
            stop_postgres(&self.config.data_dir, Duration::from_secs(30)).await?;
        }
        tracing::info!("ended");
        Ok(())
    }
}

fn start_telemetry(config: &Config, mode: Mode) -> Result<TelemetryGuard, Failure> {
    let output = match mode {
        Mode::Daemon => LogOutput::File(stack::log_path(&config.data_dir)),
        Mode::Foreground | Mode::Roles => LogOutput::Stderr,
    };
    Ok(bss_telemetry::init(&TelemetryConfig {
        service: "bss".to_owned(),
        filter: config.log.clone(),
        format: config.log_format,
        output,
        otlp_endpoint: config.otlp_endpoint.clone(),
    })?)
}

/// Makes this process the one of its data folder.
async fn take_folder(data_dir: &Path) -> Result<RunningLock, Failure> {
    let deadline = tokio::time::Instant::now() + LOCK_WAIT;
    loop {
        if let Some(lock) = RunningLock::try_acquire(data_dir)? {
            return Ok(lock);
        }
        if tokio::time::Instant::now() > deadline {
            let holder = bss_platform::read_state(data_dir)
                .map_or_else(String::new, |state| format!(" (process {})", state.process.pid));
            return Err(Failure::coded(
                ErrorCode::StackElsewhere,
                format!(
                    "another bss{holder} serves {} already: bss ps shows it, bss down stops it",
                    data_dir.display()
                ),
            ));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::refused(format!("cannot hear signals: {error}")));
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
