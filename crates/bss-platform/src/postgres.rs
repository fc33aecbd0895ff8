//! The managed PostgreSQL of a data folder: made at the first start, adopted while it lives, reaped and
//! started again when it died.

use std::fs::OpenOptions;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tokio::process::{Child, Command};
use tokio_postgres::{Client, NoTls};

use crate::catalogue::{self, Service};
use crate::disk::free_bytes;
use crate::error::PlatformError;
use crate::install::{SHARED_ROOT, find_bin_dir, make_shared_root, reachable_bin_dir};
use crate::privileges::{self, RunAs};
use crate::process::{ProcessId, working_in};
use crate::render::{Settings, machine_memory_mb};
use crate::state::{PostgresState, postgres_file, read_json, remove_if_there, write_json};
use crate::{lock, ports, secrets};

const OWNER_SECRET: &str = "postgres-owner";
const SUPERUSER_SECRET: &str = "postgres-superuser";
const POLL: Duration = Duration::from_millis(20);
/// Starts tried while others take our port between the look and the bind.
const PORT_ATTEMPTS: u32 = 3;

/// Where the managed PostgreSQL lives and what it may use.
#[derive(Debug, Clone)]
pub struct PostgresConfig {
    /// The data folder (`.bss` by default); everything lies below it.
    pub data_dir: PathBuf,
    /// The folder of PostgreSQL's programs; none: `BSS_POSTGRES_BIN`, then `.tools/venv`.
    pub bin_dir: Option<PathBuf>,
    /// The wanted port on the loopback; 0: any free one.
    pub port: u16,
    /// Whether to take the next free port where the wanted one is in use.
    pub auto_ports: bool,
    /// The memory budget in MB; none: the catalogue's share of the machine.
    pub memory_mb: Option<u64>,
}

/// A PostgreSQL that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningPostgres {
    /// Its port on the loopback.
    pub port: u16,
    /// The postmaster's pid.
    pub pid: i32,
    /// The owner's URL with its password: never to be logged.
    pub owner_url: String,
    /// Whether it ran already.
    pub adopted: bool,
}

/// The places of one data folder.
#[derive(Debug, Clone)]
struct Places {
    data_dir: PathBuf,
    cluster: PathBuf,
    log: PathBuf,
}

impl Places {
    fn of(data_dir: &Path) -> Self {
        let home = data_dir.join("postgres");
        // A link leads to the place where the database's user can reach it.
        let home = home.canonicalize().unwrap_or(home);
        Self {
            data_dir: data_dir.to_path_buf(),
            cluster: home.join("cluster"),
            log: data_dir.join("logs").join("postgres.log"),
        }
    }

    fn home(&self) -> &Path {
        self.cluster.parent().unwrap_or(&self.cluster)
    }
}

/// Makes sure that the data folder's PostgreSQL runs and answers: adopts it, or reaps what is left of it and
/// starts it; at the first start it makes the cluster and the database `bss`, owned by `bss_owner`. Of several
/// calls at once, from any process, one starts it and the others adopt.
pub async fn ensure_postgres(cfg: &PostgresConfig) -> Result<RunningPostgres, PlatformError> {
    let service = catalogue::postgres()?;
    std::fs::create_dir_all(&cfg.data_dir).map_err(PlatformError::io("create", &cfg.data_dir))?;
    let data_dir = cfg
        .data_dir
        .canonicalize()
        .map_err(PlatformError::io("find", &cfg.data_dir))?;
    let _lock = lock::wait_for(&data_dir.join("postgres.lock")).await?;

    let places = Places::of(&data_dir);
    if let Some(state) = living(&places) {
        let deadline = Instant::now() + Duration::from_secs(service.check.start_timeout_s);
        match wait_until_answers(&places, &service, &state, None, deadline).await {
            Ok(()) => {
                bootstrap(&data_dir, &service, state.port).await?;
                return running(&data_dir, &service, &state, true);
            }
            // It was dying while we looked: started anew below.
            Err(_) if !state.process.is_alive() => {}
            Err(error) => return Err(error),
        }
    }

    let user = privileges::run_as(&service.run.user)?;
    let found = find_bin_dir(cfg.bin_dir.as_deref())?;
    let bin_dir = reachable_bin_dir(&found, &service, user.as_ref())?;
    let places = prepare_places(&data_dir, user.as_ref())?;
    reap(&places).await?;
    if !places.cluster.join("PG_VERSION").exists() {
        initialise(&places, &service, &bin_dir, user.as_ref()).await?;
    }
    check_version(&places, &service)?;
    let state = start(cfg, &places, &service, &bin_dir, user.as_ref()).await?;
    bootstrap(&data_dir, &service, state.port).await?;
    running(&data_dir, &service, &state, false)
}

