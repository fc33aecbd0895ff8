//! Where everything stands on A4 pages: letterhead, address in the envelope's window, charges, tax, totals, payment.

use super::page::{HEIGHT, Page, WIDTH};
use super::typeface::{Style, Typefaces};
use super::{BillDocument, DocumentTax, format, table};

pub(super) const LEFT: f32 = 56.7;
pub(super) const RIGHT: f32 = WIDTH - 56.7;
/// The end of what may be written on; the page's foot stands below.
pub(super) const BOTTOM: f32 = HEIGHT - 62.0;
const TOP: f32 = 48.0;
const INK: (u8, u8, u8) = (28, 32, 38);
const GREY: (u8, u8, u8) = (96, 104, 114);
pub(super) const ACCENT: (u8, u8, u8) = (16, 78, 104);
pub(super) const FAINT: (u8, u8, u8) = (214, 219, 224);
const TINT: (u8, u8, u8) = (236, 243, 246);

pub(super) const TEXT: Style = Style::new(9.0, INK);
pub(super) const SMALL: Style = Style::new(8.0, INK);
pub(super) const SMALL_BOLD: Style = Style::new(8.0, ACCENT).bold();
pub(super) const SMALL_GREY: Style = Style::new(8.0, GREY);

/// The pages so far, and the present place on the last one.
pub(super) struct Pages {
    done: Vec<Page>,
    current: Page,
    /// Points from the page's upper edge.
    pub y: f32,
}

impl Pages {
    pub(super) fn page(&mut self) -> &mut Page {
        &mut self.current
    }

    /// Begins another page, with the bill's number at its head.
    pub(super) fn next(&mut self, faces: &Typefaces, bill: &BillDocument) {
        self.done.push(std::mem::take(&mut self.current));
        let head = format!("Bill {}", bill.number);
        self.current
            .left(LEFT, TOP + 8.0, faces.run(&bill.operator.name, TEXT.bold()));
        self.current.right(RIGHT, TOP + 8.0, faces.run(head, SMALL_GREY));
        self.y = TOP + 24.0;
    }

    /// A horizontal rule at the present place.
    pub(super) fn rule(&mut self, from: f32, to: f32, thickness: f32, colour: (u8, u8, u8)) {
        let y = self.y;
        self.current.area((from, y), (to - from, thickness), colour);
    }

    /// Goes to another page where less than this height is left.
    fn keep(&mut self, height: f32, faces: &Typefaces, bill: &BillDocument) {
        if self.y + height > BOTTOM {
            self.next(faces, bill);
        }
    }
}

/// All pages of a bill.
pub(super) fn pages(bill: &BillDocument, faces: &Typefaces) -> Vec<Page> {
    let mut pages = Pages {
        done: Vec::new(),
        current: Page::default(),
        y: 0.0,
    };
    letterhead(&mut pages, faces, bill);
    recipient(&mut pages, faces, bill);
    facts(&mut pages, faces, bill);
    title(&mut pages, faces, bill);
    table::charges(&mut pages, faces, bill);
    pages.y += 18.0;
    sums(&mut pages, faces, bill);
    payment(&mut pages, faces, bill);
    let mut all = pages.done;
    all.push(pages.current);
    feet(&mut all, faces, bill);
    all
}

fn letterhead(pages: &mut Pages, faces: &Typefaces, bill: &BillDocument) {
    let operator = &bill.operator;
    let page = pages.page();
    page.area((0.0, 0.0), (WIDTH, 6.0), ACCENT);
    // The name gives way to the address beside it.
    let names = faces.lines(&operator.name, Style::new(18.0, ACCENT).bold(), 290.0);
    for (index, run) in names.into_iter().take(2).enumerate() {
        page.left(LEFT, TOP + 14.0 + index as f32 * 20.0, run);
    }
    let lines = operator.address.iter().chain(&operator.contact);
    for (index, line) in lines.take(7).enumerate() {
        page.right(
            RIGHT,
            TOP + 8.0 + index as f32 * 10.5,
            faces.run(line, SMALL_GREY),
        );
    }
}

