//! One generated record and its lines in both formats.

use bss_domain::time::{Instant, Zone};
use bss_domain::usage::{ServiceKind, SourceFormat};

use super::dice::Dice;
use super::{CdrPlan, Defect, UNANSWERED_PER_MILLE};

/// How long a phone rings at most, in seconds.
pub const LONGEST_RING_S: i64 = 45;

/// A number that belongs to nobody: reserved for drama by the British regulator.
const STRANGER: &str = "447700900123";

/// Where calls go beside on-net: weight, prefix behind the home country code or an international one, and how many
/// digits follow.
const DESTINATIONS: &[(u64, bool, &str, u32)] = &[
    (180, true, "22", 7),
    (120, true, "12", 7),
    (190, true, "50", 7),
    (140, true, "66", 7),
    (20, true, "70", 7),
    (60, false, "4915", 9),
    (40, false, "4930", 8),
    (30, false, "44", 10),
    (20, false, "33", 9),
    (15, false, "380", 9),
    (10, false, "1", 10),
    (5, false, "9715", 8),
];

/// Records out of a thousand that go to another subscriber of the file.
const ON_NET_PER_MILLE: u64 = 300;

/// One record before it is written.
#[derive(Debug)]
pub struct Call {
    pub service: ServiceKind,
    pub calling: String,
    pub called: String,
    pub quantity: i64,
    start_s: i64,
    ring_s: i64,
    disposition: &'static str,
    number: u64,
}

impl Call {
    /// Draws a record that starts at this second.
    pub fn draw(plan: &CdrPlan, start_s: i64, number: u64, dice: &mut Dice) -> Self {
        let service = match plan.format {
            SourceFormat::Asterisk => ServiceKind::Voice,
            SourceFormat::Generic => *dice.one_of(&[ServiceKind::Sms, ServiceKind::Data]),
        };
        let calling = dice.one_of(&plan.numbers).clone();
        let called = if service == ServiceKind::Data {
            String::new()
        } else {
            destination(plan, &calling, dice)
        };
        let unanswered = service == ServiceKind::Voice && dice.per_mille(UNANSWERED_PER_MILLE);
        let disposition = if unanswered {
            *dice.one_of(&["NO ANSWER", "NO ANSWER", "BUSY", "FAILED", "CONGESTION"])
        } else {
            "ANSWERED"
        };
        let quantity = match service {
            ServiceKind::Voice if unanswered => 0,
            ServiceKind::Voice => (dice.exponential(150) + 1).min(4 * 3600),
            ServiceKind::Sms => 1,
            ServiceKind::Data => dice.exponential(3_000_000) + 64,
        };
        Self {
            service,
            calling,
            called,
            quantity,
            start_s,
            ring_s: 1 + dice.below(LONGEST_RING_S as u64 - 1) as i64,
            disposition,
            number,
        }
    }

    /// Whether the record is charged.
    pub fn is_charged(&self) -> bool {
        self.disposition == "ANSWERED"
    }

    /// When the usage ends, in Unix seconds.
    pub fn end_s(&self) -> i64 {
        match self.service {
            ServiceKind::Voice => self.start_s + self.ring_s + self.quantity,
            ServiceKind::Sms | ServiceKind::Data => self.start_s,
        }
    }
}

fn destination(plan: &CdrPlan, calling: &str, dice: &mut Dice) -> String {
    if dice.per_mille(ON_NET_PER_MILLE) {
        let other = dice.one_of(&plan.numbers);
        if other != calling {
            return other.clone();
        }
    }
    let total: u64 = DESTINATIONS.iter().map(|destination| destination.0).sum();
    let mut drawn = dice.below(total);
    for (weight, national, prefix, digits) in DESTINATIONS {
        if drawn < *weight {
            let home = if *national { plan.home.as_str() } else { "" };
            let rest = dice.below(10_u64.pow(*digits));
            return format!("{home}{prefix}{rest:0width$}", width = *digits as usize);
        }
        drawn -= weight;
    }
    format!("{}221234567", plan.home)
}