/// Stops the data folder's PostgreSQL: waits for a clean shutdown for `timeout`, then for an immediate one
/// (nothing committed is lost, the next start recovers). False where none ran.
pub async fn stop_postgres(data_dir: &Path, timeout: Duration) -> Result<bool, PlatformError> {
    let Ok(data_dir) = data_dir.canonicalize() else {
        return Ok(false);
    };
    let _lock = lock::wait_for(&data_dir.join("postgres.lock")).await?;
    let places = Places::of(&data_dir);
    let Some(state) = living(&places) else {
        reap(&places).await?;
        return Ok(false);
    };
    // SIGINT is PostgreSQL's fast shutdown: sessions end, a checkpoint is written.
    state.process.signal(Signal::SIGINT);
    if !gone_within(&state.process, timeout).await {
        tracing::warn!(
            pid = state.process.pid,
            "no clean shutdown in time, stopping at once"
        );
        state.process.signal(Signal::SIGQUIT);
        gone_within(&state.process, Duration::from_secs(5)).await;
    }
    reap(&places).await?;
    remove_if_there(&postgres_file(&data_dir))?;
    Ok(true)
}

/// The data folder's PostgreSQL as far as it runs, without starting anything.
pub fn postgres_status(data_dir: &Path) -> Option<PostgresState> {
    living(&Places::of(&data_dir.canonicalize().ok()?))
}

/// Whether the data folder's PostgreSQL answers a query now, without starting anything.
pub async fn postgres_answers(data_dir: &Path) -> Result<bool, PlatformError> {
    let service = catalogue::postgres()?;
    let Some(state) = postgres_status(data_dir) else {
        return Ok(false);
    };
    Ok(
        answers(&superuser_url(data_dir, &service, state.port, "postgres")?)
            .await
            .is_ok(),
    )
}

/// A client program of the package, such as `psql` or `pgbench`, that speaks to the data folder's running server as its
/// superuser. The password goes by the environment: arguments are seen by every user of the machine.
pub fn postgres_client(data_dir: &Path, program: &str) -> Result<Command, PlatformError> {
    let service = catalogue::postgres()?;
    let data_dir = data_dir
        .canonicalize()
        .map_err(PlatformError::io("find", data_dir))?;
    let places = Places::of(&data_dir);
    let state = living(&places).ok_or_else(|| server_error(&places, "doesn't run", None))?;
    let mut command = Command::new(state.bin_dir.join(program));
    command
        .env("PGHOST", &service.run.address)
        .env("PGPORT", state.port.to_string())
        .env("PGDATABASE", &service.run.database)
        .env("PGUSER", &service.run.superuser)
        .env("PGPASSWORD", secret(&data_dir, SUPERUSER_SECRET)?);
    Ok(command)
}

/// Removes the cluster of a stopped PostgreSQL, also where it lies outside the data folder.
pub fn remove_cluster(data_dir: &Path) -> Result<(), PlatformError> {
    let link = data_dir.join("postgres");
    if let Ok(home) = link.canonicalize() {
        std::fs::remove_dir_all(&home).map_err(PlatformError::io("remove", &home))?;
    }
    remove_if_there(&link)
}

/// The living postmaster of a cluster: that of our state file, or the one whose pid file says so and who works
/// in the cluster's folder.
fn living(places: &Places) -> Option<PostgresState> {
    let file = postgres_file(&places.data_dir);
    let known = read_json::<PostgresState>(&file);
    if let Some(state) = known.as_ref().filter(|state| state.process.is_alive()) {
        return Some(state.clone());
    }
    let text = std::fs::read_to_string(places.cluster.join("postmaster.pid")).ok()?;
    let mut lines = text.lines();
    let pid: i32 = lines.next()?.trim().parse().ok()?;
    let port = lines.nth(2)?.trim().parse().ok()?;
    let process = working_in(&places.cluster)
        .into_iter()
        .find(|process| process.pid == pid)?;
    let exe = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    Some(PostgresState {
        process,
        port,
        bin_dir: exe.parent()?.to_path_buf(),
    })
}

