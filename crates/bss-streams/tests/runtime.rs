//! The runtime on a real server: totals are exact whatever happens to workers, and a poison event stops its own key
//! alone.

mod support;

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bss_events::{EventLog as _, Record, Topic};
use bss_store::event_log::group::{self, Target};
use bss_store::event_log::{browse, parked};
use bss_store::{Store, UnitOfWork};
use bss_streams::runtime::{Application, ProcessError, Runtime, RuntimeConfig, RuntimeError};
use support::{event, fresh_store, scope, tenant};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Writes down what it gets, as an effect in the same transaction: an event of another topic with the same number.
/// Numbers in `poison` fail.
#[derive(Default)]
struct Copier {
    poison: Mutex<HashSet<u64>>,
    panics: bool,
    seen: Mutex<Vec<(Uuid, u64)>>,
}

fn number_of(record: &Record) -> u64 {
    record.event.data.value()["number"].as_u64().unwrap()
}

#[async_trait]
impl Application for Copier {
    fn group(&self) -> &'static str {
        "copier"
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::Order, Topic::Payment]
    }

    async fn process(&self, work: &mut UnitOfWork, records: &[Record]) -> Result<(), ProcessError> {
        for record in records {
            let number = number_of(record);
            assert_eq!(work.tenant(), record.event.tenant);
            if self.poison.lock().unwrap().contains(&number) {
                assert!(!self.panics, "as told");
                return Err(ProcessError::Broken("as told".to_owned()));
            }
            self.seen.lock().unwrap().push((record.event.key, number));
            let mut copy = event(Topic::Audit, record.event.tenant, 0, number);
            copy.event.key = record.event.key;
            work.emit(copy);
        }
        Ok(())
    }
}

fn quick() -> RuntimeConfig {
    RuntimeConfig {
        tend: Duration::from_millis(100),
        // Nobody dies here, and a busy machine must not look like death.
        lease: Duration::from_secs(20),
        ..RuntimeConfig::default()
    }
}

fn start(store: &Store, app: &Arc<Copier>) -> (CancellationToken, JoinHandle<Result<(), RuntimeError>>) {
    let stop = CancellationToken::new();
    let runtime = Runtime::new(store.clone(), quick());
    let (app, token) = (Arc::clone(app), stop.clone());
    (stop, tokio::spawn(async move { runtime.run(app, token).await }))
}

/// The numbers whose effects are committed, sorted.
async fn copies(store: &Store, of: u64) -> Vec<u64> {
    let session = store.read(scope(of)).await.unwrap();
    let records = browse::messages(&session, Topic::Audit, browse::MessageFilter::default(), 100_000)
        .await
        .unwrap();
    session.finish().unwrap();
    let mut numbers: Vec<u64> = records.iter().map(number_of).collect();
    numbers.sort_unstable();
    numbers
}

async fn append(store: &Store, of: u64, events: &[(u64, u64)]) {
    let mut work = store.begin(scope(of)).await.unwrap();
    for (key, number) in events {
        work.emit(event(Topic::Order, tenant(of), *key, *number));
    }
    work.commit().await.unwrap();
}

