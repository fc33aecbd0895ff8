use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::allowance::{AllowanceDefinition, AllowanceOwner};
use crate::catalog::{PriceKind, PriceVersion};
use crate::ids::{Slot, TypedId, UsageId, compose};
use crate::time::Zone;

const PRICE: &str = "0199aaaa-0000-8001-8000-000000000001";

fn price(kind: &str, name: &str, value: &Value) -> PriceVersion {
    PriceVersion::from_tmf(&json!({
        "id": PRICE, "name": "p", "priceType": kind, "price": {"unit": "EUR"}, name: value
    }))
    .unwrap()
}

fn tariff(value: &Value) -> Arc<Tariff> {
    match price("usage", "tariff", value).kind {
        PriceKind::Usage(tariff) => tariff,
        other => panic!("{other:?}"),
    }
}

fn allowance(value: &Value) -> Arc<AllowanceDefinition> {
    match price("allowance", "allowance", value).kind {
        PriceKind::Allowance(definition) => definition,
        other => panic!("{other:?}"),
    }
}

fn warsaw() -> Cycle {
    Cycle {
        zone: Zone::named("Europe/Warsaw").unwrap(),
        day: 1,
    }
}

fn product() -> ProductId {
    compose(1, Slot::new(7).unwrap(), 1).into()
}

fn call(start: &str, number: &'static str, seconds: u64) -> Measured<'static> {
    Measured {
        start: start.parse().unwrap(),
        service: ServiceKind::Voice,
        direction: Direction::Outgoing,
        other_party: number,
        network: None,
        quantity: seconds,
    }
}

fn plan(tariff: &Tariff) -> Plan<'_> {
    Plan {
        product: product(),
        price: PRICE.parse().unwrap(),
        tariff,
    }
}

fn flat(steps: &Value) -> Arc<Tariff> {
    tariff(&json!({"zones": [{"name": "all", "prefixes": [""]}],
                   "rates": [{"service": "voice", "zone": "all", "steps": steps}]}))
}

fn minutes(quantity: u64, more: &Value) -> AllowanceInstance {
    let mut value = json!({"quantity": quantity, "covers": [{"service": "voice"}]});
    for (name, attribute) in more.as_object().unwrap() {
        value[name] = attribute.clone();
    }
    let start = "2026-11-01T00:00:00Z".parse().unwrap();
    let definition = allowance(&value);
    let owner = AllowanceOwner {
        slot: Slot::new(7).unwrap(),
        account_or_product: product().uuid(),
    };
    let window = definition.window_of(start, start, &warsaw()).unwrap();
    AllowanceInstance::open(
        PRICE.parse().unwrap(),
        &definition,
        product(),
        owner,
        window,
        start,
    )
}

#[test]
fn increments_decide_what_a_call_costs() {
    let by_minute = json!([{"unit": "min", "increment": 60, "price": 0.10}]);
    let then_second = json!([{"unit": "min", "increment": 60, "price": 0.10},
                             {"from": 60, "unit": "min", "increment": 1, "price": 0.10}]);
    let by_second = json!([{"unit": "min", "increment": 1, "price": "0.10"}]);
    let cases = [
        (&by_minute, 1, "0.1"),
        (&by_minute, 60, "0.1"),
        (&by_minute, 61, "0.2"),
        (&by_minute, 3_600, "6"),
        (&then_second, 1, "0.1"),
        (&then_second, 60, "0.1"),
        (&then_second, 90, "0.15"),
        (&by_second, 1, "0.001666667"),
        (&by_second, 30, "0.05"),
        (&by_second, 3_600, "6"),
        (&by_second, 0, "0"),
    ];
    for (steps, seconds, amount) in cases {
        let tariff = flat(steps);
        let usage = call("2026-11-25T10:00:00Z", "48221", seconds);
        let item = rate(&usage, &plan(&tariff), &warsaw(), &mut RatingState::default()).unwrap();
        assert_eq!(item.amount.decimal().to_string(), amount, "{steps} {seconds}");
    }
}

