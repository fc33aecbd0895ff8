//! Answers on standard output: a table for people, one JSON object with `--json`.

use std::io::{self, Write};

use serde::Serialize;

use crate::failure::Failure;

/// Writes one JSON object.
pub fn json<T: Serialize>(value: &T) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::refused(error.to_string()))?;
    line(&text);
    Ok(())
}

/// Writes one line. A reader that has gone away (`bss ps | head -1`) is no failure.
pub fn line(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// Writes rows in columns that are as wide as their widest cell; the first row is the heading.
pub fn table(rows: &[Vec<String>]) {
    for row in aligned(rows) {
        line(&row);
    }
}

fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    rows.iter()
        .map(|row| {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:<width$}", width = *width))
                .collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_have_no_tail() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let lines = aligned(&[
            row(["NAME", "PORT", ""]),
            row(["postgres", "5432", "ready"]),
            row(["bss", "", ""]),
        ]);
        assert_eq!(lines, ["NAME      PORT", "postgres  5432  ready", "bss"]);
    }
}
