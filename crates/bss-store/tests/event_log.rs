//! The event log on a real server: what many writers append, every reader sees once, each key in order, without a
//! hole, whoever else is busy on the server.

mod support;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bss_events::{EventLog, PARTITIONS, Record, Topic, admit};
use bss_platform::testing::test_server;
use bss_store::Store;
use bss_store::event_log::PostgresLog;
use bss_store::event_log::browse::{self, MessageFilter};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use support::{event, fresh_store, scope, tenant};

const WRITERS: u64 = 16;
const ROUNDS: u64 = 60;
const KEYS_PER_WRITER: u64 = 8;

/// Writes in random order of begin and commit: some transactions stay open while later ones commit. Each writer has
/// its own keys and numbers their events, as the decisions of one customer are in order.
async fn write(store: Store, writer: u64) {
    let mut random = StdRng::seed_from_u64(writer);
    let mut numbers: HashMap<u64, u64> = HashMap::new();
    for _ in 0..ROUNDS {
        let mut work = store.begin(scope(1)).await.unwrap();
        for _ in 0..random.random_range(1..4_u32) {
            let key = writer * KEYS_PER_WRITER + random.random_range(0..KEYS_PER_WRITER);
            let number = numbers.entry(key).or_insert(0);
            *number += 1;
            work.emit(event(Topic::Order, tenant(1), key, *number));
        }
        // What overlapping transactions look like, not a wait for something.
        tokio::time::sleep(Duration::from_micros(random.random_range(0..3_000))).await;
        if random.random_ratio(1, 10) {
            for (key, number) in work
                .noted()
                .iter()
                .map(|new| (new.event.key, 1))
                .collect::<Vec<_>>()
            {
                let key = key.as_u64_pair().1 & 0xFFFF;
                *numbers.get_mut(&key).unwrap() -= number;
            }
            work.rollback().await.unwrap();
        } else {
            work.commit().await.unwrap();
        }
    }
}

/// Follows all partitions by its own positions until the writers are done and nothing more comes.
async fn follow(log: PostgresLog, done: Arc<AtomicBool>, max: usize) -> Vec<Record> {
    let mut positions: BTreeMap<u16, i64> = (0..PARTITIONS).map(|partition| (partition, 0)).collect();
    let mut seen = Vec::new();
    let mut appends = log.appends();
    loop {
        let finished = done.load(Ordering::SeqCst);
        let extents = log.extents(&[Topic::Order]).await.unwrap();
        let mut came = false;
        for extent in extents {
            let position = positions.get_mut(&extent.partition).unwrap();
            if extent.head > *position {
                let read = log
                    .read(Topic::Order, extent.partition, *position, max)
                    .await
                    .unwrap();
                let records = admit(*position, read).unwrap();
                *position = records.last().unwrap().position;
                seen.extend(records);
                came = true;
            }
        }
        if finished && !came {
            return seen;
        }
        appends.wait(Duration::from_millis(10)).await;
    }
}

fn number_of(record: &Record) -> u64 {
    record.event.data.value()["number"].as_u64().unwrap()
}