#[test]
fn the_longest_prefix_chooses_the_zone_and_a_star_serves_the_rest() {
    let tariff = tariff(&json!({
        "zones": [{"name": "onnet", "prefixes": ["48601"]}, {"name": "national", "prefixes": ["48"]},
                  {"name": "roaming", "networks": ["26202"]}],
        "rates": [{"service": "voice", "zone": "onnet", "steps": [{"unit": 60, "price": 0}]},
                  {"service": "voice", "zone": "*", "steps": [{"unit": 60, "price": 1}]}]
    }));
    let rated = |number, network| {
        let usage = Measured {
            network,
            ..call("2026-11-25T10:00:00Z", number, 60)
        };
        rate(&usage, &plan(&tariff), &warsaw(), &mut RatingState::default())
    };
    assert_eq!(rated("48601123", None).unwrap().amount, Nano(0));
    assert_eq!(rated("48602123", None).unwrap().amount, Nano(1_000_000_000));
    assert_eq!(
        rated("48601123", Some("26202")).unwrap().amount,
        Nano(1_000_000_000)
    );
    assert_eq!(rated("4930", None), Err(RatingError::NoZone));
    assert_eq!(rated("48601123", Some("99999")), Err(RatingError::NoZone));
    let sms = Measured {
        service: ServiceKind::Sms,
        ..call("2026-11-25T10:00:00Z", "48601", 1)
    };
    let refused = rate(&sms, &plan(&tariff), &warsaw(), &mut RatingState::default());
    assert!(matches!(refused, Err(RatingError::NoRate { zone, .. }) if zone == "onnet"));
}

fn banded(split: bool) -> Arc<Tariff> {
    tariff(
        &json!({"zones": [{"name": "all", "prefixes": [""]}], "holidays": ["12-25"], "rates": [
        {"service": "voice", "zone": "all", "bands": [
            {"name": "peak", "days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "18:00",
             "split": split, "connectionFee": 0.05, "steps": [{"unit": 60, "increment": 60, "price": 0.20}]},
            {"name": "off-peak", "split": split, "steps": [{"unit": 60, "increment": 60, "price": 0.10}]}]}]}),
    )
}

#[test]
fn bands_follow_the_accounts_clock() {
    let cases = [
        // 2026-11-25 is a Wednesday; Warsaw is UTC+1. Start (UTC), seconds, split → amount.
        ("2026-11-25T09:00:00Z", 60, true, "0.25"),
        ("2026-11-25T06:59:00Z", 60, true, "0.1"),
        ("2026-11-25T06:59:00Z", 120, true, "0.3"),
        ("2026-11-25T06:59:00Z", 120, false, "0.2"),
        // The minute that begins at 17:59:30 is the peak's, whole.
        ("2026-11-25T16:59:30Z", 120, true, "0.35"),
        ("2026-11-25T16:59:30Z", 120, false, "0.45"),
        ("2026-11-28T09:00:00Z", 60, true, "0.1"),
        ("2026-12-25T09:00:00Z", 60, true, "0.1"),
        // Over midnight nothing changes, and the parts are one.
        ("2026-11-25T22:59:30Z", 60, true, "0.1"),
    ];
    for (start, seconds, split, amount) in cases {
        let tariff = banded(split);
        let item = rate(
            &call(start, "48", seconds),
            &plan(&tariff),
            &warsaw(),
            &mut RatingState::default(),
        )
        .unwrap();
        assert_eq!(
            item.amount.decimal().to_string(),
            amount,
            "{start} {seconds} {split}"
        );
    }
}

#[test]
fn a_call_through_the_night_of_the_clocks_change_is_as_long_as_it_was() {
    let tariff = banded(true);
    // Saturday evening to Sunday: off-peak throughout, one hour more on the meter than on the wall.
    for (start, hours) in [("2026-10-24T22:00:00Z", 8), ("2026-03-28T22:00:00Z", 8)] {
        let usage = call(start, "48", hours * 3_600);
        let item = rate(&usage, &plan(&tariff), &warsaw(), &mut RatingState::default()).unwrap();
        assert_eq!(item.parts.len(), 1, "{item:?}");
        assert_eq!(item.amount.0, hours as i64 * 60 * 100_000_000);
    }
}

