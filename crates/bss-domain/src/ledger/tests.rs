use proptest::prelude::*;

use super::*;

fn head() -> EntryHead {
    EntryHead {
        id: Uuid::from_u128(1).into(),
        account: Uuid::from_u128(2).into(),
        currency: Currency::of("EUR").unwrap(),
        at: Instant::UNIX_EPOCH,
        cause: Uuid::from_u128(3),
    }
}

fn tax(tax_minor: i64) -> TaxTotal {
    TaxTotal {
        category: "S".to_owned(),
        rate_ppm: 230_000,
        net_minor: 0,
        tax_minor,
    }
}

/// `account detail amount`, one line each.
fn shown(entry: &Result<Option<LedgerEntry>, MoneyError>) -> Vec<String> {
    let Ok(Some(entry)) = entry else {
        return Vec::new();
    };
    entry
        .lines()
        .iter()
        .map(|line| {
            format!(
                "{} {} {}",
                line.account.name(),
                line.account.detail(),
                line.amount_minor
            )
            .replace("  ", " ")
        })
        .collect()
}

#[test]
fn every_event_posts_its_row_of_the_table() {
    let credited = CreditedAmounts {
        revenue_minor: 600,
        deferred_minor: 400,
        taxes: vec![tax(230)],
    };
    let cases = [
        (
            credit_applied(head(), 500),
            vec!["receivable -500", "customerCredit 500"],
        ),
        (
            revenue_earned(head(), 700),
            vec!["revenue -700", "deferredRevenue 700"],
        ),
        (
            payment_captured(head(), "card", 1_000, 200),
            vec!["receivable -1000", "customerCredit -200", "clearing card 1200"],
        ),
        (
            refund(head(), "card", 0, 200),
            vec!["customerCredit 200", "clearing card -200"],
        ),
        (
            credit_note(head(), &credited, 1_000),
            vec![
                "receivable -1000",
                "customerCredit -230",
                "revenue 600",
                "deferredRevenue 400",
                "taxPayable S 23 230",
            ],
        ),
        (
            credit_note(head(), &credited, 5_000),
            vec![
                "receivable -1230",
                "revenue 600",
                "deferredRevenue 400",
                "taxPayable S 23 230",
            ],
        ),
        (
            channel_settled(head(), "card", 980, 20),
            vec!["clearing card -1000", "bank 980", "fees 20"],
        ),
        (
            chargeback(head(), "card", 100, 0, true),
            vec!["receivable 100", "bank -100"],
        ),
        (
            chargeback(head(), "card", 100, 50, false),
            vec!["receivable 100", "customerCredit 50", "clearing card -150"],
        ),
        (
            top_up(head(), "voucher", 1_000),
            vec!["prepaidLiability -1000", "clearing voucher 1000"],
        ),
        (
            prepaid_use(head(), 813, &[tax(187)]),
            vec!["prepaidLiability 1000", "revenue -813", "taxPayable S 23 -187"],
        ),
        (write_off(head(), 50), vec!["receivable -50", "badDebt 50"]),
        (write_off(head(), 0), vec![]),
    ];
    for (entry, lines) in cases {
        assert_eq!(shown(&entry), lines, "{entry:?}");
    }
}

proptest! {
    #[test]
    fn debits_equal_credits(a in -1_000_000_i64..1_000_000, b in -1_000_000_i64..1_000_000, open in 0_i64..1_000_000) {
        let credited = CreditedAmounts { revenue_minor: a, deferred_minor: b, taxes: vec![tax(b / 5)] };
        let entries = [
            payment_captured(head(), "card", a, b), refund(head(), "card", a, b), credit_note(head(), &credited, open),
            channel_settled(head(), "card", a, b), prepaid_use(head(), a, &[tax(b)]),
        ];
        for entry in entries {
            let entry = entry.unwrap();
            let sum: i64 = entry.iter().flat_map(super::LedgerEntry::lines).map(|line| line.amount_minor).sum();
            prop_assert_eq!(sum, 0);
        }
    }
}
