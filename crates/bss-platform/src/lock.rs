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
        let path = data_dir.join("stack.lock");
        let file = open(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(PlatformError::io("lock", &path)(error)),
        }
    }

    /// Waits for the lock: a second `bss up` waits so for the first one's start.
    pub async fn acquire(data_dir: &Path) -> Result<Self, PlatformError> {
        wait_for(&data_dir.join("stack.lock"))
            .await
            .map(|file| Self { _file: file })
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
