use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::obligation::{ObligationKind, Piece};
use crate::time::Zone;

fn eur() -> Currency {
    Currency::of("EUR").unwrap()
}

fn price(number: u128) -> ProductOfferingPriceId {
    Uuid::from_u128(number).into()
}

fn product() -> ProductId {
    Uuid::from_u128(77).into()
}

fn november() -> Interval {
    Interval {
        from: "2026-11-01T00:00:00Z".parse().unwrap(),
        to: "2026-12-01T00:00:00Z".parse().unwrap(),
    }
}

fn recurring(number: u128, nano: i64) -> Obligation {
    Obligation {
        product: product(),
        charge: price(number),
        period: november(),
        revision: 0,
        kind: ObligationKind::Recurring,
        owed: Nano(nano),
        owed_before: Nano::ZERO,
        billed_before_minor: 0,
        pieces: vec![Piece {
            interval: november(),
            quantity: 1,
            amount: Nano(nano),
        }],
    }
}

fn usage(number: u128, rate: u16, nano: i64) -> UsageCharge {
    UsageCharge {
        product: product(),
        price: price(number),
        rate,
        description: format!("rate {rate}"),
        unit: "second".to_owned(),
        period: november(),
        late: false,
        records: 1,
        quantity: 60,
        covered: 0,
        amount: Nano(nano),
    }
}

fn billed(number: u128, rate_ppm: i64, included: bool) -> BilledPrice {
    BilledPrice {
        id: price(number),
        name: format!("price {number}"),
        tax: TaxRule {
            category: "S".to_owned(),
            rate_ppm,
            included,
        },
    }
}

fn inputs() -> BillInputs {
    BillInputs {
        rules_version: RULES_VERSION,
        bill: Uuid::from_u128(1).into(),
        account: Uuid::from_u128(2).into(),
        customer: Uuid::from_u128(3).into(),
        currency: eur(),
        cycle: Cycle {
            zone: Zone::utc(),
            day: 1,
        },
        kind: BillKind::Regular,
        period: november(),
        drawn_up_at: "2026-12-02T08:00:00Z".parse().unwrap(),
        due_days: 14,
        obligations: vec![recurring(1, 19_990_000_000)],
        usage: vec![usage(2, 0, 1_004_000_000), usage(2, 1, 1_004_000_000)],
        usage_claim: None,
        minimum_spends: Vec::new(),
        alterations: Vec::new(),
        prices: vec![
            billed(1, 230_000, false),
            billed(2, 230_000, false),
            billed(3, 230_000, false),
        ],
        credit_minor: 0,
    }
}

fn alteration(
    number: u128,
    share_ppm: Option<i64>,
    amount: Option<i64>,
    applies_to: AlteredKind,
) -> BillAlteration {
    BillAlteration {
        product: product(),
        price: price(number),
        share_ppm,
        amount: amount.map(Nano),
        applies_to,
        prices: Vec::new(),
        valid: november(),
        order: number as i64,
    }
}

fn amounts(bill: &CustomerBill) -> Vec<i64> {
    bill.lines.iter().map(|line| line.amount_minor).collect()
}

#[test]
fn usage_lines_of_a_price_sum_to_the_rounded_whole() {
    let bill = compute(&inputs()).unwrap();
    // 1.004 twice is 2.008, so 2.01.
    assert_eq!(amounts(&bill), [1_999, 100, 101]);
    assert_eq!(
        (bill.net_minor, bill.tax_minor, bill.total_minor),
        (2_200, 506, 2_706)
    );
    assert_eq!(bill.payment_due_date.to_string(), "2026-12-17T00:00:00Z");
}

#[test]
fn alterations_go_in_their_order_each_on_what_the_one_before_left() {
    const EURO: i64 = 1_000_000_000;
    let cases = [
        (
            vec![alteration(3, Some(-100_000), None, AlteredKind::Recurring)],
            vec![-200],
        ),
        (
            vec![alteration(3, None, Some(-5 * EURO), AlteredKind::Recurring)],
            vec![-500],
        ),
        (
            vec![alteration(3, None, Some(-50 * EURO), AlteredKind::Recurring)],
            vec![-1_999],
        ),
        (
            vec![alteration(3, Some(500_000), None, AlteredKind::OneTime)],
            vec![],
        ),
        (
            vec![
                alteration(4, Some(-500_000), None, AlteredKind::Recurring),
                alteration(3, None, Some(-10 * EURO), AlteredKind::Recurring),
            ],
            // 19.99 − 10.00 = 9.99, half of it 4.995.
            vec![-1_000, -500],
        ),
    ];
    for (alterations, lines) in cases {
        let mut inputs = inputs();
        inputs.usage.clear();
        inputs.alterations = alterations;
        assert_eq!(amounts(&compute(&inputs).unwrap())[1..], lines);
    }
}