/// The address stands in the window of a DIN or C5/C6 envelope: 20 mm from the left, 45 mm from the top.
fn recipient(pages: &mut Pages, faces: &Typefaces, bill: &BillDocument) {
    const WINDOW_WIDTH: f32 = 230.0;
    let mut sender = vec![bill.operator.name.as_str()];
    sender.extend(bill.operator.address.iter().map(String::as_str));
    let page = pages.page();
    let small = Style::new(6.5, GREY);
    if let Some(run) = faces
        .lines(&sender.join(" · "), small, WINDOW_WIDTH)
        .into_iter()
        .next()
    {
        page.left(LEFT, 142.0, run);
    }
    page.area((LEFT, 145.5), (WINDOW_WIDTH, 0.4), FAINT);
    let address = Style::new(10.5, INK);
    let lines = bill
        .customer
        .iter()
        .flat_map(|line| faces.lines(line, address, WINDOW_WIDTH));
    for (index, run) in lines.take(7).enumerate() {
        page.left(LEFT, 162.0 + index as f32 * 14.0, run);
    }
}

fn facts(pages: &mut Pages, faces: &Typefaces, bill: &BillDocument) {
    const FACTS: f32 = 342.0;
    let facts = [
        ("Bill number", bill.number.clone()),
        ("Bill date", format::day(bill.issued_on)),
        ("Billing period", format::days(bill.period)),
        ("Account", bill.account.clone()),
        ("Payment due", format::day(bill.due_on)),
    ];
    let mut y = 162.0;
    for (name, value) in facts {
        pages.page().left(FACTS, y, faces.run(name, SMALL_GREY));
        for run in faces.lines(&value, TEXT, RIGHT - FACTS - 72.0) {
            pages.page().right(RIGHT, y, run);
            y += 11.0;
        }
        y += 4.0;
    }
}

fn title(pages: &mut Pages, faces: &Typefaces, bill: &BillDocument) {
    let page = pages.page();
    let big = Style::new(17.0, INK).bold();
    page.left(LEFT, 284.0, faces.run(format!("Bill {}", bill.number), big));
    let period = format!("{} (days in {})", format::days(bill.period), bill.zone);
    page.left(LEFT, 299.0, faces.run(period, SMALL_GREY));
    page.area((LEFT, 312.0), (RIGHT - LEFT, 38.0), TINT);
    page.area((LEFT, 312.0), (3.0, 38.0), ACCENT);
    let (what, until) = if bill.due_minor > 0 {
        (
            "Amount due",
            format!("Please pay by {}", format::day(bill.due_on)),
        )
    } else {
        ("Nothing to pay", "This bill needs no payment".to_owned())
    };
    page.left(LEFT + 14.0, 328.0, faces.run(what, TEXT.bold()));
    page.left(LEFT + 14.0, 341.0, faces.run(until, SMALL_GREY));
    let due = format::money(bill.due_minor, bill.currency);
    page.right(
        RIGHT - 12.0,
        337.0,
        faces.run(due, Style::new(17.0, ACCENT).bold()),
    );
    pages.y = 364.0;
}

/// Tax by category on the left, the totals on the right; neither is cut.
fn sums(pages: &mut Pages, faces: &Typefaces, bill: &BillDocument) {
    const TOTALS: f32 = 362.0;
    let height = 22.0 + 13.0 * bill.taxes.len().max(5) as f32 + 20.0;
    pages.keep(height, faces, bill);
    let top = pages.y;
    taxes(pages, faces, bill);
    let after_taxes = pages.y;
    pages.y = top;
    let mut rows = vec![
        ("Net total", bill.net_minor),
        ("Tax", bill.tax_minor),
        ("Total", bill.total_minor),
    ];
    if bill.credit_applied_minor != 0 {
        rows.push(("Credit applied", -bill.credit_applied_minor));
    }
    if bill.total_minor < 0 {
        rows.push(("Credited to your account", bill.total_minor));
    }
    for (name, minor) in rows {
        let base = pages.y + 10.0;
        let style = if name == "Total" { TEXT.bold() } else { TEXT };
        let page = pages.page();
        page.left(TOTALS, base, faces.run(name, style));
        page.right(
            RIGHT - 6.0,
            base,
            faces.run(format::amount(minor, bill.currency), style),
        );
        pages.y += 14.0;
    }
    pages.y += 3.0;
    let y = pages.y;
    let page = pages.page();
    page.area((TOTALS - 8.0, y), (RIGHT - TOTALS + 8.0, 22.0), ACCENT);
    let white = Style::new(10.5, (255, 255, 255)).bold();
    page.left(TOTALS, y + 14.5, faces.run("Amount due", white));
    let due = format::money(bill.due_minor, bill.currency);
    page.right(RIGHT - 6.0, y + 14.5, faces.run(due, white));
    pages.y = (y + 22.0).max(after_taxes) + 24.0;
}