fn check(records: &[Record]) -> usize {
    let mut last: HashMap<uuid::Uuid, u64> = HashMap::new();
    for record in records {
        let before = last.insert(record.event.key, number_of(record)).unwrap_or(0);
        assert_eq!(
            number_of(record),
            before + 1,
            "key {} out of order",
            record.event.key
        );
    }
    records.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_and_every_reader_sees_each_event_once_and_each_key_in_order() {
    let (_, store) = fresh_store().await;
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = [1, 7, 1_000]
        .map(|max| tokio::spawn(follow(store.log(), Arc::clone(&done), max)))
        .into_iter()
        .collect();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(write(store.clone(), writer)))
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    let heads: i64 = store
        .log()
        .extents(&[Topic::Order])
        .await
        .unwrap()
        .iter()
        .map(|extent| extent.head)
        .sum();
    assert!(heads > 500, "{heads} events are too few to prove anything");
    for reader in readers {
        assert_eq!(check(&reader.await.unwrap()) as i64, heads);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_transaction_in_another_database_delays_nobody() {
    let (_, store) = fresh_store().await;
    let other = test_server().await.database().await;
    let (client, connection) = tokio_postgres::connect(&other, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
        .batch_execute("CREATE TABLE t (x int); BEGIN; INSERT INTO t VALUES (1); SELECT pg_current_xact_id()")
        .await
        .unwrap();
    let log = store.log();
    let mut appends = log.appends();
    let mut work = store.begin(scope(1)).await.unwrap();
    work.emit(event(Topic::Order, tenant(1), 1, 1));
    let partition = work.noted()[0].slot.partition(PARTITIONS);
    work.commit().await.unwrap();
    let committed = Instant::now();
    appends.wait(Duration::from_secs(5)).await;
    let records = log.read(Topic::Order, partition, 0, 10).await.unwrap();
    assert_eq!(records.len(), 1, "the event is there at once");
    assert!(
        committed.elapsed() < Duration::from_secs(1),
        "{:?}",
        committed.elapsed()
    );
    client.batch_execute("ROLLBACK").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_statement_is_not_committed_by_going_on() {
    let (_, store) = fresh_store().await;
    let mut work = store.begin(scope(1)).await.unwrap();
    work.emit(event(Topic::Order, tenant(2), 1, 1));
    // Another tenant's event: the policy refuses it, and the transaction with it.
    assert!(work.commit().await.is_err());
    let extents = store.log().extents(&[Topic::Order]).await.unwrap();
    assert!(extents.iter().all(|extent| extent.head == 0), "{extents:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_savepoint_takes_back_rows_and_events() {
    let (_, store) = fresh_store().await;
    let mut work = store.begin(scope(1)).await.unwrap();
    work.emit(event(Topic::Order, tenant(1), 1, 1));
    let point = work.savepoint().await.unwrap();
    work.emit(event(Topic::Order, tenant(1), 1, 2));
    work.rollback_to(point).await.unwrap();
    work.emit(event(Topic::Order, tenant(1), 1, 3));
    work.commit().await.unwrap();
    let session = store.read(scope(1)).await.unwrap();
    let messages = browse::messages(&session, Topic::Order, MessageFilter::default(), 10)
        .await
        .unwrap();
    assert_eq!(messages.iter().map(number_of).collect::<Vec<_>>(), [3, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_events_are_of_the_own_tenant_and_newest_first() {
    let (_, store) = fresh_store().await;
    for (of, key, number) in [(1, 1, 1), (1, 1, 2), (2, 1, 3), (1, 9, 4), (1, 1, 5)] {
        let mut work = store.begin(scope(of)).await.unwrap();
        work.emit(event(Topic::Order, tenant(of), key, number));
        work.commit().await.unwrap();
    }
    let session = store.read(scope(1)).await.unwrap();
    let key = event(Topic::Order, tenant(1), 1, 1).event.key;
    let of_key = MessageFilter {
        key: Some(key),
        ..MessageFilter::default()
    };
    let first = browse::messages(&session, Topic::Order, of_key, 2).await.unwrap();
    assert_eq!(first.iter().map(number_of).collect::<Vec<_>>(), [5, 2]);
    let next = MessageFilter {
        before_position: Some(first[1].position),
        partition: Some(first[1].partition),
        ..of_key
    };
    let next = browse::messages(&session, Topic::Order, next, 2).await.unwrap();
    assert_eq!(next.iter().map(number_of).collect::<Vec<_>>(), [1]);
    let topics = browse::topics(&session).await.unwrap();
    let orders = topics
        .iter()
        .find(|summary| summary.topic == Topic::Order)
        .unwrap();
    assert_eq!((orders.partitions, orders.messages), (64, 5));
    session.finish().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_transaction_appends_by_the_thousand_is_read_one_by_one() {
    let (_, store) = fresh_store().await;
    let of = |topic, key, number| event(topic, tenant(1), key, number);
    let partition = of(Topic::Usage, 1, 1).slot.partition(PARTITIONS);
    let other = (2..10_000).find(|key| of(Topic::Usage, *key, 1).slot.partition(PARTITIONS) == partition);
    let other = other.unwrap();
    // Odd numbers are the first key's, even ones the other's; the last fifteen are the first key's, in three batches.
    let mut work = store.begin(scope(1)).await.unwrap();
    for number in 1..=2_300 {
        work.emit(of(Topic::Usage, if number % 2 == 1 { 1 } else { other }, number));
    }
    work.commit().await.unwrap();
    for first in [2_301, 2_306, 2_311] {
        let mut work = store.begin(scope(1)).await.unwrap();
        for number in first..first + 5 {
            work.emit(of(Topic::Usage, 1, number));
        }
        work.commit().await.unwrap();
    }

    for (after, max) in [(0, 10), (7, 10), (995, 10), (2_298, 10), (2_314, 10), (0, 5_000)] {
        let read = store
            .log()
            .read(Topic::Usage, partition, after, max)
            .await
            .unwrap();
        let positions: Vec<i64> = read.iter().map(|record| record.position).collect();
        let expected: Vec<i64> = (after + 1..=2_315).take(max).collect();
        assert_eq!(positions, expected, "{max} after {after}");
        assert!(
            read.iter()
                .all(|record| number_of(record) == record.position.unsigned_abs())
        );
    }

    let session = store.read(scope(1)).await.unwrap();
    let key = of(Topic::Usage, other, 2).event.key;
    let shown = async |filter: MessageFilter<'_>| {
        let messages = browse::messages(&session, Topic::Usage, filter, 2).await.unwrap();
        messages.iter().map(number_of).collect::<Vec<_>>()
    };
    assert_eq!(shown(MessageFilter::default()).await, [2_315, 2_314]);
    let of_key = MessageFilter {
        key: Some(key),
        ..MessageFilter::default()
    };
    assert_eq!(shown(of_key).await, [2_300, 2_298]);
    let of_partition = MessageFilter {
        partition: Some(partition),
        ..of_key
    };
    assert_eq!(shown(of_partition).await, [2_300, 2_298]);
    let before = MessageFilter {
        before_position: Some(1_002),
        ..of_partition
    };
    assert_eq!(shown(before).await, [1_000, 998]);
    session.finish().unwrap();
}
