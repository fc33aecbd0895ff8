//! Customer analytics on a real server: hours of event time, late arrivals where they belong, duplicates not at all.

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use bss_domain::ids::{BillingAccountId, CustomerId, ProductId, ProductOfferingPriceId, TypedId, compose};
use bss_domain::usage::Usage;
use bss_domain::{Instant, Nano, Slot};
use bss_events::{EventLog, NewEvent, Topic};
use bss_store::billing_account::BILLING_ACCOUNT;
use bss_store::customer::CUSTOMER;
use bss_store::customer_analytics::{self, Measure, Total};
use bss_store::event_log::group::{self, Membership, Target};
use bss_store::usage_record::{NewRecords, Rating};
use bss_store::{Store, resource, usage_record};
use bss_streams::customer_analytics::CustomerAnalytics;
use bss_streams::runtime::{Runtime, RuntimeConfig};
use serde_json::{Value, json};
use support::{event, fresh_store, scope, tenant};
use tokio_util::sync::CancellationToken;

const KEY: u64 = 5;

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn slot() -> Slot {
    Slot::hash(&KEY.to_be_bytes())
}

fn customer() -> CustomerId {
    CustomerId::from(compose(1, slot(), KEY))
}

fn fact(topic: Topic, kind: &str, time: &str, data: Value) -> NewEvent {
    let mut new = event(topic, tenant(1), KEY, 1);
    kind.clone_into(&mut new.event.kind);
    new.event.time = at(time);
    new.event.data = data.into();
    new
}

async fn append(store: &Store, events: Vec<NewEvent>) {
    let mut work = store.begin(scope(1)).await.unwrap();
    for event in events {
        work.emit(event);
    }
    work.commit().await.unwrap();
}

