//! The committed description is the code's, and the code's is of every route.

use std::collections::BTreeSet;

use serde_json::Value;

#[test]
fn the_committed_description_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let fresh = serde_json::to_string_pretty(&bss_api::openapi::document()).unwrap() + "\n";
    if std::env::var_os("BSS_UPDATE").is_some() {
        std::fs::write(path, &fresh).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == fresh,
        "docs/openapi.json is stale: BSS_UPDATE=1 cargo test -p bss-api --test openapi writes it anew"
    );
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let document = bss_api::openapi::document();
    let described: BTreeSet<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            methods
                .as_object()
                .unwrap()
                .keys()
                .filter(|method| *method != "parameters")
                .map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let routed: BTreeSet<String> = bss_api::route_list()
        .iter()
        .map(|(method, path)| format!("{method} {path}"))
        .filter(|route| !["GET /openapi.json", "GET /docs"].contains(&route.as_str()))
        .collect();
    assert_eq!(described, routed);
}

#[test]
fn ids_of_operations_are_unique_and_references_lead_somewhere() {
    let document = bss_api::openapi::document();
    let mut ids = BTreeSet::new();
    for methods in document["paths"].as_object().unwrap().values() {
        for operation in methods.as_object().unwrap().values() {
            if let Some(id) = operation.get("operationId").and_then(Value::as_str) {
                assert!(ids.insert(id.to_owned()), "{id} stands twice");
            }
        }
    }
    fn walk(value: &Value, document: &Value) {
        if let Some(target) = value.get("$ref").and_then(Value::as_str) {
            let pointer = target.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{target}");
        }
        match value {
            Value::Object(object) => object.values().for_each(|inner| walk(inner, document)),
            Value::Array(list) => list.iter().for_each(|inner| walk(inner, document)),
            _ => {}
        }
    }
    walk(&document, &document);
}