/// Looks until it holds; a test that never sees it fails.
async fn eventually<F: AsyncFn() -> bool>(what: &str, holds: F) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds().await {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn effects_of_several_tenants_are_written_once() {
    let (_, store) = fresh_store().await;
    let app = Arc::new(Copier::default());
    for number in 0..50 {
        append(&store, 1 + number % 2, &[(number % 7, number)]).await;
    }
    let (stop, run) = start(&store, &app);
    for number in 50..100 {
        append(&store, 1 + number % 2, &[(number % 7, number)]).await;
    }
    let of = |parity: u64| {
        (0..100)
            .filter(move |number| number % 2 == parity)
            .collect::<Vec<u64>>()
    };
    eventually("all are copied", async || {
        copies(&store, 1).await.len() + copies(&store, 2).await.len() >= 100
    })
    .await;
    stop.cancel();
    run.await.unwrap().unwrap();
    assert_eq!((copies(&store, 1).await, copies(&store, 2).await), (of(0), of(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn few_records_each_of_many_partitions_are_few_transactions_and_a_poison_event_spoils_nothing() {
    const EVENTS: u64 = 200;
    let (_, store) = fresh_store().await;
    let app = Arc::new(Copier {
        poison: Mutex::new(HashSet::from([40])),
        ..Copier::default()
    });
    for number in 0..EVENTS {
        append(&store, 1, &[(number, number)]).await;
    }
    let heads = store.log().extents(&[Topic::Order]).await.unwrap();
    let partitions = heads.iter().filter(|of| of.head > 0).count() as u64;
    let stop = CancellationToken::new();
    let runtime = Runtime::new(store.clone(), quick());
    let metrics = runtime.metrics().group("copier").topic(Topic::Order);
    let (run, token) = (Arc::clone(&app), stop.clone());
    let run = tokio::spawn(async move { runtime.run(run, token).await });
    let all_but_one: Vec<u64> = (0..EVENTS).filter(|number| *number != 40).collect();
    eventually("all but the poison are copied", async || {
        copies(&store, 1).await == all_but_one
    })
    .await;
    stop.cancel();
    run.await.unwrap().unwrap();
    let batches = metrics.batches.load(Ordering::Relaxed);
    assert!(
        batches < partitions / 2,
        "{batches} transactions for {partitions} partitions"
    );
    assert_eq!(metrics.parked.load(Ordering::Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_event_is_parked_its_key_waits_and_a_retry_releases_in_order() {
    for panics in [false, true] {
        let (_, store) = fresh_store().await;
        let poison = Mutex::new(HashSet::from([3]));
        let app = Arc::new(Copier {
            poison,
            panics,
            ..Copier::default()
        });
        let (stop, run) = start(&store, &app);
        // Key 5 has 3 (poison), 4 and 6; all the keys have one partition's neighbours.
        append(
            &store,
            1,
            &[(1, 1), (2, 2), (5, 3), (5, 4), (1, 5), (5, 6), (2, 7)],
        )
        .await;
        eventually("neighbours go on", async || {
            copies(&store, 1).await == [1, 2, 5, 7]
        })
        .await;
        let parked_now = async || {
            let session = store.read(scope(1)).await.unwrap();
            parked::list(&session, Some("copier"), 10, 0).await.unwrap()
        };
        eventually("those behind it wait", async || {
            let (list, _) = parked_now().await;
            list.first().is_some_and(|parked| parked.waiting == 2)
        })
        .await;
        let (list, total) = parked_now().await;
        assert_eq!((total, list[0].waiting, list[0].attempts), (1, 2, 3), "{list:?}");
        assert!(list[0].reason.contains("as told"), "{}", list[0].reason);

        // Still poison: it stays, and what came later waits behind it.
        append(&store, 1, &[(5, 8)]).await;
        retry(&store, list[0].id).await;
        eventually("it failed again", async || {
            let session = store.read(scope(1)).await.unwrap();
            let (list, _) = parked::list(&session, None, 10, 0).await.unwrap();
            list[0].attempts == 4 && list[0].waiting == 3
        })
        .await;

        app.poison.lock().unwrap().clear();
        retry(&store, list[0].id).await;
        eventually("all are released", async || {
            copies(&store, 1).await == [1, 2, 3, 4, 5, 6, 7, 8]
        })
        .await;
        append(&store, 1, &[(5, 9)]).await;
        eventually("the key flows again", async || copies(&store, 1).await.len() == 9).await;
        let key = event(Topic::Order, tenant(1), 5, 1).event.key;
        let seen = app.seen.lock().unwrap().clone();
        let of_key: Vec<u64> = seen
            .iter()
            .filter(|(of, _)| *of == key)
            .map(|(_, number)| *number)
            .collect();
        assert_eq!(of_key, [3, 4, 6, 8, 9]);
        stop.cancel();
        run.await.unwrap().unwrap();
    }
}

async fn retry(store: &Store, id: Uuid) {
    let work = store.begin(scope(1)).await.unwrap();
    assert!(parked::retry(&work, id).await.unwrap());
    work.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_skipped_event_lets_those_behind_it_go_on() {
    let (_, store) = fresh_store().await;
    let app = Arc::new(Copier {
        poison: Mutex::new(HashSet::from([1])),
        ..Copier::default()
    });
    let (stop, run) = start(&store, &app);
    append(&store, 1, &[(5, 1), (5, 2)]).await;
    let first = async || {
        let session = store.read(scope(1)).await.unwrap();
        let (list, _) = parked::list(&session, None, 10, 0).await.unwrap();
        list.first()
            .filter(|parked| parked.waiting == 1)
            .map(|parked| parked.id)
    };
    eventually("it is parked", async || first().await.is_some()).await;
    let id = first().await.unwrap();
    let work = store.begin(scope(1)).await.unwrap();
    assert!(parked::skip(&work, id, "the customer left").await.unwrap());
    work.commit().await.unwrap();
    eventually("the next one went on", async || copies(&store, 1).await == [2]).await;
    append(&store, 1, &[(5, 3)]).await;
    eventually("the key flows", async || copies(&store, 1).await == [2, 3]).await;
    stop.cancel();
    run.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_sends_the_group_back_while_it_runs() {
    let (_, store) = fresh_store().await;
    let app = Arc::new(Copier::default());
    let (stop, run) = start(&store, &app);
    append(&store, 1, &[(1, 1), (2, 2), (3, 3)]).await;
    eventually("all are copied", async || copies(&store, 1).await == [1, 2, 3]).await;
    let moved = group::replay(&store, "copier", Topic::Order, Target::Oldest)
        .await
        .unwrap();
    assert_eq!(moved.len(), 64);
    eventually("all are copied again", async || {
        copies(&store, 1).await == [1, 1, 2, 2, 3, 3]
    })
    .await;
    let later = Target::Time("2027-01-01T00:00:00Z".parse().unwrap());
    group::replay(&store, "copier", Topic::Order, later)
        .await
        .unwrap();
    append(&store, 1, &[(1, 4)]).await;
    eventually("only the new one came", async || {
        copies(&store, 1).await == [1, 1, 2, 2, 3, 3, 4]
    })
    .await;
    stop.cancel();
    run.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_share_fairly_and_a_stop_gives_back() {
    let (_, store) = fresh_store().await;
    let app = Arc::new(Copier::default());
    let (stop_one, one) = start(&store, &app);
    let workers = async || {
        let session = store.read(scope(1)).await.unwrap();
        let groups = browse::groups(&session).await.unwrap();
        session.finish().unwrap();
        let mut held: Vec<(String, usize)> = Vec::new();
        for place in groups.iter().filter(|place| place.topic == Topic::Order) {
            let Some(worker) = &place.worker else { continue };
            match held.iter_mut().find(|(name, _)| name == worker) {
                Some((_, number)) => *number += 1,
                None => held.push((worker.clone(), 1)),
            }
        }
        let mut numbers: Vec<usize> = held.into_iter().map(|(_, number)| number).collect();
        numbers.sort_unstable();
        numbers
    };
    eventually("one holds all", async || workers().await == [64]).await;
    let (stop_two, two) = start(&store, &app);
    eventually("two share", async || workers().await == [32, 32]).await;
    let (stop_three, three) = start(&store, &app);
    eventually("three share", async || workers().await == [20, 22, 22]).await;
    stop_two.cancel();
    stop_three.cancel();
    two.await.unwrap().unwrap();
    three.await.unwrap().unwrap();
    eventually("one holds all again", async || workers().await == [64]).await;
    stop_one.cancel();
    one.await.unwrap().unwrap();
    assert_eq!(workers().await, [0_usize; 0]);
}
