//! Usage comes in: files of sources, single records, and mended rejects.
//!
//! A file is read once by a thread of its own, which splits, identifies and mediates its lines; batches of them are
//! guided to their owners and appended to the log in one transaction with the file's progress. So whoever imports a
//! file, again, at the same time, or after a crash, goes on where the progress stands.

mod batch;
mod folder;
mod reader;
mod recycle;
mod single;

use std::fs::File;
use std::path::{Path, PathBuf};

use bss_domain::Refusal;
use bss_domain::ids::UsageFileId;
use bss_domain::usage::UsageSource;
use bss_store::usage_file::{self, FileLines, UsageFile};
use bss_store::{Session, usage_source};

use crate::{App, AppError, RequestContext};

pub use batch::KIND as USAGE_EVENT;
pub use folder::watch_folder;
pub use recycle::{Recycled, recycle};
pub use single::{NewUsage, record_usage};

/// How usage is taken in.
#[derive(Debug, Clone)]
pub struct UsageImport {
    /// Lines of a file that are committed at once.
    pub batch_lines: usize,
    /// For how many days back usage is taken; what began earlier is rejected.
    pub held_days: u16,
}

impl Default for UsageImport {
    fn default() -> Self {
        Self {
            batch_lines: 8_000,
            held_days: 400,
        }
    }
}

/// What an import found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// The file.
    pub file: UsageFileId,
    /// Whether it had been read to its end before.
    pub was_done: bool,
    /// What became of its lines, whoever read them.
    pub lines: FileLines,
}

/// A file's content under a name for people; nobody else writes to it or reads from it meanwhile.
#[derive(Debug)]
pub struct UsageContent {
    /// What it is called in lists.
    pub name: String,
    /// Where it is read from, from its beginning.
    pub file: File,
}

/// Imports a file of a source that lies at a path ([`import_content`]).
pub async fn import_file(
    app: &App,
    context: &RequestContext,
    rules: &UsageImport,
    source: &str,
    path: &Path,
) -> Result<ImportReport, AppError> {
    let name = path.file_name().unwrap_or(path.as_os_str());
    let content = UsageContent {
        name: name.to_string_lossy().into_owned(),
        file: File::open(path).map_err(|error| unreadable(&path.to_string_lossy(), &error))?,
    };
    import_content(app, context, rules, source, content).await
}

/// Imports a file of a source. The same content is never read twice to its end, whatever its name.
pub async fn import_content(
    app: &App,
    context: &RequestContext,
    rules: &UsageImport,
    source: &str,
    content: UsageContent,
) -> Result<ImportReport, AppError> {
    let session = app.store.read(context.scope()).await?;
    let source = needed_source(&session, source).await?;
    session.finish()?;
    let file = open(app, context, &source, &content).await?;
    if file.is_done {
        return Ok(ImportReport {
            file: file.id,
            was_done: true,
            lines: file.lines,
        });
    }
    let mut batches = reader::read(reader::Task {
        file: content.file,
        tenant: context.tenant(),
        source: source.clone(),
        size_bytes: file.size_bytes.unsigned_abs(),
        skip_lines: file.lines.done.unsigned_abs(),
        batch_lines: rules.batch_lines,
    });
    let intake = batch::Intake {
        app,
        context,
        rules,
        source: &source,
        file: file.id,
    };
    while let Some(lines) = batches.recv().await {
        let lines = lines.map_err(|error| unreadable(&content.name, &error))?;
        intake.commit(lines).await?;
    }
    finish(app, context, file.id).await
}

/// The source of this name.
async fn needed_source(session: &Session, name: &str) -> Result<UsageSource, AppError> {
    usage_source::get(session, name)
        .await?
        .ok_or_else(|| AppError::not_found("UsageSource", name))
}

async fn open(
    app: &App,
    context: &RequestContext,
    source: &UsageSource,
    content: &UsageContent,
) -> Result<UsageFile, AppError> {
    let (sha256, size_bytes) = reader::digest(&content.file)
        .await
        .map_err(|error| unreadable(&content.name, &error))?;
    let now = app.clock.now();
    let file = UsageFile {
        id: app.ids.new_shared_id(now),
        source: source.name.clone(),
        name: content.name.clone(),
        sha256,
        size_bytes: size_bytes as i64,
        is_done: false,
        lines: FileLines::default(),
        created_at: now,
        done_at: None,
    };
    let work = app.store.begin(context.scope()).await?;
    let file = usage_file::open(&work, &file).await?;
    work.commit().await?;
    Ok(file)
}

async fn finish(app: &App, context: &RequestContext, id: UsageFileId) -> Result<ImportReport, AppError> {
    let work = app.store.begin(context.scope()).await?;
    usage_file::finish(&work, id, app.clock.now()).await?;
    let file = usage_file::get(&work, id)
        .await?
        .ok_or_else(|| AppError::not_found("UsageFile", id))?;
    work.commit().await?;
    Ok(ImportReport {
        file: id,
        was_done: false,
        lines: file.lines,
    })
}

fn unreadable(name: &str, error: &std::io::Error) -> AppError {
    Refusal::invalid(
        "unreadableFile",
        "file",
        name,
        format!("it can't be read: {error}"),
    )
    .into()
}

/// Makes or changes a source. Its format and name stay once a file of it was imported, since they are part of what
/// makes a record the same record.
pub async fn put_source(app: &App, context: &RequestContext, source: &UsageSource) -> Result<(), AppError> {
    let work = app.store.begin(context.scope()).await?;
    if let Some(present) = usage_source::get(&work, &source.name).await?
        && present.format != source.format
    {
        let message = format!(
            "{} is of format {} and keeps it: declare another source",
            source.name,
            present.format.name()
        );
        return Err(Refusal::conflict("formatFixed", message).into());
    }
    usage_source::put(&work, source, app.clock.now()).await?;
    work.commit().await?;
    Ok(())
}

/// The folder's places for files that were taken, and for those that couldn't be read.
fn beside(path: &Path, folder: &str) -> Option<PathBuf> {
    Some(path.parent()?.join(folder).join(path.file_name()?))
}
