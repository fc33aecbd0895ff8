//! A throw-away PostgreSQL for tests: one per test process, or the one that `BSS_TEST_DATABASE_SERVER_URL` names.
//!
//! Not durable, no password, in a temporary folder of its own. A watchdog shell is the server's parent: it waits
//! on a pipe that the test process holds, so that the server ends with that process, however it ends.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::process::{ChildStdin, Command};
use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};

use crate::catalogue;
use crate::install::{find_bin_dir, reachable_bin_dir};
use crate::ports;
use crate::privileges;
use crate::process::ProcessId;

/// The variable that names a running server: a superuser's URL without a database.
pub const SERVER_URL_VARIABLE: &str = "BSS_TEST_DATABASE_SERVER_URL";

/// The owner role of every test database; like the product's, no superuser.
const OWNER: &str = "bss_owner";

/// Databases of ended processes are dropped once there are so many.
const DEAD_DATABASES_KEPT: usize = 24;

/// The watchdog: makes and runs the server, waits for the end of its standard input, and removes everything.
const WATCHDOG: &str = r#"
cd "$2" || exit 1
"$1/initdb" -D "$2/data" -U postgres -A trust -E UTF8 --no-sync --locale-provider=builtin \
  --builtin-locale=C.UTF-8 --locale=C >"$2/log" 2>&1 </dev/null
"$1/postgres" -D "$2/data" -p "$3" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
  -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300 \
  -c shared_buffers=128MB -c max_wal_size=2GB -c autovacuum_naptime=10s -c jit=off -c timezone=UTC \
  >>"$2/log" 2>&1 </dev/null &
server=$!
read -r _
# A shell's background programs ignore SIGQUIT until they say otherwise: SIGTERM ends a server that just starts,
# SIGQUIT one that still has clients.
kill -TERM "$server" 2>/dev/null
kill -QUIT "$server" 2>/dev/null
wait "$server"
cd /
rm -rf "$2"
"#;

/// A PostgreSQL server for tests.
#[derive(Debug)]
pub struct TestPostgres {
    /// The superuser's URL without a database.
    server_url: String,
    /// Its end is what the watchdog waits for.
    _alive: Option<ChildStdin>,
}

static SERVER: OnceCell<TestPostgres> = OnceCell::const_new();
static NEXT_DATABASE: AtomicU32 = AtomicU32::new(0);

/// The server of this test process, started at the first call.
///
/// # Panics
/// If there is no server to be had: a test has no use for an error here.
pub async fn test_server() -> &'static TestPostgres {
    SERVER
        .get_or_init(|| async {
            let server = match std::env::var(SERVER_URL_VARIABLE) {
                Ok(url) if !url.is_empty() => TestPostgres {
                    server_url: url,
                    _alive: None,
                },
                _ => start().await,
            };
            server.ensure_owner().await;
            server
        })
        .await
}

