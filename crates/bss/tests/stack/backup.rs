//! `bss db backup` under load, and `bss db restore` into a fresh server.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::load::{Load, UsageFile, check_at_rest, import, usage};
use crate::support::{Stack, said};

const PASSPHRASE: &str = "correct horse battery";

fn db(stack: &Stack, what: &str, file: &Path, passphrase: &str) -> Output {
    stack
        .command(&["db", what])
        .arg(file)
        .env("BSS_BACKUP_PASSPHRASE", passphrase)
        .output()
        .unwrap()
}

/// A refusal: exit 1, the reason in words, and nothing is left behind.
fn refuse_restore(stack: &Stack, file: &Path, passphrase: &str, reason: &str) {
    let output = db(stack, "restore", file, passphrase);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(
        said(&output).contains(reason),
        "{reason} is missing in {}",
        said(&output)
    );
}

/// Takes a backup while usage is imported, file after file; gives the files.
fn back_up_under_load(stack: &Stack, load: &Load, target: &Path) -> Vec<UsageFile> {
    let taken = AtomicBool::new(false);
    let begun = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let loading = scope.spawn(|| {
            let mut files = Vec::new();
            // One more after the backup: what it holds is less than all.
            let mut more = 1;
            while more > 0 {
                more -= i32::from(taken.load(Ordering::SeqCst));
                let file = load.file(stack, files.len() as u64);
                begun.store(true, Ordering::SeqCst);
                let output = import(stack, &file);
                assert!(output.status.success(), "{}", said(&output));
                files.push(file);
            }
            files
        });
        crate::support::until("the load has begun", || begun.load(Ordering::SeqCst));
        let output = db(stack, "backup", target, PASSPHRASE);
        taken.store(true, Ordering::SeqCst);
        assert!(output.status.success(), "{}", said(&output));
        loading.join().unwrap()
    })
}

#[test]
fn a_backup_under_load_restores_into_a_fresh_server_and_goes_on_without_a_hole_or_a_repeat() {
    let (stack, other) = (Stack::simulated("backup"), Stack::simulated("restored"));
    stack.up();
    let load = Load::new(&stack);
    let before = usage(&stack);
    let target = stack.0.join("backup.bss");
    let files = back_up_under_load(&stack, &load, &target);
    check_at_rest(&stack);
    counted_in_metrics(&stack);
    let charged: u64 = files.iter().map(|file| file.charged).sum();
    let count = |text: &str| text.split(' ').next().unwrap().parse::<u64>().unwrap();
    assert_eq!(count(&usage(&stack)), count(&before) + charged);

    assert_eq!(target.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let again = db(&stack, "backup", &target, PASSPHRASE);
    assert_eq!(
        again.status.code(),
        Some(1),
        "a backup was overwritten: {}",
        said(&again)
    );
    damaged_ones_are_refused(&other, &target);
    refuse_restore(&stack, &target, PASSPHRASE, "isn't empty");

    let output = db(&other, "restore", &target, PASSPHRASE);
    assert!(output.status.success(), "{}", said(&output));
    other.up();
    check_at_rest(&other);
    let held = count(&usage(&other));
    assert!(
        count(&before) <= held && held < count(&usage(&stack)),
        "{held} records: no load was under way"
    );
    // The same files again: one that the backup cut off goes on, the ones that it holds bring nothing.
    for file in &files {
        let output = import(&other, file);
        assert!(output.status.success(), "{}", said(&output));
    }
    check_at_rest(&other);
    assert_eq!(usage(&other), usage(&stack));
    let sign_in = |stack: &Stack| std::fs::read(stack.data_dir().join("secrets/sign-in")).unwrap();
    assert_eq!(sign_in(&other), sign_in(&stack));
    refuse_restore(&other, &target, PASSPHRASE, "isn't empty");
}

/// Work of commands is counted as well: the database has it.
fn counted_in_metrics(stack: &Stack) {
    let text = crate::support::get(&stack.listener("ops"), "/metrics").1;
    let value = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        let line = line.unwrap_or_else(|| panic!("{name} is missing in\n{text}"));
        line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let of_usage = |outcome: &str| value(&format!("bss_usage_records_total{{outcome=\"{outcome}\"}}"));
    assert_eq!(
        of_usage("accepted"),
        of_usage("rated"),
        "everything was rated, once"
    );
    assert!(of_usage("rated") > 0 && of_usage("rejected") > 0);
    let bills = stack.ask("SELECT sum(bills) FROM bill_run");
    assert_eq!(value("bss_bill_run_bills_total").to_string(), bills);
    assert!(value("bss_bill_runs{state=\"done\"}") > 0);
}

/// Nothing that isn't whole and authentic touches a data folder.
fn damaged_ones_are_refused(target: &Stack, backup: &Path) {
    let bytes = std::fs::read(backup).unwrap();
    let written = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = target.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let mut altered = bytes.clone();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    let cut = written("cut", &bytes[..bytes.len() - 1000]);
    let foreign = written("foreign", b"PGDMP, it says, and more than a head's length of it");
    refuse_restore(target, &cut, PASSPHRASE, "it is cut off");
    refuse_restore(
        target,
        &written("altered", &altered),
        PASSPHRASE,
        "the file was altered",
    );
    refuse_restore(target, &foreign, PASSPHRASE, "it is no backup of bss");
    refuse_restore(
        target,
        backup,
        "incorrect horse battery",
        "the passphrase is wrong",
    );
    refuse_restore(target, backup, "short", "shorter than 12 characters");
    assert!(!target.data_dir().exists(), "a refused restore left something");
}

#[test]
fn a_restore_that_was_cut_off_is_no_stack_and_may_be_repeated() {
    let stack = Stack::new("half restored");
    stack.up();
    let target = stack.0.join("backup.bss");
    assert!(db(&stack, "backup", &target, PASSPHRASE).status.success());
    let other = Stack::new("half");
    // As a crash leaves it: secrets of one database beside another one, or none.
    std::fs::create_dir_all(other.data_dir().join("state")).unwrap();
    std::fs::create_dir_all(other.data_dir().join("secrets")).unwrap();
    std::fs::write(other.data_dir().join("state/restoring"), "").unwrap();
    let output = other.bss(&["up"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("was cut off"), "{}", said(&output));
    let output = db(&other, "restore", &target, PASSPHRASE);
    assert!(output.status.success(), "{}", said(&output));
    other.up();
}

#[test]
fn a_backup_without_a_passphrase_is_wrong_usage() {
    let stack = Stack::new("no passphrase");
    let output = stack.bss(&["db", "backup", "b.bss"]);
    assert_eq!(output.status.code(), Some(64), "{}", said(&output));
    assert!(said(&output).contains("--passphrase-file"), "{}", said(&output));
}
