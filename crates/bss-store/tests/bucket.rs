//! Buckets, counters and balances: absolute values, guarded by versions.

use std::sync::Arc;

use bss_domain::allowance::{AllowanceDefinition, AllowanceInstance, AllowanceOwner};
use bss_domain::catalog::{PriceKind, PriceVersion};
use bss_domain::ids::{BillingAccountId, ProductId, ProductOfferingPriceId, TenantId, compose};
use bss_domain::rating::Counter;
use bss_domain::{Currency, Instant, Interval, Nano, Slot, TypedId};
use bss_platform::testing;
use bss_store::bucket::{self, PrepaidBalance, Versioned};
use bss_store::{ClockMode, Scope, Store, StoreConfig, StoreError, migrate};
use serde_json::json;

const PRICE: &str = "0199aaaa-0000-8001-8000-000000000001";

fn slot() -> Slot {
    Slot::new(9).unwrap()
}

fn account() -> BillingAccountId {
    compose(1, slot(), 1).into()
}

#[allow(clippy::unnecessary_wraps)] // the shape that the store asks for
fn definition(_: ProductOfferingPriceId) -> Option<Arc<AllowanceDefinition>> {
    let document = json!({"id": PRICE, "name": "minutes", "priceType": "allowance",
                           "allowance": {"quantity": "100 min", "covers": [{"service": "voice"}]}});
    match PriceVersion::from_tmf(&document).unwrap().kind {
        PriceKind::Allowance(definition) => Some(definition),
        other => panic!("{other:?}"),
    }
}

fn november() -> Interval {
    Interval {
        from: "2026-11-01T00:00:00Z".parse().unwrap(),
        to: "2026-12-01T00:00:00Z".parse().unwrap(),
    }
}

fn instance() -> AllowanceInstance {
    let price: ProductOfferingPriceId = PRICE.parse().unwrap();
    let product: ProductId = compose(1, slot(), 2).into();
    let owner = AllowanceOwner {
        slot: slot(),
        account_or_product: product.uuid(),
    };
    AllowanceInstance::open(
        price,
        &definition(price).unwrap(),
        product,
        owner,
        november(),
        november().from,
    )
}

#[tokio::test]
async fn who_writes_on_what_is_stale_is_told_and_nothing_changes() {
    let database = testing::test_server().await.database().await;
    migrate(&database, ClockMode::Simulated).await.unwrap();
    let store = Store::connect(&StoreConfig::new(&database)).await.unwrap();
    let scope = Scope::new(TenantId::from(compose(1, slot(), 77)), "charging");
    let read = async || {
        let session = store.read(scope.clone()).await.unwrap();
        let since = Instant::UNIX_EPOCH;
        let found = bucket::buckets(&session, &[account()], since, definition)
            .await
            .unwrap();
        session.finish().unwrap();
        found
    };
    let write = async |rows: &[Versioned<AllowanceInstance>]| {
        let work = store.begin_work(scope.clone()).await.unwrap();
        bucket::save_buckets(&work, rows).await?;
        work.commit().await
    };

    let new = Versioned {
        account: account(),
        version: 0,
        value: instance(),
    };
    write(std::slice::from_ref(&new)).await.unwrap();
    let stored = read().await;
    assert_eq!(
        stored,
        [Versioned {
            version: 1,
            ..new.clone()
        }]
    );

    let mut used = stored.clone();
    used[0].value.used = 60;
    write(&used).await.unwrap();
    assert_eq!((read().await[0].value.used, read().await[0].version), (60, 2));

    for stale in [stored, vec![new]] {
        let refused = write(&stale).await;
        assert!(matches!(refused, Err(StoreError::Changed { .. })), "{refused:?}");
    }
    assert_eq!(read().await[0].value.used, 60);

    let mut beyond = read().await;
    beyond[0].value.used = 6_001;
    assert!(write(&beyond).await.is_err(), "more than was granted");
}

#[tokio::test]
async fn counters_and_balances_come_back_as_they_were_written() {
    let database = testing::test_server().await.database().await;
    migrate(&database, ClockMode::Simulated).await.unwrap();
    let store = Store::connect(&StoreConfig::new(&database)).await.unwrap();
    let scope = Scope::new(TenantId::from(compose(1, slot(), 77)), "charging");
    let counter = Versioned {
        account: account(),
        version: 0,
        value: Counter {
            window: november(),
            product: None,
            price: PRICE.parse().unwrap(),
            counter: 3,
            value: 17,
            total: None,
        },
    };
    let balance = Versioned {
        account: account(),
        version: 0,
        value: PrepaidBalance {
            currency: Currency::of("KWD").unwrap(),
            balance: Nano(5_000_000_001),
            limit: Nano(-1),
        },
    };
    let work = store.begin_work(scope.clone()).await.unwrap();
    bucket::save_counters(&work, std::slice::from_ref(&counter))
        .await
        .unwrap();
    bucket::save_balances(&work, std::slice::from_ref(&balance))
        .await
        .unwrap();
    work.commit().await.unwrap();

    let session = store.read(scope.clone()).await.unwrap();
    let counters = bucket::counters(&session, &[account()], Instant::UNIX_EPOCH)
        .await
        .unwrap();
    assert_eq!(
        counters,
        [Versioned {
            version: 1,
            ..counter
        }]
    );
    let balances = bucket::balances(&session, &[account()]).await.unwrap();
    assert_eq!(
        balances,
        [Versioned {
            version: 1,
            ..balance
        }]
    );
    assert_eq!(
        bucket::counters(&session, &[account()], november().to)
            .await
            .unwrap(),
        []
    );
    session.finish().unwrap();
}
