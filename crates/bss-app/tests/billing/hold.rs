//! Bills on hold: what is unusual waits, claimed and unbooked, until somebody has looked at it.

use bss_app::AppError;
use bss_app::bill_run::{self, BillRunOptions};
use bss_app::credit_note::{self, CreditRequest};
use bss_domain::customer_bill::CustomerBillState;
use bss_domain::ids::CustomerBillId;

use super::{ALL, OPENED, Subscriber, World};

/// Three usual months, and then a call of 36,000 seconds around the world.
async fn subscriber_with_a_steep_bill(world: &World, number: u64, position: i64) -> Subscriber {
    let who = world.subscribe(number, OPENED, ALL).await;
    for moment in [
        "2101-12-02T12:00:00Z",
        "2102-01-02T12:00:00Z",
        "2102-02-02T12:00:00Z",
    ] {
        assert_eq!(world.run_at(moment).await.on_hold, 0);
    }
    let call = ("2102-02-10T10:00:00Z", "1202", 36_000, 300_000_000_000);
    world.calls(who, position, &[call]).await;
    who
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unusual_bill_is_held_until_it_is_released() {
    let world = World::new().await;
    let who = subscriber_with_a_steep_bill(&world, 10, 1).await;
    world.pay(who, 10_000).await;
    let entries = "SELECT count(*)::text FROM ledger_entry";
    let before = world.text(entries).await;

    let report = world.run_at("2102-03-02T12:00:00Z").await;
    assert_eq!((report.closed, report.bills, report.on_hold), (1, 1, 1));
    assert!(report.total_minor.is_empty());
    assert_eq!(world.text(entries).await, before);
    let held = "SELECT concat_ws(' ', state, number, bill_no, open_minor, body #>> '{onHoldReason,code}', id) \
                FROM customer_bill WHERE state = 'onHold'";
    let shown = world.text(held).await;
    let id: CustomerBillId = shown.rsplit(' ').next().unwrap().parse().unwrap();
    assert_eq!(shown, format!("onHold  0 farAboveUsual {id}"));
    world.check().await;

    // Neither this period nor the next one is billed beside it, and nothing is taken off it.
    let report = world.run_at("2102-04-02T12:00:00Z").await;
    assert_eq!((report.closed, report.failed.len()), (0, 0));
    world.check().await;
    let all = [CreditRequest {
        line: 1,
        amount: None,
    }];
    let refused = credit_note::create(&world.app, &world.context, id, &all, "x").await;
    assert!(matches!(refused, Err(AppError::Refused(refusal)) if refusal.code == "billOnHold"));

    // Computed anew it takes what has come since; it is as unusual as it was.
    let call = ("2102-02-11T10:00:00Z", "1202", 1_200, 10_000_000_000);
    world.calls(who, 2, &[call]).await;
    let total = "SELECT total_minor::text FROM customer_bill WHERE state = 'onHold'";
    let before: i64 = world.text(total).await.parse().unwrap();
    let options = BillRunOptions::default();
    let state = bill_run::compute_anew(&world.app, &world.context, id, &options).await;
    assert_eq!(state.unwrap().map(CustomerBillState::name), Some("onHold"));
    let after: i64 = world.text(total).await.parse().unwrap();
    assert_eq!(after - before, 1_230);
    world.check().await;

    let bill = bill_run::release(&world.app, &world.context, id, &options)
        .await
        .unwrap();
    assert_eq!(bill.total_minor, after);
    assert!(bill.credit_applied_minor > 0);
    let (due, credit) = (bill.due_minor, bill.credit_applied_minor);
    assert_eq!(due, after - credit);
    let written = world
        .bills("state, number, open_minor, credit_applied_minor")
        .await;
    assert_eq!(written[3], format!("validated 4 {due} {credit}"));
    world.check().await;
    assert!(
        bill_run::release(&world.app, &world.context, id, &options)
            .await
            .is_err()
    );
    let report = world.run_at("2102-04-02T13:00:00Z").await;
    assert_eq!((report.closed, report.on_hold), (1, 0));
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_bill_that_is_usual_when_computed_anew_is_validated() {
    let world = World::new().await;
    subscriber_with_a_steep_bill(&world, 10, 1).await;
    assert_eq!(world.run_at("2102-03-02T12:00:00Z").await.on_hold, 1);
    let id = world
        .text("SELECT id::text FROM customer_bill WHERE state = 'onHold'")
        .await;
    let mut options = BillRunOptions::default();
    options.limits.times_median = 1_000;
    let state = bill_run::compute_anew(&world.app, &world.context, id.parse().unwrap(), &options).await;
    assert_eq!(state.unwrap().map(CustomerBillState::name), Some("validated"));
    assert_eq!(world.bills("state, number").await[3], "validated 4");
    world.check().await;
}