/// Makes the folders: ours closed to others but searchable by the database's user, its own closed to all else.
fn prepare_places(data_dir: &Path, user: Option<&RunAs>) -> Result<Places, PlatformError> {
    let logs = data_dir.join("logs");
    std::fs::create_dir_all(&logs).map_err(PlatformError::io("create", &logs))?;
    set_mode(data_dir, if user.is_some() { 0o711 } else { 0o700 })?;
    let home = data_dir.join("postgres");
    if !home.exists() {
        match user.and_then(|user| privileges::closed_ancestor(data_dir, user)) {
            Some(closed) => {
                let shared = Path::new(SHARED_ROOT).join(format!("data-{}", &secrets::generate()[..16]));
                tracing::info!(closed = %closed.display(), home = %shared.display(),
                    "the database's user can't reach the data folder: the cluster lies outside and is linked");
                make_shared_root()?;
                make_home(&shared, user)?;
                remove_if_there(&home)?;
                std::os::unix::fs::symlink(&shared, &home).map_err(PlatformError::io("link", &home))?;
            }
            None => make_home(&home, user)?,
        }
    } else if let Ok(home) = home.canonicalize() {
        // A first start that was cut off may have made it and not given it away.
        make_home(&home, user)?;
    }
    let places = Places::of(data_dir);
    if let Some(user) = user
        && let Some(closed) = privileges::closed_ancestor(places.home(), user)
    {
        return Err(PlatformError::Unreachable {
            user: user.name.clone(),
            path: places.home().to_path_buf(),
            closed,
        });
    }
    Ok(places)
}

fn make_home(home: &Path, user: Option<&RunAs>) -> Result<(), PlatformError> {
    std::fs::create_dir_all(home).map_err(PlatformError::io("create", home))?;
    set_mode(home, 0o700)?;
    privileges::give(home, user)
}

fn set_mode(path: &Path, mode: u32) -> Result<(), PlatformError> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        .map_err(PlatformError::io("protect", path))
}

/// PostgreSQL's processes of a cluster: they work in its folder. So may an operator's shell, which is left alone.
fn servers_in(cluster: &Path) -> Vec<ProcessId> {
    let is_server = |process: &ProcessId| {
        std::fs::read_link(format!("/proc/{}/exe", process.pid))
            .ok()
            .and_then(|exe| {
                exe.file_name()
                    .map(|name| name.to_string_lossy().starts_with("postgres"))
            })
            .unwrap_or(false)
    };
    working_in(cluster).into_iter().filter(is_server).collect()
}

/// Ends what a dead postmaster left: its children, who hold its shared memory, and its pid file.
async fn reap(places: &Places) -> Result<(), PlatformError> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let left = servers_in(&places.cluster);
        if left.is_empty() {
            break;
        }
        // They notice the postmaster's death by themselves; those who don't are ended.
        for process in &left {
            process.signal(Signal::SIGKILL);
        }
        if Instant::now() > deadline {
            return Err(server_error(
                places,
                "left processes behind that don't end",
                Some(left[0].pid),
            ));
        }
        tokio::time::sleep(POLL).await;
    }
    remove_if_there(&places.cluster.join("postmaster.pid"))?;
    remove_if_there(&postgres_file(&places.data_dir))
}

/// Makes the cluster beside its final place and renames it: it is there whole, or not at all.
async fn initialise(
    places: &Places,
    service: &Service,
    bin_dir: &Path,
    user: Option<&RunAs>,
) -> Result<(), PlatformError> {
    let superuser = secrets::read_or_generate(&places.data_dir, SUPERUSER_SECRET)?;
    secrets::read_or_generate(&places.data_dir, OWNER_SECRET)?;
    let partial = places.home().join("cluster.partial");
    if partial.exists() {
        std::fs::remove_dir_all(&partial).map_err(PlatformError::io("remove", &partial))?;
    }
    let password_file = places.home().join("initdb.password");
    remove_if_there(&password_file)?;
    crate::state::write_atomically(&password_file, superuser.as_bytes(), 0o600)?;
    privileges::give(&password_file, user)?;

    let mut command = Command::new(bin_dir.join("initdb"));
    command
        .arg("-D")
        .arg(&partial)
        .args(["-U", &service.run.superuser, "-A", "scram-sha-256", "-E", "UTF8"]);
    command.args([
        "--data-checksums",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
    ]);
    command.arg("--pwfile").arg(&password_file);
    privileges::apply(&mut command, user);
    let output = command
        .current_dir(places.home())
        .stdin(Stdio::null())
        .output()
        .await;
    remove_if_there(&password_file)?;
    let output = output.map_err(|source| PlatformError::Spawn {
        program: bin_dir.join("initdb"),
        source,
    })?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(PlatformError::Program {
            program: "initdb".to_owned(),
            output: last_lines(&text, 5),
        });
    }
    std::fs::rename(&partial, &places.cluster).map_err(PlatformError::io("rename", &partial))
}

