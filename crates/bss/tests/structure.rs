//! The shape of the code: who may depend on whom, how long a file and a function may be.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};

/// A crate's rule: the crates of ours that it may reach, and those of others that it must not reach.
struct Rule {
    name: &'static str,
    /// Direct and through others.
    ours: &'static [&'static str],
    /// Direct and through others.
    never: &'static [&'static str],
}

const DATABASE: [&str; 2] = ["tokio-postgres", "deadpool-postgres"];

const RULES: &[Rule] = &[
    Rule {
        name: "bss-domain",
        ours: &[],
        never: &["tokio", "hyper", "reqwest", "axum", "tokio-postgres"],
    },
    Rule {
        name: "bss-events",
        ours: &["bss-domain"],
        never: &["tokio-postgres", "rdkafka", "axum"],
    },
    Rule {
        name: "bss-store",
        ours: &["bss-domain", "bss-events"],
        never: &["axum", "rdkafka"],
    },
    Rule {
        name: "bss-app",
        ours: &["bss-domain", "bss-events", "bss-store"],
        never: &["axum", "rdkafka"],
    },
    Rule {
        name: "bss-api",
        ours: &[
            "bss-app",
            "bss-domain",
            "bss-events",
            "bss-store",
            "bss-telemetry",
        ],
        never: &["rdkafka"],
    },
    // Telemetry stays out here: its OTLP client brings axum.
    Rule {
        name: "bss-streams",
        ours: &["bss-app", "bss-domain", "bss-events", "bss-store"],
        never: &["axum"],
    },
    Rule {
        name: "bss-gateway",
        ours: &["bss-telemetry"],
        never: &DATABASE,
    },
    Rule {
        name: "bss-telemetry",
        ours: &[],
        never: &DATABASE,
    },
    Rule {
        name: "bss-platform",
        ours: &["bss-telemetry"],
        never: &["rdkafka", "deadpool-postgres"],
    },
    Rule {
        name: "bss-load",
        ours: &["bss-domain", "bss-telemetry"],
        never: &DATABASE,
    },
];

const FILE_LINES_MAX: usize = 1000;
const FUNCTION_LINES_MAX: usize = 70;

/// Files that a program writes.
const GENERATED: &[&str] = &["Cargo.lock", "package-lock.json", "schema.d.ts", "openapi.json"];

/// Functions that are longer than allowed: this list only shrinks.
const LONG_FUNCTIONS: &str = include_str!("long_functions.txt");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// What is built here: other systems' packages needn't have been fetched.
const HERE: &str = "x86_64-unknown-linux-gnu";

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(vec![
            "--offline".to_owned(),
            "--filter-platform".to_owned(),
            HERE.to_owned(),
        ])
        .exec()
        .unwrap()
}

/// The names of everything that a crate is built from, tests left out, each with the path that leads to it.
fn reached(metadata: &Metadata, start: &PackageId) -> BTreeMap<String, String> {
    let nodes: BTreeMap<_, _> = metadata
        .resolve
        .as_ref()
        .unwrap()
        .nodes
        .iter()
        .map(|node| (&node.id, node))
        .collect();
    let mut found = BTreeMap::new();
    let mut seen = BTreeSet::from([start]);
    let mut open = vec![(start, String::new())];
    while let Some((id, path)) = open.pop() {
        for dependency in &nodes[id].deps {
            let built = dependency
                .dep_kinds
                .iter()
                .any(|kind| kind.kind == DependencyKind::Normal);
            if built && seen.insert(&dependency.pkg) {
                let name = metadata[&dependency.pkg].name.to_string();
                let path = format!("{path} → {name}");
                found.insert(name, path.clone());
                open.push((&dependency.pkg, path));
            }
        }
    }
    found
}

