//! A watched folder: files that are put into it are imported and moved aside.
//!
//! A file counts as complete when its length and time haven't changed between two looks. Names that begin with a dot
//! or end in `.part` or `.tmp` are still being written: writers that rename at the end are never read too early.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;

use super::{UsageImport, beside, import_file};
use crate::{App, AppError, RequestContext};

/// Where files go that were imported.
const DONE: &str = "done";

/// Where files go that can't be read at all.
const FAILED: &str = "failed";

/// Imports what comes into a folder, until cancelled. Several processes may watch one folder.
pub async fn watch_folder(
    app: &App,
    context: &RequestContext,
    rules: &UsageImport,
    (source, folder): (&str, &Path),
    (every, stop): (Duration, CancellationToken),
) {
    let mut seen = HashMap::new();
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let ready = match look(folder, &mut seen).await {
            Ok(ready) => ready,
            Err(error) => {
                tracing::warn!(folder = %folder.display(), %error, "the watched folder can't be read");
                continue;
            }
        };
        for path in ready {
            if stop.is_cancelled() {
                return;
            }
            take(app, context, rules, source, &path).await;
            seen.remove(&path);
        }
    }
}

async fn take(app: &App, context: &RequestContext, rules: &UsageImport, source: &str, path: &Path) {
    let target = match import_file(app, context, rules, source, path).await {
        Ok(report) => {
            tracing::info!(
                file = %report.file,
                lines = report.lines.done,
                accepted = report.lines.accepted,
                rejected = report.lines.rejected,
                was_done = report.was_done,
                "imported a usage file"
            );
            DONE
        }
        Err(AppError::Refused(refusal)) if path.exists() => {
            tracing::error!(%refusal, "a usage file can't be imported");
            FAILED
        }
        // The file stays and is tried at the next look: its progress is kept.
        Err(error) => {
            tracing::warn!(%error, "importing a usage file was interrupted");
            return;
        }
    };
    if let Err(error) = move_aside(path, target).await {
        // Another process that watches the folder was faster.
        tracing::debug!(%error, "a usage file wasn't moved");
    }
}

async fn move_aside(path: &Path, folder: &str) -> io::Result<()> {
    let target = beside(path, folder).ok_or(io::ErrorKind::InvalidInput)?;
    if let Some(parent) = target.parent() {
        tokio::fs::create_dir_all(parent).await?;
    }
    tokio::fs::rename(path, target).await
}

/// The files that stand as they stood at the last look, by name.
async fn look(folder: &Path, seen: &mut HashMap<PathBuf, (u64, SystemTime)>) -> io::Result<Vec<PathBuf>> {
    let mut entries = tokio::fs::read_dir(folder).await?;
    let mut present = HashMap::new();
    while let Some(entry) = entries.next_entry().await? {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        let is_open =
            name.starts_with('.') || path.extension().is_some_and(|end| end == "part" || end == "tmp");
        // A file that another process has just moved is no error.
        let Ok(facts) = entry.metadata().await else {
            continue;
        };
        if facts.is_file() && !is_open {
            present.insert(path, (facts.len(), facts.modified()?));
        }
    }
    let mut ready: Vec<PathBuf> = present
        .iter()
        .filter(|(path, facts)| seen.get(*path) == Some(facts))
        .map(|(path, _)| path.clone())
        .collect();
    ready.sort();
    *seen = present;
    Ok(ready)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_ready_when_it_has_stopped_growing() {
        let folder = std::env::temp_dir().join(format!("bss-folder-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("Master.csv");
        let mut seen = HashMap::new();
        std::fs::write(&file, "a\n").unwrap();
        std::fs::write(folder.join("next.part"), "a\n").unwrap();
        assert!(look(&folder, &mut seen).await.unwrap().is_empty());
        std::fs::write(&file, "a\nb\n").unwrap();
        assert!(look(&folder, &mut seen).await.unwrap().is_empty());
        assert_eq!(
            look(&folder, &mut seen).await.unwrap(),
            std::slice::from_ref(&file)
        );
        move_aside(&file, DONE).await.unwrap();
        assert!(look(&folder, &mut seen).await.unwrap().is_empty());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
