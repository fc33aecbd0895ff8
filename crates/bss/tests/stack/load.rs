//! Load for a stack: a small demonstration for its customers, then usage files without end, and what the database says
//! of them afterwards.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::support::{Stack, said, until};

/// Each table of the log has its positions from 1 to the head: a hole would be a loss, a surplus a repeat.
const LOG_IS_DENSE: &str = "SELECT count(*) FROM log_partition p LEFT JOIN
    (SELECT topic, partition, sum(events) n, min(position - events + 1) low, max(position) high FROM log_event GROUP BY 1, 2) e
    USING (topic, partition)
    WHERE p.head <> coalesce(e.n, 0) OR p.head <> coalesce(e.high, 0) OR coalesce(e.low, 1) <> 1";
const BEHIND: &str = "SELECT count(*) FROM group_position g JOIN log_partition p USING (topic, partition)
    WHERE g.position <> p.head";
const PARKED: &str = "SELECT count(*) FROM parked_event";
/// These groups have begun at all, so that nobody being behind means something.
const GROUPS: &str = "SELECT count(DISTINCT group_name) FROM group_position
    WHERE group_name IN ('order-processing', 'charging', 'customer-analytics')";
const GROUP_COUNT: &str = "3";

/// Lines of a usage file.
const LINES: u64 = 1500;

/// A source of usage files for the customers of a stack's demonstration.
pub struct Load {
    folder: PathBuf,
    window: (String, String),
}

/// One usage file.
#[derive(Clone)]
pub struct UsageFile {
    pub path: PathBuf,
    /// What is to be charged of it.
    pub charged: u64,
}

impl Load {
    /// Runs a small demonstration and takes its customers' numbers.
    pub fn new(stack: &Stack) -> Self {
        let folder = stack.0.join("demonstration");
        let output = demo(stack, &folder);
        assert!(output.status.success(), "{}", said(&output));
        let offset = "SELECT to_char((now() + make_interval(secs => offset_us / 1e6) - interval '%H hours')
            AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM business_clock";
        // A bill run comes a day after the ends of periods: what lies in between falls under none that is closed.
        let at = |hours: &str| stack.ask(&offset.replace("%H", hours));
        Self {
            window: (at("20"), at("1")),
            folder,
        }
    }

    /// Writes the file of a seed.
    pub fn file(&self, stack: &Stack, seed: u64) -> UsageFile {
        let path = stack.0.join(format!("usage {seed}.csv"));
        let (numbers, seed, lines) = (
            self.folder.join("numbers.txt"),
            seed.to_string(),
            LINES.to_string(),
        );
        let mut command = stack.command(&["load", "cdr", "--seed", &seed, "--records", &lines]);
        command.args(["--from", &self.window.0, "--to", &self.window.1, "--out"]);
        command.arg(&path).arg("--numbers").arg(numbers);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let manifest: Value = serde_json::from_slice(&output.stdout).unwrap();
        let charged = manifest["charged"].as_u64().unwrap();
        assert!(charged > LINES / 2, "{manifest}");
        UsageFile { path, charged }
    }
}

/// A demonstration's month on this stack.
pub fn demo(stack: &Stack, keep: &Path) -> Output {
    let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo/catalog");
    let mut command = stack.command(&["demo", "--customers", "12", "--records", "300", "--catalog"]);
    command.arg(catalog).arg("--keep").arg(keep).output().unwrap()
}

/// Imports a file; what was imported of it before isn't imported again.
pub fn import(stack: &Stack, file: &UsageFile) -> Output {
    stack
        .command(&[
            "import",
            "cdr",
            "--format",
            "asterisk",
            "--source",
            "demonstration",
        ])
        .arg(&file.path)
        .output()
        .unwrap()
}

/// Waits until every group has consumed everything, and holds the log and the ledger against their rules.
pub fn check_at_rest(stack: &Stack) {
    until("every group has consumed everything", || {
        stack.ask(GROUPS) == GROUP_COUNT && stack.ask(BEHIND) == "0"
    });
    assert_eq!(stack.ask(LOG_IS_DENSE), "0", "a hole or a repeat in the log");
    assert_eq!(stack.ask(PARKED), "0", "events that no group could process");
    let output = stack.bss(&["ledger", "check"]);
    assert!(output.status.success(), "{}", said(&output));
}

/// Usage records with their quantities.
pub fn usage(stack: &Stack) -> String {
    stack.ask("SELECT count(*) || ' records, ' || sum(quantity) || ' in all' FROM usage_record")
}
