//! Every command that the documentation shows is one of ours, with flags that it has.

use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};

use crate::cli::Cli;

fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pages = Vec::new();
    for folder in ["", "docs", "docs/errors", "demo"] {
        let entries = std::fs::read_dir(root.join(folder)).unwrap();
        let files = entries.map(|entry| entry.unwrap().path());
        pages.extend(files.filter(|path| path.extension().is_some_and(|kind| kind == "md")));
    }
    pages
}

/// What stands in code and begins with `bss`: inline, or a line of a block (behind its prompt in a session).
fn commands_in(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut block: Option<&str> = None;
    for line in text.lines() {
        if let Some(kind) = line.trim_start().strip_prefix("```") {
            block = if block.is_some() { None } else { Some(kind) };
            continue;
        }
        match block {
            Some("console") => found.extend(line.strip_prefix("$ ").map(str::to_owned)),
            Some(_) => found.push(line.to_owned()),
            None => found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned)),
        }
    }
    found.retain(|command| command.starts_with("bss "));
    found
}

/// Walks the words down the tree of subcommands; an error names the word that nothing knows.
fn check(root: &Command, shown: &str) -> Result<(), String> {
    let shown = shown.replace("\\|", "|");
    let mut current = root;
    let mut words = shown.split_whitespace().skip(1);
    while let Some(word) = words.next() {
        if ["|", ">", "#", "&&", "||", ";", "…"].contains(&word) {
            break;
        }
        let plain = word.trim_matches(['[', ']', ';', '"']);
        let flag = plain.split('=').next().unwrap_or(plain);
        if let Some(name) = flag.strip_prefix('-') {
            let is_meant = |arg: &&clap::Arg| match name.strip_prefix('-') {
                Some(long) => arg.get_long() == Some(long),
                None => arg.get_short().is_some_and(|short| name == short.to_string()),
            };
            let Some(arg) = current.get_arguments().find(is_meant) else {
                return Err(format!("`{shown}`: {} has no {flag}", current.get_name()));
            };
            if arg.get_action().takes_values() && !plain.contains('=') {
                words.next();
            }
        } else if current.has_subcommands() {
            if plain.chars().all(char::is_uppercase) {
                break;
            }
            let names: Vec<&str> = plain.split('|').collect();
            for name in &names {
                if current.find_subcommand(name).is_none() {
                    return Err(format!("`{shown}`: {} has no {name}", current.get_name()));
                }
            }
            let [name] = names[..] else { break };
            current = current.find_subcommand(name).unwrap_or(current);
        }
        if word.ends_with(';') {
            break;
        }
    }
    Ok(())
}

#[test]
fn every_command_of_the_documentation_exists() {
    let mut root = Cli::command();
    root.build();
    let mut shown = 0;
    let mut wrong = Vec::new();
    for page in pages() {
        for command in commands_in(&std::fs::read_to_string(&page).unwrap()) {
            shown += 1;
            if let Err(reason) = check(&root, &command) {
                wrong.push(format!("{}: {reason}", page.display()));
            }
        }
    }
    assert!(shown > 60, "only {shown} commands were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_unknown_command_or_flag_is_noticed() {
    let mut root = Cli::command();
    root.build();
    for wrong in [
        "bss upp",
        "bss up --no-such-flag",
        "bss import cdrs X",
        "bss user add|remove",
        "bss logs -z",
    ] {
        assert!(check(&root, wrong).is_err(), "{wrong}");
    }
    for right in [
        "bss user add|list",
        "bss logs [-f] [bss\\|postgres]",
        "bss db backup FILE --data-dir D | cat -n",
    ] {
        assert_eq!(check(&root, right), Ok(()));
    }
}
