//! Subscribers by the thousand: each with an account, a tariff with allowance and recurring fee, and a number.

use bss_app::App;
use bss_domain::document::Reference;
use bss_domain::ids::{BillingAccountId, CustomerId, ProductId, ProductOfferingPriceId, compose};
use bss_domain::{Instant, Interval, Slot, TypedId};
use bss_store::billing_account::BILLING_ACCOUNT;
use bss_store::catalog::PRODUCT_OFFERING_PRICE;
use bss_store::customer::CUSTOMER;
use bss_store::product::{self, NewAssignment, NewSegment, PRODUCT};
use bss_store::product_order::PRODUCT_ORDER;
use bss_store::resource::Table;
use bss_store::{StoreError, UnitOfWork, resource};
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::place::scope;

/// The zone of the accounts and of the switch.
pub const ZONE: &str = "Europe/Warsaw";
const BATCH: u64 = 200;
const CONNECTIONS: usize = 4;

/// The number of a subscriber.
pub fn number(account: u64) -> String {
    format!("48600{account:06}")
}

fn prices() -> Vec<(ProductOfferingPriceId, Value)> {
    let tax = json!([{"taxCategory": "S", "taxRate": 23}]);
    let steps = json!([{"unit": 60, "increment": 60, "price": 0.09},
                       {"from": 60, "unit": 60, "increment": 1, "price": 0.09}]);
    let documents = [
        json!({"name": "Fee", "priceType": "recurring", "inAdvance": false, "tax": tax,
               "price": {"unit": "EUR", "value": 9.99}}),
        json!({"name": "Minutes", "priceType": "allowance",
               "allowance": {"quantity": "60 min", "covers": [{"service": "voice", "zones": ["home"]}],
                             "increment": 60}}),
        json!({"name": "Calls", "priceType": "usage", "price": {"unit": "EUR"}, "tax": tax,
               "tariff": {"zones": [{"name": "home", "prefixes": ["48"]}, {"name": "abroad", "prefixes": [""]}],
                          "rates": [{"service": "voice", "zone": "*", "steps": steps}]}}),
    ];
    let with_id = |(place, mut body): (usize, Value)| {
        let id = compose(1, Slot::hash(b"price"), place as u64);
        body["id"] = json!(id);
        body["version"] = json!("1");
        body["lifecycleStatus"] = json!("Launched");
        (id.into(), body)
    };
    documents.into_iter().enumerate().map(with_id).collect()
}

/// Makes so many subscribers whose products are active from the period's beginning on.
pub async fn subscribers(app: &App, accounts: u64, period: Interval) -> Result<(), StoreError> {
    let prices = prices();
    let work = app.store.begin(scope()).await?;
    for (id, body) in &prices {
        resource::insert(&work, &PRODUCT_OFFERING_PRICE, id.uuid(), body, period.from).await?;
    }
    work.commit().await?;
    let ids: Vec<ProductOfferingPriceId> = prices.into_iter().map(|(id, _)| id).collect();
    stream::iter((0..accounts).step_by(BATCH as usize))
        .map(|first| {
            let ids = &ids;
            async move {
                let work = app.store.begin(scope()).await?;
                // One connection: the statements go out without waiting for each other's answers.
                let rows =
                    (first..accounts.min(first + BATCH)).map(|number| one(&work, number, ids, period.from));
                try_join_all(rows).await?;
                work.commit().await
            }
        })
        .buffer_unordered(CONNECTIONS)
        .try_collect()
        .await
}

async fn one(
    work: &UnitOfWork,
    place: u64,
    prices: &[ProductOfferingPriceId],
    from: Instant,
) -> Result<(), StoreError> {
    let customer = CustomerId::new(1, place + 1);
    let id = |kind: u64| compose(1, customer.slot(), place * 10 + kind);
    let (account, order, product) = (id(1), id(2), id(3));
    let party = json!([{"id": customer, "role": "customer"}]);
    let documents: [(&Table, Value); 4] = [
        (
            &CUSTOMER,
            json!({"id": customer, "name": "Customer", "status": "approved"}),
        ),
        (
            &BILLING_ACCOUNT,
            json!({"id": account, "name": "Account", "state": "active", "relatedParty": party, "currency": "EUR",
                   "timeZone": ZONE, "cycleDay": 1}),
        ),
        (
            &PRODUCT_ORDER,
            json!({"id": order, "state": "completed", "relatedParty": party, "completionDate": from}),
        ),
        (
            &PRODUCT,
            json!({"id": product, "status": "active", "name": "Mobile", "relatedParty": party,
                   "billingAccount": {"id": account}, "productOrderItem": [{"productOrderId": order}],
                   "productOffering": {"id": id(4)}, "startDate": from}),
        ),
    ];
    let ids = [customer.uuid(), account, order, product];
    for ((table, body), id) in documents.iter().zip(ids) {
        resource::insert(work, table, id, body, from).await?;
    }
    let product = ProductId::from(product);
    let segment = NewSegment {
        product,
        from,
        account: account.into(),
        offering: id(4).into(),
        prices: prices.to_vec(),
        quantity: 1,
    };
    product::open_segment(work, &segment).await?;
    assign(work, place, product, customer, account.into(), from).await
}

async fn assign(
    work: &UnitOfWork,
    place: u64,
    product: ProductId,
    customer: CustomerId,
    account: BillingAccountId,
    from: Instant,
) -> Result<(), StoreError> {
    let assignment = NewAssignment {
        number: &number(place),
        from,
        customer: &Reference::to(customer, "Customer"),
        account,
        product,
    };
    product::assign_number(work, &assignment).await
}
