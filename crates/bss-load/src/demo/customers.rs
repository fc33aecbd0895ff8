//! The demonstration's customers: found again by their number, made where they are missing.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::operator::made;
use super::roster::Profile;
use super::{Demo, DemoError};

const INDIVIDUAL: &str = "/tmf-api/party/v4/individual";
const ORGANIZATION: &str = "/tmf-api/party/v4/organization";
const CUSTOMER: &str = "/tmf-api/customerManagement/v4/customer";
const ACCOUNT: &str = "/tmf-api/accountManagement/v4/billingAccount";

/// The characteristic of a customer that holds its number in the demonstration.
const MARK: &str = "demonstration";

/// A customer as the server knows it.
#[derive(Debug, Clone)]
pub struct Customer {
    /// What kind of customer it is.
    pub profile: Profile,
    /// Its id.
    pub id: String,
    /// Its billing account's id.
    pub account: String,
    /// Its name.
    pub name: String,
}

/// The demonstration's customers of earlier runs, by number: id and name.
async fn known(demo: &Demo<'_>) -> Result<BTreeMap<u32, (String, String)>, DemoError> {
    let found = demo
        .client
        .list_all(CUSTOMER, &[("characteristic.name", MARK)])
        .await?;
    let mut known = BTreeMap::new();
    for customer in &found {
        let marks = customer["characteristic"].as_array().into_iter().flatten();
        let index = marks
            .filter(|mark| mark["name"] == MARK)
            .find_map(|mark| mark["value"].as_str()?.parse().ok());
        if let Some(index) = index {
            let name = customer["name"].as_str().unwrap_or_default().to_owned();
            known.insert(index, (made(CUSTOMER, customer)?, name));
        }
    }
    Ok(known)
}

/// The accounts by their customers' ids.
async fn accounts(demo: &Demo<'_>) -> Result<BTreeMap<String, String>, DemoError> {
    let mut accounts = BTreeMap::new();
    for account in demo.client.list_all(ACCOUNT, &[]).await? {
        if let Some(customer) = customer_of(&account) {
            accounts.insert(customer.to_owned(), made(ACCOUNT, &account)?);
        }
    }
    Ok(accounts)
}

/// The id of the related party with the role `customer`.
pub fn customer_of(document: &Value) -> Option<&str> {
    let parties = document["relatedParty"].as_array()?;
    let customer = parties.iter().find(|party| party["role"] == "customer")?;
    customer["id"].as_str()
}

/// The reference to a customer in `relatedParty`.
pub fn as_party(customer: &str) -> Value {
    json!([{"id": customer, "role": "customer", "@referredType": "Customer"}])
}

/// Whether there is any customer, of the demonstration or not.
pub async fn any(demo: &Demo<'_>) -> Result<bool, DemoError> {
    Ok(!demo.client.list(CUSTOMER, &[("limit", "1")]).await?.is_empty())
}

/// All customers of the demonstration: those that are there, and as many more as the plan wants.
pub async fn customers(demo: &Demo<'_>) -> Result<(Vec<Customer>, usize), DemoError> {
    let known = known(demo).await?;
    let accounts = accounts(demo).await?;
    let mut indices: Vec<u32> = (0..demo.plan.customers).collect();
    indices.extend(
        known
            .keys()
            .copied()
            .filter(|index| *index >= demo.plan.customers),
    );
    let new: Vec<Profile> = indices
        .iter()
        .filter(|index| !known.contains_key(index))
        .map(|index| Profile::of(*index))
        .collect();
    super::operator::pools(demo, &new).await?;
    let mut all = demo
        .each(indices, async |index| {
            let profile = Profile::of(index);
            let (id, name) = match known.get(&index) {
                Some(customer) => customer.clone(),
                None => make(demo, &profile).await?,
            };
            let account = match accounts.get(&id) {
                Some(account) => account.clone(),
                None => open_account(demo, &profile, &id, &name).await?,
            };
            Ok(Customer {
                profile,
                id,
                account,
                name,
            })
        })
        .await?;
    all.sort_by_key(|customer| customer.profile.index);
    Ok((all, new.len()))
}

/// A party in the role of a customer: id and name.
async fn make(demo: &Demo<'_>, profile: &Profile) -> Result<(String, String), DemoError> {
    let identity = profile.identity(demo.plan.seed);
    let address = json!({
        "street1": identity.street,
        "postCode": identity.post_code,
        "city": identity.city,
        "country": identity.country,
    });
    let contact = json!([{"mediumType": "postal address", "preferred": true, "characteristic": address}]);
    let (path, kind, name, party) = if profile.is_company() {
        let name = format!("{} {} Sp. z o.o.", identity.family, profile.index);
        let party = json!({
            "name": name, "tradingName": name, "organizationType": "company", "isLegalEntity": true,
            "contactMedium": contact,
        });
        (ORGANIZATION, "Organization", name, party)
    } else {
        let name = format!("{} {}", identity.given, identity.family);
        let party = json!({
            "givenName": identity.given, "familyName": identity.family, "fullName": name,
            "contactMedium": contact,
        });
        (INDIVIDUAL, "Individual", name, party)
    };
    let key = demo.key(&format!("party-{}", profile.index));
    let party = demo.client.post(path, &party, Some(&key)).await?;
    let body = json!({
        "name": name,
        "engagedParty": {"id": party["id"], "@referredType": kind},
        "characteristic": [{"name": MARK, "valueType": "string", "value": profile.index.to_string()}],
    });
    let key = demo.key(&format!("customer-{}", profile.index));
    let customer = demo.client.post(CUSTOMER, &body, Some(&key)).await?;
    Ok((made(CUSTOMER, &customer)?, name))
}

async fn open_account(
    demo: &Demo<'_>,
    profile: &Profile,
    customer: &str,
    name: &str,
) -> Result<String, DemoError> {
    let body = json!({
        "name": name,
        "relatedParty": as_party(customer),
        "currency": profile.currency(),
        "timeZone": profile.zone(),
        "cycleDay": profile.cycle_day(),
    });
    let key = demo.key(&format!("account-{}", profile.index));
    let account = demo.client.post(ACCOUNT, &body, Some(&key)).await?;
    made(ACCOUNT, &account)
}
