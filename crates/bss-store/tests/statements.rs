//! Every statement that the source holds is prepared on a migrated database: a misspelt column of a seldom used
//! statement fails here and not at an operator's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bss_platform::testing::test_server;
use bss_store::{ClockMode, migrate};
use proc_macro2::{Literal, TokenStream, TokenTree};

/// Statements that are put together while the program runs, by file and beginning: this list only shrinks. The tests of
/// what they serve run them.
const PUT_TOGETHER: &str = include_str!("statements_put_together.txt");

const BEGINNINGS: [&str; 6] = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "TABLE"];

/// A statement and the file that it stands in, below `src`.
struct Statement {
    file: String,
    sql: String,
}

impl Statement {
    fn name(&self) -> String {
        let words: Vec<&str> = self.sql.split_whitespace().collect();
        let mut name = format!("{}: {}", self.file, words.join(" "));
        name.truncate(name.char_indices().nth(100).map_or(name.len(), |(at, _)| at));
        name
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn is_statement(text: &str) -> bool {
    let mut words = text.split_whitespace();
    words.next().is_some_and(|first| BEGINNINGS.contains(&first)) && words.next().is_some()
}

/// The text of a string literal.
fn text_of(literal: &Literal) -> Option<String> {
    let shown = literal.to_string();
    if let Some(raw) = shown.strip_prefix('r') {
        return Some(raw.trim_matches('#').trim_matches('"').to_owned());
    }
    let inner = shown.strip_prefix('"')?.strip_suffix('"')?;
    let mut text = String::new();
    let mut letters = inner.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        match letters.next()? {
            'n' => text.push('\n'),
            't' => text.push('\t'),
            '\n' => while letters.next_if(|next| next.is_whitespace()).is_some() {},
            other => text.push(other),
        }
    }
    Some(text)
}

/// The string literals of a file, and those among them that a constant of it names.
fn literals(tokens: TokenStream, found: &mut Vec<String>, constants: &mut BTreeMap<String, String>) {
    // `const NAME: &str = "…"` is the name, five tokens before its text.
    let mut name = None;
    let mut after_const = false;
    for tree in tokens {
        match tree {
            TokenTree::Group(group) => literals(group.stream(), found, constants),
            TokenTree::Ident(ident) if after_const => {
                name = Some(ident.to_string());
                after_const = false;
            }
            TokenTree::Ident(ident) => after_const = ident == "const",
            TokenTree::Punct(punct) if punct.as_char() == ';' => name = None,
            TokenTree::Punct(_) => {}
            TokenTree::Literal(literal) => {
                if let Some(text) = text_of(&literal) {
                    if let Some(name) = name.take() {
                        constants.insert(name, text.clone());
                    }
                    found.push(text);
                }
            }
        }
    }
}

/// A formatted statement with the constants that it names in place.
fn filled_in(text: &str, constants: &BTreeMap<String, String>) -> String {
    constants.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{name}}}"), value)
    })
}

/// Whether something is still to be put in: `{}` or `{name}`, unlike the braces of a JSON text.
fn has_place(sql: &str) -> bool {
    sql.split('{').skip(1).any(|rest| {
        let inner = rest.split('}').next().unwrap_or_default();
        inner
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    })
}

fn statements() -> Vec<Statement> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files(&source, &mut paths);
    paths.sort();
    let mut statements = Vec::new();
    for path in paths {
        let file = path.strip_prefix(&source).unwrap().display().to_string();
        let text = std::fs::read_to_string(&path).unwrap();
        if path.extension().is_some_and(|ending| ending == "sql") {
            statements.push(Statement { file, sql: text });
            continue;
        }
        let mut found = Vec::new();
        let mut constants = BTreeMap::new();
        literals(text.parse().unwrap(), &mut found, &mut constants);
        for text in found.iter().filter(|text| is_statement(text)) {
            let sql = filled_in(text, &constants);
            statements.push(Statement {
                file: file.clone(),
                sql,
            });
        }
    }
    statements
}

#[tokio::test]
async fn every_statement_is_one_that_the_database_understands() {
    let url = test_server().await.database().await;
    migrate(&url, ClockMode::Simulated).await.unwrap();
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let (put_together, whole): (Vec<_>, Vec<_>) = statements()
        .into_iter()
        .partition(|statement| has_place(&statement.sql));
    assert!(whole.len() > 150, "only {} statements were found", whole.len());
    let mut wrong = Vec::new();
    for statement in &whole {
        if let Err(error) = client.prepare(&statement.sql).await {
            let said = error
                .as_db_error()
                .map_or_else(|| error.to_string(), ToString::to_string);
            wrong.push(format!("{}\n    {said}", statement.name()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let names: Vec<String> = put_together.iter().map(Statement::name).collect();
    let known: Vec<&str> = PUT_TOGETHER.lines().collect();
    assert_eq!(names, known, "statements that can't be prepared as they stand");
}
