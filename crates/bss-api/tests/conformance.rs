//! Every resource as it is served is valid by TM Forum's own definitions, but for what `tmf/deviations.txt` names.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use bss_app::Role;
use bss_app::activation::{ActivationConfig, Network, NetworkRequest, run_due};
use bss_domain::activation::NetworkAnswer;
use bss_domain::ids::{ProductOfferingPriceId, UsageId, compose};
use bss_domain::rating::RatedItem;
use bss_domain::usage::{Direction, Metered, Owner, ServiceKind, Usage};
use bss_domain::{Nano, Slot, TypedId};
use bss_store::usage_record::{self, NewRecords, Rating};
use http::StatusCode;
use jsonschema::{Draft, Validator};
use serde_json::{Value, json};
use support::api::{Api, CATALOG, PARTY, api};
use support::shop::{ORDERING, PAYMENTS, id};

/// What isn't valid yet: type and path, then the reason. It only shrinks.
const DEVIATIONS: &str = include_str!("tmf/deviations.txt");

/// The network of this test does what it is asked.
struct Obedient;

#[async_trait]
impl Network for Obedient {
    async fn send(&self, _: &NetworkRequest) -> NetworkAnswer {
        NetworkAnswer::Done
    }

    async fn ask(&self, _: &NetworkRequest) -> NetworkAnswer {
        NetworkAnswer::Done
    }
}

/// The validator of a type. TM Forum wrote its definitions in the words of JSON Schema's draft 4; one state that it
/// publishes with a space at its end ("aborted ") is sent without.
fn validator(api: &str, kind: &str) -> Validator {
    let path = format!("{}/tests/tmf/{api}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut schema: Value = serde_json::from_str(&text).unwrap();
    trim_words(&mut schema);
    assert!(
        schema["definitions"].get(kind).is_some(),
        "{api} defines no {kind}"
    );
    let whole = json!({ "definitions": schema["definitions"], "allOf": [{ "$ref": format!("#/definitions/{kind}") }] });
    jsonschema::options()
        .with_draft(Draft::Draft4)
        .should_validate_formats(true)
        .build(&whole)
        .unwrap()
}

fn trim_words(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Array(words)) = object.get_mut("enum") {
                for word in words {
                    *word = word.as_str().unwrap().trim_end().into();
                }
            }
            object.values_mut().for_each(trim_words);
        }
        Value::Array(list) => list.iter_mut().for_each(trim_words),
        _ => {}
    }
}

/// A path without the places in lists, so that it names an attribute.
fn attribute(path: &str) -> String {
    let names = path.split('/').filter(|part| part.parse::<usize>().is_err());
    names
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(".")
}

/// What TM Forum's APIs list: the API's number, the type and the path.
fn lists() -> Vec<(String, String, String)> {
    let document = bss_api::openapi::document();
    let paths = document["paths"].as_object().unwrap();
    let lists = paths.iter().filter_map(|(path, methods)| {
        let tag = methods["get"]["tags"][0].as_str()?;
        let kind = methods["get"]["operationId"].as_str()?.strip_prefix("list")?;
        let api = tag.split(' ').next().filter(|api| api.starts_with("TMF"))?;
        Some((api.to_owned(), kind.to_owned(), path.clone()))
    });
    lists.collect()
}

/// The catalog of a plan on two specifications of the network, and its pools.
async fn mobile(api: &Api) -> Value {
    let manager = api.actor(Role::ProductManager);
    let resources = "/tmf-api/resourceCatalog/v4/resourceSpecification";
    let number = json!({ "name": "number", "category": "msisdn", "version": "1" });
    let number = manager.made(resources, number).await;
    let services = "/tmf-api/serviceCatalogManagement/v4/serviceSpecification";
    let service =
        json!({ "name": "mobile", "version": "1", "resourceSpecification": [{ "id": number["id"] }] });
    let service = manager.made(services, service).await;
    let products = format!("{CATALOG}/productSpecification");
    let product = json!({
        "name": "mobile", "brand": "Test", "serviceSpecification": [{ "id": service["id"] }],
        "validFor": { "startDateTime": "2020-01-01T00:00:00Z" },
    });
    let product = manager.made(&products, product).await;
    let category = json!({ "name": "Mobile" });
    let category = manager.made(&format!("{CATALOG}/category"), category).await;
    let offerings = format!("{CATALOG}/productOffering");
    let plan = api.plan().await;
    let body = json!({
        "name": "Mobile", "category": [{ "id": category["id"] }], "productSpecification": { "id": product["id"] },
        "productOfferingPrice": plan["productOfferingPrice"],
    });
    let offering = manager.made(&offerings, body).await;
    for path in [
        format!("{resources}/{}", id(&number)),
        format!("{services}/{}", id(&service)),
        format!("{products}/{}", id(&product)),
        format!("{offerings}/{}", id(&offering)),
    ] {
        for word in ["In test", "Active", "Launched"] {
            let patched = manager.patch(&path, json!({ "lifecycleStatus": word })).await;
            assert_eq!(patched.status, StatusCode::OK, "{path}: {}", patched.body);
        }
    }
    let network = api.actor(Role::Network);
    let pool = "/tmf-api/resourceInventoryManagement/v4/resource";
    for value in ["48500100200", "48500100201"] {
        network
            .made(pool, json!({ "category": "msisdn", "value": value }))
            .await;
    }
    offering
}