impl TestPostgres {
    /// Creates a database of its own for one test and gives its owner's URL. The owner is no superuser.
    pub async fn database(&self) -> String {
        let client = self.connect("postgres").await;
        self.drop_dead(&client).await;
        let me = ProcessId::current().expect("/proc has this process");
        let number = NEXT_DATABASE.fetch_add(1, Ordering::Relaxed);
        let name = format!("t_{}_{}_{number}", me.pid, me.start_ticks);
        // Two processes copying the template at once, or one that just looked at it, are told to wait.
        let deadline = Instant::now() + Duration::from_secs(30);
        while let Err(error) = client
            .batch_execute(&format!("CREATE DATABASE {name} OWNER {OWNER}"))
            .await
        {
            let busy = error.code() == Some(&tokio_postgres::error::SqlState::OBJECT_IN_USE);
            assert!(
                busy && Instant::now() < deadline,
                "cannot create {name}: {error:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let inside = self.connect(&name).await;
        // What the managed server's first start does, too: PostgreSQL 15 and newer close `public`.
        inside
            .batch_execute(&format!("ALTER SCHEMA public OWNER TO {OWNER}"))
            .await
            .expect("own schema public");
        self.url_of(OWNER, Some(OWNER), &name)
    }

    /// The superuser's URL of a database, for what an owner may not do.
    pub fn superuser_url(&self, database: &str) -> String {
        format!("{}/{database}", self.server_url.trim_end_matches('/'))
    }

    fn url_of(&self, user: &str, password: Option<&str>, database: &str) -> String {
        let (_, rest) = self.server_url.split_once("://").expect("a URL");
        let address = rest.rsplit('@').next().unwrap_or(rest).trim_end_matches('/');
        let password = password.map(|text| format!(":{text}")).unwrap_or_default();
        format!("postgres://{user}{password}@{address}/{database}")
    }

    async fn connect(&self, database: &str) -> Client {
        connect(&self.superuser_url(database))
            .await
            .expect("the test server answers")
    }

    async fn ensure_owner(&self) {
        let client = self.connect("postgres").await;
        // Tests of several processes meet here: the lock makes the second one see the first one's role.
        let sql = format!(
            "BEGIN; SELECT pg_advisory_xact_lock(20481115);
             DO $$ BEGIN
               IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{OWNER}') THEN
                 CREATE ROLE {OWNER} LOGIN CREATEROLE PASSWORD '{OWNER}';
               END IF;
             END $$; COMMIT"
        );
        client.batch_execute(&sql).await.expect("create the owner role");
    }

    async fn drop_dead(&self, client: &Client) {
        let rows = client
            .query(
                "SELECT datname FROM pg_database WHERE datname LIKE 't\\_%\\_%'",
                &[],
            )
            .await
            .expect("list databases");
        let dead: Vec<String> = rows
            .iter()
            .map(|row| row.get::<_, String>(0))
            .filter(|name| !creator_lives(name))
            .collect();
        if dead.len() <= DEAD_DATABASES_KEPT {
            return;
        }
        for name in dead {
            // Another process may drop the same one.
            let _ = client
                .batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                .await;
        }
    }
}

fn creator_lives(database: &str) -> bool {
    let mut parts = database.split('_').skip(1);
    let pid = parts.next().and_then(|text| text.parse().ok());
    let ticks = parts.next().and_then(|text| text.parse().ok());
    pid.and_then(ProcessId::of)
        .is_some_and(|process| Some(process.start_ticks) == ticks)
}

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn start() -> TestPostgres {
    let service = catalogue::postgres().expect("catalogue");
    let user = privileges::run_as(&service.run.user).expect("an unprivileged user");
    let found = find_bin_dir(None).expect("PostgreSQL's programs");
    let bin = reachable_bin_dir(&found, &service, user.as_ref()).expect("reachable programs");
    let dir = temporary_folder();
    privileges::give(&dir, user.as_ref()).expect("give the folder away");
    let port = ports::choose(0, false).expect("a free port");
    let mut watchdog = Command::new("sh");
    watchdog
        .arg("-c")
        .arg(WATCHDOG)
        .arg("test-postgres")
        .arg(&bin)
        .arg(&dir)
        .arg(port.to_string());
    privileges::apply(&mut watchdog, user.as_ref());
    // Its own group: the signal that ends the tests must not end the one who cleans up.
    watchdog
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = watchdog.spawn().expect("start the watchdog");
    let alive = child.stdin.take();
    let server_url = format!("postgres://postgres@127.0.0.1:{port}");
    let deadline = Instant::now() + Duration::from_mins(1);
    while let Err(error) = connect(&format!("{server_url}/postgres")).await {
        let log = std::fs::read_to_string(dir.join("log")).unwrap_or_default();
        assert!(
            Instant::now() < deadline,
            "the test server doesn't answer: {error}; its log: {log}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    TestPostgres {
        server_url,
        _alive: alive,
    }
}

fn temporary_folder() -> PathBuf {
    let name = format!("bss-test-{}-{}", std::process::id(), crate::secrets::generate());
    let dir = std::env::temp_dir().join(&name[..name.len().min(40)]);
    std::fs::create_dir(&dir).expect("create a temporary folder");
    dir
}
