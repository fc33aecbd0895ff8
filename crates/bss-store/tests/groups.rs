//! Consumer groups on a real server: fencing, retention, and a backup that is consumed on.

mod support;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bss_events::{EventLog, Record, Topic, admit};
use bss_platform::testing::{TestPostgres, test_server};
use bss_store::event_log::group::{self, Lease, Membership};
use bss_store::event_log::retention::maintain;
use bss_store::{Advance, Store, StoreConfig, StoreError};
use support::{event, fresh_store, scope, tenant};
use tokio_postgres::{Client, NoTls};

fn member(worker: &str, lease: Duration) -> Membership {
    Membership {
        group: "copier".to_owned(),
        topics: vec![Topic::Order],
        worker: worker.to_owned(),
        lease,
    }
}

/// Tends until the worker holds the partition.
async fn hold(store: &Store, member: &Membership, partition: u16) -> Lease {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let tended = group::tend(store, member).await.unwrap();
        if let Some(lease) = tended.leases.iter().find(|lease| lease.partition == partition) {
            return *lease;
        }
        assert!(Instant::now() < deadline, "{} never got it", member.worker);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn append(store: &Store, key: u64, number: u64) -> u16 {
    let mut work = store.begin(scope(1)).await.unwrap();
    work.emit(event(Topic::Order, tenant(1), key, number));
    let partition = work.noted()[0].slot.partition(bss_events::PARTITIONS);
    work.commit().await.unwrap();
    partition
}

fn step(lease: Lease, from: i64, to: i64) -> Advance {
    Advance {
        group: "copier".to_owned(),
        topic: Topic::Order,
        partition: lease.partition,
        epoch: lease.epoch,
        from,
        to,
    }
}

async fn position(store: &Store, partition: u16) -> i64 {
    let all = group::positions(store, "copier", &[Topic::Order], &[partition])
        .await
        .unwrap();
    all[0].position
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_worker_whose_lease_was_taken_cannot_commit() {
    let (_, store) = fresh_store().await;
    let partition = append(&store, 1, 1).await;
    let paused = member("paused", Duration::from_millis(200));
    group::join(&store, &paused).await.unwrap();
    let old = hold(&store, &paused, partition).await;
    let mut work = store.begin_work(scope(1)).await.unwrap();
    work.emit(event(Topic::Audit, tenant(1), 1, 1));

    // It sleeps on; nobody renews its leases.
    let other = member("other", Duration::from_mins(1));
    let new = hold(&store, &other, partition).await;
    assert!(new.epoch > old.epoch);
    let outcome = work.commit_at(&[step(old, 0, 1)]).await;
    assert!(matches!(outcome, Err(StoreError::Fenced(_))), "{outcome:?}");
    assert_eq!(position(&store, partition).await, 0);

    let mut work = store.begin_work(scope(1)).await.unwrap();
    work.emit(event(Topic::Audit, tenant(1), 1, 2));
    work.commit_at(&[step(new, 0, 1)]).await.unwrap();
    assert_eq!(position(&store, partition).await, 1);
    // The same step again, as after an answer that got lost.
    let work = store.begin_work(scope(1)).await.unwrap();
    let outcome = work.commit_at(&[step(new, 0, 1)]).await;
    assert!(matches!(outcome, Err(StoreError::Fenced(_))), "{outcome:?}");
    let audit: i64 = store
        .log()
        .extents(&[Topic::Audit])
        .await
        .unwrap()
        .iter()
        .map(|extent| extent.head)
        .sum();
    assert_eq!(audit, 1, "one effect is committed");
}

async fn superuser(url: &str) -> Client {
    let database = url.rsplit('/').next().unwrap();
    let url = test_server().await.superuser_url(database);
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_drops_what_is_old_and_consumed_by_every_group() {
    let (url, store) = fresh_store().await;
    let reader = member("reader", Duration::from_mins(1));
    group::join(&store, &reader).await.unwrap();
    let partition = append(&store, 1, 1).await;
    append(&store, 1, 2).await;
    let today = maintain(&store, 5).await.unwrap();
    assert!(today.opened.is_empty() && today.dropped.is_empty(), "{today:?}");

    // Ten days pass for what is there: it falls into the default partition, from where it is moved to its day's.
    let server = superuser(&url).await;
    server
        .batch_execute("UPDATE log_event SET recorded_on = recorded_on - 10")
        .await
        .unwrap();
    append(&store, 1, 3).await;
    let waits = maintain(&store, 5).await.unwrap();
    assert_eq!(
        (waits.opened.len(), waits.unconsumed.len(), waits.dropped.len()),
        (1, 1, 0),
        "{waits:?}"
    );
    let left: i64 = server
        .query_one("SELECT count(*) FROM log_event_default", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(left, 0);
    assert_eq!(
        store
            .log()
            .read(Topic::Order, partition, 0, 10)
            .await
            .unwrap()
            .len(),
        3
    );

    let lease = hold(&store, &reader, partition).await;
    let work = store.begin_work(scope(1)).await.unwrap();
    work.commit_at(&[step(lease, 0, 2)]).await.unwrap();
    let gone = maintain(&store, 5).await.unwrap();
    assert_eq!(
        (gone.unconsumed.len(), gone.dropped),
        (0, waits.unconsumed),
        "consumed, so dropped"
    );

    let kept = store.log().read(Topic::Order, partition, 2, 10).await.unwrap();
    assert_eq!(kept.iter().map(|record| record.position).collect::<Vec<_>>(), [3]);
    // Whoever still stood before it is told of the loss.
    let lost = admit(0, store.log().read(Topic::Order, partition, 0, 10).await.unwrap());
    assert!(lost.is_err(), "{lost:?}");
    // A new group begins with the oldest event kept.
    let late = Membership {
        group: "late".to_owned(),
        ..reader
    };
    group::join(&store, &late).await.unwrap();
    let begins = group::positions(&store, "late", &[Topic::Order], &[partition])
        .await
        .unwrap();
    assert_eq!(begins[0].position, 2);
}

/// Copies orders to audit, batch by batch, until it is told to stop and has caught up.
async fn copy_all(store: &Store, worker: &str, stop: &AtomicBool) {
    let member = member(worker, Duration::from_millis(500));
    group::join(store, &member).await.unwrap();
    let log = store.log();
    loop {
        let last_round = stop.load(Ordering::SeqCst);
        let held = group::tend(store, &member).await.unwrap().leases;
        let extents = log.extents(&[Topic::Order]).await.unwrap();
        let mut caught_up = held.len() == 64;
        for lease in held {
            let head = extents
                .iter()
                .find(|extent| extent.partition == lease.partition)
                .unwrap()
                .head;
            let from = position(store, lease.partition).await;
            if head > from {
                caught_up = false;
                copy_batch(store, lease, from).await;
            }
        }
        if last_round && caught_up {
            return;
        }
    }
}

async fn copy_batch(store: &Store, lease: Lease, from: i64) {
    let read = store
        .log()
        .read(Topic::Order, lease.partition, from, 7)
        .await
        .unwrap();
    let records = admit(from, read).unwrap();
    let mut work = store.begin_work(scope(1)).await.unwrap();
    for record in &records {
        work.emit(event(Topic::Audit, tenant(1), 0, number_of(record)));
    }
    let to = records.last().unwrap().position;
    work.commit_at(&[step(lease, from, to)]).await.unwrap();
}

fn number_of(record: &Record) -> u64 {
    record.event.data.value()["number"].as_u64().unwrap()
}

async fn numbers(store: &Store, topic: Topic) -> BTreeMap<u64, usize> {
    let mut all = BTreeMap::new();
    for extent in store.log().extents(&[topic]).await.unwrap() {
        let read = store
            .log()
            .read(topic, extent.partition, 0, 1_000_000)
            .await
            .unwrap();
        let records = admit(0, read).unwrap();
        assert_eq!(
            records.len() as i64,
            extent.head,
            "a hole in {topic} {}",
            extent.partition
        );
        for record in &records {
            *all.entry(number_of(record)).or_insert(0) += 1;
        }
    }
    all
}

fn program(name: &str) -> PathBuf {
    let bin = std::env::var_os("BSS_TEST_POSTGRES_BIN").map(PathBuf::from);
    bin.unwrap_or_else(|| bss_platform::find_bin_dir(None).unwrap())
        .join(name)
}

async fn dump_and_restore(server: &TestPostgres, from: &str, to: &str) {
    let file = std::env::temp_dir().join(format!("bss-dump-{}-{to}", std::process::id()));
    let (source, target) = (server.superuser_url(from), server.superuser_url(to));
    let dump = file.clone();
    let run = move |name: &str, args: &[&str]| {
        let output = Command::new(program(name))
            .args(args)
            .arg(&dump)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    tokio::task::spawn_blocking(move || {
        run("pg_dump", &["--format=custom", "--dbname", &source, "--file"]);
        run("pg_restore", &["--exit-on-error", "--dbname", &target]);
    })
    .await
    .unwrap();
    std::fs::remove_file(file).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_is_consumed_on_without_a_hole_or_a_repeat() {
    let (url, store) = fresh_store().await;
    let server = test_server().await;
    let (stop, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let (store, stop, next) = (store.clone(), Arc::clone(&stop), Arc::clone(&next));
            tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    append(&store, number % 97, number).await;
                }
            })
        })
        .collect();
    let (copier, told) = (store.clone(), Arc::clone(&stop));
    let copier = tokio::spawn(async move { copy_all(&copier, "first", &told).await });
    while next.load(Ordering::SeqCst) < 500 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let restored_url = server.database().await;
    let name = |url: &str| url.rsplit('/').next().unwrap().to_owned();
    dump_and_restore(server, &name(&url), &name(&restored_url)).await;
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    copier.await.unwrap();

    let restored = Store::connect(&StoreConfig::new(&restored_url)).await.unwrap();
    let (orders, copied) = (
        numbers(&restored, Topic::Order).await,
        numbers(&restored, Topic::Audit).await,
    );
    assert!(
        copied.len() < next.load(Ordering::SeqCst) as usize,
        "the load went on after the backup"
    );
    assert!(orders.len() >= 400, "{} events in the backup", orders.len());
    copy_all(&restored, "second", &AtomicBool::new(true)).await;
    assert_eq!(
        numbers(&restored, Topic::Audit).await,
        orders,
        "each order was copied once"
    );
    for source in [&store, &restored] {
        assert!(
            numbers(source, Topic::Audit)
                .await
                .values()
                .all(|times| *times == 1)
        );
    }
}
