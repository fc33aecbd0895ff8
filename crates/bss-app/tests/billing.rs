//! From rated usage and products to bills, payments and a ledger that balances, against a real database.

use std::collections::BTreeSet;

use bss_app::bill_run::{self, BillRunOptions, BillRunReport, BillRunScope};
use bss_app::credit_note::{self, CreditRequest};
use bss_app::payment::{self, CapturedPayment, PaymentReceipt};
use bss_app::resource::ResourceUseCases;
use bss_app::trace::{Explanation, trace, tree};
use bss_app::{App, AppError, RequestContext, explain, ledger_check, prepaid};
use bss_domain::allowance::{AllowanceInstance, AllowanceOwner};
use bss_domain::ids::{
    BillingAccountId, CustomerBillId, CustomerId, ProductId, ProductOfferingPriceId, TenantId, UsageId,
    compose,
};
use bss_domain::rating::RatedItem;
use bss_domain::usage::{Direction, Metered, Owner, ServiceKind, Usage};
use bss_domain::{Currency, Cycle, Instant, Money, Nano, Slot, TypedId, Zone};
use bss_platform::testing::test_server;
use bss_store::billing_account::BILLING_ACCOUNT;
use bss_store::bucket::{self, Versioned};
use bss_store::catalog::PRODUCT_OFFERING_PRICE;
use bss_store::customer::CUSTOMER;
use bss_store::product::{self, NewSegment, PRODUCT};
use bss_store::product_order::PRODUCT_ORDER;
use bss_store::usage_record::{self, NewRecords, Rating};
use bss_store::{ClockMode, Store, StoreConfig, migrate, resource};
use serde_json::{Map, json};
use tokio_util::sync::CancellationToken;

#[path = "billing/hold.rs"]
mod hold;

struct World {
    app: App,
    context: RequestContext,
    url: String,
}

/// A customer with one account and one product.
#[derive(Clone, Copy)]
struct Subscriber {
    customer: CustomerId,
    account: BillingAccountId,
    product: ProductId,
}

fn price(number: u64) -> ProductOfferingPriceId {
    compose(1, Slot::new(0).unwrap(), number).into()
}

const MONTHLY: u64 = 1;
const MINUTES: u64 = 2;
const CALLS: u64 = 3;
const SETUP: u64 = 4;
const DISCOUNT: u64 = 5;
const OPENED: &str = "2101-11-01T00:00:00Z";

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

impl World {
    async fn new() -> Self {
        let url = test_server().await.database().await;
        migrate(&url, ClockMode::Simulated).await.unwrap();
        let app = App::new(Store::connect(&StoreConfig::new(&url)).await.unwrap())
            .await
            .unwrap();
        let tenant = TenantId::at(1, Slot::new(0).unwrap(), 1);
        let world = Self {
            app,
            context: RequestContext::system(tenant, "test"),
            url,
        };
        world.prices().await;
        world
    }

    async fn prices(&self) {
        let tax = json!([{"taxCategory": "S", "taxRate": 23}]);
        let documents = [
            (
                MONTHLY,
                json!({"name": "Mobile M", "priceType": "recurring", "inAdvance": true, "tax": tax,
                             "price": {"unit": "EUR", "value": 9.99}}),
            ),
            (
                MINUTES,
                json!({"name": "Minutes", "priceType": "allowance", "allowance": {"quantity": "10 min",
                             "covers": [{"service": "voice"}], "rollover": {"max": "5 min"}}}),
            ),
            (
                CALLS,
                json!({"name": "Calls", "priceType": "usage", "price": {"unit": "EUR"}, "tax": tax, "tariff": {
                "zones": [{"name": "national", "prefixes": ["48"]}, {"name": "world", "prefixes": [""]}],
                "rates": [{"service": "voice", "zone": "national", "steps": [{"unit": "min", "price": 0.10}]},
                          {"service": "voice", "zone": "world", "steps": [{"unit": "min", "price": 0.50}]}]}}),
            ),
            (
                SETUP,
                json!({"name": "Connection", "priceType": "oneTime", "tax": tax,
                           "price": {"unit": "EUR", "value": 5}}),
            ),
            (
                DISCOUNT,
                json!({"name": "Half price", "priceType": "discount", "percentage": 50,
                              "alteration": {"appliesTo": "recurring", "periods": 1}}),
            ),
        ];
        let work = self.app.store.begin(self.context.scope()).await.unwrap();
        for (number, mut body) in documents {
            let id = price(number).uuid();
            body["id"] = json!(id);
            body["version"] = json!("1");
            body["lifecycleStatus"] = json!("Launched");
            resource::insert(&work, &PRODUCT_OFFERING_PRICE, id, &body, at(OPENED))
                .await
                .unwrap();
        }
        work.commit().await.unwrap();
    }

