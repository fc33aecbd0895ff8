//! One stack per data folder: an exclusive lock that ends with its process, however that ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::error::PlatformError;

/// The exclusive lock on `<data-dir>/stack.lock`; released on drop and by the kernel when the process dies.
#[derive(Debug)]
pub struct StackLock {
    _file: File,
}

impl StackLock {
    /// Takes the lock if it is free; `None` while another process holds it.
    pub fn try_acquire(data_dir: &Path) -> Result<Option<Self>, PlatformError> {
        let held = try_lock(&data_dir.join("stack.lock"))?;
        Ok(held.map(|file| Self { _file: file }))
    }

    /// Waits for the lock: a second `bss up` waits so for the first one's start.
    pub async fn acquire(data_dir: &Path) -> Result<Self, PlatformError> {
        wait_for(&data_dir.join("stack.lock"))
            .await
            .map(|file| Self { _file: file })
    }
}

/// The exclusive lock on `<data-dir>/running.lock`, held by the serving process for its life: whoever finds it
/// taken knows that there is a process, also before that one has written itself down.
#[derive(Debug)]
pub struct RunningLock {
    _file: File,
}

impl RunningLock {
    /// Takes the lock if it is free; `None` while another process holds it.
    pub fn try_acquire(data_dir: &Path) -> Result<Option<Self>, PlatformError> {
        let held = try_lock(&data_dir.join("running.lock"))?;
        Ok(held.map(|file| Self { _file: file }))
    }
}

fn try_lock(path: &Path) -> Result<Option<File>, PlatformError> {
    let file = open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(PlatformError::io("lock", path)(error)),
    }
}

/// Opens and locks a file exclusively, waiting on a thread of its own.
pub(crate) async fn wait_for(path: &Path) -> Result<File, PlatformError> {
    let path = path.to_path_buf();
    tokio::task::spawn_blocking(move || {
        let file = open(&path)?;
        file.lock().map_err(PlatformError::io("lock", &path))?;
        Ok(file)
    })
    .await?
}

fn open(path: &Path) -> Result<File, PlatformError> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(PlatformError::io("create", parent))?;
    }
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(PlatformError::io("open", path))
}