#[test]
fn allowances_go_first_and_the_rest_is_priced() {
    let tariff = flat(&json!([{"unit": 60, "increment": 60, "price": 0.10}]));
    let cases = [
        // Granted, seconds → used, amount.
        (600, 90, 120, "0"),
        (60, 90, 60, "0.1"),
        (100, 150, 100, "0.1"),
        (0, 60, 0, "0.1"),
    ];
    for (granted, seconds, used, amount) in cases {
        let mut state = RatingState {
            allowances: vec![minutes(granted, &json!({}))],
            ..RatingState::default()
        };
        let usage = call("2026-11-25T10:00:00Z", "48", seconds);
        let item = rate(&usage, &plan(&tariff), &warsaw(), &mut state).unwrap();
        assert_eq!(state.allowances[0].used, used, "{granted} {seconds}");
        assert_eq!(item.amount.decimal().to_string(), amount, "{granted} {seconds}");
        let measured: u64 = item.parts.iter().map(|part| part.quantity).sum();
        assert_eq!(measured, seconds);
    }
}

#[test]
fn allowances_are_taken_soonest_expiry_first_then_by_priority() {
    let tariff = flat(&json!([{"unit": 60, "increment": 1, "price": 0.10}]));
    let mut late = minutes(60, &json!({"priority": 0, "window": {"days": 90}}));
    late.id = compose(1, Slot::new(7).unwrap(), 5).into();
    let mut second = minutes(60, &json!({"priority": 2}));
    second.id = compose(1, Slot::new(7).unwrap(), 6).into();
    let first = minutes(60, &json!({"priority": 1}));
    let mut state = RatingState {
        allowances: vec![late, second, first],
        ..RatingState::default()
    };
    state.sort();
    let usage = call("2026-11-25T10:00:00Z", "48", 70);
    rate(&usage, &plan(&tariff), &warsaw(), &mut state).unwrap();
    let used: Vec<(i16, u64)> = state
        .allowances
        .iter()
        .map(|allowance| (allowance.definition.priority, allowance.used))
        .collect();
    assert_eq!(used, [(1, 60), (2, 10), (0, 0)]);
}

#[test]
fn what_rolls_over_is_the_rest_up_to_the_limit_and_only_once() {
    let owner = AllowanceOwner {
        slot: Slot::new(7).unwrap(),
        account_or_product: product().uuid(),
    };
    let mut instance = minutes(600, &json!({"rollover": {"max": 100}}));
    instance.used = 550;
    let next = warsaw().next_period(instance.window.from);
    let rolled = instance.roll_over(owner, next).unwrap();
    assert_eq!(
        (rolled.granted, rolled.window, rolled.rolled_over),
        (50, next, true)
    );
    assert_ne!(rolled.id, instance.id);
    assert_eq!(rolled.roll_over(owner, warsaw().next_period(next.from)), None);
    instance.used = 0;
    assert_eq!(instance.roll_over(owner, next).unwrap().granted, 100);
}

fn tiered(mode: &str) -> Arc<Tariff> {
    tariff(
        &json!({"zones": [{"name": "all", "prefixes": [""]}], "rates": [{"service": "voice", "zone": "all",
        "counter": "c", mode: [{"upTo": 100, "steps": [{"unit": 1, "price": 0.02}]},
                               {"steps": [{"unit": 1, "price": 0.01}]}]}]}),
    )
}

#[test]
fn graduated_tiers_split_a_call_at_the_counters_edge() {
    let tariff = tiered("graduated");
    let mut state = RatingState::default();
    let amounts: Vec<String> = [80, 40, 10]
        .into_iter()
        .map(|seconds| {
            let usage = call("2026-11-25T10:00:00Z", "48", seconds);
            let item = rate(&usage, &plan(&tariff), &warsaw(), &mut state).unwrap();
            item.amount.decimal().to_string()
        })
        .collect();
    assert_eq!(amounts, ["1.6", "0.6", "0.1"]);
    assert_eq!(state.counters[0].value, 130);
}