    /// A customer whose product is active from an instant on, sold at these prices.
    async fn subscribe(&self, number: u64, from: &str, prices: &[u64]) -> Subscriber {
        let customer = CustomerId::new(1, number * 7_919);
        let id = |kind| compose(1, customer.slot(), number * 10 + kind);
        let (account, order, product) = (id(1), id(2), id(3));
        let party = json!([{"id": customer, "role": "customer"}]);
        let work = self.app.store.begin(self.context.scope()).await.unwrap();
        let documents = [
            (
                &CUSTOMER,
                customer.uuid(),
                json!({"name": "x", "status": "approved"}),
            ),
            (
                &BILLING_ACCOUNT,
                account,
                json!({"name": "a", "state": "active", "relatedParty": party,
                "currency": "EUR", "timeZone": "Europe/Warsaw", "cycleDay": 1}),
            ),
            (
                &PRODUCT_ORDER,
                order,
                json!({"state": "completed", "relatedParty": party, "completionDate": from}),
            ),
            (
                &PRODUCT,
                product,
                json!({"status": "active", "name": "Mobile M", "relatedParty": party,
                "billingAccount": {"id": account}, "productOrderItem": [{"productOrderId": order}],
                "productOffering": {"id": id(4)}, "startDate": from}),
            ),
        ];
        for (table, id, mut body) in documents {
            body["id"] = json!(id);
            resource::insert(&work, table, id, &body, at(OPENED))
                .await
                .unwrap();
        }
        let segment = NewSegment {
            product: product.into(),
            from: at(from),
            account: account.into(),
            offering: id(4).into(),
            prices: prices.iter().map(|number| price(*number)).collect(),
            quantity: 1,
        };
        product::open_segment(&work, &segment).await.unwrap();
        work.commit().await.unwrap();
        Subscriber {
            customer,
            account: account.into(),
            product: product.into(),
        }
    }

    /// Calls as the charging stream would have stored them: rated at the full price in order of arrival.
    async fn calls(&self, who: Subscriber, position: i64, calls: &[(&str, &str, i64, i64)]) {
        let work = self.app.store.begin_work(self.context.scope()).await.unwrap();
        let mut rated = Vec::new();
        let mut days = BTreeSet::new();
        for (number, (start, called, seconds, nano)) in calls.iter().enumerate() {
            let started = at(start);
            days.insert(usage_record::day_of(started));
            let random = position.unsigned_abs() * 1_000 + number as u64;
            let usage = Usage {
                id: UsageId::at(started.as_millisecond(), who.customer.slot(), random),
                source: "test".to_owned(),
                direction: Direction::Outgoing,
                metered: Metered {
                    service: ServiceKind::Voice,
                    calling: "48600".to_owned(),
                    called: (*called).to_owned(),
                    visited_network: None,
                    started,
                    quantity: *seconds,
                },
                owner: Owner {
                    customer: who.customer,
                    product: who.product,
                    account: who.account,
                },
                origin: None,
                own_id: false,
                reject: None,
            };
            // The tariff's first rate is the national one.
            let rate = u16::from(!called.starts_with("48"));
            let item = RatedItem {
                zone: rate,
                rate,
                amount: Nano(*nano),
                parts: Vec::new(),
            };
            let mut parts = Vec::new();
            item.encode(&mut parts);
            let rating = Rating {
                price: price(CALLS),
                amount: Nano(*nano),
                parts,
                is_provisional: true,
            };
            rated.push((usage, rating));
        }
        let mut rows = NewRecords::default();
        for (usage, rating) in &rated {
            rows.push(usage, rating.clone(), position);
        }
        usage_record::ensure_days(&work, &days).await.unwrap();
        usage_record::insert(&work, &rows).await.unwrap();
        work.commit().await.unwrap();
        let partition = who.customer.slot().partition(64);
        self.as_owner(&format!(
            "UPDATE log_partition SET head = greatest(head, {position}) WHERE topic = 4 AND partition = {partition};
             INSERT INTO group_position (group_name, topic, partition, position) VALUES ('charging', 4, {partition}, {position})
             ON CONFLICT (group_name, topic, partition) DO UPDATE SET position = excluded.position"
        ))
        .await;
    }

