//! `bss db`: backup and restore.

use std::path::Path;
use std::time::Duration;

use bss_platform::{
    DatabaseTools, ErrorCode, PlatformError, PostgresConfig, StackLock, ensure_postgres, remove_cluster,
    stop_postgres,
};
use serde_json::json;

use crate::backup;
use crate::cli::{BackupOptions, DbCommand};
use crate::config::Config;
use crate::failure::Failure;
use crate::{output, stack};

/// The shortest passphrase that is taken.
const PASSPHRASE_CHARACTERS: usize = 12;
/// Where the passphrase stands if no file is named.
const PASSPHRASE_VARIABLE: &str = "BSS_BACKUP_PASSPHRASE";
/// How long PostgreSQL may take for a clean shutdown.
const POSTGRES_TIMEOUT: Duration = Duration::from_secs(30);

/// Backs up, or restores.
pub async fn run(config: &Config, command: DbCommand) -> Result<(), Failure> {
    match command {
        DbCommand::Backup(options) => write(config, options).await,
        DbCommand::Restore(options) => restore(config, options).await,
    }
}

async fn write(config: &Config, options: BackupOptions) -> Result<(), Failure> {
    let passphrase = passphrase(&options)?;
    if backup::is_unfinished(&config.data_dir) {
        return Err(unfinished(&config.data_dir));
    }
    let (ours, file) = (config.clone(), options.file.clone());
    let bytes = blocking(move || backup::write(&ours.data_dir, &tools(&ours)?, &file, &passphrase)).await?;
    if options.json {
        return output::json(&json!({"file": options.file, "bytes": bytes}));
    }
    eprintln!(
        "{} written, {} KiB; it opens with the passphrase alone",
        options.file.display(),
        bytes.div_ceil(1024)
    );
    Ok(())
}

async fn restore(config: &Config, options: BackupOptions) -> Result<(), Failure> {
    let passphrase = passphrase(&options)?;
    let (file, secret) = (options.file.clone(), passphrase.clone());
    let head = blocking(move || backup::verify(&file, &secret)).await?;
    let data_dir = &config.data_dir;
    std::fs::create_dir_all(data_dir).map_err(PlatformError::io("create", data_dir))?;
    let _lock = StackLock::acquire(data_dir).await?;
    if backup::is_unfinished(data_dir) {
        undo(config).await?;
    }
    refuse_occupied(config).await?;
    backup::begin(data_dir)?;
    let done = fill(config, &options.file, passphrase, &head).await;
    if done.is_err() {
        undo(config).await?;
        return done;
    }
    backup::end(data_dir)?;
    if options.json {
        return output::json(&json!({"dataDir": data_dir, "version": head.version}));
    }
    eprintln!(
        "restored what bss {} had written; start it with bss up{}",
        head.version,
        stack::data_dir_flag(data_dir)
    );
    Ok(())
}

/// Nothing may be where a restore goes: neither a database nor secrets of another one.
async fn refuse_occupied(config: &Config) -> Result<(), Failure> {
    for place in ["postgres", "secrets"] {
        if config.data_dir.join(place).exists() {
            return Err(PlatformError::Occupied(config.data_dir.display().to_string()).into());
        }
    }
    let Some(url) = config.database_url.clone() else {
        return Ok(());
    };
    let ours = config.clone();
    if blocking(move || Ok(tools(&ours)?.is_occupied()?)).await? {
        let shown = url.rsplit('@').next().unwrap_or_default().to_owned();
        return Err(PlatformError::Occupied(shown).into());
    }
    Ok(())
}

async fn fill(config: &Config, file: &Path, passphrase: String, head: &backup::Head) -> Result<(), Failure> {
    backup::restore_secrets(&config.data_dir, head)?;
    if config.database_url.is_none() {
        ensure_postgres(&PostgresConfig {
            data_dir: config.data_dir.clone(),
            bin_dir: config.postgres_bin.clone(),
            port: config.postgres_port,
            auto_ports: config.auto_ports,
            memory_mb: config.memory_mb,
        })
        .await?;
    }
    let (ours, file) = (config.clone(), file.to_path_buf());
    let filled = blocking(move || backup::restore_database(&tools(&ours)?, &file, &passphrase)).await;
    if config.database_url.is_none() {
        stop_postgres(&config.data_dir, POSTGRES_TIMEOUT).await?;
    }
    filled
}

/// Takes away what a restore that failed or was cut off has made; a database of the operator's own was filled in one
/// transaction, or not at all.
async fn undo(config: &Config) -> Result<(), Failure> {
    let data_dir = &config.data_dir;
    if config.database_url.is_none() {
        stop_postgres(data_dir, POSTGRES_TIMEOUT).await?;
        remove_cluster(data_dir)?;
    }
    let secrets = data_dir.join("secrets");
    if secrets.exists() {
        std::fs::remove_dir_all(&secrets).map_err(PlatformError::io("remove", &secrets))?;
    }
    backup::end(data_dir)
}

/// What stands in a folder whose restore was cut off is no stack.
pub fn unfinished(data_dir: &Path) -> Failure {
    Failure::coded(
        ErrorCode::RestoreCutOff,
        format!(
            "a restore into {} was cut off: run bss db restore again, or give the folder up with bss down --data{}",
            data_dir.display(),
            stack::data_dir_flag(data_dir)
        ),
    )
}

fn tools(config: &Config) -> Result<DatabaseTools, Failure> {
    Ok(match &config.database_url {
        Some(url) => DatabaseTools::of_url(url, config.postgres_bin.as_deref())?,
        None => DatabaseTools::managed(&config.data_dir)?,
    })
}

fn passphrase(options: &BackupOptions) -> Result<String, Failure> {
    let (text, place) = if let Some(file) = &options.passphrase_file {
        let text = std::fs::read_to_string(file).map_err(PlatformError::io("read", file))?;
        (text, file.display().to_string())
    } else {
        let text = std::env::var(PASSPHRASE_VARIABLE).map_err(|_| {
            Failure::Usage(vec![format!(
                "a backup needs a passphrase: --passphrase-file FILE, or the variable {PASSPHRASE_VARIABLE}"
            )])
        })?;
        (text, PASSPHRASE_VARIABLE.to_owned())
    };
    let text = text.trim_end_matches(['\n', '\r']).to_owned();
    if text.chars().count() < PASSPHRASE_CHARACTERS {
        return Err(Failure::coded(
            ErrorCode::Passphrase,
            format!("the passphrase of {place} is shorter than {PASSPHRASE_CHARACTERS} characters"),
        ));
    }
    Ok(text)
}

/// PostgreSQL's tools and the cipher hold their thread.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Failure::refused(error.to_string()))?
}
