//! Every price of the demonstration's catalog can be read.

use bss_domain::catalog::{PriceKind, PriceVersion};
use serde_json::{Value, json};

#[test]
fn every_price_of_the_demonstration_is_understood() {
    let file: Value = serde_json::from_str(include_str!("../../../demo/catalog/5-prices.json")).unwrap();
    let mut kinds = [0; 6];
    for item in file["items"].as_array().unwrap() {
        let mut document = item.clone();
        document["id"] = json!("0190a1b2-c3d4-8e5f-8a6b-112233445566");
        let price = PriceVersion::from_tmf(&document)
            .unwrap_or_else(|refusal| panic!("{}: {refusal:?}", item["key"]));
        let kind = match price.kind {
            PriceKind::OneTime(_) => 0,
            PriceKind::Recurring(_) => 1,
            PriceKind::Usage(_) => 2,
            PriceKind::Allowance(_) => 3,
            PriceKind::Alteration(_) => 4,
            PriceKind::Commitment(_) => 5,
        };
        kinds[kind] += 1;
    }
    assert!(
        kinds.iter().all(|count| *count > 0),
        "each kind of price is shown: {kinds:?}"
    );
}
