//! The managed PostgreSQL on the real programs: first start, adoption, crashes, races, ports, folders.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bss_platform::process::{ProcessId, working_in};
use bss_platform::{
    BssState, PlatformError, PostgresConfig, RunningPostgres, StackLock, ensure_postgres, stop_postgres,
};

/// A data folder that is stopped and removed however the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let random = bss_platform::secrets::generate();
        let dir = std::env::temp_dir().join(format!("bss-platform-{name}-{}", &random[..12]));
        std::fs::create_dir(&dir).unwrap();
        std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self(dir)
    }

    fn config(&self) -> PostgresConfig {
        PostgresConfig {
            data_dir: self.0.join("data"),
            bin_dir: None,
            port: 0,
            auto_ports: false,
            memory_mb: Some(128),
        }
    }

    fn cluster(&self) -> PathBuf {
        self.0.join("data/postgres/cluster")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for process in working_in(&self.cluster()) {
            process.signal(nix::sys::signal::Signal::SIGKILL);
        }
        let _ = bss_platform::remove_cluster(&self.0.join("data"));
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn value(running: &RunningPostgres, sql: &str) -> String {
    let (client, connection) = tokio_postgres::connect(&running.owner_url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client.query_one(sql, &[]).await.unwrap().get(0)
}

async fn execute(running: &RunningPostgres, sql: &str) {
    let (client, connection) = tokio_postgres::connect(&running.owner_url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_is_durable_and_closed_and_the_second_adopts() {
    let folder = Folder::new("first start");
    let first = ensure_postgres(&folder.config()).await.unwrap();
    assert!(!first.adopted);
    let settings = "SELECT string_agg(current_setting(s), ',') FROM unnest(ARRAY['fsync','full_page_writes',
        'synchronous_commit','data_checksums','server_version_num']) s";
    assert!(value(&first, settings).await.starts_with("on,on,on,on,18"));
    let role = "SELECT rolsuper::text || rolcreaterole::text FROM pg_roles WHERE rolname = current_user";
    assert_eq!(value(&first, role).await, "falsetrue");

    let secrets = folder.0.join("data/secrets");
    assert_eq!(mode(&secrets), 0o700);
    assert_eq!(mode(&secrets.join("postgres-owner")), 0o600);
    let wrong = first.owner_url.replace("bss_owner:", "bss_owner:x");
    assert!(
        tokio_postgres::connect(&wrong, tokio_postgres::NoTls)
            .await
            .is_err(),
        "any password is let in"
    );

    let second = ensure_postgres(&folder.config()).await.unwrap();
    assert!(second.adopted);
    assert_eq!((second.pid, second.port), (first.pid, first.port));

    assert!(
        stop_postgres(&folder.config().data_dir, Duration::from_secs(20))
            .await
            .unwrap()
    );
    assert!(ProcessId::of(first.pid).is_none());
    assert!(
        !stop_postgres(&folder.config().data_dir, Duration::from_secs(20))
            .await
            .unwrap()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_comes_back_with_what_was_committed() {
    let folder = Folder::new("killed");
    let first = ensure_postgres(&folder.config()).await.unwrap();
    execute(
        &first,
        "CREATE TABLE kept (n text); INSERT INTO kept VALUES ('yes')",
    )
    .await;
    ProcessId::of(first.pid)
        .unwrap()
        .signal(nix::sys::signal::Signal::SIGKILL);
    let second = ensure_postgres(&folder.config()).await.unwrap();
    assert!(!second.adopted);
    assert_ne!(second.pid, first.pid);
    assert_eq!(value(&second, "SELECT n FROM kept").await, "yes");
    // A lost state file is no loss: the cluster says who runs it.
    std::fs::remove_file(folder.0.join("data/state/postgres.json")).unwrap();
    let third = ensure_postgres(&folder.config()).await.unwrap();
    assert!(third.adopted);
    assert_eq!((third.pid, third.port), (second.pid, second.port));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_starts_at_once_are_one_server() {
    let folder = Folder::new("race");
    let config = folder.config();
    let (one, other) = tokio::join!(ensure_postgres(&config), ensure_postgres(&config));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!((one.pid, one.port), (other.pid, other.port));
    assert!(one.adopted != other.adopted, "one starts, one adopts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_named_or_left_aside() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().port();
    let folder = Folder::new("port");
    let config = PostgresConfig {
        port: taken,
        ..folder.config()
    };
    match ensure_postgres(&config).await.unwrap_err() {
        PlatformError::PortInUse { port, holder } => {
            assert_eq!(
                (port, holder.pid),
                (taken, i32::try_from(std::process::id()).ok())
            );
        }
        other => panic!("{other}"),
    }
    let running = ensure_postgres(&PostgresConfig {
        auto_ports: true,
        ..config
    })
    .await
    .unwrap();
    assert!(running.port > taken);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unfinished_initdb_is_made_anew() {
    let folder = Folder::new("partial");
    std::fs::create_dir_all(folder.0.join("data/postgres/cluster.partial/base")).unwrap();
    std::fs::set_permissions(
        folder.0.join("data/postgres"),
        std::fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    let running = ensure_postgres(&folder.config()).await.unwrap();
    assert_eq!(value(&running, "SELECT current_database()::text").await, "bss");
}

#[tokio::test(flavor = "multi_thread")]
async fn test_databases_are_separate_and_owned() {
    let server = bss_platform::testing::test_server().await;
    let (one, other) = (server.database().await, server.database().await);
    assert_ne!(one, other);
    let (client, connection) = tokio_postgres::connect(&one, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client.batch_execute("CREATE TABLE mine (n int)").await.unwrap();
    let (client, connection) = tokio_postgres::connect(&other, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    assert!(client.batch_execute("SELECT FROM mine").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_needs_a_role_that_reads_all_and_fills_empty_databases_alone() {
    let server = bss_platform::testing::test_server().await;
    let (full, empty) = (server.database().await, server.database().await);
    let (client, connection) = tokio_postgres::connect(&full, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let filled = "CREATE TABLE kept (n text); INSERT INTO kept VALUES ('yes');
        ALTER TABLE kept ENABLE ROW LEVEL SECURITY; ALTER TABLE kept FORCE ROW LEVEL SECURITY";
    client.batch_execute(filled).await.unwrap();
    let superuser = |url: &str| server.superuser_url(url.rsplit('/').next().unwrap());
    let tools = |url: String| bss_platform::DatabaseTools::of_url(&url, None).unwrap();
    let (as_owner, as_superuser) = (tools(full.clone()), tools(superuser(&full)));
    let target = tools(superuser(&empty));
    let dump = tokio::task::spawn_blocking(move || {
        let refused = as_owner.dump(&mut Vec::new()).unwrap_err().to_string();
        assert!(refused.contains("ALTER ROLE bss_owner BYPASSRLS"), "{refused}");
        let mut dump = Vec::new();
        as_superuser.dump(&mut dump).unwrap();
        assert!(matches!(
            as_superuser.restore(&mut dump.as_slice()),
            Err(PlatformError::Occupied(_))
        ));
        assert!(!target.is_occupied().unwrap());
        // Half a dump leaves nothing.
        target.restore(&mut &dump[..dump.len() / 2]).unwrap_err();
        assert!(!target.is_occupied().unwrap());
        target.restore(&mut dump.as_slice()).unwrap();
    });
    dump.await.unwrap();
    let (client, connection) = tokio_postgres::connect(&superuser(&empty), tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let kept: String = client.query_one("SELECT n FROM kept", &[]).await.unwrap().get(0);
    assert_eq!(kept, "yes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_below_a_closed_one_works_for_root_too() {
    let folder = Folder::new("closed");
    std::fs::set_permissions(&folder.0, std::fs::Permissions::from_mode(0o700)).unwrap();
    let running = ensure_postgres(&folder.config()).await.unwrap();
    assert_eq!(value(&running, "SELECT current_database()::text").await, "bss");
    let home = folder.0.join("data/postgres").canonicalize().unwrap();
    assert_eq!(mode(&folder.0), 0o700, "nobody else's folder is opened");
    // As root the cluster lies elsewhere; as an ordinary user it is our own and in place.
    assert_eq!(home.starts_with("/var/lib/bss"), nix::unistd::geteuid().is_root());
    assert!(
        stop_postgres(&folder.config().data_dir, Duration::from_secs(20))
            .await
            .unwrap()
    );
    bss_platform::remove_cluster(&folder.config().data_dir).unwrap();
    assert!(!home.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn leftovers_of_a_killed_postmaster_are_reaped_and_a_shell_in_the_folder_is_not() {
    let folder = Folder::new("leftovers");
    let first = ensure_postgres(&folder.config()).await.unwrap();
    let mut shell = std::process::Command::new("sleep")
        .arg("60")
        .current_dir(folder.cluster())
        .spawn()
        .unwrap();
    // Stopped children can't notice that their postmaster is dead, and hold its shared memory. A backend that has just
    // ended can't be stopped, and is none of them.
    let children: Vec<ProcessId> = working_in(&folder.cluster())
        .into_iter()
        .filter(|process| process.pid != first.pid && process.pid != i32::try_from(shell.id()).unwrap())
        .filter(|process| process.signal(nix::sys::signal::Signal::SIGSTOP))
        .collect();
    assert!(!children.is_empty());
    ProcessId::of(first.pid)
        .unwrap()
        .signal(nix::sys::signal::Signal::SIGKILL);
    let second = ensure_postgres(&folder.config()).await;
    let spared = shell.try_wait().unwrap().is_none();
    shell.kill().unwrap();
    shell.wait().unwrap();
    assert_ne!(second.unwrap().pid, first.pid);
    assert!(spared, "the operator's shell was killed");
    assert!(children.iter().all(|child| !child.is_alive()));
}

#[tokio::test]
async fn one_stack_runs_per_folder_and_says_so() {
    let folder = Folder::new("lock");
    let held = StackLock::try_acquire(&folder.0).unwrap().unwrap();
    assert!(StackLock::try_acquire(&folder.0).unwrap().is_none());
    let waiting = StackLock::acquire(&folder.0);
    tokio::pin!(waiting);
    assert!(
        tokio::time::timeout(Duration::from_millis(100), &mut waiting)
            .await
            .is_err()
    );
    drop(held);
    tokio::time::timeout(Duration::from_secs(10), waiting)
        .await
        .unwrap()
        .unwrap();

    let state = BssState {
        process: ProcessId::current().unwrap(),
        version: "0.1.0".to_owned(),
        listeners: [("gateway".to_owned(), "127.0.0.1:8000".to_owned())].into(),
        started_at_ms: 1,
    };
    bss_platform::write_state(&folder.0, &state).unwrap();
    assert_eq!(bss_platform::read_state(&folder.0), Some(state.clone()));
    let ended = ProcessId {
        start_ticks: 1,
        ..state.process.clone()
    };
    bss_platform::write_state(
        &folder.0,
        &BssState {
            process: ended,
            ..state
        },
    )
    .unwrap();
    assert_eq!(
        bss_platform::read_state(&folder.0),
        None,
        "a dead process is not running"
    );
}

/// Run as a process of its own by the test below; by itself it only starts the server.
#[tokio::test(flavor = "multi_thread")]
async fn test_server_starts() {
    // A server given from outside is not this process's, and stays.
    if std::env::var_os("BSS_TEST_KILLED_CHILD").is_some() {
        bss_platform::testing::test_server().await;
        std::future::pending::<()>().await;
    }
}

#[test]
fn the_test_server_ends_with_its_process_at_any_moment() {
    let me = std::env::current_exe().unwrap();
    let folder = Folder::new("watchdog");
    std::fs::set_permissions(&folder.0, std::fs::Permissions::from_mode(0o1777)).unwrap();
    // From the first file of the cluster to the running server.
    for moment in [
        "data/PG_VERSION",
        "data/postgresql.auto.conf",
        "data/postmaster.opts",
    ] {
        let mut child = std::process::Command::new(&me)
            .args(["--exact", "test_server_starts"])
            .env("BSS_TEST_KILLED_CHILD", "1")
            .env("TMPDIR", &folder.0)
            .env_remove(bss_platform::testing::SERVER_URL_VARIABLE)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let left = || {
            std::fs::read_dir(&folder.0)
                .unwrap()
                .flatten()
                .map(|entry| entry.path())
                .next()
        };
        until(&format!("{moment} appears"), || {
            left().is_some_and(|dir| dir.join(moment).exists())
        });
        let cluster = left().unwrap().join("data");
        child.kill().unwrap();
        child.wait().unwrap();
        until("the folder is gone", || left().is_none());
        assert!(working_in(&cluster).is_empty());
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