/// The hour of the day in a zone.
pub fn hour(zone: &Zone, second: i64) -> u8 {
    let at = Instant::from_second(second).unwrap_or_default();
    zone.rules().to_datetime(at).hour().unsigned_abs()
}

/// Writes records as lines of the plan's format.
pub struct LineWriter {
    format: SourceFormat,
    zone: Zone,
    seed: u64,
}

impl LineWriter {
    pub fn new(plan: &CdrPlan) -> Self {
        Self {
            format: plan.format,
            zone: plan.zone.clone(),
            seed: plan.seed,
        }
    }

    pub fn format(&self) -> SourceFormat {
        self.format
    }

    /// The record's line, broken where a defect is given.
    pub fn write(&mut self, call: &Call, defect: Option<Defect>) -> String {
        let calling = match defect {
            Some(Defect::Anonymous) => "anonymous",
            Some(Defect::Stranger) => STRANGER,
            _ => &call.calling,
        };
        let quantity = match defect {
            Some(Defect::Negative) => -1 - call.quantity,
            Some(Defect::Contradiction) => call.quantity + 600,
            _ => call.quantity,
        };
        let mut line = match self.format {
            SourceFormat::Asterisk => self.asterisk(call, defect, calling, quantity),
            SourceFormat::Generic => self.generic(call, defect, calling, quantity),
        };
        if defect == Some(Defect::Truncated) {
            line.truncate(line.len() / 2);
        }
        line
    }

    fn asterisk(&self, call: &Call, defect: Option<Defect>, calling: &str, billsec: i64) -> String {
        let called = if defect == Some(Defect::Stranger) {
            "447700900456"
        } else {
            &call.called
        };
        let answered = call.start_s + call.ring_s;
        let answer = match defect {
            Some(Defect::BrokenTime) => "\"0000-00-00 00:00:00\"".to_owned(),
            _ if call.is_charged() => format!("\"{}\"", self.local(answered)),
            _ => String::new(),
        };
        let disposition = match defect {
            Some(Defect::UnknownWord) => "ANSWERD",
            _ => call.disposition,
        };
        let (start, end) = (self.local(call.start_s), self.local(call.end_s()));
        let duration = call.end_s() - call.start_s;
        let (leg, other) = (call.number * 2, call.number * 2 + 1);
        format!(
            "\"\",\"{calling}\",\"{called}\",\"from-subscriber\",\"\"\"{calling}\"\" <{calling}>\",\
             \"PJSIP/ims-{leg:08x}\",\"PJSIP/trunk-{other:08x}\",\"Dial\",\"PJSIP/{called}@trunk,60\",\
             \"{start}\",{answer},\"{end}\",{duration},{billsec},\"{disposition}\",\"DOCUMENTATION\",\
             \"{}.{}\"",
            call.start_s, call.number,
        )
    }

    fn generic(&self, call: &Call, defect: Option<Defect>, calling: &str, quantity: i64) -> String {
        let called = match defect {
            Some(Defect::Stranger) if call.service != ServiceKind::Data => "447700900456",
            _ => &call.called,
        };
        let service = match defect {
            Some(Defect::UnknownWord) => "fax",
            _ => call.service.name(),
        };
        let started = match defect {
            Some(Defect::BrokenTime) => "0000-00-00T00:00:00Z".to_owned(),
            _ => Instant::from_second(call.start_s).unwrap_or_default().to_string(),
        };
        format!(
            "{:x}-{},{service},{calling},{called},,{started},{quantity}",
            self.seed, call.number
        )
    }

    fn local(&self, second: i64) -> String {
        let at = Instant::from_second(second).unwrap_or_default();
        let time = self.zone.rules().to_datetime(at);
        format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            time.year(),
            time.month(),
            time.day(),
            time.hour(),
            time.minute(),
            time.second()
        )
    }
}
