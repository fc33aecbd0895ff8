#![doc = include_str!("../README.md")]

pub mod catalogue;
pub mod disk;
pub mod doctor;
pub mod dump;
pub mod error;
pub mod error_code;
pub mod lock;
pub mod ports;
pub mod postgres;
pub mod privileges;
pub mod process;
pub mod secrets;
pub mod state;
pub mod testing;

mod install;
mod render;

pub use disk::{DiskGuard, DiskStatus, free_bytes};
pub use doctor::{Finding, Severity, examine};
pub use dump::DatabaseTools;
pub use error::PlatformError;
pub use error_code::ErrorCode;
pub use install::find_bin_dir;
pub use lock::{RunningLock, StackLock};
pub use postgres::{
    PostgresConfig, RunningPostgres, ensure_postgres, postgres_answers, postgres_client, postgres_status,
    remove_cluster, stop_postgres,
};
pub use process::ProcessId;
pub use state::{BssState, clear_state, read_state, write_state};