fn taxes(pages: &mut Pages, faces: &Typefaces, bill: &BillDocument) {
    const ENDS: [f32; 4] = [166.0, 224.0, 276.0, 336.0];
    let base = pages.y + 10.0;
    let page = pages.page();
    page.left(LEFT, base, faces.run("Tax category", SMALL_BOLD));
    for (end, name) in ENDS.into_iter().zip(["Rate", "Net", "Tax", "Gross"]) {
        page.right(end, base, faces.run(name, SMALL_BOLD));
    }
    pages.y += 16.0;
    pages.rule(LEFT, ENDS[3], 0.75, ACCENT);
    for tax in &bill.taxes {
        let base = pages.y + 11.0;
        let page = pages.page();
        let DocumentTax {
            category,
            rate_ppm,
            net_minor,
            tax_minor,
        } = tax;
        let name = faces.lines(category, SMALL, ENDS[0] - LEFT - 34.0);
        if let Some(run) = name.into_iter().next() {
            page.left(LEFT, base, run);
        }
        let cells = [
            format::rate(*rate_ppm),
            format::amount(*net_minor, bill.currency),
            format::amount(*tax_minor, bill.currency),
            format::amount(net_minor + tax_minor, bill.currency),
        ];
        for (end, cell) in ENDS.into_iter().zip(cells) {
            page.right(end, base, faces.run(cell, SMALL));
        }
        pages.y += 14.0;
        pages.rule(LEFT, ENDS[3], 0.4, FAINT);
    }
}

fn payment(pages: &mut Pages, faces: &Typefaces, bill: &BillDocument) {
    if bill.due_minor <= 0 {
        return;
    }
    let mut rows = vec![
        ("Pay by", format::day(bill.due_on)),
        ("Amount", format::money(bill.due_minor, bill.currency)),
        ("Reference", bill.payment_reference.clone()),
    ];
    if let Some(account) = &bill.operator.bank_account {
        rows.insert(0, ("To", format!("{}, {account}", bill.operator.name)));
    }
    pages.keep(20.0 + 13.0 * rows.len() as f32, faces, bill);
    let base = pages.y + 8.0;
    pages
        .page()
        .left(LEFT, base, faces.run("How to pay", TEXT.bold()));
    pages.y += 14.0;
    for (name, value) in rows {
        let base = pages.y + 9.0;
        pages.page().left(LEFT, base, faces.run(name, SMALL_GREY));
        pages.page().left(LEFT + 62.0, base, faces.run(value, TEXT));
        pages.y += 13.0;
    }
}

fn feet(pages: &mut [Page], faces: &Typefaces, bill: &BillDocument) {
    const FOOT: f32 = HEIGHT - 50.0;
    let count = pages.len();
    let small = Style::new(7.5, GREY);
    let mut sender = bill.operator.name.clone();
    if let Some(tax_id) = &bill.operator.tax_id {
        sender = format!("{sender} · Tax ID {tax_id}");
    }
    for (index, page) in pages.iter_mut().enumerate() {
        page.area((LEFT, FOOT), (RIGHT - LEFT, 0.4), FAINT);
        page.left(LEFT, FOOT + 13.0, faces.run(&sender, small));
        let number = format!("Bill {} · Page {} of {count}", bill.number, index + 1);
        page.right(RIGHT, FOOT + 13.0, faces.run(number, small));
    }
}
