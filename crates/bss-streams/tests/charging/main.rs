//! Charging on a real database: every record is rated exactly once, whatever is sent again, and whoever is killed.

mod support;

use std::fmt::Write;
use std::process::Stdio;
use std::time::Duration;

use bss_app::prepaid;
use bss_app::usage_import::{Recycled, recycle};
use bss_domain::Nano;
use bss_domain::usage::SourceFormat;
use bss_store::usage_file::ChargedLines;
use support::{GRANTED_S, World, run_worker};

/// The variable that makes this program a worker, which the test that kills workers starts.
const WORKER_URL: &str = "BSS_TEST_CHARGING_WORKER";

/// Not a test: the worker of the test that kills workers.
#[test]
#[ignore = "the body of a process that another test starts"]
fn worker_process() {
    let Ok(url) = std::env::var(WORKER_URL) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run_worker(&url, tokio_util::sync::CancellationToken::new()));
}

fn start_worker(url: &str) -> std::process::Child {
    std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "worker_process", "--ignored", "--nocapture"])
        .env(WORKER_URL, url)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_rated_to_the_second_and_a_second_sending_changes_nothing() {
    let world = World::new().await;
    let (path, manifest) = world.generate(1, 2_000);
    let file = world.import(SourceFormat::Asterisk, &path).await.file;
    world.charge_all().await;
    world.assert_totals(&manifest).await;
    let all = ChargedLines {
        rated: manifest.charged as i64,
        rejected: 0,
        duplicates: 0,
    };
    assert_eq!(world.charged(file).await, all);
    // The same lines with one more are another file.
    let before = world.everything().await;
    let grown = world.folder.join("grown.csv");
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str("broken\n");
    std::fs::write(&grown, text).unwrap();
    let again = world.import(SourceFormat::Asterisk, &grown).await;
    assert_eq!(again.lines.accepted as u64, manifest.charged);
    world.charge_all().await;
    assert_eq!(world.everything().await, before);
    let none = ChargedLines {
        rated: 0,
        rejected: 0,
        duplicates: manifest.charged as i64,
    };
    assert_eq!(world.charged(again.file).await, none);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_importers_and_a_worker_at_once_charge_once() {
    let world = World::new().await;
    let (path, manifest) = world.generate(2, 2_000);
    let copy = world.folder.join("copy.csv");
    std::fs::write(&copy, std::fs::read_to_string(&path).unwrap() + "\n").unwrap();
    let import = |path| world.import(SourceFormat::Asterisk, path);
    tokio::join!(import(&path), import(&copy), import(&path), world.charge_all());
    world.charge_all().await;
    world.assert_totals(&manifest).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_workers_neither_lose_nor_repeat() {
    for seed in 1..=3 {
        let world = World::new().await;
        let (path, manifest) = world.generate(seed, 4_000);
        let (imported, ()) = tokio::join!(world.import(SourceFormat::Asterisk, &path), async {
            let mut workers = [start_worker(&world.url), start_worker(&world.url)];
            let mut pause = 60 + 37 * seed;
            let mut kills = 0;
            while kills < 6 || !world.is_charged().await {
                tokio::time::sleep(Duration::from_millis(pause)).await;
                pause = 40 + (pause * 7919 + seed) % 311;
                if kills < 6 {
                    let victim = &mut workers[kills % 2];
                    victim.kill().unwrap();
                    victim.wait().unwrap();
                    *victim = start_worker(&world.url);
                    kills += 1;
                }
            }
            for mut worker in workers {
                worker.kill().unwrap();
                worker.wait().unwrap();
            }
        });
        world.assert_totals(&manifest).await;
        let charged = world.charged(imported.file).await;
        assert_eq!(charged.rated as u64, manifest.charged, "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_id_with_two_contents_is_a_conflict_that_takes_nothing() {
    let world = World::new().await;
    let number = &world.numbers[0];
    let record =
        |id: &str, seconds: u32| format!("{id},voice,{number},48221234567,,2026-11-03T10:00:00Z,{seconds}\n");
    let first = world
        .import_text("first.csv", &(record("a", 10) + &record("b", 20)))
        .await;
    world.charge_all().await;
    let before = world.everything().await;
    let second = world
        .import_text(
            "second.csv",
            &(record("a", 10) + &record("b", 21) + &record("b", 22)),
        )
        .await;
    world.charge_all().await;
    assert_eq!(world.everything().await, before);
    assert_eq!(world.charged(first.file).await.rated, 2);
    let counts = world.charged(second.file).await;
    assert_eq!((counts.rated, counts.rejected, counts.duplicates), (0, 2, 1));
    let rejects = world.rejects().await;
    assert_eq!(rejects.len(), 2);
    assert!(
        rejects
            .iter()
            .all(|reject| reject.code == "conflict" && reject.reason.contains("quantity"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_rated_is_mended_and_rated_and_every_count_adds_up() {
    let world = World::new().await;
    let number = &world.numbers[0];
    // No zone of the tariff holds a number that begins with 7.
    let line = format!("x,voice,{number},79161234567,,2026-11-03T10:00:00Z,60\n");
    let report = world.import_text("one.csv", &line).await;
    world.charge_all().await;
    let counts = world.charged(report.file).await;
    assert_eq!((counts.rated, counts.rejected, counts.duplicates), (0, 1, 0));
    let reject = world.rejects().await.remove(0);
    assert_eq!(reject.code, "unrated");
    let send = |mended: Option<String>| {
        let world = &world;
        async move {
            recycle(
                &world.app,
                &world.context,
                &world.rules,
                reject.id,
                mended.as_deref(),
            )
            .await
            .unwrap()
        }
    };
    // As it is, charging refuses it again, and its row is open again.
    assert!(matches!(send(None).await, Recycled::Accepted(_)));
    world.charge_all().await;
    assert_eq!(world.rejects().await[0].state.name(), "rejected");
    let raw = String::from_utf8(reject.raw.clone()).unwrap();
    let mended = raw.replace("+79161234567", "+48221234567");
    assert!(matches!(send(Some(mended)).await, Recycled::Accepted(_)));
    world.charge_all().await;
    let counts = world.charged(report.file).await;
    assert_eq!((counts.rated, counts.rejected, counts.duplicates), (1, 0, 0));
    assert_eq!(world.rejects().await[0].state.name(), "recycled");
    assert_eq!(world.everything().await.0, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_record_takes_from_the_window_of_its_own_time() {
    let world = World::new().await;
    let number = &world.numbers[0];
    let line =
        |id: &str, at: &str, seconds: i64| format!("{id},voice,{number},48221234567,,{at},{seconds}\n");
    world
        .import_text(
            "november.csv",
            &line("n", "2026-11-10T10:00:00Z", GRANTED_S + 100),
        )
        .await;
    world.charge_all().await;
    world
        .import_text("october.csv", &line("o", "2026-10-10T10:00:00Z", 50))
        .await;
    world.charge_all().await;
    assert_eq!(world.buckets().await, [50, GRANTED_S]);
    let (records, amount) = world.everything().await;
    assert_eq!((records, amount), (2, 100 * 1_000_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prepaid_balance_never_falls_below_its_limit() {
    let world = World::new().await;
    let number = &world.numbers[0];
    world.prepay(number, Nano(30_000_000)).await;
    let mut text = String::new();
    for n in 0..5 {
        writeln!(
            text,
            "{n},voice,{number},48221234567,,2026-11-03T10:0{n}:00Z,{GRANTED_S}"
        )
        .unwrap();
    }
    world.import_text("calls.csv", &text).await;
    world.charge_all().await;
    let (records, amount) = world.everything().await;
    assert_eq!((records, amount), (5, 30_000_000));
    assert_eq!(world.balance(number).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prepaid_use_reaches_the_ledger_by_account_and_day_and_only_once() {
    let world = World::new().await;
    let (number, other) = (&world.numbers[0], &world.numbers[1]);
    world.top_up(number, 500).await;
    world.top_up(other, 1).await;
    let line = |id: u32, number: &str, at: &str, seconds: i64| {
        format!("{id},voice,{number},48221234567,,{at},{seconds}\n")
    };
    // The allowance of 1,000 s is used up first. Then 4 ms-priced seconds, 1.004 EUR and 0.004 EUR on two days; 23:30
    // UTC is the next day in Warsaw.
    let text = [
        line(1, number, "2026-11-03T10:00:00Z", GRANTED_S),
        line(2, number, "2026-11-03T11:00:00Z", 1_004),
        line(3, number, "2026-11-03T23:30:00Z", 4),
        line(4, other, "2026-11-03T10:00:00Z", GRANTED_S + 50),
    ]
    .concat();
    world.import_text("calls.csv", &text).await;
    world.charge_all().await;
    assert_eq!(world.balance(number).await, 5_000_000_000 - 1_008_000_000);
    assert_eq!(world.balance(other).await, 0, "0.05 was asked of 0.01");
    world.check_ledger().await;
    assert_eq!(prepaid::post_use(&world.app, &world.context).await.unwrap(), 3);
    let posted = "SELECT string_agg(account || ' ' || sum, ', ' ORDER BY account) FROM (SELECT l.account, \
                  sum(l.amount_minor) FROM ledger_line l JOIN ledger_entry e ON e.id = l.entry_id \
                  WHERE e.kind = 'prepaidUse' GROUP BY 1) s";
    // All days are rounded together: 1.004 posts 1.00, 1.008 then 0.01 more; the other's 0.01 stands alone. With 23 % of
    // tax in them: 1.01 is 0.82 + 0.19, 0.01 is 0.01 + 0.00.
    let wanted = "prepaidLiability 102, revenue -83, taxPayable -19";
    assert_eq!(world.text(posted).await, wanted);
    world.check_ledger().await;
    assert_eq!(prepaid::post_use(&world.app, &world.context).await.unwrap(), 0);
    // More of an old day: all use is rounded as a whole, less what was posted of it.
    world
        .import_text("late.csv", &line(5, number, "2026-11-03T23:40:00Z", 12))
        .await;
    world.charge_all().await;
    world.check_ledger().await;
    assert_eq!(prepaid::post_use(&world.app, &world.context).await.unwrap(), 1);
    assert_eq!(
        world.text(posted).await,
        "prepaidLiability 103, revenue -84, taxPayable -19"
    );
    world.check_ledger().await;
    for damage in [
        "UPDATE prepaid_balance SET balance_nano = balance_nano + 1 WHERE balance_nano > 0",
        "UPDATE prepaid_use SET used_nano = used_nano + 20000000",
        "UPDATE prepaid_use SET posted_minor = posted_minor + 1",
        "UPDATE prepaid_use SET posted_tax_minor = posted_tax_minor + 1",
    ] {
        world.damaged(damage).await;
    }
}
