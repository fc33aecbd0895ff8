//! TMF620 ProductOffering: what is offered for sale, by itself or as a bundle.

use serde_json::Value;

use super::lifecycle::{self, LifecycleStatus};
use crate::Refusal;
use crate::shape::{Attribute, Kind, Shape};

/// Its typed attributes.
pub const SHAPE: &Shape = &[
    Attribute::required("name", Kind::Text, "the offering's name"),
    Attribute::optional("description", Kind::Text, "what it is, for people"),
    Attribute::optional("version", Kind::Text, "its version"),
    Attribute::optional(
        "lifecycleStatus",
        Kind::Word(LifecycleStatus::WORDS),
        "where it stands in its life",
    ),
    Attribute::optional("validFor", Kind::Period, "when it is sold"),
    Attribute::optional("isBundle", Kind::Boolean, "whether it bundles others"),
    Attribute::optional("isSellable", Kind::Boolean, "whether it is sold by itself"),
    Attribute::optional("statusReason", Kind::Text, "why it stands where it stands"),
    Attribute::optional(
        "category",
        Kind::List(&Kind::Reference("Category")),
        "where it is shown",
    ),
    Attribute::optional(
        "productSpecification",
        Kind::Reference("ProductSpecification"),
        "what is delivered",
    ),
    Attribute::optional(
        "productOfferingPrice",
        Kind::List(&Kind::Reference("ProductOfferingPrice")),
        "the versions of its prices",
    ),
    Attribute::optional(
        "bundledProductOffering",
        Kind::List(&Kind::Reference("ProductOffering")),
        "what it bundles",
    ),
    Attribute::optional(
        "prodSpecCharValueUse",
        Kind::List(&Kind::Object(&[Attribute::required(
            "name",
            Kind::Text,
            "the characteristic's name",
        )])),
        "the characteristics' values that it is sold with",
    ),
    Attribute::optional("place", Kind::List(&Kind::Any), "where it is sold"),
    Attribute::read_only("lastUpdate", Kind::Instant, "when it was last changed"),
];

/// A bundle bundles something; what is published keeps what it delivers, and prices only come to it.
pub fn decide(before: Option<&Value>, after: &mut Value) -> Result<(), Refusal> {
    lifecycle::decide(
        before,
        after,
        &[
            "validFor.endDateTime",
            "description",
            "category",
            "isSellable",
            "statusReason",
            "attachment",
            "channel",
            "marketSegment",
            "place",
            "productOfferingPrice",
        ],
    )?;
    let bundled = ids(after, "bundledProductOffering");
    let own = after.get("id").and_then(Value::as_str);
    if let Some(index) = bundled.iter().position(|id| Some(*id) == own) {
        return Err(Refusal::invalid(
            "bundlesItself",
            format!("bundledProductOffering[{index}].id"),
            bundled[index],
            "an offering can't bundle itself",
        ));
    }
    let is_bundle = after.get("isBundle").and_then(Value::as_bool);
    if is_bundle.is_some_and(|says| says == bundled.is_empty()) {
        return Err(Refusal::invalid(
            "wrongBundle",
            "isBundle",
            !bundled.is_empty(),
            "isBundle has to be true with bundledProductOffering and false without",
        ));
    }
    let is_bundle = !bundled.is_empty();
    after["isBundle"] = is_bundle.into();
    keeps_prices(before, after)
}

/// Products pin the prices that they were sold at: a published offering may get further versions and loses none.
fn keeps_prices(before: Option<&Value>, after: &Value) -> Result<(), Refusal> {
    let Some(before) = before else {
        return Ok(());
    };
    if !LifecycleStatus::of(before)?.is_published() {
        return Ok(());
    }
    let kept = ids(after, "productOfferingPrice");
    match ids(before, "productOfferingPrice")
        .into_iter()
        .find(|id| !kept.contains(id))
    {
        None => Ok(()),
        Some(lost) => Err(Refusal {
            field: Some("productOfferingPrice".to_owned()),
            value: Some(lost.to_owned()),
            ..Refusal::conflict(
                "published",
                format!(
                    "price {lost} can't be taken away from a published offering: retire the price instead"
                ),
            )
        }),
    }
}

fn ids<'v>(document: &'v Value, name: &str) -> Vec<&'v str> {
    document
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|reference| reference.get("id")?.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_published_offering_gains_prices_and_loses_none() {
        let launched = json!({ "id": "o", "name": "M", "lifecycleStatus": "Launched", "isBundle": false,
            "productOfferingPrice": [{ "id": "a" }, { "id": "b" }] });
        let with = |prices: Value| {
            let mut after = launched.clone();
            after["productOfferingPrice"] = prices;
            decide(Some(&launched), &mut after).map_err(|refusal| refusal.value.unwrap())
        };
        assert_eq!(with(json!([{ "id": "a" }, { "id": "b" }, { "id": "c" }])), Ok(()));
        assert_eq!(with(json!([{ "id": "b" }])), Err("a".to_owned()));
    }

    #[test]
    fn a_bundle_bundles_something_else() {
        let code = |mut body: Value| decide(None, &mut body).err().map(|refusal| refusal.code);
        assert_eq!(code(json!({ "isBundle": true })), Some("wrongBundle"));
        assert_eq!(
            code(json!({ "isBundle": false, "bundledProductOffering": [{ "id": "x" }] })),
            Some("wrongBundle")
        );
        assert_eq!(
            code(json!({ "id": "x", "bundledProductOffering": [{ "id": "x" }] })),
            Some("bundlesItself")
        );
        assert_eq!(
            code(json!({ "id": "x", "bundledProductOffering": [{ "id": "y" }] })),
            None
        );
        assert_eq!(code(json!({})), None);
    }
}