#[test]
fn every_crate_keeps_to_its_row_of_the_dependency_table() {
    let metadata = metadata();
    let mut wrong = Vec::new();
    for package in metadata.workspace_packages() {
        let Some(rule) = RULES.iter().find(|rule| package.name.as_str() == rule.name) else {
            if package.name.as_str() != "bss" {
                wrong.push(format!("{} has no rule in this test", package.name));
            }
            continue;
        };
        for (name, path) in reached(&metadata, &package.id) {
            let stranger = (name == "bss" || name.starts_with("bss-")) && !rule.ours.contains(&name.as_str());
            // Cargo's metadata names the optional dependencies of others even where they are off, as rust_decimal's
            // on rand: randomness is therefore forbidden as a direct dependency only.
            let random = rule.name == "bss-domain" && path == " → rand";
            if stranger || random || rule.never.contains(&name.as_str()) {
                wrong.push(format!("{}{path}", rule.name));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "dependencies that the table forbids:\n{}",
        wrong.join("\n")
    );
    assert_eq!(
        metadata.workspace_packages().len(),
        RULES.len() + 1,
        "a rule without its crate"
    );
}

fn sources() -> Vec<PathBuf> {
    const SKIPPED: [&str; 9] = [
        "target",
        "node_modules",
        ".git",
        ".nuxt",
        ".output",
        ".tools",
        ".bss",
        ".test",
        "test-results",
    ];
    const KINDS: [&str; 9] = ["rs", "sql", "toml", "md", "ts", "vue", "mjs", "sh", "css"];
    let mut found = Vec::new();
    let mut open = vec![root()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
            if entry.file_type().unwrap().is_dir() {
                if !SKIPPED.contains(&name.as_str()) {
                    open.push(path);
                }
            } else if !GENERATED.contains(&name.as_str())
                && path
                    .extension()
                    .is_some_and(|kind| KINDS.iter().any(|known| kind == *known))
            {
                found.push(path);
            }
        }
    }
    found
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

#[test]
fn no_file_is_too_long() {
    let files = sources();
    assert!(files.len() > 50, "only {} files were found", files.len());
    let long: Vec<String> = files
        .iter()
        .map(|path| {
            (
                shown(path),
                std::fs::read_to_string(path).unwrap().lines().count(),
            )
        })
        .filter(|(_, lines)| *lines > FILE_LINES_MAX)
        .map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect();
    assert!(
        long.is_empty(),
        "over {FILE_LINES_MAX} lines:\n{}",
        long.join("\n")
    );
}

/// The name of the function that begins on this line, and its indentation.
fn function_start(line: &str) -> Option<(&str, &str)> {
    let body = line.trim_start();
    let indent = &line[..line.len() - body.len()];
    let mut rest = body;
    if let Some(after) = rest.strip_prefix("pub(") {
        rest = after.split_once(") ")?.1;
    }
    for word in ["pub ", "default ", "const ", "async ", "unsafe "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let name = rest.strip_prefix("fn ")?;
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    Some((&name[..end], indent))
}

/// Functions with their lengths in lines. The text is formatted, so a function ends at the first closing brace
/// with its own indentation.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (first, line) in lines.iter().enumerate() {
        let Some((name, indent)) = function_start(line) else {
            continue;
        };
        let closing = format!("{indent}}}");
        let length = if line.ends_with('}') {
            1
        } else {
            lines[first..]
                .iter()
                .position(|line| *line == closing)
                .map_or(1, |offset| offset + 1)
        };
        let declared_only = lines[first..]
            .iter()
            .position(|line| line.trim_end().ends_with(';') && !line.contains('{'))
            .is_some_and(|end| lines[first..=first + end].iter().all(|line| !line.contains('{')));
        if !declared_only {
            found.push((name.to_owned(), length));
        }
    }
    found
}

#[test]
fn functions_are_measured_whole() {
    let text = "impl X {\n    pub(crate) async fn long(\n        a: u8,\n    ) -> u8 {\n        if a {\n        }\n    }\n\n    \
                fn declared(&self) -> u8;\n\n    fn short() {}\n}\n";
    let found = functions(text);
    assert_eq!(found[0], ("long".to_owned(), 6));
    assert!(!found.iter().any(|(name, _)| name == "declared"));
    assert_eq!(found[1], ("short".to_owned(), 1));
}

#[test]
fn no_function_is_too_long_but_those_of_the_list() {
    let listed: BTreeSet<&str> = LONG_FUNCTIONS.lines().filter(|line| !line.is_empty()).collect();
    let mut long = BTreeSet::new();
    let sources = sources();
    let rust = sources
        .iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "rs"));
    for path in rust.filter(|path| path.components().any(|part| part.as_os_str() == "src")) {
        for (name, lines) in functions(&std::fs::read_to_string(path).unwrap()) {
            if lines > FUNCTION_LINES_MAX {
                long.insert(format!("{} {name}", shown(path)));
            }
        }
    }
    let new: Vec<&str> = long
        .iter()
        .map(String::as_str)
        .filter(|found| !listed.contains(found))
        .collect();
    assert!(
        new.is_empty(),
        "over {FUNCTION_LINES_MAX} lines; split them:\n{}",
        new.join("\n")
    );
    let mended: Vec<&&str> = listed.iter().filter(|name| !long.contains(**name)).collect();
    assert!(
        mended.is_empty(),
        "no longer too long, take them off long_functions.txt: {mended:?}"
    );
}
