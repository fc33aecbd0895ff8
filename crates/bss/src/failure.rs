//! How a command ends: 0 done, 1 refused or failed, 64 wrong usage.

use std::process::ExitCode;

use bss_platform::{ErrorCode, PlatformError};
use bss_store::StoreError;
use bss_telemetry::TelemetryError;

/// Why a command did not do what it was asked for. The text is written for the operator.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line or the configuration is wrong; every mistake is listed.
    #[error("{}", .0.join("\n"))]
    Usage(Vec<String>),
    /// It was refused or it failed.
    #[error("{0}")]
    Refused(String),
    /// Everything was said already.
    #[error("")]
    Silent,
}

impl Failure {
    /// A failure with a text.
    pub fn refused(text: impl Into<String>) -> Self {
        Self::Refused(text.into())
    }

    /// A failure whose code has a page in `docs/errors/`. The code is part of the text, so that it reaches whoever
    /// started the process that failed.
    pub fn coded(code: ErrorCode, text: impl std::fmt::Display) -> Self {
        Self::Refused(format!("{text} [{}]", code.name()))
    }

    /// A failure of the store.
    pub fn of_store(error: &StoreError, text: impl std::fmt::Display) -> Self {
        let code = match error {
            StoreError::NoRoom => ErrorCode::DiskReserve,
            StoreError::Pool(_) => ErrorCode::DatabaseUnreachable,
            StoreError::Schema(_) => ErrorCode::Schema,
            StoreError::Configuration(_) => ErrorCode::DatabaseUnsuitable,
            // Without a word of the server there was no server.
            StoreError::Database(error) if error.as_db_error().is_none() => ErrorCode::DatabaseUnreachable,
            StoreError::Database(_) => ErrorCode::PostgresRefused,
            _ => ErrorCode::Internal,
        };
        Self::coded(code, text)
    }
}

impl From<PlatformError> for Failure {
    fn from(error: PlatformError) -> Self {
        Self::coded(error.code(), &error)
    }
}

impl From<TelemetryError> for Failure {
    fn from(error: TelemetryError) -> Self {
        Self::Refused(error.to_string())
    }
}

const WRONG_USAGE: u8 = 64;

/// The exit code of a command, after its failure was written to standard error.
pub fn exit(done: Result<(), Failure>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Silent) => ExitCode::FAILURE,
        Err(Failure::Refused(text)) => {
            eprintln!("bss: {text}");
            ExitCode::FAILURE
        }
        Err(Failure::Usage(mistakes)) => {
            for mistake in mistakes {
                eprintln!("bss: {mistake} [{}]", ErrorCode::InvalidConfiguration.name());
            }
            ExitCode::from(WRONG_USAGE)
        }
    }
}

/// What clap has to say: help is an answer, anything else wrong usage.
pub fn of_usage(error: &clap::Error) -> ExitCode {
    // A closed pipe behind `bss help | head` is no failure of ours.
    let _ = error.print();
    if error.use_stderr() {
        ExitCode::from(WRONG_USAGE)
    } else {
        ExitCode::SUCCESS
    }
}