fn check_version(places: &Places, service: &Service) -> Result<(), PlatformError> {
    let file = places.cluster.join("PG_VERSION");
    let found = std::fs::read_to_string(&file).map_err(PlatformError::io("read", &file))?;
    if found.trim() == service.obtain.major.to_string() {
        return Ok(());
    }
    Err(PlatformError::WrongVersion {
        path: places.cluster.clone(),
        found: found.trim().to_owned(),
        expected: service.obtain.major,
    })
}

/// Starts the server and waits until it answers; a port taken between the look and the bind is chosen anew.
async fn start(
    cfg: &PostgresConfig,
    places: &Places,
    service: &Service,
    bin_dir: &Path,
    user: Option<&RunAs>,
) -> Result<PostgresState, PlatformError> {
    let mut attempt = 1;
    loop {
        let port = ports::choose(cfg.port, cfg.auto_ports)?;
        configure(cfg, places, service, port, user)?;
        let (mut child, state) = spawn(places, bin_dir, port, user)?;
        let deadline = Instant::now() + Duration::from_secs(service.check.start_timeout_s);
        match wait_until_answers(places, service, &state, Some(&mut child), deadline).await {
            Ok(()) => return Ok(state),
            Err(error) => {
                reap(places).await?;
                if attempt == PORT_ATTEMPTS || ports::holder_of(port).is_none() {
                    return Err(error);
                }
                attempt += 1;
            }
        }
    }
}

fn configure(
    cfg: &PostgresConfig,
    places: &Places,
    service: &Service,
    port: u16,
    user: Option<&RunAs>,
) -> Result<(), PlatformError> {
    let machine_mb = machine_memory_mb();
    let memory_mb = cfg
        .memory_mb
        .unwrap_or_else(|| service.memory.budget_mb(machine_mb));
    let free_mb = free_bytes(&places.cluster)? / 1024 / 1024;
    let settings = Settings::sized(&service.run.address, port, memory_mb, machine_mb, free_mb);
    for template in &service.templates {
        let path = places.cluster.join(&template.source);
        crate::state::write_atomically(&path, settings.render(&template.source)?.as_bytes(), 0o600)?;
        privileges::give(&path, user)?;
    }
    Ok(())
}

fn spawn(
    places: &Places,
    bin_dir: &Path,
    port: u16,
    user: Option<&RunAs>,
) -> Result<(Child, PostgresState), PlatformError> {
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&places.log)
        .map_err(PlatformError::io("open", &places.log))?;
    let log_too = log.try_clone().map_err(PlatformError::io("open", &places.log))?;
    let program = bin_dir.join("postgres");
    let mut command = Command::new(&program);
    command
        .arg("-D")
        .arg(&places.cluster)
        .current_dir(&places.cluster);
    privileges::apply(&mut command, user);
    // A group of its own: Ctrl-C at our terminal must not reach a data store. No parent-death signal either.
    command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(log_too);
    let child = command
        .spawn()
        .map_err(|source| PlatformError::Spawn { program, source })?;
    let process = child
        .id()
        .and_then(|pid| i32::try_from(pid).ok())
        .and_then(ProcessId::of)
        .ok_or_else(|| server_error(places, "ended at once", None))?;
    let state = PostgresState {
        process,
        port,
        bin_dir: bin_dir.to_path_buf(),
    };
    // Written before it answers: who finds us dead in between adopts it.
    write_json(&postgres_file(&places.data_dir), &state)?;
    Ok((child, state))
}

