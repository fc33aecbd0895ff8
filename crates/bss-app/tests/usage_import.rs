//! The intake of usage on a real database: every line of a file is taken exactly once, however often, by however
//! many, and through whatever interruptions it is imported.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bss_app::usage_import::{
    ImportReport, NewUsage, Recycled, UsageImport, import_file, put_source, record_usage, recycle,
    watch_folder,
};
use bss_app::{App, AppError, RequestContext};
use bss_domain::ids::{CustomerId, TenantId, compose};
use bss_domain::usage::{
    Direction, Metered, NumberPlan, ServiceKind, SourceFormat, Usage, UsageSource, UsageState,
};
use bss_domain::{Instant, Interval, Slot, TypedId, Zone};
use bss_events::{EventLog as _, Standing, Topic};
use bss_load::cdr::{CdrPlan, Manifest, Totals, generate};
use bss_platform::testing::test_server;
use bss_store::usage_reject::{self, RejectFilter, UsageReject};
use bss_store::{ClockMode, Store, StoreConfig, migrate, usage_file};
use tokio_postgres::{Client, NoTls};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

struct World {
    app: App,
    context: RequestContext,
    rules: UsageImport,
    db: Client,
    folder: PathBuf,
    numbers: Vec<String>,
}

impl World {
    /// An operator with forty numbers of ten customers, and a source of each format.
    async fn new() -> Self {
        let url = test_server().await.database().await;
        migrate(&url, ClockMode::Simulated).await.unwrap();
        let app = App::new(Store::connect(&StoreConfig::new(&url)).await.unwrap())
            .await
            .unwrap();
        let wanted = at("2026-11-25T00:00:00Z");
        if app.clock.now() < wanted {
            app.clock.advance_to(&app.store, wanted).await.unwrap();
        }
        let tenant = TenantId::at(1, Slot::new(0).unwrap(), 1);
        let (db, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        tokio::spawn(connection);
        db.execute(
            "SELECT set_config('bss.tenant', $1, false)",
            &[&tenant.to_string()],
        )
        .await
        .unwrap();
        let folder = std::env::temp_dir().join(format!("bss-usage-{}", Uuid::new_v8(rand::random())));
        std::fs::create_dir_all(&folder).unwrap();
        let world = Self {
            app,
            context: RequestContext::system(tenant, "test"),
            rules: UsageImport {
                batch_lines: 100,
                held_days: 4_000,
            },
            db,
            folder,
            numbers: (0..40).map(|n| format!("48600100{n:03}")).collect(),
        };
        for (n, number) in world.numbers.iter().enumerate() {
            world
                .assign(number, n as u64 / 4 + 1, "2026-01-01T00:00:00Z")
                .await;
        }
        for format in SourceFormat::ALL {
            let source = UsageSource {
                name: format.name().into(),
                format,
                zone: Zone::named("Europe/Warsaw").unwrap(),
                numbers: NumberPlan::default(),
            };
            put_source(&world.app, &world.context, &source).await.unwrap();
        }
        world
    }

    async fn assign(&self, number: &str, customer: u64, from: &str) {
        let customer = CustomerId::new(1, customer);
        let slot = customer.slot();
        self.db
            .execute(
                "INSERT INTO number_assignment (tenant_id, number, valid_from, slot, customer_id, \
                 billing_account_id, product_id) VALUES ($1, $2, $3::text::timestamptz, $4, $5, $6, $7)",
                &[
                    &self.context.tenant().uuid(),
                    &number,
                    &from,
                    &slot.sql(),
                    &customer.uuid(),
                    &compose(1, slot, 2),
                    &compose(1, slot, 3),
                ],
            )
            .await
            .unwrap();
    }

    fn generate(&self, format: SourceFormat, seed: u64, records: u64) -> (PathBuf, Manifest) {
        let plan = CdrPlan {
            format,
            numbers: self.numbers.clone(),
            home: "48".into(),
            records,
            seed,
            period: Interval::new(at("2026-10-20T22:00:00Z"), at("2026-10-27T23:00:00Z")).unwrap(),
            zone: Zone::named("Europe/Warsaw").unwrap(),
        };
        let path = self.folder.join(format!("{}-{seed}.csv", format.name()));
        let manifest = generate(&plan, &mut std::fs::File::create(&path).unwrap()).unwrap();
        (path, manifest)
    }

    async fn import(&self, source: SourceFormat, path: &Path) -> Result<ImportReport, AppError> {
        import_file(&self.app, &self.context, &self.rules, source.name(), path).await
    }

    /// The records in the log.
    async fn log(&self) -> Vec<Usage> {
        let places = (0..bss_events::PARTITIONS).map(|partition| Standing {
            topic: Topic::Usage,
            partition,
            position: 0,
        });
        let places: Vec<Standing> = places.collect();
        let read = self.app.store.log().read_each(&places, 100_000).await.unwrap();
        let records = read.iter().flatten();
        records
            .map(|record| record.event.data.read_usage().unwrap())
            .collect()
    }

    async fn rejects(&self) -> Vec<UsageReject> {
        let filter = RejectFilter {
            limit: 1_000,
            ..RejectFilter::default()
        };
        let session = self.app.store.read(self.context.scope()).await.unwrap();
        usage_reject::list(&session, &filter).await.unwrap()
    }

    async fn assert_taken_once(&self, manifest: &Manifest) {
        let log = self.log().await;
        let ids: HashSet<_> = log.iter().map(|usage| usage.id).collect();
        assert_eq!(ids.len(), log.len(), "an id came twice");
        let mut by_number: BTreeMap<String, Totals> = BTreeMap::new();
        for usage in &log {
            assert_eq!(usage.direction, Direction::Outgoing);
            assert_eq!(usage.id.slot(), usage.owner.customer.slot());
            let totals = by_number.entry(usage.metered.calling.clone()).or_default();
            totals.add(usage.metered.service, usage.metered.quantity);
        }
        assert_eq!(by_number, manifest.by_number);
        assert_eq!(self.rejects().await.len() as u64, manifest.defective);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_file_is_taken_once_and_its_counts_add_up() {
    for format in SourceFormat::ALL {
        let world = World::new().await;
        let (path, manifest) = world.generate(format, 1, 1_234);
        let first = world.import(format, &path).await.unwrap();
        let header = u64::from(format == SourceFormat::Generic);
        let lines = first.lines;
        assert_eq!(
            [
                lines.done,
                lines.accepted,
                lines.rejected,
                lines.duplicates,
                lines.not_charged
            ]
            .map(|count| count as u64),
            [
                manifest.lines + header,
                manifest.charged,
                manifest.defective,
                0,
                manifest.not_charged + header
            ]
        );
        world.assert_taken_once(&manifest).await;
        let renamed = world.folder.join("again.csv");
        std::fs::rename(&path, &renamed).unwrap();
        let second = world.import(format, &renamed).await.unwrap();
        assert_eq!(
            (second.was_done, second.lines, second.file),
            (true, lines, first.file)
        );
        world.assert_taken_once(&manifest).await;
    }
}

#[tokio::test]
async fn two_imports_at_once_share_the_work() {
    let world = World::new().await;
    let (path, manifest) = world.generate(SourceFormat::Asterisk, 2, 3_000);
    let import = || world.import(SourceFormat::Asterisk, &path);
    let (a, b, c) = tokio::join!(import(), import(), import());
    assert_eq!(a.unwrap().file, b.unwrap().file);
    assert_eq!(c.unwrap().lines.done as u64, manifest.lines);
    world.assert_taken_once(&manifest).await;
}

#[tokio::test]
async fn an_import_goes_on_where_it_was_cut_off() {
    let world = World::new().await;
    let (path, manifest) = world.generate(SourceFormat::Asterisk, 3, 3_000);
    let mut interrupted = 0;
    for round in 0_u64.. {
        // Another moment each time, up to longer than the whole takes.
        let patience = Duration::from_millis(5 + 7 * round);
        match tokio::time::timeout(patience, world.import(SourceFormat::Asterisk, &path)).await {
            Ok(report) => {
                assert_eq!(report.unwrap().lines.done as u64, manifest.lines);
                break;
            }
            Err(_) => interrupted += 1,
        }
    }
    assert!(interrupted > 0);
    world.assert_taken_once(&manifest).await;
}

#[tokio::test]
async fn lines_that_come_again_in_another_file_keep_their_identity() {
    let world = World::new().await;
    let (path, manifest) = world.generate(SourceFormat::Asterisk, 4, 500);
    world.import(SourceFormat::Asterisk, &path).await.unwrap();
    let grown = world.folder.join("grown.csv");
    let mut text = std::fs::read_to_string(&path).unwrap();
    let last = text.lines().last().unwrap().to_owned();
    text.push_str(&last);
    text.push('\n');
    std::fs::write(&grown, text).unwrap();
    let report = world.import(SourceFormat::Asterisk, &grown).await.unwrap();
    assert_eq!(report.lines.rejected, 0);
    assert_eq!(report.lines.duplicates as u64, manifest.defective);
    let log = world.log().await;
    let ids: HashSet<_> = log.iter().map(|usage| usage.id).collect();
    // The equal line that is new is another call, unless nobody is charged for it.
    let new = u64::from(last.contains("\"ANSWERED\""));
    assert_eq!(ids.len() as u64, manifest.charged + new);
    assert_eq!(world.rejects().await.len() as u64, manifest.defective);
}

#[tokio::test]
async fn a_mended_reject_comes_in_once_with_its_first_identity() {
    let world = World::new().await;
    let path = world.folder.join("one.csv");
    let line = r#""","48600100001","48221234567","c","","","","Dial","","2026-11-03 10:00:00","2026-11-03 10:00:05","2026-11-03 10:01:06",66,61,"ANSWERD","DOCUMENTATION""#;
    std::fs::write(&path, line).unwrap();
    let report = world.import(SourceFormat::Asterisk, &path).await.unwrap();
    assert_eq!((report.lines.accepted, report.lines.rejected), (0, 1));
    let reject = world.rejects().await.remove(0);
    assert_eq!(
        (
            reject.code.as_str(),
            reject.raw.as_slice(),
            reject.origin.unwrap().line
        ),
        ("word", line.as_bytes(), 1)
    );
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
        }
    };
    assert!(matches!(send(None).await.unwrap(), Recycled::Rejected(reason) if reason.code() == "word"));
    let (mended, again) = (
        line.replace("ANSWERD", "ANSWERED"),
        line.replace("ANSWERD", "ANSWERED"),
    );
    let Recycled::Accepted(id) = send(Some(mended)).await.unwrap() else {
        panic!("still rejected")
    };
    assert!(
        matches!(send(Some(again)).await, Err(AppError::Refused(refusal)) if refusal.code == "recycledAlready")
    );
    let log = world.log().await;
    assert_eq!((log.len(), log[0].id), (1, id));
    assert_eq!(log[0].identity().hash, reject.identity.hash);
    assert_eq!(log[0].metered.quantity, 61);
    let session = world.app.store.read(world.context.scope()).await.unwrap();
    let file = usage_file::get(&session, report.file).await.unwrap().unwrap();
    assert_eq!((file.lines.accepted, file.lines.rejected), (1, 0));
    // The broken line in another file is still the same record.
    let other = world.folder.join("other.csv");
    std::fs::write(&other, format!("{line}\n\n")).unwrap();
    let report = world.import(SourceFormat::Asterisk, &other).await.unwrap();
    assert_eq!((report.lines.duplicates, report.lines.accepted), (1, 0));
    assert_eq!(world.rejects().await[0].state, UsageState::Recycled);
}

#[tokio::test]
async fn usage_belongs_to_whoever_had_the_number_then() {
    let world = World::new().await;
    let path = world.folder.join("early.csv");
    let line = |day: &str| {
        format!(
            "{day},sms,48700000001,48221234567,,{day}T10:00:00Z,1\nin-{day},voice,4930123456,48600100001,,{day}T10:00:00Z,9\n"
        )
    };
    world.assign("48700000001", 99, "2026-11-10T00:00:00Z").await;
    std::fs::write(
        &path,
        line("2026-11-09") + &line("2026-11-10") + &line("2036-11-10"),
    )
    .unwrap();
    let report = world.import(SourceFormat::Generic, &path).await.unwrap();
    assert_eq!((report.lines.accepted, report.lines.rejected), (3, 3));
    let codes: Vec<_> = world
        .rejects()
        .await
        .into_iter()
        .map(|reject| reject.code)
        .collect();
    assert_eq!(codes, ["unknownNumber", "future", "future"]);
    let log = world.log().await;
    let incoming = log
        .iter()
        .filter(|usage| usage.direction == Direction::Incoming)
        .count();
    assert_eq!(incoming, 2);
}

#[tokio::test]
async fn a_single_record_has_one_id_however_often_it_is_sent() {
    let world = World::new().await;
    let new = NewUsage {
        source: "portal".into(),
        external_id: "7".into(),
        metered: Metered {
            service: ServiceKind::Data,
            calling: "48600100001".into(),
            called: String::new(),
            visited_network: None,
            started: at("2026-11-03T10:00:00Z"),
            quantity: 5_000,
        },
    };
    let send = || record_usage(&world.app, &world.context, &world.rules, &new);
    assert_eq!(send().await.unwrap().id, send().await.unwrap().id);
    let mut unknown = new.clone();
    unknown.metered.calling = "4811111111".into();
    let refused = record_usage(&world.app, &world.context, &world.rules, &unknown).await;
    assert!(matches!(refused, Err(AppError::Refused(refusal)) if refusal.code == "unknownNumber"));
    assert_eq!(world.log().await.len(), 2);
}

#[tokio::test]
async fn a_watched_folder_is_emptied() {
    let world = World::new().await;
    let (path, manifest) = world.generate(SourceFormat::Asterisk, 5, 300);
    let stop = CancellationToken::new();
    let watching = watch_folder(
        &world.app,
        &world.context,
        &world.rules,
        ("asterisk", &world.folder),
        (Duration::from_millis(20), stop.clone()),
    );
    let waiting = async {
        while path.exists() {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    };
    tokio::join!(watching, waiting);
    assert!(world.folder.join("done").join(path.file_name().unwrap()).exists());
    world.assert_taken_once(&manifest).await;
}
