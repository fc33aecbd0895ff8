//! PostgreSQL's own tools on a database: a dump of one snapshot, and a restore into an empty database.
//!
//! A dump holds one transaction's view, so that whatever committed together stands in it together: the log's heads,
//! its events and the positions of its groups.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tokio_postgres::config::Host;

use crate::catalogue;
use crate::error::PlatformError;
use crate::install::find_bin_dir;
use crate::postgres::{postgres_status, running_superuser_url};

/// The dump's grants name these roles, so they stand before it is restored. Their passwords are set when the
/// product starts.
const GRANTEES: [&str; 2] = ["bss_app", "bss_worker"];

/// Whatever isn't PostgreSQL's own or an extension's.
const OCCUPANTS: &str = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')";

/// PostgreSQL's tools, speaking to one database as one role.
#[derive(Debug, Clone)]
pub struct DatabaseTools {
    bin_dir: PathBuf,
    /// libpq's variables: arguments are seen by every user of the machine, and one of these is a password.
    connection: Vec<(&'static str, String)>,
    role: String,
    /// The owner of what is restored; none: the role itself.
    owner: Option<String>,
    /// What is said to `pg_dump` beside the format.
    dump_words: &'static [&'static str],
}

/// The extension is for whoever made the managed database to install, and no data of ours.
const WITHOUT_EXTENSION: &[&str] = &["--exclude-extension=pg_stat_statements"];

impl DatabaseTools {
    /// On the database of the data folder's running PostgreSQL, as its superuser.
    ///
    /// # Errors
    /// It doesn't run.
    pub fn managed(data_dir: &Path) -> Result<Self, PlatformError> {
        let run = catalogue::postgres()?.run;
        let running =
            postgres_status(data_dir).ok_or_else(|| PlatformError::NotRunning(data_dir.to_path_buf()))?;
        let url = running_superuser_url(data_dir, running.port)?;
        let tools = Self::new(running.bin_dir, &url, Some(run.owner))?;
        Ok(Self {
            dump_words: WITHOUT_EXTENSION,
            ..tools
        })
    }

    /// On the database of a URL, as its role, with the programs of a folder (none: where they are usually found).
    pub fn of_url(url: &str, bin_dir: Option<&Path>) -> Result<Self, PlatformError> {
        Self::new(find_bin_dir(bin_dir)?, url, None)
    }

    fn new(bin_dir: PathBuf, url: &str, owner: Option<String>) -> Result<Self, PlatformError> {
        let config: tokio_postgres::Config = url.parse()?;
        let mut connection = Vec::new();
        match config.get_hosts().first() {
            Some(Host::Tcp(host)) => connection.push(("PGHOST", host.clone())),
            Some(Host::Unix(path)) => connection.push(("PGHOST", path.display().to_string())),
            None => {}
        }
        if let Some(port) = config.get_ports().first() {
            connection.push(("PGPORT", port.to_string()));
        }
        if let Some(password) = config.get_password() {
            connection.push(("PGPASSWORD", String::from_utf8_lossy(password).into_owned()));
        }
        let role = config.get_user().unwrap_or_default().to_owned();
        connection.push(("PGUSER", role.clone()));
        connection.push(("PGDATABASE", config.get_dbname().unwrap_or(&role).to_owned()));
        Ok(Self {
            bin_dir,
            connection,
            role,
            owner,
            dump_words: &[],
        })
    }

    /// Writes a dump in PostgreSQL's custom format. Writers go on meanwhile.
    ///
    /// # Errors
    /// The role may not read past row-level security; the dump failed; it could not be written.
    pub fn dump(&self, out: &mut impl Write) -> Result<(), PlatformError> {
        let reads_all = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user";
        if self.ask(reads_all)? != "t" {
            return Err(PlatformError::RowSecurity {
                role: self.role.clone(),
            });
        }
        let mut words = vec!["--format=custom", "--compress=3"];
        words.extend(self.dump_words);
        let mut dump = self.start("pg_dump", &words, Stdio::null())?;
        let copied = match dump.stdout.take() {
            Some(mut stdout) => std::io::copy(&mut stdout, out).map(drop),
            None => Ok(()),
        };
        if copied.is_err() {
            // It would wait for a reader for ever.
            let _ = dump.kill();
        }
        let ended = finish("pg_dump", dump);
        copied.map_err(PlatformError::io("write", Path::new("the dump")))?;
        ended.map(drop)
    }

    /// Whether the database holds anything.
    pub fn is_occupied(&self) -> Result<bool, PlatformError> {
        Ok(self.ask(OCCUPANTS)? != "0")
    }

    /// Fills an empty database from a dump, in one transaction: wholly, or not at all.
    ///
    /// # Errors
    /// The database isn't empty; the role may not make the product's roles; the dump is damaged.
    pub fn restore(&self, dump: &mut impl Read) -> Result<(), PlatformError> {
        if self.is_occupied()? {
            return Err(PlatformError::Occupied(self.place()));
        }
        self.ask(&self.roles())?;
        let mut words = vec!["--exit-on-error", "--single-transaction"];
        if self.owner.is_none() {
            words.push("--no-owner");
        }
        let database = self.value("PGDATABASE");
        words.extend(["--dbname", &database]);
        let mut restore = self.start("pg_restore", &words, Stdio::piped())?;
        let copied = match restore.stdin.take() {
            Some(mut stdin) => std::io::copy(dump, &mut stdin).map(drop),
            None => Ok(()),
        };
        // Where it gave up it closed the pipe: its own words say more than ours.
        finish("pg_restore", restore)?;
        copied.map_err(PlatformError::io("read", Path::new("the dump")))
    }

    /// Makes the roles where they are missing, and lets the owner set their passwords.
    fn roles(&self) -> String {
        let make = GRANTEES.map(|role| {
            format!(
                "IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
                    CREATE ROLE {role} LOGIN NOBYPASSRLS;
                 END IF;"
            )
        });
        let grant = self.owner.as_ref().map_or_else(String::new, |owner| {
            format!("GRANT {} TO {owner} WITH ADMIN OPTION;", GRANTEES.join(", "))
        });
        format!("DO $$ BEGIN {} {grant} END $$", make.concat())
    }

    /// `host:port/database`, for people.
    fn place(&self) -> String {
        format!(
            "{}:{}/{}",
            self.value("PGHOST"),
            self.value("PGPORT"),
            self.value("PGDATABASE")
        )
    }

    fn value(&self, name: &str) -> String {
        self.connection
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    }

    /// The one value of a query.
    fn ask(&self, sql: &str) -> Result<String, PlatformError> {
        let words = [
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--set=ON_ERROR_STOP=1",
            "--command",
            sql,
        ];
        let answer = finish("psql", self.start("psql", &words, Stdio::null())?)?;
        Ok(answer.trim().to_owned())
    }

    fn start(&self, name: &str, words: &[&str], stdin: Stdio) -> Result<Child, PlatformError> {
        let program = self.bin_dir.join(name);
        Command::new(&program)
            .args(words)
            .arg("--no-password")
            .envs(self.connection.iter().cloned())
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| PlatformError::Spawn { program, source })
    }
}

/// Waits for a program's end and gives what it wrote.
fn finish(name: &str, child: Child) -> Result<String, PlatformError> {
    let output = child
        .wait_with_output()
        .map_err(PlatformError::io("wait for", Path::new(name)))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    Err(PlatformError::Program {
        program: name.to_owned(),
        output: lines[lines.len().saturating_sub(3)..].join(" | "),
    })
}
