//! The worked examples of `docs/MONEY.md`, run.

use bss_domain::allowance::{AllowanceInstance, AllowanceOwner};
use bss_domain::catalog::{Direction, PriceKind, PriceVersion, ServiceKind};
use bss_domain::ids::{CustomerBillId, ProductId, ProductOfferingPriceId};
use bss_domain::ledger::{self, EntryHead, LedgerEntry};
use bss_domain::payment::{OpenBill, PaymentStatus, allocate, share_fees};
use bss_domain::proration::{cumulative_minor, share};
use bss_domain::rating::{Measured, Plan, RatingState, rate};
use bss_domain::tax::{TaxRule, TaxTotal, split};
use bss_domain::{Currency, Cycle, Instant, Interval, MoneyError, Nano, Slot, Zone};
use serde_json::{Value, json};
use uuid::Uuid;

const DOCUMENT: &str = include_str!("../../../docs/MONEY.md");
const PRICE: &str = "0199aaaa-0000-8001-8000-000000000001";

/// The rows of the fence of this name, without its header; each cell trimmed.
fn table(name: &str) -> Vec<Vec<&'static str>> {
    let start = format!("```{name}\n");
    let (_, rest) = DOCUMENT
        .split_once(&start)
        .unwrap_or_else(|| panic!("no fence {name}"));
    let (body, _) = rest.split_once("\n```").unwrap();
    let rows: Vec<Vec<&str>> = body
        .lines()
        .skip(1)
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    assert!(rows.len() > 1, "{name} has no rows");
    rows
}

