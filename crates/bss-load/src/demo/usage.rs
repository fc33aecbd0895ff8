//! Usage: files as the operator's switch writes them, imported twice, and the records that came out held against
//! what the generator put in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use bss_domain::time::{Interval, Zone};
use bss_domain::usage::{ServiceKind, SourceFormat};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Demo, DemoError};
use crate::cdr::{CdrPlan, Manifest, Totals, generate};

const USAGE: &str = "/tmf-api/usageManagement/v4/usage";
const USAGE_FILE: &str = "/bss-api/v1/usageFile";
const USAGE_SOURCE: &str = "/bss-api/v1/usageSource";

/// The demonstration's switch, as usage names its source.
const SOURCE: &str = "demonstration";
/// The zone of the switch's clock.
const SWITCH_ZONE: &str = "Europe/Warsaw";
/// The country code of national destinations.
const HOME: &str = "48";

/// What an import did with a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportedFile {
    /// Whether it had been read to its end before.
    pub was_done: bool,
    /// Lines that went to charging.
    pub accepted: u64,
    /// Lines that couldn't be taken.
    pub rejected: u64,
    /// Lines that are known from elsewhere.
    pub duplicates: u64,
    /// Calls that nobody answered.
    pub not_charged: u64,
}

impl ImportedFile {
    fn read(status: StatusCode, file: &Value) -> Self {
        let of = |name: &str| file[name].as_u64().unwrap_or_default();
        Self {
            was_done: status == StatusCode::OK,
            accepted: of("rated") + of("waiting"),
            rejected: of("rejected"),
            duplicates: of("duplicates"),
            not_charged: of("notCharged"),
        }
    }
}

/// What was put in and what was taken, over all files of a run.
#[derive(Debug, Clone, Default)]
pub struct UsageTally {
    /// Lines written.
    pub lines: u64,
    /// What the generator says.
    pub written: Manifest,
    /// What the first import of each file said.
    pub taken: ImportedFile,
    /// Whether each file, imported a second time, brought nothing.
    pub repeats_bring_nothing: bool,
}

impl UsageTally {
    /// Nothing yet.
    pub fn new() -> Self {
        Self {
            repeats_bring_nothing: true,
            ..Self::default()
        }
    }

    /// Whether imports took what the generator wrote.
    pub fn taken_as_written(&self) -> bool {
        let (written, taken) = (&self.written, &self.taken);
        (written.charged, written.defective, written.not_charged, 0)
            == (
                taken.accepted,
                taken.rejected,
                taken.not_charged,
                taken.duplicates,
            )
    }

    fn add(&mut self, written: Manifest, taken: ImportedFile) {
        self.lines += written.lines;
        let sum = &mut self.written;
        sum.lines += written.lines;
        sum.charged += written.charged;
        sum.not_charged += written.not_charged;
        sum.defective += written.defective;
        for (number, totals) in written.by_number {
            let known = sum.by_number.entry(number).or_default();
            known.records += totals.records;
            known.voice_seconds += totals.voice_seconds;
        }
        self.taken.accepted += taken.accepted;
        self.taken.rejected += taken.rejected;
        self.taken.duplicates += taken.duplicates;
        self.taken.not_charged += taken.not_charged;
    }
}

/// Writes a file of usage in an interval and imports it, twice.
pub async fn file(
    demo: &Demo<'_>,
    numbers: &BTreeMap<String, String>,
    interval: Interval,
    records: u64,
    tally: &mut UsageTally,
) -> Result<(), DemoError> {
    let plan = CdrPlan {
        format: SourceFormat::Asterisk,
        numbers: numbers.keys().cloned().collect(),
        home: HOME.to_owned(),
        records,
        // Each file of each month has dice of its own.
        seed: demo.plan.seed ^ interval.from.as_microsecond().unsigned_abs(),
        period: interval,
        zone: Zone::named(SWITCH_ZONE).map_err(|error| DemoError::stuck(error.to_string()))?,
    };
    let path = demo
        .plan
        .folder
        .join(format!("Master-{}.csv", interval.to.as_second()));
    let written = write(plan, path.clone()).await?;
    let taken = import(demo, &path).await?;
    let again = import(demo, &path).await?;
    tally.repeats_bring_nothing &= again
        == ImportedFile {
            was_done: true,
            ..taken
        };
    tally.add(written, taken);
    Ok(())
}

/// Declares the switch: its numbers have their country codes.
pub async fn source(demo: &Demo<'_>) -> Result<(), DemoError> {
    let source = json!({"format": SourceFormat::Asterisk, "zone": SWITCH_ZONE});
    demo.client
        .put(&format!("{USAGE_SOURCE}/{SOURCE}"), &source)
        .await?;
    Ok(())
}

async fn import(demo: &Demo<'_>, path: &Path) -> Result<ImportedFile, DemoError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let query = [("source", SOURCE), ("name", &*name)];
    let content = tokio::fs::read(path).await?;
    let (status, file) = demo.client.upload(USAGE_FILE, &query, content).await?;
    Ok(ImportedFile::read(status, &file))
}

async fn write(plan: CdrPlan, path: PathBuf) -> Result<Manifest, DemoError> {
    let write = move || generate(&plan, &mut BufWriter::new(File::create(path)?));
    let written = tokio::task::spawn_blocking(write)
        .await
        .map_err(|error| DemoError::stuck(format!("usage file: {error}")))?;
    Ok(written?)
}

/// The rated records of customers in an interval, by the calling number, as the API shows them.
pub async fn rated(
    demo: &Demo<'_>,
    numbers: &BTreeMap<String, String>,
    interval: Interval,
) -> Result<BTreeMap<String, Totals>, DemoError> {
    let customers: BTreeSet<&String> = numbers.values().collect();
    let (from, to) = (interval.from.to_string(), interval.to.to_string());
    let lists = demo
        .each(customers.into_iter().collect(), async |customer| {
            let query = [
                ("relatedParty.id", customer.as_str()),
                ("usageDate.gte", from.as_str()),
                ("usageDate.lt", to.as_str()),
                ("fields", "usageCharacteristic,status"),
            ];
            Ok(demo.client.list_all(USAGE, &query).await?)
        })
        .await?;
    let mut totals: BTreeMap<String, Totals> = BTreeMap::new();
    for usage in lists.iter().flatten() {
        let rated = matches!(usage["status"].as_str(), Some("rated" | "rerated"));
        let (calling, quantity) = (fact(usage, "calling"), fact(usage, "quantity"));
        if let (true, Some(Value::String(calling)), Some(quantity)) =
            (rated, calling, quantity.and_then(Value::as_i64))
        {
            totals
                .entry(calling.clone())
                .or_default()
                .add(ServiceKind::Voice, quantity);
        }
    }
    Ok(totals)
}

fn fact<'v>(usage: &'v Value, name: &str) -> Option<&'v Value> {
    let facts = usage["usageCharacteristic"].as_array()?;
    facts
        .iter()
        .find(|fact| fact["name"] == name)
        .map(|fact| &fact["value"])
}
