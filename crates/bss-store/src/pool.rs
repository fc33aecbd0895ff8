use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bss_events::AppendSignal;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use tokio_postgres::{Config, NoTls};

use crate::StoreError;
use crate::event_log::PostgresLog;
use crate::resource::Lookups;
use crate::session::{Scope, Session, UnitOfWork};

/// How the store reaches its database.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// The owner's URL, with its password: the roles' own passwords are derived from it. Never to be logged.
    pub owner_url: String,
    /// Connections for calls (role `bss_app`).
    pub app_connections: usize,
    /// Connections for streams and runs (role `bss_worker`).
    pub worker_connections: usize,
    /// How long a call waits for a connection.
    pub wait: Duration,
}

impl StoreConfig {
    /// The defaults with this owner's URL.
    pub fn new(owner_url: impl Into<String>) -> Self {
        Self {
            owner_url: owner_url.into(),
            app_connections: 16,
            worker_connections: 8,
            wait: Duration::from_secs(5),
        }
    }
}

/// The role of calls: confined to one tenant.
pub(crate) const APP_ROLE: &str = "bss_app";
/// The role of streams: reads the log across tenants, writes within one.
pub(crate) const WORKER_ROLE: &str = "bss_worker";

/// Whether the disk has room for writes. Asked at the beginning of each unit of work, so it must answer at once.
pub type Room = Arc<dyn Fn() -> bool + Send + Sync>;

/// The database of the product: one pool per role.
#[derive(Clone)]
pub struct Store {
    app: Pool,
    worker: Pool,
    appended: AppendSignal,
    lookups: Lookups,
    room: Arc<OnceLock<Room>>,
}

impl Store {
    /// Opens the pools; [`migrate`](crate::migrate) has run before.
    pub async fn connect(config: &StoreConfig) -> Result<Self, StoreError> {
        let app = pool(config, APP_ROLE, config.app_connections)?;
        let worker = pool(config, WORKER_ROLE, config.worker_connections)?;
        let store = Self {
            app,
            worker,
            appended: AppendSignal::default(),
            lookups: Lookups::default(),
            room: Arc::default(),
        };
        drop(store.connection(&store.app).await?);
        Ok(store)
    }

    /// Begins no unit of work from now on while there is no room, in this store and its clones; the first answer to
    /// be asked stays. What is no unit of work (leases, sign-in) writes little and goes on.
    pub fn write_while(&self, room: Room) {
        let _ = self.room.set(room);
    }

    fn check_room(&self) -> Result<(), StoreError> {
        match self.room.get() {
            Some(room) if !room() => Err(StoreError::NoRoom),
            _ => Ok(()),
        }
    }

    /// Begins a unit of work of a call.
    ///
    /// # Errors
    /// [`StoreError::NoRoom`] where the disk has none; the database doesn't answer.
    pub async fn begin(&self, scope: Scope) -> Result<UnitOfWork, StoreError> {
        self.check_room()?;
        self.begin_within_reserve(scope).await
    }

    /// The same where the disk's reserve is reached: for sign-in alone, which writes little, and without which no
    /// operator could see what is wrong.
    pub(crate) async fn begin_within_reserve(&self, scope: Scope) -> Result<UnitOfWork, StoreError> {
        let session = Session::new(self.connection(&self.app).await?, scope, "BEGIN");
        Ok(UnitOfWork::new(session, self))
    }

    /// Begins a session of a call that only reads, on one snapshot.
    pub async fn read(&self, scope: Scope) -> Result<Session, StoreError> {
        Ok(Session::new(
            self.connection(&self.app).await?,
            scope,
            "BEGIN READ ONLY",
        ))
    }

    /// Begins a session of a stream or a run that reads again and again on one snapshot.
    pub async fn snapshot(&self, scope: Scope) -> Result<Session, StoreError> {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        Ok(Session::new(self.connection(&self.worker).await?, scope, begin))
    }

    /// Begins a unit of work of a stream or a run.
    ///
    /// # Errors
    /// [`StoreError::NoRoom`] where the disk has none; the database doesn't answer.
    pub async fn begin_work(&self, scope: Scope) -> Result<UnitOfWork, StoreError> {
        self.check_room()?;
        let session = Session::new(self.connection(&self.worker).await?, scope, "BEGIN");
        Ok(UnitOfWork::new(session, self))
    }

    /// A connection of the worker's role outside any transaction: for the log and for leases.
    pub(crate) async fn worker_connection(&self) -> Result<Object, StoreError> {
        self.connection(&self.worker).await
    }

    /// A connection of the call's role outside any transaction: for what has no tenant.
    pub(crate) async fn app_connection(&self) -> Result<Object, StoreError> {
        self.connection(&self.app).await
    }

    pub(crate) fn appended(&self) -> AppendSignal {
        self.appended.clone()
    }

    pub(crate) fn lookups(&self) -> &Lookups {
        &self.lookups
    }

    /// The event log of this database.
    pub fn log(&self) -> PostgresLog {
        PostgresLog::new(self.clone())
    }

    /// Connections by pool: (name, in use, open, most, waiting).
    pub fn pools(&self) -> [(&'static str, usize, usize, usize, usize); 2] {
        let of = |name, pool: &Pool| {
            let status = pool.status();
            (
                name,
                status.size - status.available.min(status.size),
                status.size,
                status.max_size,
                status.waiting,
            )
        };
        [of("app", &self.app), of("worker", &self.worker)]
    }

    async fn connection(&self, pool: &Pool) -> Result<Object, StoreError> {
        pool.get()
            .await
            .map_err(|error| StoreError::Pool(error.to_string()))
    }
}

fn pool(config: &StoreConfig, role: &str, size: usize) -> Result<Pool, StoreError> {
    let mut target = parse(&config.owner_url)?;
    let password = role_password(&target, role);
    target
        .user(role)
        .password(password)
        .application_name(role)
        .connect_timeout(config.wait);
    let manager = Manager::from_config(
        target,
        NoTls,
        ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        },
    );
    Pool::builder(manager)
        .max_size(size)
        .wait_timeout(Some(config.wait))
        .create_timeout(Some(config.wait))
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| StoreError::Configuration(error.to_string()))
}

pub(crate) fn parse(url: &str) -> Result<Config, StoreError> {
    Config::from_str(url)
        .map_err(|error| StoreError::Configuration(format!("the database URL can't be read: {error}")))
}

/// A role's password, derived from the owner's: databases of one owner share their roles and so their passwords,
/// and there is no further secret to keep.
pub(crate) fn role_password(owner: &Config, role: &str) -> String {
    let secret = owner.get_password().unwrap_or_default();
    let text = [b"bss role ".as_slice(), role.as_bytes(), b" ", secret].concat();
    URL_SAFE_NO_PAD.encode(digest(&SHA256, &text))
}
