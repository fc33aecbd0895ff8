//! The table of charges: rows that are never cut, a heading on every page, a group's name repeated where it goes on.

use super::page::Page;
use super::typeface::{Run, Typefaces};
use super::{BillDocument, DocumentLine, format};
use crate::bill_document::layout::{
    ACCENT, BOTTOM, FAINT, LEFT, Pages, RIGHT, SMALL, SMALL_BOLD, SMALL_GREY, TEXT,
};

/// Where columns begin (left-aligned) or end (right-aligned).
const PERIOD: f32 = 318.0;
const PIECES_END: f32 = 442.0;
const RATE_END: f32 = 478.0;
const DESCRIPTION_WIDTH: f32 = PERIOD - LEFT - 14.0;
const LINE: f32 = 11.0;
const PADDING: f32 = 2.5;
const HEADING: f32 = 20.0;
const GROUP: f32 = 18.0;

/// A row, set and measured.
struct Row<'a> {
    line: &'a DocumentLine,
    description: Vec<Run>,
    usage: Vec<Run>,
    height: f32,
}

/// Sets the lines of a bill from the present place on.
pub(super) fn charges(pages: &mut Pages, faces: &Typefaces, bill: &BillDocument) {
    let mut group: Option<&str> = None;
    heading(pages, faces, bill);
    for line in &bill.lines {
        let row = measure(line, faces);
        let new_group = group != Some(line.group.as_str());
        let needed = row.height + if new_group { GROUP } else { 0.0 };
        if pages.y + needed > BOTTOM {
            pages.next(faces, bill);
            heading(pages, faces, bill);
            group_heading(pages, faces, &line.group, !new_group);
        } else if new_group {
            group_heading(pages, faces, &line.group, false);
        }
        group = Some(&line.group);
        draw(pages, faces, bill, row);
    }
    pages.rule(LEFT, RIGHT, 0.75, ACCENT);
}

fn measure<'a>(line: &'a DocumentLine, faces: &Typefaces) -> Row<'a> {
    let description = faces.lines(&line.description, TEXT, DESCRIPTION_WIDTH);
    let usage = line.usage.as_ref().map_or_else(Vec::new, |usage| {
        faces.lines(&format::usage(usage), SMALL_GREY, DESCRIPTION_WIDTH)
    });
    let height = (description.len().max(1) + usage.len()) as f32 * LINE + PADDING;
    Row {
        line,
        description,
        usage,
        height,
    }
}

fn heading(pages: &mut Pages, faces: &Typefaces, bill: &BillDocument) {
    let base = pages.y + 12.0;
    let page = pages.page();
    page.left(LEFT, base, faces.run("Description", SMALL_BOLD));
    page.left(PERIOD, base, faces.run("Period", SMALL_BOLD));
    page.right(PIECES_END, base, faces.run("Pieces", SMALL_BOLD));
    page.right(RATE_END, base, faces.run("Tax", SMALL_BOLD));
    page.right(
        RIGHT,
        base,
        faces.run(format!("Net ({})", bill.currency), SMALL_BOLD),
    );
    pages.y += HEADING - 2.0;
    pages.rule(LEFT, RIGHT, 0.75, ACCENT);
    pages.y += 2.0;
}

fn group_heading(pages: &mut Pages, faces: &Typefaces, name: &str, continued: bool) {
    let text = if continued {
        format!("{name} (continued)")
    } else {
        name.to_owned()
    };
    let base = pages.y + 12.5;
    // A heading has one line: its first one.
    if let Some(run) = faces.lines(&text, TEXT.bold(), RIGHT - LEFT).into_iter().next() {
        pages.page().left(LEFT, base, run);
    }
    pages.y += GROUP;
}

fn draw(pages: &mut Pages, faces: &Typefaces, bill: &BillDocument, row: Row<'_>) {
    let base = pages.y + 9.5;
    let line = row.line;
    let page: &mut Page = pages.page();
    for (index, run) in row.description.into_iter().chain(row.usage).enumerate() {
        page.left(LEFT, base + index as f32 * LINE, run);
    }
    page.left(PERIOD, base, faces.run(format::days(line.period), SMALL));
    if line.usage.is_none() {
        page.right(PIECES_END, base, faces.run(line.pieces.to_string(), TEXT));
    }
    page.right(RATE_END, base, faces.run(format::rate(line.tax_rate_ppm), TEXT));
    page.right(
        RIGHT,
        base,
        faces.run(format::amount(line.net_minor, bill.currency), TEXT),
    );
    pages.y += row.height;
    pages.rule(LEFT, RIGHT, 0.4, FAINT);
}