/// Runs the stream until it has consumed all that is there.
async fn catch_up(store: &Store) {
    let config = RuntimeConfig {
        tend: Duration::from_millis(100),
        ..RuntimeConfig::default()
    };
    let (runtime, stop) = (Runtime::new(store.clone(), config), CancellationToken::new());
    let token = stop.clone();
    let run = tokio::spawn(async move { runtime.run(Arc::new(CustomerAnalytics), token).await });
    let deadline = Moment::now() + Duration::from_secs(30);
    loop {
        let session = store.read(scope(1)).await.unwrap();
        let groups = bss_store::event_log::browse::groups(&session).await.unwrap();
        session.finish().unwrap();
        let mut own = groups
            .iter()
            .filter(|place| place.group == "customer-analytics")
            .peekable();
        if own.peek().is_some() && own.all(|place| place.lag() == 0) {
            break;
        }
        assert!(Moment::now() < deadline, "it never caught up");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    run.await.unwrap().unwrap();
    let session = store.read(scope(1)).await.unwrap();
    let (parked, _) = bss_store::event_log::parked::list(&session, None, 10, 0)
        .await
        .unwrap();
    assert!(parked.is_empty(), "{parked:?}");
}

async fn totals(store: &Store) -> Vec<Total> {
    let session = store.read(scope(1)).await.unwrap();
    customer_analytics::totals(&session, customer()).await.unwrap()
}

fn of(totals: &[Total], measure: Measure) -> Vec<(&str, &str, i64, i64)> {
    totals
        .iter()
        .filter(|total| total.measure == measure)
        .map(|total| {
            (
                total.label.as_str(),
                total.unit.as_str(),
                total.number,
                total.quantity,
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_counted_by_the_state_that_they_are_in() {
    let (_, store) = fresh_store().await;
    let change = |time, was, state| {
        let data = json!({ "state": state, "was": was });
        fact(Topic::Order, "ProductOrderStateChangeEvent", time, data)
    };
    let create = |time| {
        fact(
            Topic::Order,
            "ProductOrderCreateEvent",
            time,
            json!({ "state": "acknowledged" }),
        )
    };
    append(
        &store,
        vec![
            create("2026-01-01T10:00:00Z"),
            create("2026-01-01T10:10:00Z"),
            change("2026-01-01T11:00:00Z", "acknowledged", "inProgress"),
            change("2026-01-01T12:00:00Z", "inProgress", "completed"),
            fact(
                Topic::Order,
                "ProductCreateEvent",
                "2026-01-01T12:00:00Z",
                json!({}),
            ),
        ],
    )
    .await;
    catch_up(&store).await;
    let totals = totals(&store).await;
    let in_state: Vec<_> = of(&totals, Measure::Order)
        .into_iter()
        .filter(|order| order.2 != 0)
        .collect();
    assert_eq!(
        in_state,
        [("acknowledged", "order", 1, 1), ("completed", "order", 1, 1)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_pays_late_is_known_in_whatever_order_the_events_come() {
    for (paid_at, late) in [("2026-02-10T00:00:00Z", false), ("2026-02-20T00:00:00Z", true)] {
        let (_, store) = fresh_store().await;
        let bill = compose(2, slot(), 77);
        let payment = fact(
            Topic::Payment,
            "PaymentCreateEvent",
            paid_at,
            json!({ "status": "captured", "amount": {"unit": "JPY", "value": 1200},
                    "allocation": [{"customerBill": bill, "amount": {"unit": "JPY", "value": 1000}}] }),
        );
        let refused = fact(
            Topic::Payment,
            "PaymentCreateEvent",
            "2026-02-01T00:00:00Z",
            json!({ "status": "denied", "amount": {"unit": "JPY", "value": 1000}, "allocation": [] }),
        );
        append(&store, vec![refused, payment]).await;
        catch_up(&store).await;
        let created = json!({ "customerBill": bill, "paymentDueDate": "2026-02-15T00:00:00Z",
                              "taxIncludedAmount": {"unit": "JPY", "value": 1000},
                              "amountDue": {"unit": "JPY", "value": 1000} });
        append(
            &store,
            vec![fact(
                Topic::Invoice,
                "CustomerBillCreateEvent",
                "2026-02-01T00:00:00Z",
                created,
            )],
        )
        .await;
        catch_up(&store).await;
        let totals = totals(&store).await;
        assert_eq!(of(&totals, Measure::Billed), [("bill", "JPY", 1, 1_000)]);
        assert_eq!(of(&totals, Measure::Paid), [("payment", "JPY", 1, 1_200)]);
        let session = store.read(scope(1)).await.unwrap();
        for now in ["2026-02-14T00:00:00Z", "2026-03-01T00:00:00Z"] {
            let is_late = customer_analytics::is_late_payer(&session, customer(), at(now))
                .await
                .unwrap();
            assert_eq!(is_late, late, "paid {paid_at}, seen {now}");
        }
    }
}

fn account() -> BillingAccountId {
    BillingAccountId::at(1, slot(), 9)
}

async fn a_business_customer(store: &Store) {
    let work = store.begin(scope(1)).await.unwrap();
    let now = at("2026-01-01T00:00:00Z");
    let party = json!({ "name": "Mill", "engagedParty": {"id": "x", "@referredType": "Organization"} });
    resource::insert(&work, &CUSTOMER, customer().uuid(), &party, now)
        .await
        .unwrap();
    let body = json!({ "name": "Mill", "state": "active", "currency": "EUR", "timeZone": "UTC", "cycleDay": 1,
                       "relatedParty": [{"role": "customer", "id": customer()}] });
    resource::insert(&work, &BILLING_ACCOUNT, account().uuid(), &body, now)
        .await
        .unwrap();
    work.commit().await.unwrap();
}

fn usage(number: u64, started: &str, seconds: i64) -> Usage {
    let document = json!({
        "id": compose(at(started).as_millisecond(), slot(), number), "source": "switch", "direction": "outgoing",
        "metered": { "service": "voice", "calling": "48600100200", "called": "48600100300", "started": started,
                     "quantity": seconds },
        "owner": { "customer": customer(), "product": ProductId::at(1, slot(), 3), "account": account() },
    });
    serde_json::from_value(document).unwrap()
}

/// What charging does, as far as it matters here: it rates each record once, at the position of its first event.
async fn rate(store: &Store, records: &[(Usage, i64)]) {
    let work = store.begin(scope(1)).await.unwrap();
    let days: BTreeSet<_> = ["2026-01-01".parse().unwrap()].into();
    usage_record::ensure_days(&work, &days).await.unwrap();
    let mut rows = NewRecords::default();
    for (usage, position) in records {
        let rating = Rating {
            price: ProductOfferingPriceId::at(1, slot(), 4),
            amount: Nano(100_000_000),
            parts: Vec::new(),
            is_provisional: true,
        };
        rows.push(usage, rating, *position);
    }
    usage_record::insert(&work, &rows).await.unwrap();
    work.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_is_counted_behind_charging_in_its_own_hour_and_once() {
    let (_, store) = fresh_store().await;
    a_business_customer(&store).await;
    let records = [
        usage(1, "2026-01-01T10:05:00Z", 60),
        usage(2, "2026-01-01T11:00:00Z", 30),
        usage(1, "2026-01-01T10:05:00Z", 60),
        // Late: it belongs to the first hour.
        usage(3, "2026-01-01T10:59:59Z", 15),
    ];
    let events = records.iter().map(|usage| {
        let data = serde_json::to_value(usage).unwrap();
        fact(Topic::Usage, "UsageCreateEvent", "2026-01-02T00:00:00Z", data)
    });
    append(&store, events.collect()).await;
    rate(
        &store,
        &[
            (records[0].clone(), 1),
            (records[1].clone(), 2),
            (records[3].clone(), 4),
        ],
    )
    .await;
    let charging = Membership {
        group: "charging".to_owned(),
        topics: vec![Topic::Usage],
        worker: "test".to_owned(),
        lease: Duration::from_secs(5),
    };
    group::join(&store, &charging).await.unwrap();
    let partition = slot().partition(bss_events::PARTITIONS);
    let up_to = |position| Target::Position { partition, position };
    group::replay(&store, "charging", Topic::Usage, up_to(4))
        .await
        .unwrap();
    catch_up(&store).await;
    let totals = totals(&store).await;
    assert_eq!(of(&totals, Measure::Usage), [("voice", "s", 3, 105)]);
    assert_eq!(of(&totals, Measure::Charged), [("voice", "EUR", 3, 300_000_000)]);

    let session = store.read(scope(1)).await.unwrap();
    let hours = customer_analytics::hours(&session, customer(), 168)
        .await
        .unwrap();
    let shown: Vec<_> = hours
        .iter()
        .filter(|hour| hour.count.measure == Measure::Usage)
        .map(|hour| (hour.start.to_string(), hour.count.number, hour.count.quantity))
        .collect();
    let wanted = [
        ("2026-01-01T10:00:00Z".to_owned(), 2, 75),
        ("2026-01-01T11:00:00Z".to_owned(), 1, 30),
    ];
    assert_eq!(shown, wanted);
    let day = (at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z"));
    let segments = customer_analytics::segments(&session, day.0, day.1)
        .await
        .unwrap();
    assert!(
        segments.iter().all(|(segment, _)| segment == "business"),
        "{segments:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_that_charging_has_not_reached_waits() {
    let (_, store) = fresh_store().await;
    let data = serde_json::to_value(usage(1, "2026-01-01T10:05:00Z", 60)).unwrap();
    append(
        &store,
        vec![fact(
            Topic::Usage,
            "UsageCreateEvent",
            "2026-01-02T00:00:00Z",
            data,
        )],
    )
    .await;
    append(
        &store,
        vec![fact(
            Topic::Order,
            "ProductOrderCreateEvent",
            "2026-01-02T00:00:00Z",
            json!({"state": "acknowledged"}),
        )],
    )
    .await;
    let (runtime, stop) = (
        Runtime::new(store.clone(), RuntimeConfig::default()),
        CancellationToken::new(),
    );
    let token = stop.clone();
    let run = tokio::spawn(async move { runtime.run(Arc::new(CustomerAnalytics), token).await });
    let deadline = Moment::now() + Duration::from_secs(30);
    while of(&totals(&store).await, Measure::Order).is_empty() {
        assert!(Moment::now() < deadline, "the order never came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    run.await.unwrap().unwrap();
    let partition = slot().partition(bss_events::PARTITIONS);
    let positions = group::positions(&store, "customer-analytics", &[Topic::Usage], &[partition])
        .await
        .unwrap();
    assert_eq!(positions[0].position, 0);
    assert!(
        store
            .log()
            .read(Topic::Usage, partition, 0, 1)
            .await
            .unwrap()
            .len()
            == 1
    );
}
