//! Free space: writes are refused before PostgreSQL can panic on a full disk.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::PlatformError;

/// Free bytes, as an ordinary user may use them, of the file system that holds `path`.
pub fn free_bytes(path: &Path) -> Result<u64, PlatformError> {
    let stat = nix::sys::statvfs::statvfs(path)
        .map_err(|error| PlatformError::io("ask for free space of", path)(error.into()))?;
    Ok(stat.blocks_available() * stat.fragment_size())
}

/// What a [`DiskGuard`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskStatus {
    /// Whether writes are allowed.
    pub writes_allowed: bool,
    /// Free bytes.
    pub free_bytes: u64,
    /// The reserve in bytes.
    pub reserve_bytes: u64,
}

/// Tells whether writes are allowed: not below the reserve, and again from a tenth above it, so that the
/// answer doesn't flutter.
#[derive(Debug)]
pub struct DiskGuard {
    path: PathBuf,
    reserve_bytes: u64,
    refusing: AtomicBool,
}

impl DiskGuard {
    /// Default reserve: room for one checkpoint's worth of log beside what runs, 512 MiB.
    pub const DEFAULT_RESERVE_BYTES: u64 = 512 * 1024 * 1024;

    /// Watches the file system of `path`.
    pub fn new(path: &Path, reserve_bytes: u64) -> Self {
        Self {
            path: path.to_path_buf(),
            reserve_bytes,
            refusing: AtomicBool::new(false),
        }
    }

    /// Asks the file system and remembers the answer.
    pub fn check(&self) -> Result<DiskStatus, PlatformError> {
        Ok(self.judge(free_bytes(&self.path)?))
    }

    /// The answer of the last [`check`](Self::check); cheap enough for every request.
    pub fn writes_allowed(&self) -> bool {
        !self.refusing.load(Ordering::Relaxed)
    }

    fn judge(&self, free_bytes: u64) -> DiskStatus {
        let was_refusing = self.refusing.load(Ordering::Relaxed);
        let needed = if was_refusing {
            self.reserve_bytes + self.reserve_bytes / 10
        } else {
            self.reserve_bytes
        };
        let refusing = free_bytes < needed;
        self.refusing.store(refusing, Ordering::Relaxed);
        if refusing != was_refusing {
            tracing::warn!(
                free_bytes,
                reserve_bytes = self.reserve_bytes,
                refusing,
                "disk reserve"
            );
        }
        DiskStatus {
            writes_allowed: !refusing,
            free_bytes,
            reserve_bytes: self.reserve_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_stop_below_the_reserve_and_go_on_with_room() {
        let guard = DiskGuard::new(Path::new("/"), 1000);
        let cases = [
            (1000, true),
            (999, false),
            (1000, false),
            (1099, false),
            (1100, true),
            (1000, true),
        ];
        for (step, (free, allowed)) in cases.into_iter().enumerate() {
            assert_eq!(
                guard.judge(free).writes_allowed,
                allowed,
                "step {step}: {free} free"
            );
            assert_eq!(guard.writes_allowed(), allowed);
        }
    }

    #[test]
    fn the_real_file_system_answers() {
        let free = free_bytes(&std::env::temp_dir()).unwrap();
        assert!(free > 0);
        let greedy = DiskGuard::new(&std::env::temp_dir(), u64::MAX / 2);
        assert!(!greedy.check().unwrap().writes_allowed);
        assert!(free_bytes(Path::new("/no/such/folder")).is_err());
    }
}
