//! What was measured: one JSON file, and the same as a table in a document.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// The file of all figures.
const FIGURES: &str = "benchmarks.json";
/// The document whose table is written anew; all else in it is left as it is.
const DOCUMENT: &str = "BENCHMARKS.md";
const BEGIN: &str = "<!-- figures: written by bss bench, not by hand -->";
const END: &str = "<!-- end of figures -->";

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What was measured.
    pub what: String,
    /// The figure.
    pub value: f64,
    /// Its unit, such as `events/s`.
    pub unit: String,
    /// What it is held against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// What was hoped for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aim: Option<Aim>,
}

/// A figure of the same run to hold another one against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// What was measured.
    pub what: String,
    /// The figure, in the unit of the line.
    pub value: f64,
    /// The line's figure by this one.
    pub ratio: f64,
}

/// An aim and whether it was met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Aim {
    /// Its words.
    pub text: String,
    /// Whether the figure meets it.
    pub met: bool,
}

impl Line {
    /// A figure by itself.
    pub fn new(what: impl Into<String>, value: f64, unit: &str) -> Self {
        Self {
            what: what.into(),
            value,
            unit: unit.to_owned(),
            reference: None,
            aim: None,
        }
    }

    /// Held against a figure of the same run.
    pub fn beside(mut self, what: impl Into<String>, value: f64) -> Self {
        self.reference = Some(Reference {
            what: what.into(),
            value,
            ratio: self.value / value,
        });
        self
    }

    /// The figure has to be so high.
    pub fn at_least(self, bound: f64) -> Self {
        let (text, met) = (format!("≥ {} {}", number(bound), self.unit), self.value >= bound);
        self.aiming(text, met)
    }

    /// The figure may be so high.
    pub fn at_most(self, bound: f64) -> Self {
        let (text, met) = (format!("≤ {} {}", number(bound), self.unit), self.value <= bound);
        self.aiming(text, met)
    }

    /// It has to be so many times the reference.
    pub fn ratio_at_least(self, bound: f64) -> Self {
        let met = self.ratio().is_some_and(|ratio| ratio >= bound);
        self.aiming(format!("≥ {bound} ×"), met)
    }

    /// It may be so many times the reference.
    pub fn ratio_at_most(self, bound: f64) -> Self {
        let met = self.ratio().is_some_and(|ratio| ratio <= bound);
        self.aiming(format!("≤ {bound} ×"), met)
    }

    fn ratio(&self) -> Option<f64> {
        self.reference.as_ref().map(|reference| reference.ratio)
    }

    fn aiming(mut self, text: String, met: bool) -> Self {
        self.aim = Some(Aim { text, met });
        self
    }

    /// A line of the table.
    fn row(&self, work: &str) -> String {
        let reference = self.reference.as_ref().map_or("–".to_owned(), |reference| {
            format!("{}: {}", reference.what, number(reference.value))
        });
        let ratio = self
            .ratio()
            .map_or("–".to_owned(), |ratio| format!("{ratio:.2} ×"));
        let aim = self.aim.as_ref().map_or("–".to_owned(), |aim| {
            format!("{}: {}", aim.text, if aim.met { "met" } else { "**missed**" })
        });
        let value = number(self.value);
        format!(
            "| {work} | {} | {value} {} | {reference} | {ratio} | {aim} |",
            self.what, self.unit
        )
    }
}

/// One kind of work with its figures, and where they come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowReport {
    /// What was done.
    pub work: String,
    /// The figures.
    pub lines: Vec<Line>,
    /// How long it took with all that it needs, seconds.
    pub took_s: f64,
    /// Which program was measured where.
    #[serde(flatten)]
    pub run: Run,
}

/// Which program, on which machine, when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The command.
    pub command: String,
    /// The commit in the working folder; with a `+` where files differ from it.
    pub commit: String,
    /// The day and time, real time.
    pub date: String,
    /// The machine.
    pub machine: String,
    /// `release` or `dev`.
    pub profile: String,
    /// The share of the full sizes; only 1 gives figures that count.
    pub scale: f64,
}

/// All rows, by their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The rows.
    pub rows: BTreeMap<String, RowReport>,
}

