use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::time::Zone;

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn account() -> BillingAccountId {
    Uuid::from_u128(9).into()
}

fn id(number: u128) -> ProductOfferingPriceId {
    Uuid::from_u128(number).into()
}

fn price(number: u128, value: &str, more: &serde_json::Value) -> PriceVersion {
    let mut document = json!({"id": Uuid::from_u128(number).to_string(), "name": "p", "priceType": "recurring",
                               "price": {"unit": "EUR", "value": value}});
    for (name, attribute) in more.as_object().unwrap() {
        document[name] = attribute.clone();
    }
    PriceVersion::from_tmf(&document).unwrap()
}

/// Segments (from, to, price, quantity) of a product.
fn product(segments: &[(&str, &str, u128, i64)]) -> BilledProduct {
    let segments: Vec<Segment> = segments
        .iter()
        .map(|(from, to, price, quantity)| Segment {
            from: at(from),
            to: (!to.is_empty()).then(|| at(to)),
            state: SegmentState::Active,
            account: account(),
            prices: vec![id(*price)],
            quantity: *quantity,
        })
        .collect();
    crate::segment::check(&segments).unwrap();
    BilledProduct {
        id: Uuid::from_u128(1).into(),
        ordered: segments[0].from,
        terminated: segments.last().and_then(|last| last.to),
        segments,
    }
}

fn utc() -> Cycle {
    Cycle {
        zone: Zone::utc(),
        day: 1,
    }
}

/// The obligations at the close of the period that holds `inside`.
fn due(
    product: &BilledProduct,
    prices: &[PriceVersion],
    inside: &str,
    before: &BilledBefore,
) -> Vec<Obligation> {
    let cycle = utc();
    let period = cycle.period_of(at(inside));
    let closing = Closing {
        account: account(),
        cycle: &cycle,
        currency: Currency::of("EUR").unwrap(),
        period,
        since: period.from,
    };
    let find = |wanted| prices.iter().find(|price| price.id == wanted);
    fall_due(product, find, &closing, before).unwrap()
}

fn bill(obligations: &[Obligation], before: &mut BilledBefore) -> Vec<(u128, i32, i64)> {
    let eur = Currency::of("EUR").unwrap();
    obligations
        .iter()
        .map(|new| {
            let amount = new.amount_minor(eur);
            let billed = before.entry((new.charge, new.period.from)).or_default();
            *billed = Billed {
                revision: new.revision,
                owed: new.owed,
                minor: billed.minor + amount,
            };
            (Uuid::from(new.charge).as_u128(), new.revision, amount)
        })
        .collect()
}

const NOVEMBER: &str = "2026-11-15T00:00:00Z";
const DECEMBER: &str = "2026-12-15T00:00:00Z";

#[test]
fn a_charge_in_arrears_is_billed_for_what_was_used_of_the_period() {
    let prices = [price(1, "30.00", &json!({}))];
    let cases = [
        ("2026-11-01T00:00:00Z", "", 3_000),
        ("2026-11-16T00:00:00Z", "", 1_500),
        ("2026-11-11T00:00:00Z", "2026-11-12T00:00:00Z", 100),
    ];
    for (from, to, amount) in cases {
        let found = due(
            &product(&[(from, to, 1, 1)]),
            &prices,
            NOVEMBER,
            &BilledBefore::new(),
        );
        assert_eq!(
            bill(&found, &mut BilledBefore::new()),
            [(1, 0, amount)],
            "{from} {to}"
        );
    }
    let later = product(&[("2026-12-01T00:00:00Z", "", 1, 1)]);
    assert_eq!(due(&later, &prices, NOVEMBER, &BilledBefore::new()), []);
}

#[test]
fn a_charge_in_advance_is_credited_to_the_cent_when_the_plan_changes() {
    let advance = json!({"inAdvance": true});
    let prices = [price(1, "9.99", &advance), price(2, "20.00", &advance)];
    let mut before = BilledBefore::new();
    let first = product(&[("2026-11-16T00:00:00Z", "", 1, 1)]);
    // The rest of November, and December in advance.
    assert_eq!(
        bill(&due(&first, &prices, NOVEMBER, &before), &mut before),
        [(1, 0, 500), (1, 0, 999)]
    );
    assert_eq!(
        due(&first, &prices, NOVEMBER, &before),
        [],
        "asked again, nothing is owed"
    );
    // A change in the middle of December (31 days): 15 days used of the old plan, 16 of the new one.
    let changed = product(&[
        ("2026-11-16T00:00:00Z", "2026-12-16T00:00:00Z", 1, 1),
        ("2026-12-16T00:00:00Z", "", 2, 1),
    ]);
    // 9.99 × 15 ÷ 31 = 4.833…: the credit is what was billed less the used part, rounded.
    assert_eq!(
        bill(&due(&changed, &prices, DECEMBER, &before), &mut before),
        [(1, 1, 483 - 999), (2, 0, 1_032), (2, 0, 2_000)]
    );
}