#[test]
fn credit_pays_what_it_can_and_a_negative_total_asks_for_nothing() {
    let cases = [
        // Owed (cents), credit → applied, due.
        (1_000, 0, 0, 1_000),
        (1_000, 300, 300, 700),
        (1_000, 5_000, 1_000, 0),
        (-1_000, 300, 0, 0),
    ];
    for (owed, credit, applied, due) in cases {
        let mut inputs = inputs();
        inputs.usage.clear();
        inputs.prices = vec![billed(1, 0, true)];
        inputs.obligations = vec![recurring(1, owed * 10_000_000)];
        inputs.credit_minor = credit;
        let bill = compute(&inputs).unwrap();
        assert_eq!(
            (bill.total_minor, bill.credit_applied_minor, bill.due_minor),
            (owed, applied, due)
        );
    }
}

#[test]
fn a_minimum_spend_is_topped_up() {
    for (minimum, line) in [(25, Some(300)), (22, None)] {
        let mut inputs = inputs();
        inputs.usage.truncate(1);
        inputs.usage[0].amount = Nano(2_010_000_000);
        inputs.minimum_spends = vec![MinimumSpend {
            product: product(),
            price: price(3),
            amount: Nano(minimum * 1_000_000_000),
        }];
        let bill = compute(&inputs).unwrap();
        assert_eq!(bill.lines.get(2).map(|line| line.amount_minor), line);
    }
}

#[test]
fn only_the_declared_arrows_exist() {
    use CustomerBillState::{New, OnHold, PartiallyPaid, Sent, Settled, Validated};
    let legal = [
        (New, Validated),
        (New, OnHold),
        (OnHold, New),
        (Validated, Sent),
        (Validated, PartiallyPaid),
        (Validated, Settled),
        (Sent, PartiallyPaid),
        (Sent, Settled),
        (PartiallyPaid, Settled),
        (PartiallyPaid, Sent),
        (Settled, PartiallyPaid),
        (Settled, Sent),
    ];
    for from in CustomerBillState::ALL {
        assert_eq!(CustomerBillState::named(from.name()), Some(from));
        for to in CustomerBillState::ALL {
            assert_eq!(
                from.to(to).is_ok(),
                legal.contains(&(from, to)),
                "{from:?} → {to:?}"
            );
        }
    }
    let cases = [
        (Validated, 100, 100, Some(Validated)),
        (Validated, 100, 40, Some(PartiallyPaid)),
        (PartiallyPaid, 100, 20, Some(PartiallyPaid)),
        (PartiallyPaid, 100, 0, Some(Settled)),
        (Settled, 100, 100, Some(Sent)),
        (Settled, 100, 60, Some(PartiallyPaid)),
        (New, 100, 0, None),
        (OnHold, 100, 100, None),
    ];
    for (from, due, open, to) in cases {
        assert_eq!(from.after_payment(due, open).ok(), to, "{from:?} {open}");
    }
}

proptest! {
    #[test]
    fn a_bill_is_the_sum_of_its_parts_and_the_same_again(
        charges in prop::collection::vec((1_u128..4, 0_i64..100_000_000_000), 0..6),
        usages in prop::collection::vec((1_u128..4, 0_u16..4, 0_i64..3_000_000_000), 0..12),
        rates in prop::collection::vec((0_i64..300_000, any::<bool>()), 3), credit in 0_i64..5_000,
        share in -1_000_000_i64..500_000,
    ) {
        let mut inputs = inputs();
        inputs.obligations = charges.iter().map(|(number, nano)| recurring(*number, *nano)).collect();
        inputs.usage = usages.iter().map(|(number, rate, nano)| usage(*number, *rate, *nano)).collect();
        inputs.prices = rates.iter().enumerate().map(|(n, (ppm, included))| billed(n as u128 + 1, *ppm, *included)).collect();
        inputs.alterations = vec![alteration(2, Some(share), None, AlteredKind::All)];
        inputs.credit_minor = credit;
        let bill = compute(&inputs).unwrap();
        prop_assert_eq!(bill.lines.iter().map(|line| line.net_minor).sum::<i64>(), bill.net_minor);
        prop_assert_eq!(bill.lines.iter().map(|line| line.tax_minor).sum::<i64>(), bill.tax_minor);
        prop_assert_eq!(bill.net_minor + bill.tax_minor, bill.total_minor);
        prop_assert_eq!(bill.credit_applied_minor + bill.due_minor, bill.total_minor.max(0));
        let stored = serde_json::to_vec(&inputs).unwrap();
        let read: BillInputs = serde_json::from_slice(&stored).unwrap();
        prop_assert_eq!(serde_json::to_vec(&compute(&read).unwrap()).unwrap(), serde_json::to_vec(&bill).unwrap());
        let head = crate::ledger::EntryHead {
            id: Uuid::from_u128(5).into(), account: inputs.account, currency: eur(), at: inputs.drawn_up_at,
            cause: Uuid::from(inputs.bill),
        };
        let entry = crate::ledger::bill_validated(head, &bill).unwrap();
        let lines = entry.iter().flat_map(super::super::ledger::LedgerEntry::lines);
        prop_assert_eq!(lines.map(|line| line.amount_minor).sum::<i64>(), 0);
    }
}