fn list(cell: &str) -> Vec<&str> {
    cell.split(',').map(str::trim).collect()
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn cycle(zone: &str, day: u8) -> Cycle {
    Cycle {
        zone: Zone::named(zone).unwrap(),
        day,
    }
}

fn price(document: &Value) -> PriceVersion {
    let mut whole = json!({"id": PRICE, "name": "p", "price": {"unit": "EUR"}});
    for (name, value) in document.as_object().unwrap() {
        whole[name] = value.clone();
    }
    PriceVersion::from_tmf(&whole).unwrap()
}

/// `60/60 60/1 0.10`: steps of (unit, increment), each a minute later, at one price.
fn tariff(text: &str) -> PriceVersion {
    let words: Vec<&str> = text.split(' ').collect();
    let (amount, steps) = words.split_last().unwrap();
    let steps: Vec<Value> = steps
        .iter()
        .enumerate()
        .map(|(number, step)| {
            let (unit, increment) = step.split_once('/').unwrap();
            json!({"from": number * 60, "unit": unit.parse::<u64>().unwrap(),
                   "increment": increment.parse::<u64>().unwrap(), "price": amount})
        })
        .collect();
    price(
        &json!({"priceType": "usage", "tariff": {"zones": [{"name": "all", "prefixes": [""]}],
                  "rates": [{"service": "voice", "zone": "all", "steps": steps}]}}),
    )
}

fn rated(steps: &str, seconds: &str, state: &mut RatingState) -> String {
    let PriceKind::Usage(tariff) = tariff(steps).kind else {
        panic!("{steps}");
    };
    let usage = Measured {
        start: at("2026-11-25T10:00:00Z"),
        service: ServiceKind::Voice,
        direction: Direction::Outgoing,
        other_party: "48",
        network: None,
        quantity: seconds.parse().unwrap(),
    };
    let plan = Plan {
        product: Uuid::from_u128(1).into(),
        price: PRICE.parse().unwrap(),
        tariff: &tariff,
    };
    let item = rate(&usage, &plan, &cycle("UTC", 1), state).unwrap();
    item.amount.decimal().to_string()
}

#[test]
fn amounts_are_rounded_half_away_from_zero() {
    for row in table("rounding") {
        let minor = Nano::parse(row[0])
            .unwrap()
            .to_minor(Currency::of(row[1]).unwrap());
        assert_eq!(minor.to_string(), row[2], "{row:?}");
    }
}

#[test]
fn parts_are_rounded_cumulatively() {
    for row in table("cumulative") {
        let parts: Vec<Nano> = list(row[0])
            .into_iter()
            .map(|part| Nano::parse(part).unwrap())
            .collect();
        let lines = cumulative_minor(&parts, Currency::of(row[1]).unwrap()).unwrap();
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        assert_eq!(lines, list(row[2]), "{row:?}");
    }
}

#[test]
fn steps_price_calls() {
    for row in table("rating") {
        assert_eq!(
            rated(row[0], row[1], &mut RatingState::default()),
            row[2],
            "{row:?}"
        );
    }
}

#[test]
fn allowances_cover_calls_from_their_start() {
    for row in table("allowance") {
        let document = json!({"priceType": "allowance", "allowance": {"quantity": row[0].parse::<u64>().unwrap(),
                              "covers": [{"service": "voice"}]}});
        let PriceKind::Allowance(definition) = price(&document).kind else {
            panic!("{row:?}");
        };
        let id: ProductOfferingPriceId = PRICE.parse().unwrap();
        let product: ProductId = Uuid::from_u128(1).into();
        let start = at("2026-11-01T00:00:00Z");
        let window = definition.window_of(start, start, &cycle("UTC", 1)).unwrap();
        let owner = AllowanceOwner {
            slot: Slot::new(1).unwrap(),
            account_or_product: product.into(),
        };
        let mut state = RatingState {
            allowances: vec![AllowanceInstance::open(
                id,
                &definition,
                product,
                owner,
                window,
                start,
            )],
            counters: Vec::new(),
        };
        let amount = rated(row[1], row[2], &mut state);
        assert_eq!(
            (state.allowances[0].used.to_string().as_str(), amount.as_str()),
            (row[3], row[4]),
            "{row:?}"
        );
    }
}

#[test]
fn periods_are_cut_in_the_zone() {
    for row in table("period") {
        let period = cycle(row[0], row[1].parse().unwrap()).period_of(at(row[2]));
        assert_eq!((period.from, period.to), (at(row[3]), at(row[4])), "{row:?}");
    }
}

#[test]
fn parts_of_periods_cost_their_share() {
    for row in table("proration") {
        let document = json!({"priceType": "recurring", "price": {"unit": "EUR", "value": row[4]},
                              "proration": row[3]});
        let PriceKind::Recurring(charge) = price(&document).kind else {
            panic!("{row:?}");
        };
        let cycle = cycle(row[0], 1);
        let part = Interval {
            from: at(row[1]),
            to: at(row[2]),
        };
        let cost = share(&charge, &cycle, cycle.period_of(part.from), part, 1).unwrap();
        assert_eq!(cost.decimal().to_string(), row[5], "{row:?}");
    }
}

#[test]
fn tax_is_split_by_rate() {
    for row in table("tax") {
        let rule = TaxRule {
            category: "S".to_owned(),
            rate_ppm: row[1].parse::<i64>().unwrap() * 10_000,
            included: row[2] == "yes",
        };
        let (net, tax) = split(row[0].parse().unwrap(), &rule);
        assert_eq!(
            (net.to_string().as_str(), tax.to_string().as_str()),
            (row[3], row[4]),
            "{row:?}"
        );
    }
}

#[test]
fn payments_are_allocated_in_order() {
    for row in table("allocation") {
        let bill = |number: usize| CustomerBillId::from(Uuid::from_u128(number as u128));
        let open: Vec<OpenBill> = list(row[1])
            .into_iter()
            .enumerate()
            .map(|(number, open)| OpenBill {
                bill: bill(number),
                open_minor: open.parse().unwrap(),
            })
            .collect();
        let allocation = allocate(row[0].parse().unwrap(), &open);
        let applied: Vec<String> = allocation
            .applied
            .iter()
            .map(|(_, minor)| minor.to_string())
            .collect();
        assert_eq!(
            (applied, allocation.rest_minor.to_string().as_str()),
            (list(row[2]).into_iter().map(str::to_owned).collect(), row[3]),
            "{row:?}"
        );
    }
}

/// The entry of an event written as in the document.
fn entry(event: &str) -> Result<Option<LedgerEntry>, MoneyError> {
    let head = EntryHead {
        id: Uuid::from_u128(1).into(),
        account: Uuid::from_u128(2).into(),
        currency: Currency::of("EUR").unwrap(),
        at: Instant::UNIX_EPOCH,
        cause: Uuid::from_u128(3),
    };
    let amounts: Vec<i64> = event.split(' ').filter_map(|word| word.parse().ok()).collect();
    match event.split(' ').next().unwrap() {
        "payment" => ledger::payment_captured(head, "card", amounts[0], amounts[1]),
        "credit" => ledger::credit_applied(head, amounts[0]),
        "revenue" => ledger::revenue_earned(head, amounts[0]),
        "refund" => ledger::refund(head, "card", 0, amounts[0]),
        "write-off" => ledger::write_off(head, amounts[0]),
        "top-up" => ledger::top_up(head, "card", amounts[0]),
        "settled" => ledger::channel_settled(head, "card", amounts[0], amounts[1]),
        "chargeback" => ledger::chargeback(head, "card", amounts[0], amounts[1], false),
        "use" => {
            let tax = TaxTotal {
                category: "S".to_owned(),
                rate_ppm: 230_000,
                net_minor: amounts[0],
                tax_minor: amounts[1],
            };
            ledger::prepaid_use(head, amounts[0], &[tax])
        }
        other => panic!("{other}"),
    }
}

#[test]
fn events_post_their_lines() {
    for row in table("ledger") {
        let entry = entry(row[0]).unwrap().unwrap();
        let lines: Vec<String> = entry
            .lines()
            .iter()
            .map(|line| {
                let words = [
                    line.account.name().to_owned(),
                    line.account.detail(),
                    line.amount_minor.to_string(),
                ];
                words
                    .into_iter()
                    .filter(|word| !word.is_empty())
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        assert_eq!(lines, list(row[1]), "{row:?}");
    }
}

#[test]
fn a_payment_goes_only_where_its_arrows_lead() {
    let rows = table("payment states");
    assert_eq!(rows.len(), PaymentStatus::ALL.len());
    for row in rows {
        let from = PaymentStatus::named(row[0]).unwrap();
        let arrows: Vec<&str> = from.arrows().iter().map(|to| to.name()).collect();
        assert_eq!(arrows.join(", "), row[1], "{row:?}");
    }
}

#[test]
fn fees_are_shared_to_the_cent() {
    let numbers = |cell| -> Vec<i64> { list(cell).into_iter().map(|n| n.parse().unwrap()).collect() };
    for row in table("fees") {
        let shares = share_fees(row[0].parse().unwrap(), &numbers(row[1]));
        assert_eq!(shares, numbers(row[2]), "{row:?}");
    }
}