#[test]
fn one_time_charges_fall_due_once() {
    let price = |due: &str| price(1, "50.00", &json!({"priceType": "oneTime", "dueOn": due}));
    let life = product(&[("2026-11-10T00:00:00Z", "2026-12-10T00:00:00Z", 1, 2)]);
    let cases = [
        ("activation", NOVEMBER, vec![(1, 0, 10_000)]),
        ("activation", DECEMBER, vec![]),
        ("termination", NOVEMBER, vec![]),
        ("termination", DECEMBER, vec![(1, 0, 10_000)]),
    ];
    for (moment, inside, lines) in cases {
        let mut before = BilledBefore::new();
        let prices = [price(moment)];
        assert_eq!(
            bill(&due(&life, &prices, inside, &before), &mut before),
            lines,
            "{moment} {inside}"
        );
        assert_eq!(due(&life, &prices, inside, &before), []);
    }
}

#[test]
fn leaving_within_the_term_costs_the_fee() {
    let more = json!({"priceType": "commitment",
                      "commitment": {"months": 2, "leavingFee": 61.00, "feeFalls": true}});
    let prices = [price(1, "0", &more)];
    let cases = [
        // 61 days from the 1st of November to the 1st of January, 10 of them left.
        ("2026-12-22T00:00:00Z", vec![(1, 0, 1_000)]),
        ("2027-01-01T00:00:00Z", vec![]),
    ];
    for (ended, lines) in cases {
        let life = product(&[("2026-11-01T00:00:00Z", ended, 1, 1)]);
        let found = due(&life, &prices, DECEMBER, &BilledBefore::new());
        assert_eq!(bill(&found, &mut BilledBefore::new()), lines, "{ended}");
    }
}

#[test]
fn what_is_not_prorated_belongs_to_the_first_segment_of_a_period() {
    let whole = json!({"proration": "none"});
    let prices = [price(1, "10.00", &whole), price(2, "30.00", &whole)];
    let life = product(&[
        ("2026-11-10T00:00:00Z", "2026-11-20T00:00:00Z", 1, 1),
        ("2026-11-20T00:00:00Z", "", 2, 1),
    ]);
    let mut before = BilledBefore::new();
    assert_eq!(
        bill(&due(&life, &prices, NOVEMBER, &before), &mut before),
        [(1, 0, 1_000)]
    );
    assert_eq!(
        bill(&due(&life, &prices, DECEMBER, &before), &mut before),
        [(2, 0, 3_000)]
    );
}

proptest! {
    /// However often a plan changes, what is billed in the end is what the segments owe, and a replay bills nothing.
    #[test]
    fn changes_never_bill_twice(
        cuts in prop::collection::btree_set(1_i64..60 * 86_400, 1..8), advance: bool,
    ) {
        let more = json!({"inAdvance": advance});
        let prices = [price(1, "9.99", &more), price(2, "19.99", &more)];
        let start = at("2026-11-01T00:00:00Z").as_second();
        let instant = |offset: i64| Instant::from_second(start + offset).unwrap().to_string();
        let cuts: Vec<i64> = cuts.into_iter().collect();
        let mut before = BilledBefore::new();
        let life = |known: &[i64]| {
            let mut edges = vec![0];
            edges.extend(known);
            let parts: Vec<(String, String, u128, i64)> = edges.iter().enumerate().map(|(number, from)| {
                let to = edges.get(number + 1).map_or(String::new(), |to| instant(*to));
                (instant(*from), to, 1 + number as u128 % 2, 1)
            }).collect();
            let parts: Vec<(&str, &str, u128, i64)> =
                parts.iter().map(|part| (part.0.as_str(), part.1.as_str(), part.2, part.3)).collect();
            product(&parts)
        };
        for (month, end) in [(NOVEMBER, 30), (DECEMBER, 61), ("2027-01-15T00:00:00Z", 92)] {
            let known: Vec<i64> = cuts.iter().copied().filter(|cut| *cut < end * 86_400).collect();
            let found = due(&life(&known), &prices, month, &before);
            bill(&found, &mut before);
            prop_assert_eq!(due(&life(&known), &prices, month, &before), vec![]);
        }
        // November and December, whole, from what was billed of both plans.
        for month in [NOVEMBER, DECEMBER] {
            let period = utc().period_of(at(month));
            let whole = life(&cuts);
            let mut seconds = [0, 0];
            for segment in &whole.segments {
                if let Some(part) = segment.within(period) {
                    seconds[usize::from(segment.prices[0] == id(2))] += part.seconds();
                }
            }
            for (number, amount) in [(1_u128, 9_990_000_000_i64), (2, 19_990_000_000)] {
                let exact = i128::from(amount) * i128::from(seconds[number as usize - 1]) / i128::from(period.seconds());
                let billed = before.get(&(id(number), period.from)).copied().unwrap_or_default();
                prop_assert!((exact - i128::from(billed.minor) * 10_000_000).abs() <= 5_000_100, "{number} {exact} {billed:?}");
            }
        }
    }
}
