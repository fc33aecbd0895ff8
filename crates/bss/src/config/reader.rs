//! Takes each setting from the first layer that has it, and keeps where that was and what was wrong.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::settings::{SETTINGS, Setting};

/// OpenTelemetry's own variable counts where ours is missing.
pub(super) const OTLP_VARIABLE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Variables with our prefix that other programs of this project read.
const FOREIGN_PREFIXES: [&str; 6] = [
    "BSS_TEST",
    "BSS_E2E",
    "BSS_BENCH",
    "BSS_DEMO",
    "BSS_CONFIG",
    "BSS_BACKUP",
];

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "name")]
pub enum Origin {
    /// This flag.
    Flag(String),
    /// This variable.
    Variable(String),
    /// This file.
    File(String),
    /// Nothing was said.
    Default,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) | Self::File(name) => f.write_str(name),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A setting as it is in force.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Its name in `bss.toml`.
    pub name: &'static str,
    /// Its value; a secret's is not shown.
    pub value: String,
    /// Where that came from.
    pub origin: Origin,
    /// What it is for.
    pub help: &'static str,
}

pub(super) struct Reader {
    flags: BTreeMap<&'static str, String>,
    environment: BTreeMap<String, String>,
    file_name: String,
    file: toml::Table,
    read: BTreeSet<&'static str>,
    given: BTreeMap<&'static str, String>,
    report: Vec<Report>,
    mistakes: Vec<String>,
}

impl Reader {
    pub(super) fn new(
        flags: BTreeMap<&'static str, String>,
        environment: BTreeMap<String, String>,
        file_name: &str,
        file_text: Result<String, String>,
    ) -> Self {
        let mut mistakes = Vec::new();
        let file = file_text
            .and_then(|text| {
                text.parse::<toml::Table>()
                    .map_err(|error| format!("{file_name}: {}", error.to_string().trim_end()))
            })
            .unwrap_or_else(|mistake| {
                mistakes.push(mistake);
                toml::Table::new()
            });
        let mut reader = Self {
            flags,
            environment,
            file_name: file_name.to_owned(),
            file,
            read: BTreeSet::new(),
            given: BTreeMap::new(),
            report: Vec::new(),
            mistakes,
        };
        reader.refuse_unknown();
        reader
    }

    fn refuse_unknown(&mut self) {
        for name in self.file.keys() {
            if setting(name).is_none() {
                self.mistakes.push(format!(
                    "{}: there is no setting `{name}`{}",
                    self.file_name,
                    meant(name)
                ));
            }
        }
        for name in self.environment.keys() {
            let foreign =
                name == OTLP_VARIABLE || FOREIGN_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
            let plain = name.trim_start_matches("BSS_").to_lowercase();
            if !foreign && setting(&plain).is_none() {
                let meant = nearest(&plain).map(|near| format!("; meant is perhaps {}", variable_of(near)));
                self.mistakes.push(format!(
                    "{name}: there is no such variable{}",
                    meant.unwrap_or_default()
                ));
            }
        }
    }

    pub(super) fn required<T>(&mut self, name: &'static str, parse: impl Fn(&str) -> Result<T, String>) -> T {
        let (text, origin, setting) = self.look_up(name);
        let default = || match parse(setting.default) {
            Ok(value) => value,
            Err(mistake) => unreachable!("the default of {name} is wrong: {mistake}"),
        };
        match parse(&text) {
            Ok(value) => value,
            Err(mistake) => {
                self.wrong(setting, &text, &origin, &mistake);
                default()
            }
        }
    }

    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let (text, origin, setting) = self.look_up(name);
        if text.is_empty() {
            return None;
        }
        parse(&text)
            .map_err(|mistake| self.wrong(setting, &text, &origin, &mistake))
            .ok()
    }

    pub(super) fn list<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let (text, origin, setting) = self.look_up(name);
        let mut values = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match parse(part) {
                Ok(value) => values.push(value),
                Err(mistake) => self.wrong(setting, part, &origin, &mistake),
            }
        }
        values
    }

    pub(super) fn mistake(&mut self, text: String) {
        self.mistakes.push(text);
    }

    pub(super) fn unread(&self) -> Vec<&'static str> {
        SETTINGS
            .iter()
            .map(|setting| setting.name)
            .filter(|name| !self.read.contains(name))
            .collect()
    }

    /// What was said, by setting.
    pub(super) fn given(&self) -> BTreeMap<&'static str, String> {
        self.given.clone()
    }

    pub(super) fn finish(self) -> (Vec<Report>, Vec<String>) {
        (self.report, self.mistakes)
    }

    fn wrong(&mut self, setting: &Setting, text: &str, origin: &Origin, mistake: &str) {
        let place = match origin {
            Origin::File(file) => format!("{file}: {}", setting.name),
            other => other.to_string(),
        };
        let shown = if setting.secret {
            String::new()
        } else {
            format!(" `{text}`")
        };
        self.mistakes.push(format!("{place}{shown}: {mistake}"));
    }

    fn look_up(&mut self, name: &'static str) -> (String, Origin, &'static Setting) {
        let Some(setting) = setting(name) else {
            unreachable!("{name} is not among the settings");
        };
        let (text, origin) = self.first_layer(setting);
        let value = if setting.secret && !text.is_empty() {
            "(secret)".to_owned()
        } else {
            text.clone()
        };
        self.read.insert(name);
        if origin != Origin::Default {
            self.given.insert(name, text.clone());
        }
        self.report.push(Report {
            name,
            value,
            origin: origin.clone(),
            help: setting.help,
        });
        (text, origin, setting)
    }

    fn first_layer(&self, setting: &Setting) -> (String, Origin) {
        if let Some(text) = self.flags.get(setting.name) {
            return (text.clone(), Origin::Flag(flag_of(setting.name)));
        }
        let variable = variable_of(setting.name);
        if let Some(text) = self.environment.get(&variable).filter(|text| !text.is_empty()) {
            return (text.clone(), Origin::Variable(variable));
        }
        if let Some(value) = self.file.get(setting.name) {
            return (text_of(value), Origin::File(self.file_name.clone()));
        }
        match self
            .environment
            .get(OTLP_VARIABLE)
            .filter(|_| setting.name == "otlp_endpoint")
        {
            Some(text) => (text.clone(), Origin::Variable(OTLP_VARIABLE.to_owned())),
            None => (setting.default.to_owned(), Origin::Default),
        }
    }
}

fn setting(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

fn variable_of(name: &str) -> String {
    format!("BSS_{}", name.to_uppercase())
}

fn flag_of(name: &str) -> String {
    format!("--{}", name.replace('_', "-"))
}

fn text_of(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(values) => values.iter().map(text_of).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn meant(name: &str) -> String {
    nearest(name)
        .map(|near| format!("; meant is perhaps `{near}`"))
        .unwrap_or_default()
}

/// The setting that has most letters in common with a misspelt one, if that is most of them.
fn nearest(name: &str) -> Option<&'static str> {
    let common = |other: &str| {
        let mut left: Vec<char> = other.chars().collect();
        name.chars()
            .filter(|letter| {
                left.iter()
                    .position(|found| found == letter)
                    .map(|at| left.swap_remove(at))
                    .is_some()
            })
            .count()
    };
    SETTINGS
        .iter()
        .map(|setting| {
            (
                setting.name,
                2 * common(setting.name) * 100 / (name.len() + setting.name.len()).max(1),
            )
        })
        .filter(|(_, percent)| *percent >= 75)
        .max_by_key(|(_, percent)| *percent)
        .map(|(name, _)| name)
}
