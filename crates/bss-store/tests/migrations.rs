//! Migrations on a real server: twice is once, two at once are one, and a session sees its tenant alone.

use bss_domain::ids::{EventId, TenantId, compose};
use bss_domain::{Slot, TypedId};
use bss_events::{CloudEvent, NewEvent, SpecVersion, Topic};
use bss_platform::testing::test_server;
use bss_store::{ClockMode, Scope, Store, StoreConfig, migrate};

fn event(tenant: TenantId, number: u64) -> NewEvent {
    let slot = Slot::new(number as u16 % 4096).unwrap();
    let event = CloudEvent {
        specversion: SpecVersion::V1,
        id: EventId::at(1, slot, number),
        source: "/test".to_owned(),
        kind: "TestEvent".to_owned(),
        subject: None,
        time: "2026-01-01T00:00:00Z".parse().unwrap(),
        tenant,
        key: compose(1, slot, number),
        traceparent: None,
        dataversion: 1,
        data: serde_json::json!({ "number": number }).into(),
    };
    NewEvent {
        topic: Topic::Order,
        slot,
        event,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_migrations_at_once_are_one_and_a_second_changes_nothing() {
    let url = test_server().await.database().await;
    let (one, other) = tokio::join!(
        migrate(&url, ClockMode::Simulated),
        migrate(&url, ClockMode::Real)
    );
    let (one, other) = (one.unwrap(), other.unwrap());
    assert!(one.created != other.created, "{one:?} {other:?}");
    assert!(migrate(&url, ClockMode::Real).await.unwrap().applied.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_committed_with_dense_positions() {
    let url = test_server().await.database().await;
    migrate(&url, ClockMode::Simulated).await.unwrap();
    let store = Store::connect(&StoreConfig::new(&url)).await.unwrap();
    let tenant = TenantId::at(1, Slot::new(0).unwrap(), 1);
    for round in 0..3_u64 {
        let mut work = store.begin(Scope::new(tenant, "test")).await.unwrap();
        for number in [1, 2, 70] {
            work.emit(event(tenant, round * 4096 + number));
        }
        work.commit().await.unwrap();
    }
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let sql = format!(
        "BEGIN; SET bss.tenant = '{tenant}'; SELECT string_agg(partition || ':' || position, ' ' ORDER BY partition, position) FROM log_event"
    );
    let rows = client.simple_query(&sql).await.unwrap();
    let text = rows.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    assert_eq!(text.as_deref(), Some("0:1 0:2 0:3 0:4 0:5 0:6 1:1 1:2 1:3"));
}