#[test]
fn volume_tiers_price_all_by_the_total_once_it_is_known() {
    let tariff = tiered("volume");
    for (total, amount) in [(100, "2"), (101, "1.01")] {
        let mut records: Vec<PeriodRecord> = [60, total - 60]
            .into_iter()
            .enumerate()
            .map(|(number, seconds)| PeriodRecord {
                id: compose(1, Slot::new(7).unwrap(), number as u64).into(),
                usage: call("2026-11-25T10:00:00Z", "48", seconds),
                plan: 0,
            })
            .collect();
        let mut sum = Nano::ZERO;
        rate_period(
            &mut records,
            &[plan(&tariff)],
            &warsaw(),
            &RatingState::default(),
            |_, item| {
                sum = sum.plus(item.amount).unwrap();
            },
        )
        .unwrap();
        assert_eq!(sum.decimal().to_string(), amount);
    }
}

#[test]
fn packages_are_charged_when_they_begin() {
    let tariff = tariff(
        &json!({"zones": [{"name": "all", "prefixes": [""]}], "rates": [{"service": "data", "zone": "all",
        "package": {"size": "100 MB", "price": 1}}]}),
    );
    let mut state = RatingState::default();
    for (megabytes, amount) in [(50, 1), (50, 0), (1, 1), (250, 2)] {
        let usage = Measured {
            service: ServiceKind::Data,
            ..call("2026-11-25T10:00:00Z", "internet", megabytes * 1_000_000)
        };
        let item = rate(&usage, &plan(&tariff), &warsaw(), &mut state).unwrap();
        assert_eq!(item.amount.0, amount * 1_000_000_000, "{megabytes}");
    }
}

#[test]
fn a_prepaid_balance_never_falls_below_its_limit() {
    let tariff = flat(&json!([{"unit": 1, "price": 1}]));
    let cases = [
        // Balance, limit, amount → paid, rest.
        (10, 0, 4, 4, 6),
        (3, 0, 4, 3, 0),
        (3, -2, 4, 4, -1),
        (-5, -2, 4, 0, -5),
    ];
    for (balance, limit, units, paid, rest) in cases {
        let usage = call("2026-11-25T10:00:00Z", "48", units);
        let mut item = rate(&usage, &plan(&tariff), &warsaw(), &mut RatingState::default()).unwrap();
        let euro = |value: i64| Nano(value * 1_000_000_000);
        let left = item.pay_from(euro(balance), euro(limit)).unwrap();
        assert_eq!((item.amount, left), (euro(paid), euro(rest)), "{balance} {limit}");
        assert_eq!(item.total().unwrap(), item.amount);
    }
}

#[test]
fn a_price_that_cannot_be_meant_is_refused_with_its_place() {
    let document = |tariff: Value| {
        PriceVersion::from_tmf(&json!({"id": PRICE, "name": "p", "priceType": "usage",
                                        "price": {"unit": "EUR"}, "tariff": tariff}))
        .unwrap_err()
        .field
        .unwrap()
    };
    let zones = json!([{"name": "all", "prefixes": [""]}]);
    let cases = [
        (
            json!({"zones": zones, "rates": [{"service": "fax", "zone": "all", "steps": []}]}),
            "tariff.rates[0].steps",
        ),
        (
            json!({"zones": zones, "rates": [{"service": "sms", "zone": "moon", "steps": []}]}),
            "tariff.rates[0].zone",
        ),
        (
            json!({"zones": zones, "rates": [{"service": "sms", "zone": "*", "steps": [{"unit": 1, "price": -1}]}]}),
            "tariff.rates[0].steps[0].price",
        ),
        (
            json!({"zones": [{"name": "a", "prefixes": ["+48"]}], "rates": []}),
            "tariff.zones[0].prefixes[0]",
        ),
        (
            json!({"zones": zones, "rates": [{"service": "sms", "zone": "*", "bands": [
                {"from": "08:00", "to": "09:00", "steps": [{"unit": 1, "price": 1}]}]}]}),
            "tariff.rates[0]",
        ),
    ];
    for (tariff, field) in cases {
        assert_eq!(document(tariff), field);
    }
}