    async fn as_owner(&self, sql: &str) {
        let (client, connection) = tokio_postgres::connect(&self.url, tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        let setting = format!("SET bss.tenant = '{}'", self.context.tenant());
        client.batch_execute(&setting).await.unwrap();
        client.batch_execute(sql).await.unwrap();
    }

    async fn run_at(&self, moment: &str) -> BillRunReport {
        self.app
            .clock
            .advance_to(&self.app.store, at(moment))
            .await
            .unwrap();
        self.run(&CancellationToken::new(), 300).await
    }

    async fn run(&self, stop: &CancellationToken, accounts_per_transaction: usize) -> BillRunReport {
        let options = BillRunOptions {
            accounts_per_transaction,
            patience: std::time::Duration::ZERO,
            ..BillRunOptions::default()
        };
        bill_run::run(&self.app, &self.context, &options, stop)
            .await
            .unwrap()
    }

    /// Columns of the account's bills in order, as text.
    async fn bills(&self, columns: &str) -> Vec<String> {
        let (client, connection) = tokio_postgres::connect(&self.url, tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        let setting = format!("SET bss.tenant = '{}'", self.context.tenant());
        client.batch_execute(&setting).await.unwrap();
        let sql = format!("SELECT concat_ws(' ', {columns}) FROM customer_bill ORDER BY number");
        client
            .query(&sql, &[])
            .await
            .unwrap()
            .iter()
            .map(|row| row.get(0))
            .collect()
    }

    /// One text that a query of the owner gives.
    async fn text(&self, sql: &str) -> String {
        let (client, connection) = tokio_postgres::connect(&self.url, tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        let setting = format!("SET bss.tenant = '{}'", self.context.tenant());
        client.batch_execute(&setting).await.unwrap();
        client.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// The November minutes of a product, used so far, as the charging stream stores them.
    async fn bucket_used(&self, who: Subscriber, used: u64) {
        let work = self.app.store.begin_work(self.context.scope()).await.unwrap();
        let prices = bill_run::PriceBook::load(&work).await.unwrap();
        let definition = prices.allowance(price(MINUTES)).unwrap();
        let cycle = Cycle {
            zone: Zone::named("Europe/Warsaw").unwrap(),
            day: 1,
        };
        let owner = AllowanceOwner {
            slot: who.account.slot(),
            account_or_product: who.product.uuid(),
        };
        let window = cycle.period_of(at(OPENED));
        let open = AllowanceInstance::open(
            price(MINUTES),
            &definition,
            who.product,
            owner,
            window,
            at(OPENED),
        );
        let row = Versioned {
            account: who.account,
            version: 0,
            value: AllowanceInstance { used, ..open },
        };
        bucket::save_buckets(&work, &[row]).await.unwrap();
        work.commit().await.unwrap();
    }

    async fn pay(&self, who: Subscriber, minor: i64) -> PaymentReceipt {
        let payment = CapturedPayment {
            account: who.account,
            amount: Money::new(minor, Currency::of("EUR").unwrap()),
            channel: "card".to_owned(),
            bills: Vec::new(),
            extra: Map::new(),
        };
        payment::capture(&self.app, &self.context, payment).await.unwrap()
    }

    async fn check(&self) {
        let report = ledger_check::check(&self.app, &self.context).await.unwrap();
        assert_eq!(report.invariants.len(), 8);
        assert!(report.holds, "{report:#?}");
    }
}

const ALL: &[u64] = &[MONTHLY, MINUTES, CALLS, SETUP, DISCOUNT];

#[tokio::test(flavor = "multi_thread")]
async fn a_period_closes_into_a_bill_that_balances_and_is_paid() {
    let world = World::new().await;
    // Half of November in Warsaw: from the 16th on.
    let who = world.subscribe(1, "2101-11-15T23:00:00Z", ALL).await;
    // The later call arrived first and was rated at the full price; 10 minutes are free, in event order.
    world
        .calls(
            who,
            1,
            &[
                ("2101-11-20T12:00:00Z", "4930", 120, 1_000_000_000),
                ("2101-11-20T10:00:00Z", "48700", 600, 0),
            ],
        )
        .await;
    world.check().await;
    let preview = bill_run::preview(
        &world.app,
        &world.context,
        who.account,
        &BillRunOptions::default(),
    )
    .await
    .unwrap()
    .bill;
    let report = world.run_at("2101-12-02T12:00:00Z").await;
    assert_eq!((report.closed, report.bills, report.waiting), (1, 1, 0));
    // 5.00 and 9.99 in advance, November's half at half price; 5.00 for the connection; 2 minutes abroad at 0.50.
    let net = 500 + 999 - 250 + 500 + 100;
    let tax = 425;
    assert_eq!(
        world
            .bills("bill_no, net_minor, tax_minor, total_minor, due_minor, open_minor, state")
            .await,
        [format!(
            "INV-000001 {net} {tax} {total} {total} {total} validated",
            total = net + tax
        )]
    );
    assert_eq!((preview.net_minor, preview.total_minor), (net, net + tax));
    world.check().await;
    assert_eq!(world.run_at("2101-12-02T13:00:00Z").await.closed, 0);

    let due = net + tax;
    let first = world.pay(who, 1_000).await;
    assert_eq!((first.allocated.len(), first.credit_minor), (1, 0));
    assert_eq!(
        world.bills("open_minor, state").await,
        [format!("{} partiallyPaid", due - 1_000)]
    );
    let second = world.pay(who, 2_000).await;
    assert_eq!(second.credit_minor, 3_000 - due);
    assert_eq!(
        world.bills("open_minor, state, body ->> 'state'").await,
        ["0 settled settled"]
    );
    world.check().await;

    let bill = trace(&world.app, &world.context, first.allocated[0].0.uuid())
        .await
        .unwrap();
    let text = tree(&bill);
    assert_eq!(bill.amount.unwrap().value, Nano(due * 10_000_000));
    sums_hold(&bill, &text);
    for wanted in [
        "10.00 EUR",
        "0.00 EUR open",
        "LedgerEntry billValidated",
        "LedgerEntry paymentCaptured",
    ] {
        assert!(text.contains(wanted), "{wanted:?} is missing in\n{text}");
    }
    assert!(!text.contains("unexplained"), "{text}");
    assert_eq!(text.matches("Usage voice outgoing").count(), 2, "{text}");
    let product = trace(&world.app, &world.context, who.product.uuid())
        .await
        .unwrap();
    let text = tree(&product);
    sums_hold(&product, &text);
    assert!(
        text.contains("INV-000001, this product's lines without tax"),
        "{text}"
    );
    let cause = second.id.uuid();
    let payment = trace(&world.app, &world.context, cause).await.unwrap();
    let text = tree(&payment);
    assert_eq!(payment.amount.unwrap().value, Nano(20_000_000_000));
    sums_hold(&payment, &text);
    assert!(text.contains("customerCredit credit of the account"), "{text}");
}

/// Amounts of children sum to the parent's amount wherever both have one.
fn sums_hold(node: &Explanation, text: &str) {
    let parts: Vec<i64> = node
        .children
        .iter()
        .filter_map(|child| Some(child.amount?.value.0))
        .collect();
    if let (Some(amount), false) = (node.amount, parts.is_empty()) {
        assert_eq!(
            parts.iter().sum::<i64>(),
            amount.value.0,
            "{}:\n{text}",
            node.label
        );
    }
    for child in &node.children {
        sums_hold(child, text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn late_usage_and_credit_come_on_the_next_bill() {
    let world = World::new().await;
    let who = world.subscribe(2, OPENED, &[MINUTES, CALLS]).await;
    world
        .calls(who, 1, &[("2101-11-20T10:00:00Z", "48700", 300, 0)])
        .await;
    world.run_at("2101-12-02T12:00:00Z").await;
    // November had 5 minutes left, and all of them rolled over: what comes late finds none.
    world.pay(who, 1_000).await;
    world
        .calls(
            who,
            2,
            &[
                ("2101-11-21T10:00:00Z", "48700", 60, 0),
                ("2101-12-10T10:00:00Z", "48700", 1_200, 0),
            ],
        )
        .await;
    let report = world.run_at("2102-01-02T12:00:00Z").await;
    assert_eq!((report.closed, report.bills), (1, 1));
    // One late minute at 0.10; 20 minutes in December, 5 rolled over and 10 of its own: 5 at 0.10.
    assert_eq!(
        world
            .bills("net_minor, credit_applied_minor, due_minor, state")
            .await,
        [
            "0 0 0 settled".to_owned(),
            format!("60 {total} 0 settled", total = 60 + 14)
        ]
    );
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_stopped_and_taken_up_draws_up_the_same_bills() {
    let mut seen = Vec::new();
    for stops in [0, 3] {
        let world = World::new().await;
        for number in 0..7 {
            let who = world.subscribe(10 + number, OPENED, ALL).await;
            world
                .calls(who, 1, &[("2101-11-20T10:00:00Z", "48700", 660, 0)])
                .await;
        }
        world
            .app
            .clock
            .advance_to(&world.app.store, at("2101-12-02T12:00:00Z"))
            .await
            .unwrap();
        for _ in 0..stops {
            // Stopped as soon as another bill stands.
            let before = world.bills("bill_no").await.len();
            let stop = CancellationToken::new();
            let mut run = std::pin::pin!(world.run(&stop, 1));
            loop {
                tokio::select! {
                    _ = &mut run => break,
                    bills = world.bills("bill_no") => if bills.len() > before { stop.cancel() },
                }
            }
        }
        let report = world.run(&CancellationToken::new(), 2).await;
        assert!(!report.stopped);
        let numbers = world.bills("number").await;
        assert_eq!(numbers, ["1", "2", "3", "4", "5", "6", "7"]);
        let mut bills = world
            .bills("id, net_minor, tax_minor, due_minor, period_from, period_to")
            .await;
        bills.sort();
        seen.push(bills);
        world.check().await;
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_died_is_taken_up_once_and_one_starts_every_day() {
    let world = World::new().await;
    world.subscribe(10, OPENED, ALL).await;
    let (app, context) = (&world.app, &world.context);
    assert!(bill_run::resume(app, context).await.unwrap().is_none());
    app.clock
        .advance_to(&app.store, at("2101-12-02T12:00:00Z"))
        .await
        .unwrap();
    assert!(bill_run::is_due_daily(app, context, 3).await.unwrap());

    let begun = bill_run::start(app, context, BillRunScope::default())
        .await
        .unwrap();
    let id = begun.id();
    assert!(
        bill_run::resume(app, context).await.unwrap().is_none(),
        "somebody is at it"
    );
    // As a process that dies leaves it.
    drop(begun);
    let taken_up = until_some(async || bill_run::resume(app, context).await.unwrap()).await;
    assert_eq!(taken_up.id(), id);
    let options = BillRunOptions {
        patience: std::time::Duration::ZERO,
        ..BillRunOptions::default()
    };
    let report = bill_run::finish(app, context, taken_up, &options, &CancellationToken::new())
        .await
        .unwrap();
    assert!(report.resumed && report.closed > 0, "{report:?}");
    assert!(bill_run::resume(app, context).await.unwrap().is_none());
    assert!(!bill_run::is_due_daily(app, context, 3).await.unwrap());
    let next_day = at("2101-12-03T02:59:00Z");
    app.clock.advance_to(&app.store, next_day).await.unwrap();
    assert!(!bill_run::is_due_daily(app, context, 3).await.unwrap());
    let at_three = at("2101-12-03T03:00:00Z");
    app.clock.advance_to(&app.store, at_three).await.unwrap();
    assert!(bill_run::is_due_daily(app, context, 3).await.unwrap());
    world.check().await;
}

/// What comes of a question, asked until something does: a transaction that was dropped is rolled back a little later.
async fn until_some<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let answered = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), answered)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_waits_for_its_grace_and_for_charging() {
    let world = World::new().await;
    let who = world.subscribe(3, OPENED, &[CALLS]).await;
    world
        .calls(who, 5, &[("2101-11-20T10:00:00Z", "48700", 60, 100_000_000)])
        .await;
    let partition = who.customer.slot().partition(64);
    world
        .as_owner(&format!(
            "UPDATE log_partition SET head = 6 WHERE topic = 4 AND partition = {partition}"
        ))
        .await;
    assert_eq!(
        world.run_at("2101-12-01T12:00:00Z").await.closed,
        0,
        "within the grace"
    );
    let report = world.run_at("2101-12-02T12:00:00Z").await;
    assert_eq!(
        (report.closed, report.waiting),
        (0, 1),
        "charging stands behind the head"
    );
    world
        .calls(who, 6, &[("2101-11-21T10:00:00Z", "48700", 60, 100_000_000)])
        .await;
    let report = world.run_at("2101-12-02T12:01:00Z").await;
    assert_eq!((report.closed, report.waiting), (1, 0));
    assert_eq!(world.bills("net_minor").await, ["20"]);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_an_invariant_is_named() {
    let world = World::new().await;
    let who = world.subscribe(4, OPENED, ALL).await;
    world
        .calls(who, 1, &[("2101-11-20T10:00:00Z", "48700", 660, 0)])
        .await;
    world.run_at("2101-12-02T12:00:00Z").await;
    world.check().await;
    let cases = [
        (
            1,
            "UPDATE ledger_line SET amount_minor = amount_minor + 1 WHERE line = 1",
        ),
        (2, "UPDATE customer_bill SET open_minor = open_minor - 1"),
        (5, "UPDATE usage_record SET amount_nano = amount_nano + 7"),
        (7, "UPDATE customer_bill SET computed = computed || '\\x20'"),
    ];
    for (number, damage) in cases {
        world.as_owner(damage).await;
        let report = ledger_check::check(&world.app, &world.context).await.unwrap();
        let broken = report
            .invariants
            .iter()
            .find(|invariant| invariant.number == number)
            .unwrap();
        assert!(
            !broken.holds && broken.first_break.is_some(),
            "{number}: {broken:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credit_note_takes_back_what_is_open_and_the_rest_becomes_credit() {
    let world = World::new().await;
    let who = world.subscribe(5, OPENED, ALL).await;
    world.run_at("2101-12-02T12:00:00Z").await;
    // 9.99 for November, halved; 9.99 in advance for December; 5.00 once.
    assert_eq!(world.bills("net_minor, tax_minor").await, ["1998 460"]);
    let bill = world.bills("id").await[0].parse::<CustomerBillId>().unwrap();
    let credit = async |line: u32, gross_minor: Option<i64>| {
        let amount = gross_minor.map(|minor| Money::new(minor, Currency::of("EUR").unwrap()));
        let requests = [CreditRequest { line, amount }];
        credit_note::create(&world.app, &world.context, bill, &requests, "goodwill").await
    };
    // Line 3 is the connection.
    let first = credit(3, Some(123)).await.unwrap();
    assert_eq!(
        (first.number.as_str(), first.applied_minor, first.credit_minor),
        ("CN-000001", 123, 0)
    );
    assert_eq!(
        world.bills("open_minor, state").await,
        [format!("{} partiallyPaid", 2_458 - 123)]
    );
    world.check().await;
    world.pay(who, 2_458 - 123).await;
    // Line 2 is December, in advance: what is taken back of it is still deferred.
    let second = credit(2, None).await.unwrap();
    assert_eq!(
        (second.applied_minor, second.gross_minor),
        (0, second.credit_minor)
    );
    assert!(second.gross_minor > 1_200, "{second:?}");
    assert!(credit(2, None).await.is_err(), "nothing is left of the line");
    assert!(credit(3, Some(100_000)).await.is_err(), "more than the line");
    let twice = [1, 1].map(|line| CreditRequest { line, amount: None });
    let refused = credit_note::create(&world.app, &world.context, bill, &twice, "goodwill").await;
    assert!(
        matches!(&refused, Err(AppError::Refused(refusal)) if refusal.code == "lineTwice"),
        "{refused:?}"
    );
    world.check().await;
    world.run_at("2102-01-02T12:00:00Z").await;
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_top_up_is_a_liability_until_it_is_used() {
    let world = World::new().await;
    let who = world.subscribe(6, OPENED, &[CALLS]).await;
    let eur = Currency::of("EUR").unwrap();
    for (minor, balance) in [(1_000, 10_000_000_000), (250, 12_500_000_000)] {
        let receipt = prepaid::top_up(
            &world.app,
            &world.context,
            who.account,
            Money::new(minor, eur),
            "voucher",
        )
        .await
        .unwrap();
        assert_eq!(receipt.balance_nano, balance);
    }
    // Charging takes of a prepaid account's minutes for good: only what it left rolls over.
    let who = world.subscribe(8, OPENED, &[MINUTES, CALLS]).await;
    prepaid::top_up(
        &world.app,
        &world.context,
        who.account,
        Money::new(100, eur),
        "voucher",
    )
    .await
    .unwrap();
    world.bucket_used(who, 450).await;
    world.run_at("2101-12-02T12:00:00Z").await;
    assert_eq!(
        world
            .text("SELECT string_agg(granted || ' ' || used, ', ' ORDER BY from_at) FROM bucket")
            .await,
        "600 450, 150 0"
    );
    let yen = Money::new(1_000, Currency::of("JPY").unwrap());
    assert!(
        prepaid::top_up(&world.app, &world.context, who.account, yen, "voucher")
            .await
            .is_err()
    );
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_pays_what_its_items_say_and_its_rest_is_moved_later() {
    let world = World::new().await;
    let who = world.subscribe(7, OPENED, ALL).await;
    world.run_at("2101-12-02T12:00:00Z").await;
    let bill = world.bills("id").await[0].clone();
    let amount = |value: f64| json!({"unit": "EUR", "value": value});
    let body = |value: f64| {
        json!({"account": {"id": who.account}, "totalAmount": amount(value), "paymentMethod": {"@type": "bankTransfer"},
               "paymentItem": [{"amount": amount(4.0), "item": {"id": bill}}]})
    };
    let stored = payment::Payments
        .create(&world.app, &world.context, body(10.0))
        .await
        .unwrap();
    assert_eq!(stored.body["status"], "captured");
    assert_eq!(stored.body["unallocatedAmount"], amount(6.0));
    assert_eq!(world.bills("open_minor").await, [(2_458 - 400).to_string()]);
    let euro = |minor| Money::new(minor, Currency::of("EUR").unwrap());
    let id = stored.id.into();
    let moved = async |minor| {
        let bill = bill.parse().unwrap();
        payment::allocate_rest(&world.app, &world.context, id, bill, euro(minor)).await
    };
    moved(500).await.unwrap();
    assert!(moved(200).await.is_err(), "1.00 is left");
    assert_eq!(world.bills("open_minor").await, [(2_458 - 900).to_string()]);
    world.check().await;
    let mut wrong = body(10.0);
    wrong["status"] = json!("captured");
    assert!(
        payment::Payments
            .create(&world.app, &world.context, wrong)
            .await
            .is_err()
    );

    let explained = explain::explain(&world.app, &world.context, bill.parse().unwrap())
        .await
        .unwrap();
    assert_eq!(explained["line"].as_array().unwrap().len(), 4);
    assert_eq!(explained["line"][1]["obligation"]["owed"], "9.99");
    assert_eq!(explained["taxIncludedAmount"], amount(24.58));
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_are_authorized_captured_settled_and_taken_back() {
    let world = World::new().await;
    let (app, context) = (&world.app, &world.context);
    let who = world.subscribe(9, OPENED, ALL).await;
    world.run_at("2101-12-02T12:00:00Z").await;
    let euro = |minor| Money::new(minor, Currency::of("EUR").unwrap());
    let new = |minor| CapturedPayment {
        account: who.account,
        amount: euro(minor),
        channel: "card".to_owned(),
        bills: Vec::new(),
        extra: Map::new(),
    };
    let bill: CustomerBillId = world.bills("id").await[0].parse().unwrap();
    let ledger = "SELECT string_agg(account || ' ' || sum, ', ' ORDER BY account) FROM (SELECT account, \
                  sum(amount_minor) FROM ledger_line WHERE account IN ('bank', 'fees', 'clearing', 'badDebt', \
                  'customerCredit', 'receivable') GROUP BY 1) s";

    let denied = payment::request(app, context, new(100)).await.unwrap().id;
    payment::deny(app, context, denied, "no cover").await.unwrap();
    payment::deny(app, context, denied, "no cover").await.unwrap();
    assert!(payment::authorize(app, context, denied, None).await.is_err());
    assert!(payment::capture_authorized(app, context, denied).await.is_err());
    assert!(payment::chargeback(app, context, denied, None).await.is_err());

    let id = payment::request(app, context, new(3_000)).await.unwrap().id;
    assert!(
        payment::capture_authorized(app, context, id).await.is_err(),
        "not authorized yet"
    );
    payment::authorize(app, context, id, Some("A1")).await.unwrap();
    assert_eq!(world.text(ledger).await, "receivable 2458", "nothing moved yet");
    for _ in 0..2 {
        let receipt = payment::capture_authorized(app, context, id).await.unwrap();
        assert_eq!(
            (receipt.allocated, receipt.credit_minor),
            (vec![(bill, 2_458)], 542)
        );
    }
    assert!(payment::cancel(app, context, id, "too late").await.is_err());
    assert_eq!(
        world.text(ledger).await,
        "clearing 3000, customerCredit -542, receivable 0"
    );
    world.check().await;

    let settle = async |paid, fees_minor| {
        let settlement = payment::Settlement {
            channel: "card".to_owned(),
            payments: vec![id],
            paid: euro(paid),
            fees_minor,
        };
        payment::settle_channel(app, context, &settlement).await
    };
    assert!(settle(2_900, 0).await.is_err());
    settle(2_900, 100).await.unwrap();
    assert!(settle(2_900, 100).await.is_err(), "a payment is settled once");
    let sums = "bank 2900, clearing 0, customerCredit -542, fees 100, receivable 0";
    assert_eq!(world.text(ledger).await, sums);
    world.check().await;

    let back = payment::chargeback(app, context, id, Some(euro(1_000)))
        .await
        .unwrap();
    assert_eq!((back.reopened, back.from_credit_minor), (vec![(bill, 458)], 542));
    assert_eq!(world.bills("open_minor, state").await, ["458 partiallyPaid"]);
    let most = payment::chargeback(app, context, id, Some(euro(2_001))).await;
    assert!(most.is_err(), "2,000 is left");
    world.check().await;
    let given_up = payment::write_off(app, context, bill, "insolvent").await.unwrap();
    assert_eq!(given_up.amount_minor, 458);
    assert!(payment::write_off(app, context, bill, "insolvent").await.is_err());
    let sums = "badDebt 458, bank 1900, clearing 0, customerCredit 0, fees 100, receivable 0";
    assert_eq!(world.text(ledger).await, sums);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_whose_rest_paid_a_later_bill_can_still_be_taken_back() {
    let world = World::new().await;
    let (app, context) = (&world.app, &world.context);
    let who = world.subscribe(10, OPENED, ALL).await;
    world.run_at("2101-12-02T12:00:00Z").await;
    let paid = world.pay(who, 3_458).await;
    assert_eq!(paid.credit_minor, 1_000);
    // January's 9.99 with tax is 12.29: credit pays 10.00 of it.
    world.run_at("2102-01-02T12:00:00Z").await;
    assert_eq!(
        world.bills("open_minor, state").await,
        ["0 settled", "229 validated"]
    );
    let left = "SELECT unallocated_minor || ' ' || (body -> 'unallocatedAmount')::text FROM payment";
    assert_eq!(world.text(left).await, r#"0 {"unit": "EUR", "value": 0.0}"#);
    world.check().await;
    let back = payment::chargeback(app, context, paid.id, None).await.unwrap();
    assert_eq!(back.from_credit_minor, 0);
    assert_eq!(back.reopened.iter().map(|(_, minor)| minor).sum::<i64>(), 3_458);
    assert_eq!(world.bills("open_minor").await, ["2458", "1229"]);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_cannot_be_read_holds_up_its_own_account_and_no_other() {
    let world = World::new().await;
    let broken = world.subscribe(11, OPENED, &[MONTHLY, SETUP]).await;
    world.subscribe(12, OPENED, &[MONTHLY]).await;
    let body = "SELECT body::text FROM product_offering_price WHERE name = 'Connection'";
    let readable = world.text(body).await;
    world
        .as_owner("UPDATE product_offering_price SET body = body || '{\"price\": \"free\"}' WHERE name = 'Connection'")
        .await;
    let report = world.run_at("2101-12-02T12:00:00Z").await;
    assert_eq!((report.closed, report.bills), (1, 1));
    assert_eq!(report.failed.len(), 1);
    assert_eq!(report.failed[0].billing_account, broken.account);
    assert!(report.failed[0].reason.contains("can't be read"), "{report:?}");
    let options = BillRunOptions::default();
    let preview = bill_run::preview(&world.app, &world.context, broken.account, &options).await;
    assert!(preview.is_err());
    // Forgotten it is not: its period is overdue.
    let found = ledger_check::check(&world.app, &world.context).await.unwrap();
    let fifth = found
        .invariants
        .iter()
        .find(|invariant| invariant.number == 5)
        .unwrap();
    let account = broken.account.to_string();
    assert!(
        fifth
            .first_break
            .as_ref()
            .is_some_and(|broken| broken.contains(&account)),
        "{fifth:?}"
    );
    let mended = format!("UPDATE product_offering_price SET body = '{readable}' WHERE name = 'Connection'");
    world.as_owner(&mended).await;
    let report = world.run_at("2101-12-03T12:00:00Z").await;
    assert_eq!((report.closed, report.failed.len()), (1, 0));
    world.check().await;
}
