//! The codes of what operators read: each has a page in `docs/errors/`.

macro_rules! codes {
    ($($(#[$meaning:meta])* $name:ident = $text:literal,)*) => {
        /// A code of an error that an operator reads.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ErrorCode {
            $($(#[$meaning])* $name,)*
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code's text, the name of its page.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

codes! {
    /// A backup is cut off, altered, or opens with another passphrase.
    BackupDamaged = "backup-damaged",
    /// A backup would overwrite a file.
    BackupExists = "backup-exists",
    /// A dump's role doesn't see every row.
    BackupNeedsBypassrls = "backup-needs-bypassrls",
    /// A committed file of the catalogue is wrong.
    Catalogue = "catalogue",
    /// No connection to the database was to be had.
    DatabaseUnreachable = "database-unreachable",
    /// The database is too old, or its role lacks a right.
    DatabaseUnsuitable = "database-unsuitable",
    /// Nothing is written until the disk has room.
    DiskReserve = "disk-reserve",
    /// The operating system refused a file.
    FileAccess = "file-access",
    /// The database's user can't reach its folder.
    FolderClosed = "folder-closed",
    /// A mistake of ours.
    Internal = "internal",
    /// The configuration or the command line is wrong.
    InvalidConfiguration = "invalid-configuration",
    /// There is no unprivileged user to run the database as.
    NoDatabaseUser = "no-database-user",
    /// No port is free near the wanted one.
    NoFreePort = "no-free-port",
    /// The stack isn't ready in time.
    NotReady = "not-ready",
    /// A passphrase is missing or too short.
    Passphrase = "passphrase",
    /// A port is taken.
    PortInUse = "port-in-use",
    /// PostgreSQL did not come up or go down in time.
    PostgresNotReady = "postgres-not-ready",
    /// PostgreSQL's programs are missing.
    PostgresProgramsMissing = "postgres-programs-missing",
    /// PostgreSQL refused a statement.
    PostgresRefused = "postgres-refused",
    /// The data are of another major version.
    PostgresVersion = "postgres-version",
    /// A program ended with a failure.
    ProgramFailed = "program-failed",
    /// A program can't be run.
    ProgramMissing = "program-missing",
    /// A restore was cut off.
    RestoreCutOff = "restore-cut-off",
    /// A restore's target isn't empty.
    RestoreTargetOccupied = "restore-target-occupied",
    /// The schema is of another version.
    Schema = "schema",
    /// A database's secret is missing.
    SecretMissing = "secret-missing",
    /// Another process serves the data folder.
    StackElsewhere = "stack-elsewhere",
    /// The stack doesn't run.
    StackNotRunning = "stack-not-running",
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn pages() -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
        std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|kind| kind == "md"))
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .filter(|name| name != "README")
            .collect()
    }

    #[test]
    fn every_code_has_a_page_and_every_page_a_code() {
        let codes: BTreeSet<String> = ErrorCode::ALL.iter().map(|code| code.name().to_owned()).collect();
        assert_eq!(codes.len(), ErrorCode::ALL.len(), "two codes of one name");
        assert_eq!(codes, pages());
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
        let list = std::fs::read_to_string(folder.join("README.md")).unwrap();
        for code in codes {
            let page = std::fs::read_to_string(folder.join(format!("{code}.md"))).unwrap();
            assert!(page.starts_with(&format!("# {code}: ")), "{code}'s heading");
            for part in ["## What it means", "## What to do"] {
                assert!(page.contains(part), "{part} is missing in {code}");
            }
            assert!(list.contains(&format!("({code}.md)")), "{code} isn't in the list");
        }
    }
}
