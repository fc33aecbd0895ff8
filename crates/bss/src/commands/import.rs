//! `bss import`: usage files, and the rejects that they leave. Runs beside the stack, on its database; several may
//! run at once on one file.

use bss_app::usage_import::{ImportReport, Recycled, UsageImport, import_file, put_source, recycle};
use bss_app::{App, AppError, RequestContext};
use bss_domain::time::Zone;
use bss_domain::usage::{NumberPlan, SourceFormat, UnknownFormat, UsageSource, UsageState};
use bss_store::usage_reject::{self, RejectFilter};
use bss_store::usage_source;
use serde_json::json;

use super::direct;
use crate::cli::{ImportCdrOptions, ImportCommand, ImportRejectsOptions};
use crate::config::Config;
use crate::failure::Failure;
use crate::output;

/// Imports files, lists rejects, sends mended ones in again.
pub async fn run(config: &Config, command: ImportCommand) -> Result<(), Failure> {
    match command {
        ImportCommand::Cdr(options) => cdr(config, options).await,
        ImportCommand::Rejects(options) => rejects(config, options).await,
    }
}

async fn cdr(config: &Config, options: ImportCdrOptions) -> Result<(), Failure> {
    let (app, context) = direct::app(config, &options.tenant).await?;
    let source = options.source.clone().unwrap_or_else(|| options.format.clone());
    declare(&app, &context, &source, &options).await?;
    let mut reports = Vec::new();
    for file in &options.files {
        // The progress is in the database: whatever stops this, the same command goes on where it was.
        let report = import_file(&app, &context, &UsageImport::default(), &source, file).await?;
        if !options.json {
            eprintln!("{}", told(file, &report));
        }
        reports.push(json!({
            "file": report.file.to_string(),
            "path": file,
            "wasDone": report.was_done,
            "lines": report.lines.done,
            "accepted": report.lines.accepted,
            "rejected": report.lines.rejected,
            "duplicates": report.lines.duplicates,
            "notCharged": report.lines.not_charged,
        }));
    }
    if options.json {
        output::json(&json!({"files": reports}))
    } else {
        Ok(())
    }
}

fn told(path: &std::path::Path, report: &ImportReport) -> String {
    let lines = &report.lines;
    format!(
        "{}: {}{} lines: {} accepted, {} rejected, {} known already, {} not charged",
        path.display(),
        if report.was_done { "imported before; " } else { "" },
        lines.done,
        lines.accepted,
        lines.rejected,
        lines.duplicates,
        lines.not_charged
    )
}

/// Declares the source as the options say; one that is there stays as it is where they say nothing.
async fn declare(
    app: &App,
    context: &RequestContext,
    name: &str,
    options: &ImportCdrOptions,
) -> Result<(), Failure> {
    let format: SourceFormat = options
        .format
        .parse()
        .map_err(|error: UnknownFormat| Failure::Usage(vec![error.to_string()]))?;
    let session = app.store.read(context.scope()).await?;
    let present = usage_source::get(&session, name).await?;
    session.finish()?;
    let zone = match (&options.zone, &present) {
        (Some(zone), _) => Zone::named(zone).map_err(|error| Failure::Usage(vec![error.to_string()]))?,
        (None, Some(present)) => present.zone.clone(),
        (None, None) => {
            return Err(Failure::Usage(vec![format!(
                "the source {name} is new: --zone must say which zone its times are in, such as Europe/Warsaw"
            )]));
        }
    };
    let known = present.map(|present| present.numbers).unwrap_or_default();
    let source = UsageSource {
        name: name.to_owned(),
        format,
        zone,
        numbers: NumberPlan {
            international_prefix: options
                .international_prefix
                .clone()
                .unwrap_or(known.international_prefix),
            trunk_prefix: options.trunk_prefix.clone().unwrap_or(known.trunk_prefix),
            country_code: options.country_code.clone().unwrap_or(known.country_code),
        },
    };
    Ok(put_source(app, context, &source).await?)
}

async fn rejects(config: &Config, options: ImportRejectsOptions) -> Result<(), Failure> {
    let (app, context) = direct::app(config, &options.tenant).await?;
    if let Some(id) = options.replay {
        let outcome = recycle(
            &app,
            &context,
            &UsageImport::default(),
            id,
            options.mended.as_deref(),
        )
        .await?;
        return match outcome {
            Recycled::Accepted(usage) => {
                output::line(&usage.to_string());
                Ok(())
            }
            Recycled::Rejected(reason) => Err(Failure::refused(format!("rejected again: {reason}"))),
        };
    }
    let found = list(&app, &context, &options).await?;
    if options.replay_all {
        return replay_all(&app, &context, found).await;
    }
    show(&found, options.json)
}

async fn list(
    app: &App,
    context: &RequestContext,
    options: &ImportRejectsOptions,
) -> Result<Vec<usage_reject::UsageReject>, Failure> {
    let filter = RejectFilter {
        file: options.file.map(Into::into),
        state: Some(UsageState::Rejected),
        code: options.code.clone(),
        offset: 0,
        limit: options.limit,
        ..RejectFilter::default()
    };
    let session = app.store.read(context.scope()).await?;
    let found = usage_reject::list(&session, &filter).await?;
    session.finish()?;
    Ok(found)
}

async fn replay_all(
    app: &App,
    context: &RequestContext,
    found: Vec<usage_reject::UsageReject>,
) -> Result<(), Failure> {
    let (mut accepted, mut again) = (0, 0);
    for reject in found {
        match recycle(app, context, &UsageImport::default(), reject.id, None).await? {
            Recycled::Accepted(_) => accepted += 1,
            Recycled::Rejected(_) => again += 1,
        }
    }
    eprintln!("{accepted} accepted, {again} rejected again");
    Ok(())
}

fn show(found: &[usage_reject::UsageReject], as_json: bool) -> Result<(), Failure> {
    let place = |reject: &usage_reject::UsageReject| reject.origin.map(|origin| (origin.file, origin.line));
    let raw = |reject: &usage_reject::UsageReject| String::from_utf8_lossy(&reject.raw).into_owned();
    if as_json {
        let rejects: Vec<_> = found
            .iter()
            .map(|reject| {
                json!({
                    "id": reject.id,
                    "source": reject.source,
                    "file": place(reject).map(|(file, _)| file.to_string()),
                    "line": place(reject).map(|(_, line)| line),
                    "code": reject.code,
                    "reason": reject.reason,
                    "raw": raw(reject),
                })
            })
            .collect();
        return output::json(&json!({"rejects": rejects}));
    }
    let heading = ["ID", "LINE", "REASON", "RAW"].map(str::to_owned).to_vec();
    let rows = found.iter().map(|reject| {
        let line = place(reject)
            .map(|(_, line)| line.to_string())
            .unwrap_or_default();
        vec![reject.id.to_string(), line, reject.reason.clone(), raw(reject)]
    });
    output::table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
    Ok(())
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        if let AppError::Unavailable(cause) = &error {
            return Self::of_store(cause, format!("{error}: {cause}"));
        }
        // Whoever runs this command may read the cause that callers of the API don't see.
        let cause = std::error::Error::source(&error)
            .map(|cause| format!(": {cause}"))
            .unwrap_or_default();
        Self::Refused(format!("{error}{cause}"))
    }
}

impl From<bss_store::StoreError> for Failure {
    fn from(error: bss_store::StoreError) -> Self {
        Self::of_store(&error, &error)
    }
}
