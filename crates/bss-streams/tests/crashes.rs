//! Workers are killed and stopped at random moments, and every event has its effect once.

mod support;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bss_events::{EventLog, Record, Topic, admit};
use bss_store::{Store, StoreConfig, UnitOfWork};
use bss_streams::runtime::{Application, ProcessError, Runtime, RuntimeConfig};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use support::{event, fresh_store, scope, tenant};
use tokio_util::sync::CancellationToken;

const URL: &str = "BSS_TEST_CRASH_URL";
const EVENTS: u64 = 6_000;
const KILLS: u32 = 8;

struct Copier;

fn number_of(record: &Record) -> u64 {
    record.event.data.value()["number"].as_u64().unwrap()
}

#[async_trait]
impl Application for Copier {
    fn group(&self) -> &'static str {
        "copier"
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::Order]
    }

    fn batch(&self) -> usize {
        2
    }

    async fn process(&self, work: &mut UnitOfWork, records: &[Record]) -> Result<(), ProcessError> {
        for record in records {
            let mut copy = event(Topic::Audit, record.event.tenant, 0, number_of(record));
            copy.slot = bss_domain::Slot::of(record.event.key);
            copy.event.key = record.event.key;
            work.emit(copy);
        }
        Ok(())
    }
}

/// What the children do: this test is run by the other one alone.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a child of the crash test"]
async fn worker() {
    let Ok(url) = std::env::var(URL) else { return };
    let store = Store::connect(&StoreConfig::new(url)).await.unwrap();
    let config = RuntimeConfig {
        lease: Duration::from_secs(1),
        tend: Duration::from_millis(100),
        ..RuntimeConfig::default()
    };
    let runtime = Runtime::new(store, config);
    runtime
        .run(std::sync::Arc::new(Copier), CancellationToken::new())
        .await
        .unwrap();
}

fn spawn(url: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "worker", "--ignored"])
        .env(URL, url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args(["-s", name, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

async fn heads(store: &Store, topic: Topic) -> i64 {
    store
        .log()
        .extents(&[topic])
        .await
        .unwrap()
        .iter()
        .map(|extent| extent.head)
        .sum()
}

async fn append_all(store: Store) {
    for first in (0..EVENTS).step_by(20) {
        let mut work = store.begin(scope(1)).await.unwrap();
        for number in first..first + 20 {
            work.emit(event(Topic::Order, tenant(1), number % 53, number));
        }
        work.commit().await.unwrap();
    }
}

async fn until(what: &str, store: &Store, copied: i64) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while heads(store, Topic::Audit).await < copied {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_and_stopped_workers_lose_nothing_and_repeat_nothing() {
    let (url, store) = fresh_store().await;
    let mut random = StdRng::seed_from_u64(20_261_125);
    let writer = tokio::spawn(append_all(store.clone()));
    let mut sleeper = spawn(&url);
    for round in 1..=KILLS {
        let mut child = spawn(&url);
        // A random point between joining and catching up.
        until(
            "some progress",
            &store,
            i64::from(round) * (EVENTS as i64) / i64::from(KILLS + 2),
        )
        .await;
        tokio::time::sleep(Duration::from_millis(random.random_range(0..200))).await;
        child.kill().unwrap();
        child.wait().unwrap();
        // The other one sleeps through its leases now and then, and wakes up in the middle of what it did.
        signal(&sleeper, if round % 2 == 0 { "CONT" } else { "STOP" });
    }
    writer.await.unwrap();
    signal(&sleeper, "CONT");
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
    let mut last = spawn(&url);
    until("all are copied", &store, EVENTS as i64).await;
    last.kill().unwrap();
    last.wait().unwrap();

    let mut seen = vec![0; EVENTS as usize];
    for extent in store.log().extents(&[Topic::Audit]).await.unwrap() {
        let read = store
            .log()
            .read(Topic::Audit, extent.partition, 0, 1_000_000)
            .await
            .unwrap();
        let mut of_key = std::collections::HashMap::new();
        for record in admit(0, read).unwrap() {
            seen[number_of(&record) as usize] += 1;
            let before = of_key.insert(record.event.key, number_of(&record));
            assert!(before < Some(number_of(&record)), "key out of order");
        }
    }
    assert!(
        seen.iter().all(|times| *times == 1),
        "{EVENTS} events have one effect each"
    );
}
