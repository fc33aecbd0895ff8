//! A seeded generator of usage files, as switches would write them, with the totals that must come out.
//!
//! The same plan gives the same bytes. Calls follow the hours of a day, go to destinations as subscribers dial
//! them, and about one line in a hundred is broken in one of the ways of [`Defect`]. The [`Manifest`] says what is
//! in the file, so that a test or a demonstration can hold the system's totals against it.

mod defect;
mod dice;
mod line;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::io::{self, Write};

use bss_domain::time::{Interval, Zone};
use bss_domain::usage::{ServiceKind, SourceFormat, generic};
use serde::{Deserialize, Serialize};

pub use defect::Defect;
pub(crate) use dice::Dice;
use line::{Call, LineWriter};

/// What to generate.
#[derive(Debug, Clone)]
pub struct CdrPlan {
    /// The files' format: `asterisk` holds calls, `generic` messages and data volume too.
    pub format: SourceFormat,
    /// The subscribers' numbers, E.164 digits. At least one.
    pub numbers: Vec<String>,
    /// The country code of home, for national destinations.
    pub home: String,
    /// Lines of the file.
    pub records: u64,
    /// What the dice begin with.
    pub seed: u64,
    /// When the usage begins: every start and every answer lies inside.
    pub period: Interval,
    /// The zone of the switch's clock.
    pub zone: Zone,
}

/// What a generated file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// All lines, a header not among them.
    pub lines: u64,
    /// Lines that are to be charged.
    pub charged: u64,
    /// Calls that nobody answered.
    pub not_charged: u64,
    /// Broken lines.
    pub defective: u64,
    /// Broken lines by kind.
    pub defects: BTreeMap<String, u64>,
    /// What is to be charged, by the subscriber's number.
    pub by_number: BTreeMap<String, Totals>,
}

/// What a subscriber is to be charged for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Records.
    pub records: u64,
    /// Seconds of calls.
    pub voice_seconds: i64,
    /// Messages.
    pub messages: i64,
    /// Bytes of data.
    pub data_bytes: i64,
}

impl Totals {
    /// Adds a record.
    pub fn add(&mut self, service: ServiceKind, quantity: i64) {
        self.records += 1;
        *match service {
            ServiceKind::Voice => &mut self.voice_seconds,
            ServiceKind::Sms => &mut self.messages,
            ServiceKind::Data => &mut self.data_bytes,
        } += quantity;
    }
}

/// Starts of calls by hour of the day, per mille: little at night, most in the late afternoon.
const HOURS_PER_MILLE: [u64; 24] = [
    6, 3, 2, 2, 2, 5, 14, 32, 52, 62, 64, 63, 62, 62, 63, 66, 72, 78, 76, 68, 57, 43, 29, 17,
];

/// Lines out of a thousand that are broken.
const DEFECTS_PER_MILLE: u64 = 10;

/// Calls out of a thousand that nobody answers.
const UNANSWERED_PER_MILLE: u64 = 80;

/// Lines out of a thousand that the switch wrote twice for two calls of the same second.
const TWINS_PER_MILLE: u64 = 1;

