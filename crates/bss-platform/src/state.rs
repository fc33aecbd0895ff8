//! What runs, written down in the data folder: whoever comes next adopts it or reaps it.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::error::PlatformError;
use crate::process::ProcessId;

/// The running `bss` of a data folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BssState {
    /// The process.
    pub process: ProcessId,
    /// Its version.
    pub version: String,
    /// Addresses by name: `gateway` → `127.0.0.1:8000`.
    pub listeners: BTreeMap<String, String>,
    /// When it was ready, Unix milliseconds of real time.
    pub started_at_ms: u64,
}

/// The managed PostgreSQL of a data folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostgresState {
    /// The postmaster.
    pub process: ProcessId,
    /// Its port on the loopback.
    pub port: u16,
    /// The folder of its programs.
    pub bin_dir: PathBuf,
}

/// The running `bss` of this data folder; none where the file is missing, unreadable, or its process is gone.
pub fn read_state(data_dir: &Path) -> Option<BssState> {
    read_json::<BssState>(&bss_file(data_dir)).filter(|state| state.process.is_alive())
}

/// Writes down the running `bss`, atomically.
pub fn write_state(data_dir: &Path, state: &BssState) -> Result<(), PlatformError> {
    write_json(&bss_file(data_dir), state)
}

/// Forgets the running `bss`; nothing to forget is no error.
pub fn clear_state(data_dir: &Path) -> Result<(), PlatformError> {
    remove_if_there(&bss_file(data_dir))
}

fn bss_file(data_dir: &Path) -> PathBuf {
    data_dir.join("state").join("bss.json")
}

pub(crate) fn postgres_file(data_dir: &Path) -> PathBuf {
    data_dir.join("state").join("postgres.json")
}

pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), PlatformError> {
    let text = serde_json::to_vec_pretty(value).map_err(|error| PlatformError::Task(error.to_string()))?;
    write_atomically(path, &text, 0o644)
}

/// Writes a file that is either the old one or the new one, also after a power loss.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8], mode: u32) -> Result<(), PlatformError> {
    let parent = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(PlatformError::io("create", parent))?;
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let temporary = parent.join(format!(".{name}.{}", std::process::id()));
    let write = || -> std::io::Result<()> {
        let _ = std::fs::remove_file(&temporary);
        let mut file = std::fs::OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(mode)
            .open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        std::fs::File::open(parent)?.sync_all()
    };
    write().map_err(PlatformError::io("write", path))
}

pub(crate) fn remove_if_there(path: &Path) -> Result<(), PlatformError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(PlatformError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}
