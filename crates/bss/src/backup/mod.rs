//! Backup and restore: one snapshot of the database with the data folder's keys and secrets, sealed in one file.

mod sealed;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use bss_platform::{DatabaseTools, ErrorCode, PlatformError, secrets};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use sealed::{Opener, Sealer};

/// A head that is longer is none.
const HEAD_BYTES_MAX: u64 = 1 << 20;

/// What stands before the dump.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    /// The version of `bss` that wrote it.
    pub version: String,
    /// The secrets of the data folder: a database opens with its own ones only.
    secrets: BTreeMap<String, String>,
}

/// Writes a backup, mode 0600; the file is there whole, or not at all. Gives its size in bytes.
///
/// # Errors
/// The file is there already; it can't be written; the database can't be dumped.
pub fn write(
    data_dir: &Path,
    tools: &DatabaseTools,
    target: &Path,
    passphrase: &str,
) -> Result<u64, Failure> {
    if target.exists() {
        return Err(Failure::coded(
            ErrorCode::BackupExists,
            format!(
                "{} is there already: a backup overwrites nothing",
                target.display()
            ),
        ));
    }
    let head = Head {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        secrets: secrets::all(data_dir)?,
    };
    let partial = partial_of(target);
    let file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&partial)
        .map_err(PlatformError::io("write", &partial))?;
    let written = fill(tools, file, &head, passphrase, &partial).and_then(|bytes| {
        std::fs::rename(&partial, target).map_err(PlatformError::io("write", target))?;
        Ok(bytes)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&partial);
        return written;
    }
    // The name itself must outlive a power loss.
    let folder = target.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(PlatformError::io("write", folder))?;
    written
}

/// Beside the target, so that the rename stays within one file system.
fn partial_of(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.partial"))
}

fn fill(
    tools: &DatabaseTools,
    file: File,
    head: &Head,
    passphrase: &str,
    partial: &Path,
) -> Result<u64, Failure> {
    let cannot = |error| PlatformError::io("write", partial)(error);
    let mut sealer = Sealer::new(BufWriter::new(file), passphrase).map_err(cannot)?;
    let text = serde_json::to_vec(head).map_err(|error| Failure::refused(error.to_string()))?;
    sealer
        .write_all(&(text.len() as u64).to_be_bytes())
        .map_err(cannot)?;
    sealer.write_all(&text).map_err(cannot)?;
    tools.dump(&mut sealer)?;
    let buffered = sealer.finish().map_err(cannot)?;
    let file = buffered
        .into_inner()
        .map_err(|error| cannot(error.into_error()))?;
    file.sync_all().map_err(cannot)?;
    Ok(file.metadata().map_err(cannot)?.len())
}

/// Reads a backup to its end: a damaged one is refused before anything is touched.
pub fn verify(source: &Path, passphrase: &str) -> Result<Head, Failure> {
    let (head, mut dump) = open(source, passphrase)?;
    std::io::copy(&mut dump, &mut std::io::sink()).map_err(|error| unreadable(source, error))?;
    Ok(head)
}

/// Puts a backup's secrets into a data folder that has none yet.
pub fn restore_secrets(data_dir: &Path, head: &Head) -> Result<(), Failure> {
    for (name, secret) in &head.secrets {
        // The file is authentic, but it decides about paths.
        if !secrets::is_name(name) {
            return Err(Failure::refused(format!(
                "the backup holds a secret called `{name}`"
            )));
        }
        secrets::write(data_dir, name, secret)?;
    }
    Ok(())
}

/// Fills an empty database, in one transaction.
pub fn restore_database(tools: &DatabaseTools, source: &Path, passphrase: &str) -> Result<(), Failure> {
    let (_, mut dump) = open(source, passphrase)?;
    Ok(tools.restore(&mut dump)?)
}

fn open(source: &Path, passphrase: &str) -> Result<(Head, Opener<BufReader<File>>), Failure> {
    let cannot = |error| unreadable(source, error);
    let file = File::open(source).map_err(cannot)?;
    let mut opener = Opener::new(BufReader::new(file), passphrase).map_err(cannot)?;
    let mut length = [0; 8];
    opener.read_exact(&mut length).map_err(cannot)?;
    let length = u64::from_be_bytes(length);
    let foreign = || {
        let text = format!("{} was written by another version of bss", source.display());
        Failure::coded(ErrorCode::BackupDamaged, text)
    };
    if length > HEAD_BYTES_MAX {
        return Err(foreign());
    }
    let mut text = vec![0; length as usize];
    opener.read_exact(&mut text).map_err(cannot)?;
    let head = serde_json::from_slice(&text).map_err(|_| foreign())?;
    Ok((head, opener))
}

/// A file that can't be read, and one that isn't what it should be.
fn unreadable(source: &Path, error: std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::InvalidData {
        let text = format!("cannot open {}: {error}", source.display());
        return Failure::coded(ErrorCode::BackupDamaged, text);
    }
    PlatformError::io("read", source)(error).into()
}

/// The mark of a restore under way: with it, what stands in the data folder is no stack yet.
fn mark_of(data_dir: &Path) -> PathBuf {
    data_dir.join("state").join("restoring")
}

/// Whether a restore into this data folder was cut off.
pub fn is_unfinished(data_dir: &Path) -> bool {
    mark_of(data_dir).exists()
}

/// Marks a data folder as being restored into.
pub fn begin(data_dir: &Path) -> Result<(), Failure> {
    let mark = mark_of(data_dir);
    let folder = data_dir.join("state");
    std::fs::create_dir_all(&folder).map_err(PlatformError::io("create", &folder))?;
    let made = File::create(&mark).and_then(|file| file.sync_all());
    Ok(made.map_err(PlatformError::io("write", &mark))?)
}

/// Takes the mark away: the folder holds a stack, or nothing.
pub fn end(data_dir: &Path) -> Result<(), Failure> {
    let mark = mark_of(data_dir);
    Ok(std::fs::remove_file(&mark).map_err(PlatformError::io("remove", &mark))?)
}
