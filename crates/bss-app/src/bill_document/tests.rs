//! Documents as a customer sees them: rendered, then read back by poppler's `pdftotext`.

use std::io::Write;
use std::process::{Command, Stdio};

use super::*;

fn date(year: i16, month: i8, day: i8) -> Date {
    Date::new(year, month, day).unwrap()
}

fn november() -> Days {
    Days {
        first: date(2026, 11, 1),
        last: date(2026, 11, 30),
    }
}

fn line(group: &str, description: &str, net_minor: i64) -> DocumentLine {
    DocumentLine {
        group: group.to_owned(),
        description: description.to_owned(),
        period: november(),
        pieces: 1,
        usage: None,
        tax_rate_ppm: 230_000,
        net_minor,
    }
}

/// A bill over these lines, with 23 % of tax on them.
fn bill(currency: &str, lines: Vec<DocumentLine>) -> BillDocument {
    let net_minor: i64 = lines.iter().map(|line| line.net_minor).sum();
    let tax_minor = net_minor * 23 / 100;
    let total_minor = net_minor + tax_minor;
    let strings = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    BillDocument {
        operator: Letterhead {
            name: "Fernmelde & Łącza".to_owned(),
            address: strings(&["ul. Świętokrzyska 31", "00-049 Warszawa", "Polska"]),
            tax_id: Some("PL5260001246".to_owned()),
            contact: strings(&["+48 22 100 20 30", "billing@operator.example"]),
            bank_account: Some("PL61 1090 1014 0000 0712 1981 2874".to_owned()),
        },
        customer: strings(&[
            "Grażyna Weißmüller-Béranger",
            "Große Straße 7/12",
            "10115 Köln",
            "Deutschland",
        ]),
        account: "A-1044-7781".to_owned(),
        number: "2026-000123".to_owned(),
        issued_on: date(2026, 12, 1),
        due_on: date(2026, 12, 15),
        period: november(),
        zone: "Europe/Warsaw".to_owned(),
        currency: Currency::of(currency).unwrap(),
        lines,
        taxes: vec![DocumentTax {
            category: "Standard".to_owned(),
            rate_ppm: 230_000,
            net_minor,
            tax_minor,
        }],
        net_minor,
        tax_minor,
        total_minor,
        credit_applied_minor: 0,
        due_minor: total_minor.max(0),
        payment_reference: "2026-000123".to_owned(),
    }
}

fn usual() -> BillDocument {
    let mut calls = line(
        "Mobile M · +48 500 100 200",
        "Calls to national networks",
        123_456,
    );
    calls.usage = Some(DocumentUsage {
        records: 1_312,
        quantity: 50_530,
        covered: 36_000,
        unit: "s".to_owned(),
        late: false,
    });
    let mut data = line("Mobile M · +48 500 100 200", "Data", 0);
    data.usage = Some(DocumentUsage {
        records: 96,
        quantity: 7_412_000_000,
        covered: 7_412_000_000,
        unit: "B".to_owned(),
        late: false,
    });
    let mut bill = bill(
        "EUR",
        vec![
            line("Mobile M · +48 500 100 200", "Monthly fee", 2_999),
            calls,
            data,
            line("Fibre 1000", "Monthly fee", 3_999),
            line("Fibre 1000", "Installation by our technician", 4_900),
            line(
                "Fibre 1000",
                "Discount for the first three months of a new contract",
                -1_000,
            ),
        ],
    );
    bill.credit_applied_minor = 5_000;
    bill.due_minor -= 5_000;
    bill
}

