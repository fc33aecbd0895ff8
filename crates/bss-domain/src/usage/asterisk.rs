//! Asterisk's `Master.csv` (module `cdr_csv`): calls in 16 to 18 fields.
//!
//! `accountcode, src, dst, dcontext, clid, channel, dstchannel, lastapp, lastdata, start, answer, end, duration,
//! billsec, disposition, amaflags`, then `uniqueid` and `userfield` where they are configured. Times are local to
//! the switch; the source declares its zone.
//!
//! - A call is charged from its answer on, so the answer is its start. What isn't `ANSWERED`, and what the switch
//!   marks `OMIT`, isn't charged: it is counted with its file, and nothing else.
//! - Where clocks go back, a local time names two instants. The end and `billsec` decide; where the whole call lies
//!   in the repeated hour, it is taken for the hour's first pass.
//! - Where clocks go forward, a skipped local time can't have been: such a line is rejected, since it means that
//!   the source declares a wrong zone.

use jiff::civil::DateTime;
use jiff::tz::AmbiguousOffset;

use super::source::Mediated;
use super::{Fields, Metered, RejectReason, ServiceKind, UsageSource};
use crate::time::{Instant, Zone};

const SRC: usize = 1;
const DST: usize = 2;
const ANSWER: usize = 10;
const END: usize = 11;
const BILLSEC: usize = 13;
const DISPOSITION: usize = 14;
const AMAFLAGS: usize = 15;

/// Both times are cut to whole seconds on their own, so their difference may be off by one.
const TOLERANCE_S: i64 = 1;

const DISPOSITIONS: &str = "ANSWERED, NO ANSWER, BUSY, FAILED, CONGESTION";

/// Reads a line of `Master.csv`.
pub fn mediate(source: &UsageSource, fields: &Fields) -> Result<Mediated, RejectReason> {
    if fields.len() == 1 && fields.text(0).is_empty() {
        return Ok(Mediated::NotCharged);
    }
    if !(16..=18).contains(&fields.len()) {
        return Err(RejectReason::FieldCount {
            found: fields.len(),
            expected: "16 to 18",
        });
    }
    if !is_charged(fields)? {
        return Ok(Mediated::NotCharged);
    }
    let calling = number(source, fields, SRC, "src")?;
    let called = number(source, fields, DST, "dst")?;
    let billsec = whole_number("billsec", fields.text(BILLSEC))?;
    let started = answered_at(source, fields, billsec)?;
    Ok(Mediated::Metered(Metered {
        service: ServiceKind::Voice,
        calling,
        called,
        visited_network: None,
        started,
        quantity: billsec,
    }))
}

fn is_charged(fields: &Fields) -> Result<bool, RejectReason> {
    match fields.text(DISPOSITION) {
        "ANSWERED" => Ok(fields.text(AMAFLAGS) != "OMIT"),
        "NO ANSWER" | "BUSY" | "FAILED" | "CONGESTION" => Ok(false),
        other => Err(RejectReason::Word {
            field: "disposition",
            value: other.to_owned(),
            known: DISPOSITIONS,
        }),
    }
}

pub(super) fn number(
    source: &UsageSource,
    fields: &Fields,
    index: usize,
    field: &'static str,
) -> Result<String, RejectReason> {
    let value = fields.text(index);
    source
        .numbers
        .normalize(value)
        .map_err(|problem| RejectReason::Number {
            field,
            value: value.to_owned(),
            problem,
        })
}

pub(super) fn whole_number(field: &'static str, value: &str) -> Result<i64, RejectReason> {
    let digits = !value.is_empty() && value.bytes().all(|c| c.is_ascii_digit());
    value
        .parse()
        .ok()
        .filter(|_| digits)
        .ok_or_else(|| RejectReason::Quantity {
            field,
            value: value.to_owned(),
        })
}

/// The instants that a local time may name: one, or two where clocks went back.
struct Candidates(Instant, Option<Instant>);