/// A rated call, as charging stores it.
async fn call(api: &Api, customer: &Value, account: &Value, product: &Value) {
    let context = api.system();
    let started = api.app.clock.now();
    let customer = id(customer).parse().unwrap();
    let account: bss_domain::ids::BillingAccountId = id(account).parse().unwrap();
    let usage = Usage {
        id: UsageId::at(started.as_millisecond(), account.slot(), 7),
        source: "test".to_owned(),
        direction: Direction::Outgoing,
        metered: Metered {
            service: ServiceKind::Voice,
            calling: "48500100200".to_owned(),
            called: "48600".to_owned(),
            visited_network: None,
            started,
            quantity: 60,
        },
        owner: Owner {
            customer,
            product: product.as_str().unwrap().parse().unwrap(),
            account,
        },
        origin: None,
        own_id: false,
        reject: None,
    };
    let amount = Nano(100_000_000);
    let mut parts = Vec::new();
    RatedItem {
        zone: 0,
        rate: 0,
        amount,
        parts: Vec::new(),
    }
    .encode(&mut parts);
    let price: ProductOfferingPriceId = compose(1, Slot::new(0).unwrap(), 1).into();
    let rating = Rating {
        price,
        amount,
        parts,
        is_provisional: true,
    };
    let mut rows = NewRecords::default();
    rows.push(&usage, rating, 0);
    let work = api.app.store.begin_work(context.scope()).await.unwrap();
    let days = BTreeSet::from([usage_record::day_of(started)]);
    usage_record::ensure_days(&work, &days).await.unwrap();
    usage_record::insert(&work, &rows).await.unwrap();
    work.commit().await.unwrap();
}

/// One of everything, made as an operator's staff makes it.
async fn one_of_everything(api: &Api) {
    api.later("2101-01-20T10:00:00Z").await;
    let csr = api.actor(Role::Csr);
    let organization = json!({ "tradingName": "Operator", "organizationType": "operator" });
    csr.made(&format!("{PARTY}/organization"), organization).await;
    let ann = csr.customer("Ann").await;
    let account = csr.account(&ann).await;
    let offering = mobile(api).await;
    let order = api.order(&ann, &account, &offering).await;
    api.take_up(&order).await;
    let network: Arc<dyn Network> = Arc::new(Obedient);
    run_due(&api.app, &network, &ActivationConfig::default())
        .await
        .unwrap();
    let orders = format!("{ORDERING}/productOrder");
    let done = csr.get(&format!("{orders}/{}", id(&order))).await.body;
    assert_eq!(done["state"], "completed", "{done}");
    api.later("2101-03-20T10:00:00Z").await;
    let bills = api.bills(&account).await;
    assert!(!bills.is_empty());
    call(api, &ann, &account, &done["productOrderItem"][0]["product"]["id"]).await;
    let unwanted = api.order(&ann, &account, &offering).await;
    let body = json!({ "productOrder": { "id": unwanted["id"] }, "cancellationReason": "changed my mind" });
    csr.made(&format!("{ORDERING}/cancelProductOrder"), body).await;
    let rejected = api
        .order(&ann, &account, &json!({ "id": "of another shop" }))
        .await;
    api.take_up(&rejected).await;
    let billing = api.actor(Role::Billing);
    let money = |value: i64| json!({ "unit": "EUR", "value": value });
    let payment = json!({
        "account": { "id": account["id"] }, "amount": money(100), "channel": { "name": "cash" },
        "paymentMethod": { "@type": "cash" }, "paymentItem": [{ "item": { "id": bills[0]["id"] } }],
    });
    billing.made(PAYMENTS, payment).await;
    let refund = json!({
        "account": { "id": account["id"] }, "amount": money(10), "channel": { "name": "cash" },
        "paymentMethod": { "@type": "cash" },
    });
    billing.made("/tmf-api/paymentManagement/v4/refund", refund).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_served_is_what_tm_forum_defines() {
    let api = api(false).await;
    one_of_everything(&api).await;
    let admin = api.actor(Role::Admin);
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for (number, kind, path) in lists() {
        let rows = admin.get(&format!("{path}?limit=1000")).await.body;
        let rows = rows.as_array().unwrap_or_else(|| panic!("{path}: {rows}"));
        assert!(!rows.is_empty(), "there is no {kind} to look at");
        let validator = validator(&number, &kind);
        for row in rows {
            for error in validator.iter_errors(row) {
                let at = attribute(&error.instance_path().to_string());
                let place = if at.is_empty() {
                    kind.clone()
                } else {
                    format!("{kind}.{at}")
                };
                found.entry(place).or_insert_with(|| error.to_string());
            }
        }
    }
    let lines = DEVIATIONS
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    let known: BTreeSet<&str> = lines.map(|line| line.split(':').next().unwrap()).collect();
    let new: Vec<_> = found
        .iter()
        .filter(|(place, _)| !known.contains(place.as_str()))
        .collect();
    assert!(new.is_empty(), "not what TM Forum defines: {new:#?}");
    let mended: Vec<_> = known
        .iter()
        .filter(|place| !found.contains_key(**place))
        .collect();
    assert!(
        mended.is_empty(),
        "take these out of deviations.txt, they are mended: {mended:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_seen() {
    let validator = validator("TMF666", "BillingAccount");
    let right = json!({ "name": "A", "relatedParty": [{ "id": "1", "name": "B", "role": "customer", "@referredType": "Customer" }] });
    assert!(validator.is_valid(&right));
    for (name, value) in [
        ("name", json!(5)),
        ("lastModified", json!("yesterday")),
        ("accountBalance", json!([{ "balanceType": "receivable" }])),
        ("relatedParty", json!([{ "role": "customer" }])),
    ] {
        let mut wrong = right.clone();
        wrong[name] = value;
        assert!(!validator.is_valid(&wrong), "{wrong}");
    }
}