/// The text of a PDF, laid out as on the page; pages end with a form feed.
fn text(pdf: &[u8]) -> String {
    let mut child = Command::new("pdftotext")
        .args(["-layout", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("pdftotext, of Debian's package poppler-utils");
    let mut stdin = child.stdin.take().unwrap();
    let pdf = pdf.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&pdf));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn pages_of(text: &str) -> Vec<&str> {
    text.trim_end_matches('\u{c}').split('\u{c}').collect()
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_document_says_who_what_how_much_and_until_when() {
    let text = squeezed(&text(&usual().render().unwrap()));
    for wanted in [
        "Grażyna Weißmüller-Béranger",
        "Große Straße 7/12",
        "10115 Köln",
        "Fernmelde & Łącza",
        "Tax ID PL5260001246",
        "Bill 2026-000123",
        "A-1044-7781",
        "1 – 30 Nov 2026",
        "Mobile M · +48 500 100 200",
        "1,312 calls, 14 h 2 min 10 s, of which 10 h",
        "7.41 GB, of which all",
        "23 % 1,234.56",
        "23 % −10.00",
        "Net total 1,343.54",
        "Standard 23 % 1,343.54 309.01 1,652.55",
        "Total 1,652.55",
        "Credit applied −50.00",
        "Amount due 1,602.55 EUR",
        "Pay by 15 Dec 2026",
        "PL61 1090 1014 0000 0712 1981 2874",
        "Page 1 of 1",
    ] {
        assert!(text.contains(wanted), "{wanted:?} is missing in:\n{text}");
    }
}

#[test]
fn sixty_lines_take_two_pages_and_none_is_cut() {
    let lines = (1..=60)
        .map(|number| line("Mobile M", &format!("Charge number {number:02}"), 100))
        .collect();
    let text = text(&bill("EUR", lines).render().unwrap());
    let pages = pages_of(&text);
    assert_eq!(pages.len(), 2, "{text}");
    for (index, page) in pages.iter().enumerate() {
        assert!(page.contains(&format!("Page {} of 2", index + 1)));
        assert_eq!(
            page.matches("Net (EUR)").count(),
            1,
            "each page has the table's heading"
        );
    }
    assert!(pages[1].contains("Mobile M (continued)"));
    for number in 1..=60 {
        let name = format!("Charge number {number:02}");
        let whole = text
            .lines()
            .filter(|line| line.contains(&name) && line.ends_with("1.00"))
            .count();
        assert_eq!(whole, 1, "{name}");
    }
    assert!(squeezed(pages[1]).contains("Net total 60.00"));
}

#[test]
fn a_row_of_several_lines_stays_on_one_page() {
    let long = "A charge with a name that is so long that it needs three lines of the column in which it has to stand, \
                and then a little more";
    for before in 22..30 {
        let mut lines: Vec<_> = (0..before).map(|_| line("M", "Charge", 100)).collect();
        lines.push(line("M", long, 100));
        let text = text(&bill("EUR", lines).render().unwrap());
        let whole = pages_of(&text)
            .into_iter()
            .filter(|page| page.contains("A charge with") && page.contains("little more"))
            .count();
        assert_eq!(whole, 1, "after {before} rows:\n{text}");
    }
}

#[test]
fn yen_have_no_decimals_and_dinars_three() {
    for (currency, net, due) in [("JPY", "12,345", "15,184 JPY"), ("KWD", "12.345", "15.184 KWD")] {
        let text = squeezed(&text(
            &bill(currency, vec![line("Plan", "Fee", 12_345)])
                .render()
                .unwrap(),
        ));
        assert!(text.contains(&format!("23 % {net}")), "{text}");
        assert!(text.contains(&format!("Amount due {due}")), "{text}");
    }
}

#[test]
fn a_bill_that_gives_back_asks_for_nothing() {
    let text = squeezed(&text(
        &bill("EUR", vec![line("Plan", "Unused part", -1_000)])
            .render()
            .unwrap(),
    ));
    assert!(text.contains("Nothing to pay"), "{text}");
    assert!(text.contains("Credited to your account −12.30"), "{text}");
    assert!(!text.contains("How to pay"), "{text}");
}

#[test]
fn the_same_bill_gives_the_same_bytes() {
    assert_eq!(usual().render().unwrap(), usual().render().unwrap());
}

/// For a look at it: `BILL_PDF=folder cargo test -p bss-app bill_document`.
#[test]
fn it_is_a_pdf_of_moderate_size() {
    let long = (1..=60).map(|number| {
        line(
            &format!("Product {}", number / 9),
            &format!("Charge number {number:02}"),
            100 * number,
        )
    });
    let documents = [("usual", usual()), ("long", bill("KWD", long.collect()))];
    for (name, document) in documents {
        let pdf = document.render().unwrap();
        assert!(pdf.starts_with(b"%PDF-"));
        assert!(pdf.len() < 100_000, "{} bytes", pdf.len());
        if let Some(folder) = std::env::var_os("BILL_PDF") {
            std::fs::write(std::path::Path::new(&folder).join(format!("{name}.pdf")), pdf).unwrap();
        }
    }
}
