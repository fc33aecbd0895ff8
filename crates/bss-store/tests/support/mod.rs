//! What the log's tests share: a fresh store and events that say who wrote them.

use bss_domain::ids::{EventId, TenantId, compose};
use bss_domain::{Slot, TypedId};
use bss_events::{CloudEvent, NewEvent, SpecVersion, Topic};
use bss_platform::testing::test_server;
use bss_store::{ClockMode, Scope, Store, StoreConfig, migrate};

/// A fresh, migrated database: its owner's URL and a store.
pub async fn fresh_store() -> (String, Store) {
    let url = test_server().await.database().await;
    migrate(&url, ClockMode::Simulated).await.unwrap();
    let store = Store::connect(&StoreConfig::new(&url)).await.unwrap();
    (url, store)
}

pub fn tenant(number: u64) -> TenantId {
    TenantId::at(1, Slot::hash(b"tenant"), number)
}

pub fn scope(number: u64) -> Scope {
    Scope::new(tenant(number), "test")
}

/// An event of a key, whose slot decides the partition; `number` is its fact.
pub fn event(topic: Topic, tenant: TenantId, key: u64, number: u64) -> NewEvent {
    let slot = Slot::hash(&key.to_be_bytes());
    let event = CloudEvent {
        specversion: SpecVersion::V1,
        id: EventId::at(1, slot, number),
        source: "/test".to_owned(),
        kind: "TestEvent".to_owned(),
        subject: None,
        time: "2026-01-01T00:00:00Z".parse().unwrap(),
        tenant,
        key: compose(1, slot, key),
        traceparent: None,
        dataversion: 1,
        data: serde_json::json!({ "number": number }).into(),
    };
    NewEvent { topic, slot, event }
}