#[test]
fn the_bytes_of_a_rated_item_keep_their_form() {
    let item = RatedItem {
        zone: 3,
        rate: 300,
        amount: Nano(150_000_000),
        parts: vec![
            Part {
                quantity: 0,
                charged: 1,
                unit: 1,
                unit_price: Nano(50_000_000),
                amount: Nano(50_000_000),
                why: Why::ConnectionFee { band: 1 },
            },
            Part {
                quantity: 61,
                charged: 120,
                unit: 60,
                unit_price: Nano(50_000_000),
                amount: Nano(100_000_000),
                why: Why::Step {
                    band: 1,
                    tier: Some(2),
                    step: 3,
                },
            },
        ],
    };
    let mut bytes = Vec::new();
    item.encode(&mut bytes);
    let hex = bytes
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    assert_eq!(
        hex, "0103ac0280c6868f0102000100010180c2d72f80c2d72f020102033d783c80c2d72f8084af5f",
        "a changed form needs a new version byte"
    );
    assert_eq!(RatedItem::decode(&bytes), Ok(item));
    assert_eq!(RatedItem::decode(&bytes[..bytes.len() - 1]), Err(DecodeError));
    bytes[0] = 2;
    assert_eq!(RatedItem::decode(&bytes), Err(DecodeError));
}

fn period_of(calls: &[(u32, u64, bool)]) -> Vec<PeriodRecord<'static>> {
    let start = "2026-11-01T00:00:00Z".parse::<Instant>().unwrap().as_second();
    calls
        .iter()
        .enumerate()
        .map(|(number, (offset, seconds, onnet))| PeriodRecord {
            id: UsageId::from(compose(i64::from(*offset), Slot::new(7).unwrap(), number as u64)),
            usage: Measured {
                start: Instant::from_second(start + i64::from(*offset)).unwrap(),
                other_party: if *onnet { "48601" } else { "4930" },
                ..call("2026-11-01T00:00:00Z", "", *seconds)
            },
            plan: 0,
        })
        .collect()
}

proptest! {
    #[test]
    fn parts_sum_to_the_whole_and_nothing_is_lost(
        seconds in 0_u64..20_000, offset in 0_u32..2_000_000, granted in 0_u64..5_000, split: bool,
    ) {
        let tariff = banded(split);
        let mut state = RatingState { allowances: vec![minutes(granted, &json!({}))], ..RatingState::default() };
        let records = period_of(&[(offset, seconds, false)]);
        let item = rate(&records[0].usage, &plan(&tariff), &warsaw(), &mut state).unwrap();
        prop_assert_eq!(item.total().unwrap(), item.amount);
        prop_assert_eq!(item.parts.iter().map(|part| part.quantity).sum::<u64>(), seconds);
        prop_assert!(state.allowances[0].used <= granted);
        let mut bytes = Vec::new();
        item.encode(&mut bytes);
        prop_assert_eq!(RatedItem::decode(&bytes).unwrap(), item);
    }

    #[test]
    fn the_order_of_arrival_changes_nothing_in_the_final_rating(
        calls in prop::collection::vec((0_u32..2_500_000, 1_u64..600, any::<bool>()), 1..40),
        seed: u64, mode in prop::sample::select(vec!["graduated", "volume"]),
    ) {
        let tariff = tiered(mode);
        let opening = RatingState { allowances: vec![minutes(500, &json!({}))], ..RatingState::default() };
        let run = |records: &mut Vec<PeriodRecord<'static>>| {
            let mut items = Vec::new();
            let closing = rate_period(records, &[plan(&tariff)], &warsaw(), &opening, |record, item| {
                items.push((record.id, item));
            });
            (items, closing.unwrap())
        };
        let mut sorted = period_of(&calls);
        let mut shuffled = sorted.clone();
        let length = shuffled.len();
        for place in 0..length {
            shuffled.swap(place, (seed as usize).wrapping_mul(place + 7) % length);
        }
        prop_assert_eq!(run(&mut sorted), run(&mut shuffled));
    }
}