/// Waits until the server answers a query of its superuser, while its process lives.
async fn wait_until_answers(
    places: &Places,
    service: &Service,
    state: &PostgresState,
    mut child: Option<&mut Child>,
    deadline: Instant,
) -> Result<(), PlatformError> {
    let url = superuser_url(&places.data_dir, service, state.port, "postgres")?;
    loop {
        let Err(why) = answers(&url).await else {
            return Ok(());
        };
        if let Some(child) = child.as_deref_mut() {
            // Buries it, so that it doesn't stay as a zombie of ours.
            let _ = child.try_wait();
        }
        if !state.process.is_alive() {
            return Err(server_error(places, "ended during its start", None));
        }
        if Instant::now() > deadline {
            return Err(server_error(
                places,
                &format!("is not ready in time: {why}"),
                Some(state.process.pid),
            ));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Asks a server once; the error says why it can't be worked with.
async fn answers(url: &str) -> Result<(), String> {
    let asked = tokio::time::timeout(Duration::from_secs(5), async {
        connect(url).await?.simple_query("SELECT 1").await
    });
    match asked.await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error
            .as_db_error()
            .map_or_else(|| error.to_string(), |answer| answer.message().to_owned())),
        Err(_) => Err("no answer".to_owned()),
    }
}

/// Makes the owner and the database where they are missing; a first start that was cut off is completed so.
async fn bootstrap(data_dir: &Path, service: &Service, port: u16) -> Result<(), PlatformError> {
    let (database, owner) = (&service.run.database, &service.run.owner);
    let client = connect(&superuser_url(data_dir, service, port, "postgres")?).await?;
    let exists = |sql: &'static str, name: &str| {
        let (client, name) = (&client, name.to_owned());
        async move { Ok::<_, PlatformError>(client.query_opt(sql, &[&name]).await?.is_some()) }
    };
    if !exists("SELECT 1 FROM pg_roles WHERE rolname = $1", owner).await? {
        // Hexadecimal digits: nothing to quote.
        let password = secret(data_dir, OWNER_SECRET)?;
        client
            .batch_execute(&format!(
                "BEGIN; SET LOCAL log_statement = 'none';
                 CREATE ROLE {owner} LOGIN NOSUPERUSER CREATEROLE PASSWORD '{password}';
                 GRANT pg_monitor TO {owner}; COMMIT"
            ))
            .await?;
    }
    if !exists("SELECT 1 FROM pg_database WHERE datname = $1", database).await? {
        client
            .batch_execute(&format!("CREATE DATABASE {database} OWNER {owner}"))
            .await?;
    }
    if !exists(
        "SELECT 1 FROM pg_database WHERE datname = $1 AND datconnlimit = 1000",
        database,
    )
    .await?
    {
        let inside = connect(&superuser_url(data_dir, service, port, database)?).await?;
        inside
            .batch_execute(&format!(
                "BEGIN;
                 ALTER SCHEMA public OWNER TO {owner};
                 CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
                 REVOKE ALL ON DATABASE {database} FROM PUBLIC;
                 -- The mark that all of this is done: the limit itself is never reached.
                 ALTER DATABASE {database} CONNECTION LIMIT 1000;
                 COMMIT"
            ))
            .await?;
    }
    Ok(())
}

fn running(
    data_dir: &Path,
    service: &Service,
    state: &PostgresState,
    adopted: bool,
) -> Result<RunningPostgres, PlatformError> {
    write_json(&postgres_file(data_dir), state)?;
    let password = secret(data_dir, OWNER_SECRET)?;
    let run = &service.run;
    let owner_url = format!(
        "postgres://{}:{password}@{}:{}/{}",
        run.owner, run.address, state.port, run.database
    );
    Ok(RunningPostgres {
        port: state.port,
        pid: state.process.pid,
        owner_url,
        adopted,
    })
}

fn superuser_url(
    data_dir: &Path,
    service: &Service,
    port: u16,
    database: &str,
) -> Result<String, PlatformError> {
    let password = secret(data_dir, SUPERUSER_SECRET)?;
    let run = &service.run;
    Ok(format!(
        "postgres://{}:{password}@{}:{port}/{database}",
        run.superuser, run.address
    ))
}

/// The superuser's URL of the product's database on the running server of a data folder.
pub(crate) fn running_superuser_url(data_dir: &Path, port: u16) -> Result<String, PlatformError> {
    let service = catalogue::postgres()?;
    superuser_url(data_dir, &service, port, &service.run.database)
}

fn secret(data_dir: &Path, name: &str) -> Result<String, PlatformError> {
    secrets::read(data_dir, name)?.ok_or_else(|| PlatformError::SecretMissing {
        path: secrets::path_of(data_dir, name),
    })
}

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn gone_within(process: &ProcessId, timeout: Duration) -> bool {
    let deadline = Instant::now() + timeout;
    while process.is_alive() {
        if Instant::now() > deadline {
            return false;
        }
        tokio::time::sleep(POLL).await;
    }
    true
}

fn server_error(places: &Places, what: &str, pid: Option<i32>) -> PlatformError {
    let log = std::fs::read_to_string(&places.log).unwrap_or_default();
    PlatformError::Server {
        what: what.to_owned(),
        pid,
        log_path: places.log.clone(),
        log: last_lines(&log, 5),
    }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join(" | ")
}
