//! Where PostgreSQL's programs are.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::catalogue::Service;
use crate::error::PlatformError;
use crate::privileges::{RunAs, closed_ancestor};

/// Where programs and data go when the database's user can't reach our own folders (a checkout below `/root`).
pub(crate) const SHARED_ROOT: &str = "/var/lib/bss";

/// The folder of PostgreSQL's programs: the configured one, `BSS_POSTGRES_BIN`, or that of `.tools/venv` beside
/// the working folder, the binary, or any folder above them.
pub fn find_bin_dir(configured: Option<&Path>) -> Result<PathBuf, PlatformError> {
    let service = crate::catalogue::postgres()?;
    let named = configured.map(Path::to_path_buf).or_else(|| {
        std::env::var_os("BSS_POSTGRES_BIN")
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    });
    if let Some(dir) = named {
        return check(&dir, &service)
            .then_some(dir.clone())
            .ok_or_else(|| missing(&[dir]));
    }
    let starts = [std::env::current_dir().ok(), std::env::current_exe().ok()];
    let mut looked = Vec::new();
    for start in starts.iter().flatten() {
        for above in start.ancestors() {
            let lib = above.join(".tools/venv/lib");
            for python in std::fs::read_dir(&lib).into_iter().flatten().flatten() {
                let dir = python.path().join(&service.obtain.bin);
                if check(&dir, &service) {
                    return Ok(dir);
                }
                looked.push(dir);
            }
        }
    }
    if looked.is_empty() {
        looked.extend(
            starts
                .into_iter()
                .flatten()
                .take(1)
                .map(|start| start.join(".tools/venv")),
        );
    }
    Err(missing(&looked))
}

fn missing(looked: &[PathBuf]) -> PlatformError {
    let looked = looked
        .iter()
        .map(|path| path.display().to_string())
        .collect::<Vec<_>>()
        .join(", ");
    PlatformError::NoBinaries { looked }
}

fn check(dir: &Path, service: &Service) -> bool {
    service.obtain.programs.iter().all(|program| {
        dir.join(program)
            .metadata()
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    })
}

/// The same programs where the user can reach them: in place, or copied below [`SHARED_ROOT`].
pub(crate) fn reachable_bin_dir(
    bin_dir: &Path,
    service: &Service,
    user: Option<&RunAs>,
) -> Result<PathBuf, PlatformError> {
    let bin_dir = bin_dir
        .canonicalize()
        .map_err(PlatformError::io("find", bin_dir))?;
    let Some(user) = user else { return Ok(bin_dir) };
    if closed_ancestor(&bin_dir, user).is_none() {
        return Ok(bin_dir);
    }
    let name = format!("{}-{}", service.name, service.obtain.version);
    let target = Path::new(SHARED_ROOT).join(name);
    let copied = target.join(&service.obtain.bin);
    if check(&copied, service) {
        return Ok(copied);
    }
    make_shared_root()?;
    let partial = Path::new(SHARED_ROOT).join(format!("partial-{}", &crate::secrets::generate()[..16]));
    let install = Path::new(&service.obtain.bin).parent().unwrap_or(Path::new(""));
    copy_tree(bin_dir.parent().unwrap_or(&bin_dir), &partial.join(install))?;
    // The package's own layout; programs from elsewhere have no such libraries.
    let depth = Path::new(&service.obtain.bin).components().count();
    let libraries = bin_dir
        .ancestors()
        .nth(depth)
        .map(|root| root.join(&service.obtain.libraries));
    if let Some(libraries) = libraries.filter(|folder| folder.is_dir()) {
        copy_tree(&libraries, &partial.join(&service.obtain.libraries))?;
    }
    // Another process may have copied it meanwhile; then ours is superfluous.
    if std::fs::rename(&partial, &target).is_err() {
        std::fs::remove_dir_all(&partial).map_err(PlatformError::io("remove", &partial))?;
    }
    Ok(copied)
}

/// Makes [`SHARED_ROOT`], searchable whatever our umask is.
pub(crate) fn make_shared_root() -> Result<(), PlatformError> {
    let root = Path::new(SHARED_ROOT);
    std::fs::create_dir_all(root).map_err(PlatformError::io("create", root))?;
    std::fs::set_permissions(root, std::fs::Permissions::from_mode(0o711))
        .map_err(PlatformError::io("open", root))
}

fn copy_tree(from: &Path, to: &Path) -> Result<(), PlatformError> {
    // Every folder on the way is opened, whatever our umask is.
    if let Some(parent) = to.parent().filter(|parent| !parent.exists()) {
        std::fs::create_dir_all(parent).map_err(PlatformError::io("create", parent))?;
        for folder in parent
            .ancestors()
            .take_while(|folder| *folder != Path::new(SHARED_ROOT))
        {
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))
                .map_err(PlatformError::io("open", folder))?;
        }
    }
    std::fs::create_dir_all(to).map_err(PlatformError::io("create", to))?;
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o755))
        .map_err(PlatformError::io("open", to))?;
    for entry in std::fs::read_dir(from).map_err(PlatformError::io("list", from))? {
        let entry = entry.map_err(PlatformError::io("list", from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(PlatformError::io("look at", &source))?;
        if kind.is_dir() {
            copy_tree(&source, &target)?;
        } else {
            std::fs::copy(&source, &target).map_err(PlatformError::io("copy", &source))?;
        }
    }
    Ok(())
}