impl Candidates {
    fn read(zone: &Zone, field: &'static str, value: &str) -> Result<Self, RejectReason> {
        let local = local_time(value).ok_or_else(|| RejectReason::Time {
            field,
            value: value.to_owned(),
        })?;
        let at = |offset: jiff::tz::Offset| {
            offset.to_timestamp(local).map_err(|_| RejectReason::Time {
                field,
                value: value.to_owned(),
            })
        };
        match zone.rules().to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => Ok(Self(at(offset)?, None)),
            AmbiguousOffset::Fold { before, after } => Ok(Self(at(before)?, Some(at(after)?))),
            AmbiguousOffset::Gap { .. } => Err(RejectReason::SkippedTime {
                field,
                value: value.to_owned(),
                zone: zone.name().to_owned(),
            }),
        }
    }

    fn iter(&self) -> impl Iterator<Item = Instant> {
        std::iter::once(self.0).chain(self.1)
    }
}

/// `2026-11-03 10:00:00`, digit by digit: this runs once or twice per record.
fn local_time(text: &str) -> Option<DateTime> {
    let bytes: &[u8; 19] = text.as_bytes().try_into().ok()?;
    let separators = [(4, b'-'), (7, b'-'), (10, b' '), (13, b':'), (16, b':')];
    if separators.iter().any(|(index, byte)| bytes[*index] != *byte) {
        return None;
    }
    let digits = |from: usize, to: usize| {
        bytes[from..to].iter().try_fold(0_i16, |sum, byte| {
            byte.is_ascii_digit().then(|| sum * 10 + i16::from(byte - b'0'))
        })
    };
    let small = |from: usize| digits(from, from + 2).and_then(|n| i8::try_from(n).ok());
    DateTime::new(
        digits(0, 4)?,
        small(5)?,
        small(8)?,
        small(11)?,
        small(14)?,
        small(17)?,
        0,
    )
    .ok()
}

