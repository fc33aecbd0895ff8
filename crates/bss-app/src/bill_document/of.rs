//! The document of a stored bill: the bill as it was computed, with the names and addresses of today.

use std::collections::HashMap;

use bss_domain::customer_bill::{BillInputs, BillLine, CustomerBill, LineKind};
use bss_domain::ids::{CustomerBillId, ProductId};
use bss_domain::{Interval, Refusal, TypedId, Zone};
use bss_store::billing_account::BILLING_ACCOUNT;
use bss_store::customer::CUSTOMER;
use bss_store::party::{INDIVIDUAL, ORGANIZATION};
use bss_store::product::PRODUCT;
use bss_store::resource::{self, Table};
use bss_store::{Session, customer_bill, party};
use serde_json::Value;
use uuid::Uuid;

use super::{BillDocument, Days, DocumentLine, DocumentTax, DocumentUsage, Letterhead};
use crate::{App, AppError, RequestContext};

/// The bill as PDF. Who may see only own things gets only own bills.
///
/// The letterhead is the Organization whose `organizationType` is `operator`.
pub async fn of(app: &App, context: &RequestContext, id: CustomerBillId) -> Result<Vec<u8>, AppError> {
    let unknown = || AppError::not_found("CustomerBill", id);
    let session = app.store.snapshot(context.scope()).await?;
    let stored = customer_bill::computation(&session, id)
        .await?
        .ok_or_else(unknown)?;
    let inputs: BillInputs = serde_json::from_slice(&stored.inputs).map_err(AppError::internal)?;
    let bill: CustomerBill = serde_json::from_slice(&stored.computed).map_err(AppError::internal)?;
    if context.caller.is_confined() && context.caller.customer != Some(inputs.customer) {
        return Err(unknown());
    }
    if stored.number.is_empty() {
        let message = "a bill on hold has no document: it has no number yet";
        return Err(Refusal::conflict("billOnHold", message).into());
    }
    let operator = party::operator(&session)
        .await?
        .map_or_else(Letterhead::default, |body| letterhead(&body));
    let customer = recipient(&session, inputs.customer.uuid()).await?;
    let account = body(&session, &BILLING_ACCOUNT, inputs.account.uuid()).await?;
    let names = product_names(&session, &bill).await?;
    session.finish()?;
    let zone = &inputs.cycle.zone;
    let document = BillDocument {
        operator,
        customer,
        account: text(&account, "name").unwrap_or_else(|| inputs.account.to_string()),
        payment_reference: stored.number.clone(),
        number: stored.number,
        issued_on: zone.day_of(bill.bill_date),
        due_on: days(
            Interval {
                from: bill.bill_date,
                to: bill.payment_due_date,
            },
            zone,
        )
        .last,
        period: days(bill.period, zone),
        zone: zone.name().to_owned(),
        currency: bill.currency,
        lines: bill
            .lines
            .iter()
            .map(|line| document_line(line, zone, &names))
            .collect(),
        taxes: bill
            .taxes
            .iter()
            .map(|tax| DocumentTax {
                category: tax.category.clone(),
                rate_ppm: tax.rate_ppm,
                net_minor: tax.net_minor,
                tax_minor: tax.tax_minor,
            })
            .collect(),
        net_minor: bill.net_minor,
        tax_minor: bill.tax_minor,
        total_minor: bill.total_minor,
        credit_applied_minor: bill.credit_applied_minor,
        due_minor: bill.due_minor,
    };
    document.render()
}

/// The days of an interval there: it ends before the first instant that isn't in it.
fn days(interval: Interval, zone: &Zone) -> Days {
    let first = zone.day_of(interval.from);
    let end = zone.day_of(interval.to);
    let last = if zone.start_of(end) == interval.to && end > first {
        end.yesterday().unwrap_or(end)
    } else {
        end
    };
    Days { first, last }
}

