//! Amounts, days, rates and quantities in words.

use bss_domain::Currency;
use jiff::civil::Date;

use super::{Days, DocumentUsage};

/// `1,234.50`, with the currency's own decimals and a true minus.
pub(super) fn amount(minor: i64, currency: Currency) -> String {
    let decimals = usize::from(currency.exponent());
    let digits = format!("{:0width$}", minor.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let sign = if minor < 0 { "−" } else { "" };
    let point = if decimals > 0 { "." } else { "" };
    format!("{sign}{}{point}{fraction}", grouped(whole))
}

/// `1,234.50 EUR`.
pub(super) fn money(minor: i64, currency: Currency) -> String {
    format!("{} {currency}", amount(minor, currency))
}

fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `7 Nov 2026`.
pub(super) fn day(date: Date) -> String {
    format!("{} {} {}", date.day(), month(date), date.year())
}

fn month(date: Date) -> &'static str {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    MONTHS[usize::from(date.month().unsigned_abs()) - 1]
}

/// `1 – 30 Nov 2026`, with as much of the first day as differs.
pub(super) fn days(days: Days) -> String {
    let Days { first, last } = days;
    if first == last {
        return day(first);
    }
    let begin = if first.year() != last.year() {
        day(first)
    } else if first.month() != last.month() {
        format!("{} {}", first.day(), month(first))
    } else {
        first.day().to_string()
    };
    format!("{begin} – {}", day(last))
}

/// `23 %`, `5.5 %`.
pub(super) fn rate(ppm: i64) -> String {
    let (whole, rest) = (ppm / 10_000, (ppm % 10_000).abs());
    if rest == 0 {
        format!("{whole} %")
    } else {
        format!("{whole}.{} %", format!("{rest:04}").trim_end_matches('0'))
    }
}

/// `312 calls, 14 h 02 min 10 s, of which 10 h covered by your allowance`.
pub(super) fn usage(usage: &DocumentUsage) -> String {
    let noun = match (usage.unit.as_str(), usage.records) {
        ("s", 1) => "call",
        ("s", _) => "calls",
        ("B", 1) => "session",
        ("B", _) => "sessions",
        (_, 1) => "record",
        (_, _) => "records",
    };
    let mut text = match usage.unit.as_str() {
        "message" | "piece" => quantity(usage.quantity, &usage.unit),
        unit => format!(
            "{} {noun}, {}",
            grouped(&usage.records.to_string()),
            quantity(usage.quantity, unit)
        ),
    };
    if usage.covered > 0 {
        let covered = if usage.covered >= usage.quantity {
            "all".to_owned()
        } else {
            quantity(usage.covered, &usage.unit)
        };
        text = format!("{text}, of which {covered} covered by your allowance");
    }
    if usage.late {
        text.push_str("; received after an earlier bill");
    }
    text
}

/// A quantity of base units: `14 h 02 min 10 s`, `1.5 GB`, `3 messages`.
pub(super) fn quantity(quantity: u64, unit: &str) -> String {
    match unit {
        "s" => duration(quantity),
        "B" => volume(quantity),
        unit => {
            let plural = if quantity == 1 { "" } else { "s" };
            format!("{} {unit}{plural}", grouped(&quantity.to_string()))
        }
    }
}

fn duration(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let mut parts = Vec::new();
    if hours > 0 {
        parts.push(format!("{} h", grouped(&hours.to_string())));
    }
    if minutes > 0 {
        parts.push(format!("{minutes} min"));
    }
    if rest > 0 || parts.is_empty() {
        parts.push(format!("{rest} s"));
    }
    parts.join(" ")
}

/// In powers of a thousand, to two decimals, cut off: what is shown never exceeds what was used.
fn volume(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (1_000_000_000_000, "TB"),
        (1_000_000_000, "GB"),
        (1_000_000, "MB"),
        (1_000, "kB"),
    ];
    let Some((size, name)) = UNITS.into_iter().find(|(size, _)| bytes >= *size) else {
        return format!("{bytes} B");
    };
    let hundredths = bytes % size * 100 / size;
    let fraction = format!("{hundredths:02}");
    match fraction.trim_end_matches('0') {
        "" => format!("{} {name}", bytes / size),
        fraction => format!("{}.{fraction} {name}", bytes / size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_their_currencys_decimals() {
        let cases = [
            ("EUR", 123_450, "1,234.50"),
            ("EUR", 5, "0.05"),
            ("EUR", -123_456_789, "−1,234,567.89"),
            ("JPY", 1_234_567, "1,234,567"),
            ("JPY", 0, "0"),
            ("KWD", 1_505, "1.505"),
            ("KWD", 999, "0.999"),
        ];
        for (code, minor, text) in cases {
            assert_eq!(amount(minor, Currency::of(code).unwrap()), text);
        }
    }

    #[test]
    fn periods_say_no_more_than_they_must() {
        let date = |year, month, day| Date::new(year, month, day).unwrap();
        let cases = [
            ((2026, 11, 1), (2026, 11, 30), "1 – 30 Nov 2026"),
            ((2026, 1, 31), (2026, 2, 27), "31 Jan – 27 Feb 2026"),
            ((2025, 12, 15), (2026, 1, 14), "15 Dec 2025 – 14 Jan 2026"),
            ((2026, 11, 7), (2026, 11, 7), "7 Nov 2026"),
        ];
        for ((y1, m1, d1), (y2, m2, d2), text) in cases {
            let period = Days {
                first: date(y1, m1, d1),
                last: date(y2, m2, d2),
            };
            assert_eq!(days(period), text);
        }
    }

    #[test]
    fn rates_and_quantities_are_exact() {
        assert_eq!(
            [230_000, 55_000, 0, 76_250].map(rate),
            ["23 %", "5.5 %", "0 %", "7.625 %"]
        );
        let cases = [
            (50_530, "s", "14 h 2 min 10 s"),
            (0, "s", "0 s"),
            (36_000, "s", "10 h"),
            (1_500_000_000, "B", "1.5 GB"),
            (1_999_999, "B", "1.99 MB"),
            (999, "B", "999 B"),
            (1, "message", "1 message"),
            (1_200, "message", "1,200 messages"),
        ];
        for (number, unit, text) in cases {
            assert_eq!(quantity(number, unit), text);
        }
    }

    #[test]
    fn usage_says_what_the_allowance_covered() {
        let mut calls = DocumentUsage {
            records: 312,
            quantity: 50_530,
            covered: 36_000,
            unit: "s".to_owned(),
            late: false,
        };
        assert_eq!(
            usage(&calls),
            "312 calls, 14 h 2 min 10 s, of which 10 h covered by your allowance"
        );
        calls.covered = calls.quantity;
        calls.late = true;
        assert_eq!(
            usage(&calls),
            "312 calls, 14 h 2 min 10 s, of which all covered by your allowance; received after an earlier bill"
        );
    }
}