impl Report {
    /// Takes these rows into a folder's files. Rows that were not measured now stay as they are.
    pub fn keep(&self, folder: &Path) -> Result<(), Failure> {
        let path = folder.join(FIGURES);
        let mut all: Self = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| Failure::refused(format!("{}: {error}", path.display())))?,
            Err(_) => Self::default(),
        };
        all.rows.extend(self.rows.clone());
        let text = serde_json::to_string_pretty(&all).map_err(|error| Failure::refused(error.to_string()))?;
        write(&path, &format!("{text}\n"))?;
        let path = folder.join(DOCUMENT);
        let before =
            std::fs::read_to_string(&path).unwrap_or_else(|_| format!("# Figures\n\n{BEGIN}\n{END}\n"));
        let after = all.into_document(&before).ok_or_else(|| {
            Failure::refused(format!("{} lacks the lines {BEGIN} and {END}", path.display()))
        })?;
        write(&path, &after)
    }

    /// The document with the table in its place; none where it has no place for it.
    fn into_document(self, document: &str) -> Option<String> {
        let (head, rest) = document.split_once(BEGIN)?;
        let (_, tail) = rest.split_once(END)?;
        Some(format!("{head}{BEGIN}\n{}\n{END}{tail}", self.table()))
    }

    /// The table, with the runs that it comes from.
    pub fn table(&self) -> String {
        let mut text = String::new();
        let mut runs: Vec<(&Run, Vec<&str>)> = Vec::new();
        for (name, row) in &self.rows {
            match runs.iter_mut().find(|(run, _)| *run == &row.run) {
                Some((_, names)) => names.push(name),
                None => runs.push((&row.run, vec![name])),
            }
        }
        for (run, names) in runs {
            let of_no_use = if run.scale < 1.0 || run.profile != "release" {
                format!(
                    " A trial at {} of the sizes, {} build: not to be relied on.",
                    run.scale, run.profile
                )
            } else {
                String::new()
            };
            let _ = write!(
                text,
                "\n{}: `{}`, commit {}, {}, on {}.{of_no_use}\n",
                names.join(", "),
                run.command,
                run.commit,
                run.date,
                run.machine
            );
        }
        text.push_str("\n| row | what | measured | reference in the same run | ratio | aim |\n|---|---|---|---|---|---|\n");
        for (name, row) in &self.rows {
            for line in &row.lines {
                text.push_str(&line.row(name));
                text.push('\n');
            }
        }
        text
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text)
        .map_err(|error| Failure::refused(format!("cannot write {}: {error}", path.display())))
}

/// A number as people read it: three digits that count, whole ones in groups.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if size < 100.0 {
        let places = (2.0 - size.log10().floor()).clamp(0.0, 6.0) as usize;
        let text = format!("{value:.places$}");
        return if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text
        };
    }
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && digit.is_ascii_digit() && (digits.len() - place) % 3 == 0 && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_grouped() {
        let shown = [
            0.0,
            0.5,
            2.5,
            1.234_5,
            12.34,
            99.96,
            350.4,
            20_000.0,
            1_234_567.8,
            -1_000.0,
        ]
        .map(number);
        let wanted = [
            "0",
            "0.5",
            "2.5",
            "1.23",
            "12.3",
            "100",
            "350",
            "20,000",
            "1,234,568",
            "-1,000",
        ];
        assert_eq!(shown, wanted);
    }

    fn report(scale: f64) -> Report {
        let lines = vec![
            Line::new("append", 50.0, "events/s")
                .beside("COPY", 100.0)
                .ratio_at_least(0.5),
            Line::new("latency", 600.0, "ms").at_most(500.0),
        ];
        let run = Run {
            command: "bss bench".into(),
            commit: "abc".into(),
            date: "2026-11-25".into(),
            machine: "two cores".into(),
            profile: "release".into(),
            scale,
        };
        let row = RowReport {
            work: "w".into(),
            lines,
            took_s: 1.0,
            run,
        };
        Report {
            rows: BTreeMap::from([("log".to_owned(), row)]),
        }
    }

    #[test]
    fn aims_are_held_against_what_was_measured() {
        let table = report(1.0).table();
        assert!(
            table.contains("| log | append | 50 events/s | COPY: 100 | 0.50 × | ≥ 0.5 ×: met |"),
            "{table}"
        );
        assert!(
            table.contains("| log | latency | 600 ms | – | – | ≤ 500 ms: **missed** |"),
            "{table}"
        );
        assert!(!table.contains("not to be relied on"), "{table}");
        assert!(report(0.1).table().contains("not to be relied on"));
    }

    #[test]
    fn only_the_table_of_a_document_is_written_and_other_rows_stay() {
        let folder = tempdir();
        std::fs::write(
            folder.join(DOCUMENT),
            format!("# Words\n{BEGIN}\nold\n{END}\nmore words\n"),
        )
        .unwrap();
        report(1.0).keep(&folder).unwrap();
        let mut other = report(1.0);
        let row = other.rows.remove("log").unwrap();
        other.rows.insert("read".into(), row);
        other.keep(&folder).unwrap();
        let text = std::fs::read_to_string(folder.join(DOCUMENT)).unwrap();
        assert!(
            text.starts_with("# Words\n") && text.ends_with("\nmore words\n"),
            "{text}"
        );
        assert!(text.contains("| log | append") && text.contains("| read | append") && !text.contains("old"));
        std::fs::write(folder.join(DOCUMENT), "# Words without a place\n").unwrap();
        assert!(other.keep(&folder).is_err());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    fn tempdir() -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("bss-report-{}", bss_platform::secrets::generate()));
        std::fs::create_dir(&folder).unwrap();
        folder
    }
}
