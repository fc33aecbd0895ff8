//! `bss bench` as a command, at a size that says nothing about speed: every row is there, with its figures and aims, and
//! nothing of its servers is left.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A folder that is removed however the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let random = bss_platform::secrets::generate();
        let folder = std::env::temp_dir().join(format!("bss bench {}", &random[..12]));
        std::fs::create_dir(&folder).unwrap();
        std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        Self(folder)
    }

    fn bench(&self, rows: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_bss"))
            .args(["bench", "--json", "--scale", "0.001", "--only", rows, "--docs"])
            .arg(&self.0)
            .arg("--folder")
            .arg(&self.0)
            .env("BSS_MEMORY_MB", "128")
            // A developer's own server is not for benchmarks.
            .env("BSS_DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn rows(&self, rows: &str) -> Value {
        let output = self.bench(rows);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        report["rows"].clone()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Whether every figure of a row is there; which of them have an aim, and which a reference.
fn check(row: &Value, aims: usize, references: usize) {
    let lines = row["lines"].as_array().unwrap();
    for line in lines {
        assert!(line["value"].as_f64().unwrap() > 0.0, "{line}");
        if let Some(reference) = line.get("reference") {
            let ratio = line["value"].as_f64().unwrap() / reference["value"].as_f64().unwrap();
            assert!(
                (reference["ratio"].as_f64().unwrap() / ratio - 1.0).abs() < 1e-9,
                "{line}"
            );
        }
    }
    let having = |name: &str| lines.iter().filter(|line| line.get(name).is_some()).count();
    assert_eq!((having("aim"), having("reference")), (aims, references), "{row}");
    assert_eq!(row["scale"], 0.001);
}

fn left_in(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("bss-bench"))
        .collect()
}

#[test]
fn the_log_and_money_are_measured_and_the_document_is_written() {
    let folder = Folder::new();
    let rows = folder.rows("append,consume,usage,bill");
    check(&rows["append"], 1, 2);
    check(&rows["consume"], 1, 0);
    check(&rows["usage"], 2, 2);
    check(&rows["bill"], 2, 0);
    assert_eq!(rows.as_object().unwrap().len(), 4);
    let document = std::fs::read_to_string(folder.0.join("BENCHMARKS.md")).unwrap();
    assert!(
        document.contains("| append |") && document.contains("not to be relied on"),
        "{document}"
    );
    assert_eq!(left_in(&folder.0), Vec::<String>::new());
}

#[test]
fn the_stack_is_measured_from_outside() {
    let folder = Folder::new();
    let rows = folder.rows("order,read,start");
    check(&rows["order"], 2, 1);
    check(&rows["read"], 1, 2);
    check(&rows["start"], 3, 0);
    assert_eq!(left_in(&folder.0), Vec::<String>::new());
}

#[test]
fn growth_is_measured_at_its_marks() {
    let folder = Folder::new();
    let rows = folder.rows("growth");
    check(&rows["growth"], 4, 8);
    assert_eq!(left_in(&folder.0), Vec::<String>::new());
}
