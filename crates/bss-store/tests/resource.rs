//! The storage of resources on a real server: what is written is found by its attributes, and by nobody else.

use bss_domain::ids::{CustomerId, TenantId};
use bss_domain::{Slot, TypedId};
use bss_platform::testing::test_server;
use bss_store::customer::CUSTOMER;
use bss_store::resource::{self, Comparison, Query};
use bss_store::{ClockMode, Scope, Store, StoreConfig, StoreError, migrate};
use serde_json::{Value, json};
use uuid::Uuid;

async fn store() -> Store {
    let url = test_server().await.database().await;
    migrate(&url, ClockMode::Simulated).await.unwrap();
    Store::connect(&StoreConfig::new(&url)).await.unwrap()
}

fn tenant(number: u64) -> TenantId {
    TenantId::at(1, Slot::new(0).unwrap(), number)
}

fn scope(number: u64) -> Scope {
    Scope::new(tenant(number), "test")
}

const NOW: &str = "2026-03-01T00:00:00Z";

async fn insert(store: &Store, number: u64, body: Value) -> Uuid {
    let id = CustomerId::new(1_700_000_000_000 + number as i64, number * 7919).uuid();
    let work = store.begin(scope(1)).await.unwrap();
    resource::insert(&work, &CUSTOMER, id, &body, NOW.parse().unwrap())
        .await
        .unwrap();
    work.commit().await.unwrap();
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn two_changes_of_one_revision_are_one_change_and_one_refusal() {
    let store = store().await;
    let id = insert(&store, 1, json!({ "name": "A", "status": "approved" })).await;
    let now = "2026-03-02T00:00:00Z".parse().unwrap();
    let (one, other) = (
        store.begin(scope(1)).await.unwrap(),
        store.begin(scope(1)).await.unwrap(),
    );
    let first = resource::update(&one, &CUSTOMER, id, 1, &json!({ "name": "B" }), now)
        .await
        .unwrap();
    assert_eq!((first.revision, first.updated_at), (2, now));
    let late = tokio::spawn(async move {
        resource::update(&other, &CUSTOMER, id, 1, &json!({ "name": "C" }), now).await
    });
    one.commit().await.unwrap();
    assert!(matches!(late.await.unwrap(), Err(StoreError::Changed { .. })));

    let session = store.read(scope(1)).await.unwrap();
    let stored = resource::get(&session, &CUSTOMER, id).await.unwrap().unwrap();
    assert_eq!(
        (stored.body, stored.created_at),
        (json!({ "name": "B" }), NOW.parse().unwrap())
    );
    // The status went with the document that it is projected from.
    let none = Query::new(&CUSTOMER)
        .filter("status", Comparison::Equal, &["approved"])
        .unwrap();
    assert!(!resource::exists(&session, &none).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_filters_sorts_pages_and_counts() {
    let store = store().await;
    let mut ids = Vec::new();
    for (number, name) in ["Cid", "Ann", "Bob", "Dan"].into_iter().enumerate() {
        let party = Uuid::from_u128(number as u128 + 1);
        let body = json!({
            "name": name, "status": if number % 2 == 0 { "approved" } else { "new" }, "engagedParty": { "id": party },
            "characteristic": [{ "name": "score", "value": number }, { "name": "vip", "value": true }],
            "contact": { "it's \"odd\"": "x" },
        });
        ids.push(insert(&store, number as u64, body).await);
    }
    let session = store.read(scope(1)).await.unwrap();
    let id_texts = ids.iter().map(Uuid::to_string).collect::<Vec<_>>();
    let party = Uuid::from_u128(3).to_string();
    type Filter<'a> = (&'a str, Comparison, Vec<&'a str>);
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, NotEqual};
    let cases: Vec<(Vec<Filter>, &str)> = vec![
        (vec![], "Ann Bob Cid Dan"),
        (vec![("status", Equal, vec!["new"])], "Ann Dan"),
        (
            vec![("status", Equal, vec!["new", "approved"])],
            "Ann Bob Cid Dan",
        ),
        (vec![("status", NotEqual, vec!["new"])], "Bob Cid"),
        (vec![("name", Greater, vec!["Bob"])], "Cid Dan"),
        (
            vec![("name", GreaterOrEqual, vec!["Bob"]), ("name", Less, vec!["Dan"])],
            "Bob Cid",
        ),
        (vec![("engagedParty.id", Equal, vec![&party])], "Bob"),
        (vec![("engagedParty.id", Equal, vec!["ext-1"])], ""),
        (
            vec![("id", Equal, vec![&id_texts[0], &id_texts[3], "no-id"])],
            "Cid Dan",
        ),
        (vec![("id", NotEqual, vec![&id_texts[0]])], "Ann Bob Dan"),
        (vec![("characteristic.value", Equal, vec!["2"])], "Bob"),
        (
            vec![("characteristic[name=score].value", Greater, vec!["1"])],
            "Bob Dan",
        ),
        (
            vec![("characteristic[name=vip].value", Equal, vec!["true"])],
            "Ann Bob Cid Dan",
        ),
        (vec![("characteristic.value", NotEqual, vec!["2"])], "Ann Cid Dan"),
        (
            vec![("contact.it's \"odd\"", Equal, vec!["x"])],
            "Ann Bob Cid Dan",
        ),
        (vec![("contact.odd", Equal, vec!["x' || \" OR 1=1"])], ""),
        (
            vec![("lastUpdate", Less, vec!["2026-03-01T00:00:01Z"])],
            "Ann Bob Cid Dan",
        ),
        (vec![("lastUpdate", Greater, vec![NOW])], ""),
    ];
    for (filters, wanted) in cases {
        let mut query = Query::new(&CUSTOMER).sort("name", false).unwrap();
        let shown = format!("{filters:?}");
        for (attribute, comparison, values) in filters {
            query = query.filter(attribute, comparison, &values).unwrap();
        }
        let page = resource::list(&session, &query).await.unwrap();
        let names: Vec<&str> = page
            .rows
            .iter()
            .map(|row| row.body["name"].as_str().unwrap())
            .collect();
        assert_eq!(names.join(" "), wanted, "{shown}");
        assert_eq!((page.total, page.exact), (names.len() as u64, true));
    }
    let second = Query::new(&CUSTOMER)
        .sort("name", true)
        .unwrap()
        .offset(1)
        .limit(2);
    let page = resource::list(&session, &second).await.unwrap();
    assert_eq!(
        (page.rows[0].id, page.rows[1].id, page.total),
        (ids[0], ids[2], 4)
    );
    let behind = Query::new(&CUSTOMER).after(ids[2]).in_slot(Slot::of(ids[3]));
    assert_eq!(
        resource::list(&session, &behind).await.unwrap().rows[0].id,
        ids[3]
    );
}

#[test]
fn mistakes_of_a_query_are_named_while_it_is_built() {
    let table = &bss_store::billing_account::BILLING_ACCOUNT;
    let wrong = |attribute: &str, value: &str| {
        Query::new(table)
            .filter(attribute, Comparison::Equal, &[value])
            .err()
            .map(|error| error.attribute)
    };
    assert_eq!(wrong("cycleDay", "x").as_deref(), Some("cycleDay"));
    assert_eq!(wrong("lastUpdate", "yesterday").as_deref(), Some("lastUpdate"));
    assert_eq!(wrong("a..b", "x").as_deref(), Some("a..b"));
    assert_eq!(wrong("name", "a\0b").as_deref(), Some("name"));
    assert_eq!(wrong("cycleDay", "7"), None);
    assert!(Query::new(table).sort("description", false).is_err());
    assert!(Query::new(table).sort("cycleDay", false).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_sees_and_changes_nothing() {
    let store = store().await;
    let id = insert(&store, 1, json!({ "name": "A" })).await;
    let now = NOW.parse().unwrap();
    let other = store.begin(scope(2)).await.unwrap();
    assert!(resource::get(&other, &CUSTOMER, id).await.unwrap().is_none());
    assert!(
        resource::list(&other, &Query::new(&CUSTOMER))
            .await
            .unwrap()
            .rows
            .is_empty()
    );
    assert!(
        resource::update(&other, &CUSTOMER, id, 1, &json!({ "name": "B" }), now)
            .await
            .is_err()
    );
    assert!(!resource::delete(&other, &CUSTOMER, id).await.unwrap());
    assert_eq!(resource::missing(&other, &CUSTOMER, &[id]).await.unwrap(), [id]);
    drop(other);
    let own = store.begin(scope(1)).await.unwrap();
    assert!(
        resource::missing(&own, &CUSTOMER, &[id])
            .await
            .unwrap()
            .is_empty()
    );
    assert!(resource::delete(&own, &CUSTOMER, id).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_lookups_at_once_find_each_its_own_and_nothing_of_another_tenant() {
    let store = store().await;
    let mut ids = Vec::new();
    for number in 1..=20 {
        ids.push(
            insert(
                &store,
                number,
                json!({ "name": number.to_string(), "status": "approved" }),
            )
            .await,
        );
    }
    let unknown = CustomerId::new(1_700_000_000_999, 99).uuid();
    let asked = (0..400_usize).map(|turn| {
        let (store, ids) = (store.clone(), ids.clone());
        tokio::spawn(async move {
            let (tenant_of, id) = match turn % 4 {
                0 => (2, ids[turn % 20]),
                1 => (1, unknown),
                _ => (1, ids[turn % 20]),
            };
            let found = resource::lookup(&store, tenant(tenant_of), &CUSTOMER, id)
                .await
                .unwrap();
            let name = found.map(|stored| stored.body["name"].as_str().unwrap().to_owned());
            let wanted = (turn % 4 > 1).then(|| (turn % 20 + 1).to_string());
            assert_eq!(name, wanted, "turn {turn}");
        })
    });
    for answer in futures::future::join_all(asked).await {
        answer.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lookup_sees_what_was_committed_before_it() {
    let store = store().await;
    let id = insert(&store, 1, json!({ "name": "0", "status": "approved" })).await;
    for revision in 1..50 {
        let body = json!({ "name": revision.to_string(), "status": "approved" });
        let work = store.begin(scope(1)).await.unwrap();
        resource::update(&work, &CUSTOMER, id, revision, &body, NOW.parse().unwrap())
            .await
            .unwrap();
        work.commit().await.unwrap();
        let found = resource::lookup(&store, tenant(1), &CUSTOMER, id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.body, body);
    }
}
