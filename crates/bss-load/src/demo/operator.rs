//! What an operator has before its first customer: a name, a catalog, pools.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::roster::{Profile, Treatment};
use super::{Demo, DemoError};
use crate::api_client::{ApiError, id_of};
use crate::catalog_import::{self, Imported};

const ORGANIZATION: &str = "/tmf-api/party/v4/organization";
const RESOURCE: &str = "/tmf-api/resourceInventoryManagement/v4/resource";

/// Where the demonstration's numbers begin: the range that its tariffs call on-net.
const FIRST_MSISDN: u64 = 48_500_100_000;
/// Where its SIM cards begin (ITU-T E.118: telecom, Poland).
const FIRST_ICCID: u64 = 8_948_010_000_000_000_000;
/// Numbers, cards and ports set aside for one customer.
const PER_CUSTOMER: u64 = 4;

/// Loads the catalog; what stands there is left as it is.
pub async fn catalog(demo: &Demo<'_>) -> Result<Imported, DemoError> {
    Ok(catalog_import::import(&demo.client, &demo.plan.catalog).await?)
}

/// The operator itself: the letterhead of its bills. One that is there is left as it is.
pub async fn operator(demo: &Demo<'_>) -> Result<(), DemoError> {
    let query = [("organizationType", "operator"), ("limit", "1")];
    if !demo.client.list(ORGANIZATION, &query).await?.is_empty() {
        return Ok(());
    }
    let body = json!({
        "name": "Example Telecom",
        "tradingName": "Example Telecom",
        "organizationType": "operator",
        "isLegalEntity": true,
        "contactMedium": [
            {"mediumType": "postal address", "characteristic":
                {"street1": "Aleja Telefoniczna 1", "postCode": "00-950", "city": "Warszawa", "country": "Poland"}},
            {"mediumType": "phone", "characteristic": {"phoneNumber": "+48 800 000 000"}},
            {"mediumType": "email", "characteristic": {"emailAddress": "billing@example-telecom.example"}},
        ],
        "partyCharacteristic": [
            {"name": "taxId", "value": "PL5260001246"},
            {"name": "bankAccount", "value": "PL61 1090 1014 0000 0712 1981 2874"},
        ],
    });
    let key = demo.key("operator");
    demo.client.post(ORGANIZATION, &body, Some(&key)).await?;
    Ok(())
}

/// Fills the pools with what these customers are going to take.
pub async fn pools(demo: &Demo<'_>, profiles: &[Profile]) -> Result<usize, DemoError> {
    let wanted: Vec<(&str, String)> = profiles.iter().flat_map(resources).collect();
    let added = demo
        .each(wanted, async |(category, value)| {
            let body = json!({"category": category, "value": value});
            match demo.client.post(RESOURCE, &body, None).await {
                Ok(_) => Ok(1),
                // It is there since an earlier run was cut off.
                Err(ApiError::Refused { status, .. }) if status.as_u16() == 409 => Ok(0),
                Err(error) => Err(error.into()),
            }
        })
        .await?;
    Ok(added.into_iter().sum())
}

/// What a customer's orders take from the pools: a refused order's go to rest, so the second takes others.
fn resources(profile: &Profile) -> Vec<(&'static str, String)> {
    let orders = if profile.treatment() == Treatment::Refused {
        2
    } else {
        1
    };
    let first = u64::from(profile.index) * PER_CUSTOMER;
    let numbers = (first..).take((profile.plan.numbers() * orders) as usize);
    let ports = (first..).take((profile.plan.ports() * orders) as usize);
    numbers
        .flat_map(|place| {
            let (number, card) = (FIRST_MSISDN + place, FIRST_ICCID + place);
            [("msisdn", number.to_string()), ("simCard", card.to_string())]
        })
        .chain(ports.map(|place| ("fibrePort", format!("OLT-{}/{}", place / 64 + 1, place % 64))))
        .collect()
}

/// The offerings of the catalog by key, as an order refers to them.
pub fn offerings(imported: &Imported, keys: &[&str]) -> Result<Vec<Value>, DemoError> {
    let ids: &BTreeMap<String, String> = &imported.ids;
    keys.iter()
        .map(|key| {
            ids.get(*key)
                .map(|id| json!({"id": id, "@referredType": "ProductOffering"}))
                .ok_or_else(|| DemoError::stuck(format!("the catalog has no offering with the key {key}")))
        })
        .collect()
}

/// The id of a resource that was just made.
pub fn made(path: &str, resource: &Value) -> Result<String, DemoError> {
    Ok(id_of(path, resource)?.to_owned())
}
