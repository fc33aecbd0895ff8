//! The user that the database runs as. PostgreSQL refuses root; where `bss` runs as root, an unprivileged user
//! of its own takes its place, and that user must be able to reach the data folder.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::{Gid, Uid, User, chown, geteuid};

use crate::error::PlatformError;

/// An unprivileged user to run a server as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunAs {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: u32,
    /// Its primary group.
    pub gid: u32,
}

/// Whom to run a server as: nobody else where we are an ordinary user; as root the named user, created if it
/// is missing, or `nobody` where it can't be created.
pub fn run_as(wanted: &str) -> Result<Option<RunAs>, PlatformError> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    if let Some(user) = look_up(wanted) {
        return Ok(Some(user));
    }
    let detail = create(wanted);
    look_up(wanted)
        .or_else(|| look_up("nobody"))
        .map(Some)
        .ok_or_else(|| PlatformError::NoUser {
            user: wanted.to_owned(),
            detail,
        })
}

fn look_up(name: &str) -> Option<RunAs> {
    let user = User::from_name(name).ok().flatten()?;
    Some(RunAs {
        name: user.name,
        uid: user.uid.as_raw(),
        gid: user.gid.as_raw(),
    })
}

fn create(name: &str) -> String {
    let output = Command::new("useradd")
        .args([
            "--system",
            "--no-create-home",
            "--home-dir",
            "/nonexistent",
            "--shell",
            "/usr/sbin/nologin",
            name,
        ])
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => format!("useradd: {error}"),
    }
}

/// Gives a file or folder to the user; nothing to do where we run as an ordinary user.
pub fn give(path: &Path, user: Option<&RunAs>) -> Result<(), PlatformError> {
    let Some(user) = user else { return Ok(()) };
    chown(path, Some(Uid::from_raw(user.uid)), Some(Gid::from_raw(user.gid)))
        .map_err(|errno| PlatformError::io("give away", path)(errno.into()))
}

/// The first ancestor of `path` (itself included) that the user can't search.
pub fn closed_ancestor(path: &Path, user: &RunAs) -> Option<PathBuf> {
    let mut ancestors: Vec<&Path> = path.ancestors().collect();
    ancestors.reverse();
    ancestors
        .into_iter()
        .find(|folder| !searchable(folder, user))
        .map(Path::to_path_buf)
}

fn searchable(folder: &Path, user: &RunAs) -> bool {
    // A folder that doesn't exist yet will be made by us, open enough.
    let Ok(metadata) = folder.metadata() else {
        return true;
    };
    let mode = metadata.mode();
    let bit = if metadata.uid() == user.uid {
        0o100
    } else if metadata.gid() == user.gid {
        0o010
    } else {
        0o001
    };
    mode & bit != 0
}

/// Runs a command as the user; supplementary groups are dropped with it.
pub fn apply(command: &mut tokio::process::Command, user: Option<&RunAs>) {
    if let Some(user) = user {
        command.gid(user.gid).uid(user.uid);
    }
}