fn document_line(line: &BillLine, zone: &Zone, names: &HashMap<ProductId, String>) -> DocumentLine {
    let usage = (line.kind == LineKind::Usage).then(|| DocumentUsage {
        records: line.records,
        quantity: line.quantity,
        covered: line.covered,
        unit: line.unit.clone().unwrap_or_else(|| "piece".to_owned()),
        late: line.late,
    });
    DocumentLine {
        group: names.get(&line.product).cloned().unwrap_or_default(),
        description: line.description.clone(),
        period: days(line.period, zone),
        pieces: line.quantity,
        usage,
        tax_rate_ppm: line.tax.rate_ppm,
        net_minor: line.net_minor,
    }
}

async fn body(session: &Session, table: &Table, id: Uuid) -> Result<Value, AppError> {
    let stored = resource::get(session, table, id).await?;
    Ok(stored.map_or(Value::Null, |stored| stored.body))
}

fn text(document: &Value, name: &str) -> Option<String> {
    document[name]
        .as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// Products by what customers know them by: the name, and the number where there is one.
async fn product_names(
    session: &Session,
    bill: &CustomerBill,
) -> Result<HashMap<ProductId, String>, AppError> {
    let mut names = HashMap::new();
    for line in &bill.lines {
        if names.contains_key(&line.product) {
            continue;
        }
        let product = body(session, &PRODUCT, line.product.uuid()).await?;
        let characteristics = product["productCharacteristic"].as_array().into_iter().flatten();
        let number = characteristics
            .filter(|one| one["name"] == "msisdn")
            .find_map(|one| text(one, "value"));
        let name = text(&product, "name").unwrap_or_default();
        let known = number.map_or_else(|| name.clone(), |number| format!("{name} · +{number}"));
        names.insert(line.product, known);
    }
    Ok(names)
}

/// Name and address: the customer's own address, else that of the person or company behind it.
async fn recipient(session: &Session, customer: Uuid) -> Result<Vec<String>, AppError> {
    let customer = body(session, &CUSTOMER, customer).await?;
    let engaged = customer["engagedParty"]["id"]
        .as_str()
        .and_then(|id| id.parse::<Uuid>().ok());
    let mut party = Value::Null;
    if let Some(engaged) = engaged {
        party = body(session, &INDIVIDUAL, engaged).await?;
        if party.is_null() {
            party = body(session, &ORGANIZATION, engaged).await?;
        }
    }
    let mut lines = vec![
        name_of(&party)
            .or_else(|| text(&customer, "name"))
            .unwrap_or_default(),
    ];
    let own = address(&customer);
    lines.extend(if own.is_empty() { address(&party) } else { own });
    Ok(lines)
}

fn name_of(party: &Value) -> Option<String> {
    let parts = [text(party, "givenName"), text(party, "familyName")];
    let person = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    text(party, "fullName")
        .or_else(|| (!person.is_empty()).then_some(person))
        .or_else(|| text(party, "tradingName"))
        .or_else(|| text(party, "name"))
}

fn media(document: &Value) -> impl Iterator<Item = &Value> {
    let media = document["contactMedium"].as_array().into_iter().flatten();
    media.map(|medium| &medium["characteristic"])
}

/// The first postal address (TMF632 §MediumCharacteristic).
fn address(document: &Value) -> Vec<String> {
    let Some(postal) = media(document).find(|one| one["city"].is_string() || one["street1"].is_string())
    else {
        return Vec::new();
    };
    let town = [text(postal, "postCode"), text(postal, "city")];
    let town = town.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let lines = [
        text(postal, "street1"),
        text(postal, "street2"),
        (!town.is_empty()).then_some(town),
        text(postal, "stateOrProvince"),
        text(postal, "country"),
    ];
    lines.into_iter().flatten().collect()
}

fn letterhead(operator: &Value) -> Letterhead {
    let characteristic = |name: &str| {
        let all = operator["partyCharacteristic"].as_array().into_iter().flatten();
        all.filter(|one| one["name"] == name)
            .find_map(|one| text(one, "value"))
    };
    Letterhead {
        name: name_of(operator).unwrap_or_default(),
        address: address(operator),
        tax_id: characteristic("taxId"),
        contact: media(operator)
            .flat_map(|one| [text(one, "phoneNumber"), text(one, "emailAddress")])
            .flatten()
            .collect(),
        bank_account: characteristic("bankAccount"),
    }
}