fn answered_at(source: &UsageSource, fields: &Fields, billsec: i64) -> Result<Instant, RejectReason> {
    let time = |field: &'static str, index: usize| match fields.text(index) {
        "" => Err(RejectReason::Missing { field }),
        value => Candidates::read(&source.zone, field, value),
    };
    let (answers, ends) = (time("answer", ANSWER)?, time("end", END)?);
    let between = |answer: Instant, end: Instant| end.as_second() - answer.as_second();
    answers
        .iter()
        .find(|answer| {
            ends.iter()
                .any(|end| (between(*answer, end) - billsec).abs() <= TOLERANCE_S)
        })
        .ok_or(RejectReason::Contradiction {
            billsec,
            between: between(answers.0, ends.0),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::SourceFormat;

    fn source() -> UsageSource {
        UsageSource {
            name: "msc1".into(),
            format: SourceFormat::Asterisk,
            zone: Zone::named("Europe/Warsaw").unwrap(),
            numbers: crate::usage::NumberPlan::default(),
        }
    }

    fn read(line: &str) -> Result<Mediated, RejectReason> {
        let mut fields = Fields::default();
        fields.split(line.as_bytes())?;
        source().mediate(&fields)
    }

    fn call(times: [&str; 3], billsec: &str, disposition: &str, tail: &str) -> String {
        let [start, answer, end] = times;
        let answer = if answer.is_empty() {
            String::new()
        } else {
            format!("\"{answer}\"")
        };
        format!(
            r#""","48600100200","48700100200","from-internal","""Żaneta, B."" <48600100200>","SIP/1-0001","SIP/2-0002","Dial","SIP/2,30","{start}",{answer},"{end}",99,{billsec},"{disposition}","DOCUMENTATION"{tail}"#
        )
    }

    const DAY: [&str; 3] = [
        "2026-11-03 10:00:00",
        "2026-11-03 10:00:05",
        "2026-11-03 10:01:06",
    ];

    #[test]
    fn an_answered_call_is_usage_from_its_answer_on() {
        for tail in [
            "",
            ",\"1762160400.17\"",
            ",\"1762160400.17\",\"any, \"\"thing\"\"\"",
        ] {
            let Ok(Mediated::Metered(metered)) = read(&call(DAY, "61", "ANSWERED", tail)) else {
                panic!("{tail}");
            };
            assert_eq!(metered.started.to_string(), "2026-11-03T09:00:05Z");
            assert_eq!(
                (
                    metered.quantity,
                    metered.calling.as_str(),
                    metered.called.as_str()
                ),
                (61, "48600100200", "48700100200")
            );
        }
    }

    #[test]
    fn what_nobody_answered_is_counted_but_not_charged() {
        for disposition in ["NO ANSWER", "BUSY", "FAILED", "CONGESTION"] {
            let line = call([DAY[0], "", DAY[2]], "0", disposition, "");
            assert_eq!(read(&line), Ok(Mediated::NotCharged), "{disposition}");
        }
        let omitted = call(DAY, "61", "ANSWERED", "").replace("DOCUMENTATION", "OMIT");
        assert_eq!(read(&omitted), Ok(Mediated::NotCharged));
        assert_eq!(read(""), Ok(Mediated::NotCharged));
    }

    #[test]
    fn each_defect_has_its_reason() {
        let good = call(DAY, "61", "ANSWERED", "");
        let cases = [
            (
                good.replace("\"48600100200\",\"487", "\"anonymous\",\"487"),
                "number",
            ),
            (good.replace("\"48700100200\"", "\"\""), "number"),
            (good.replace("2026-11-03 10:01:06", "2026-13-03 10:01:06"), "time"),
            (good.replace("2026-11-03 10:01:06", "2026-11-03T10:01:06"), "time"),
            (call(DAY, "-61", "ANSWERED", ""), "quantity"),
            (call(DAY, "1e3", "ANSWERED", ""), "quantity"),
            (call(DAY, "600", "ANSWERED", ""), "contradiction"),
            (call([DAY[0], "", DAY[2]], "61", "ANSWERED", ""), "missing"),
            (call(DAY, "61", "ANSWERED!", ""), "word"),
            (call(DAY, "61", "ANSWERED", ",1,2,3"), "fieldCount"),
            (good[..good.len() - 16].to_owned(), "fieldCount"),
            (good[..good.len() - 1].to_owned(), "quotes"),
        ];
        for (line, code) in cases {
            assert_eq!(read(&line).unwrap_err().code(), code, "{line}");
        }
    }

    #[test]
    fn a_repeated_hour_is_told_apart_by_the_end() {
        // In Warsaw, 03:00 summer time became 02:00 on 2026-10-25, at 01:00 UTC.
        let cases = [
            (
                "2026-10-25 02:30:00",
                "2026-10-25 02:40:00",
                600,
                "2026-10-25T00:30:00Z",
            ),
            (
                "2026-10-25 02:50:00",
                "2026-10-25 02:10:00",
                1200,
                "2026-10-25T00:50:00Z",
            ),
            (
                "2026-10-25 02:30:00",
                "2026-10-25 03:10:00",
                2400,
                "2026-10-25T01:30:00Z",
            ),
            (
                "2026-10-25 02:30:00",
                "2026-10-25 03:10:00",
                6000,
                "2026-10-25T00:30:00Z",
            ),
            (
                "2026-10-25 01:50:00",
                "2026-10-25 02:10:00",
                1200,
                "2026-10-24T23:50:00Z",
            ),
        ];
        for (answer, end, billsec, expected) in cases {
            let line = call([answer, answer, end], &billsec.to_string(), "ANSWERED", "");
            let Ok(Mediated::Metered(metered)) = read(&line) else {
                panic!("{line}");
            };
            assert_eq!(metered.started.to_string(), expected, "{answer} {billsec}");
        }
    }

    #[test]
    fn a_skipped_hour_is_rejected() {
        let times = [
            "2026-03-29 02:30:00",
            "2026-03-29 02:30:00",
            "2026-03-29 03:30:00",
        ];
        assert_eq!(
            read(&call(times, "3600", "ANSWERED", "")).unwrap_err().code(),
            "skippedTime"
        );
    }
}