/// Generates a file. Lines stand in the order in which their usage ends, as a switch writes them.
///
/// # Errors
/// When `out` can't be written.
pub fn generate(plan: &CdrPlan, out: &mut impl Write) -> io::Result<Manifest> {
    let mut dice = Dice::new(plan.seed);
    let mut manifest = Manifest::default();
    let mut writer = LineWriter::new(plan);
    if plan.format == SourceFormat::Generic {
        writeln!(out, "{}", generic::HEADER)?;
    }
    let mut pending: BinaryHeap<Reverse<(i64, u64, String)>> = BinaryHeap::new();
    for (number, start_s) in starts(plan, &mut dice).into_iter().enumerate() {
        while pending.peek().is_some_and(|next| next.0.0 <= start_s) {
            if let Some(Reverse((_, _, line))) = pending.pop() {
                writeln!(out, "{line}")?;
            }
        }
        let call = Call::draw(plan, start_s, number as u64, &mut dice);
        let line = render(&mut writer, &call, &mut dice, &mut manifest);
        pending.push(Reverse((call.end_s(), number as u64, line.clone())));
        if manifest.lines < plan.records && call.is_charged() && dice.per_mille(TWINS_PER_MILLE) {
            // The twin takes the place of the last record: its start is never reached.
            if line == writer.write(&call, None) && plan.format == SourceFormat::Asterisk {
                count(&mut manifest, &call, None);
                pending.push(Reverse((call.end_s(), number as u64, line)));
            }
        }
        if manifest.lines >= plan.records {
            break;
        }
    }
    while let Some(Reverse((_, _, line))) = pending.pop() {
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    Ok(manifest)
}

fn render(writer: &mut LineWriter, call: &Call, dice: &mut Dice, manifest: &mut Manifest) -> String {
    let defect = dice
        .per_mille(DEFECTS_PER_MILLE)
        .then(|| Defect::draw(writer.format(), dice));
    let defect = defect.filter(|_| call.is_charged());
    count(manifest, call, defect);
    writer.write(call, defect)
}

fn count(manifest: &mut Manifest, call: &Call, defect: Option<Defect>) {
    manifest.lines += 1;
    if let Some(defect) = defect {
        manifest.defective += 1;
        *manifest.defects.entry(defect.name().to_owned()).or_default() += 1;
    } else if call.is_charged() {
        manifest.charged += 1;
        let totals = manifest.by_number.entry(call.calling.clone()).or_default();
        totals.add(call.service, call.quantity);
    } else {
        manifest.not_charged += 1;
    }
}

/// The starts of all records in ascending order, in Unix seconds. A start's hour is drawn by the weights of the
/// day, in the switch's zone; what falls out of the period is drawn again.
fn starts(plan: &CdrPlan, dice: &mut Dice) -> Vec<i64> {
    let (from, to) = (plan.period.from.as_second(), plan.period.to.as_second());
    let span = (to - from - line::LONGEST_RING_S).max(1) as u64;
    let heaviest = HOURS_PER_MILLE.iter().max().copied().unwrap_or(1);
    let mut starts: Vec<i64> = (0..plan.records)
        .map(|_| {
            loop {
                let second = from + dice.below(span) as i64;
                if dice.below(heaviest) < HOURS_PER_MILLE[usize::from(line::hour(&plan.zone, second))] {
                    return second;
                }
            }
        })
        .collect();
    starts.sort_unstable();
    starts
}

#[cfg(test)]
mod tests {
    use super::*;
    use bss_domain::usage::{Fields, NumberPlan, UsageSource, source::Mediated};

    fn plan(format: SourceFormat, seed: u64) -> CdrPlan {
        CdrPlan {
            format,
            numbers: (0..50).map(|n| format!("48600100{n:03}")).collect(),
            home: "48".into(),
            records: 5_000,
            seed,
            // The night in which Warsaw's clocks go back lies inside.
            period: Interval::new(
                "2026-10-20T22:00:00Z".parse().unwrap(),
                "2026-10-27T23:00:00Z".parse().unwrap(),
            )
            .unwrap(),
            zone: Zone::named("Europe/Warsaw").unwrap(),
        }
    }

    fn file(plan: &CdrPlan) -> (String, Manifest) {
        let mut bytes = Vec::new();
        let manifest = generate(plan, &mut bytes).unwrap();
        (String::from_utf8(bytes).unwrap(), manifest)
    }

    #[test]
    fn one_seed_gives_one_file() {
        let format = SourceFormat::Asterisk;
        assert_eq!(file(&plan(format, 7)), file(&plan(format, 7)));
        assert_ne!(file(&plan(format, 7)).0, file(&plan(format, 8)).0);
    }

    #[test]
    fn the_manifest_is_what_mediation_finds() {
        for format in SourceFormat::ALL {
            let plan = plan(format, 42);
            let (text, manifest) = file(&plan);
            let source = UsageSource {
                name: "msc1".into(),
                format,
                zone: plan.zone.clone(),
                numbers: NumberPlan::default(),
            };
            let mut found = Manifest {
                lines: text.lines().count() as u64,
                ..Manifest::default()
            };
            let mut fields = Fields::default();
            for line in text.lines() {
                match fields
                    .split(line.as_bytes())
                    .and_then(|()| source.mediate(&fields))
                {
                    Ok(Mediated::Metered(metered)) if plan.numbers.contains(&metered.calling) => {
                        assert!(plan.period.contains(metered.started), "{line}");
                        found.charged += 1;
                        let totals = found.by_number.entry(metered.calling).or_default();
                        totals.add(metered.service, metered.quantity);
                    }
                    Ok(Mediated::NotCharged) if line == generic::HEADER => found.lines -= 1,
                    Ok(Mediated::NotCharged) => found.not_charged += 1,
                    Ok(Mediated::Metered(_)) | Err(_) => found.defective += 1,
                }
            }
            found.defects.clone_from(&manifest.defects);
            assert_eq!(found, manifest);
            assert_eq!(manifest.lines, plan.records);
            assert_eq!(manifest.defects.values().sum::<u64>(), manifest.defective);
            assert!((25..=75).contains(&manifest.defective), "{}", manifest.defective);
            assert!(manifest.defects.len() >= 4, "{:?}", manifest.defects);
        }
    }

    #[test]
    fn some_calls_are_twins() {
        let (text, _) = file(&plan(SourceFormat::Asterisk, 1));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.windows(2).any(|pair| pair[0] == pair[1]));
    }
}
