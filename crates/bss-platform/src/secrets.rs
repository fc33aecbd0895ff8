//! Generated secrets: one file each under `<data-dir>/secrets/`, readable by its owner alone.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::PlatformError;
use crate::state::write_atomically;

/// Where a secret stands.
pub fn path_of(data_dir: &Path, name: &str) -> PathBuf {
    data_dir.join("secrets").join(name)
}

/// Reads a secret; none where it was never made.
pub fn read(data_dir: &Path, name: &str) -> Result<Option<String>, PlatformError> {
    let path = path_of(data_dir, name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim_end().to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(PlatformError::io("read", &path)(error)),
    }
}

/// Reads a secret, or makes it: 192 random bits as 48 hexadecimal digits, file mode 0600.
pub fn read_or_generate(data_dir: &Path, name: &str) -> Result<String, PlatformError> {
    if let Some(secret) = read(data_dir, name)? {
        return Ok(secret);
    }
    let secret = generate();
    write(data_dir, name, &secret)?;
    Ok(secret)
}

/// Writes a secret, mode 0600, in a folder of mode 0700.
pub fn write(data_dir: &Path, name: &str, secret: &str) -> Result<(), PlatformError> {
    let folder = data_dir.join("secrets");
    std::fs::create_dir_all(&folder).map_err(PlatformError::io("create", &folder))?;
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700))
        .map_err(PlatformError::io("close", &folder))?;
    write_atomically(&path_of(data_dir, name), format!("{secret}\n").as_bytes(), 0o600)
}

/// 192 random bits as hexadecimal digits: safe in a URL and in a shell.
pub fn generate() -> String {
    rand::random::<[u8; 24]>()
        .iter()
        .fold(String::with_capacity(48), |mut text, byte| {
            text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
            text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
            text
        })
}

/// Every secret of a data folder by its name.
pub fn all(data_dir: &Path) -> Result<BTreeMap<String, String>, PlatformError> {
    let folder = data_dir.join("secrets");
    let unreadable = |error| PlatformError::io("read", &folder)(error);
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
        let name = entry
            .map_err(unreadable)?
            .file_name()
            .to_string_lossy()
            .into_owned();
        if !is_name(&name) {
            continue;
        }
        if let Some(secret) = read(data_dir, &name)? {
            found.insert(name, secret);
        }
    }
    Ok(found)
}

/// Whether a secret may be called so: a file's name without blanks, that stays in its folder. Half-written files
/// begin with a dot.
pub fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    !name.is_empty() && name.chars().all(plain)
}
