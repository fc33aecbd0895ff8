//! Pages as lists of things to draw, and how they become a PDF.

use krilla::Document;
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::paint::Fill;

use super::BillDocument;
use super::typeface::{Run, Typefaces};
use crate::AppError;

/// A4, in points.
pub(super) const WIDTH: f32 = 595.28;
/// A4, in points.
pub(super) const HEIGHT: f32 = 841.89;

/// Something on a page; `y` grows downwards.
pub(super) enum Item {
    /// A text, its left end on the base line.
    Text { x: f32, y: f32, run: Run },
    /// A filled rectangle, thin ones being rules.
    Area {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        colour: (u8, u8, u8),
    },
}

/// What stands on one page.
#[derive(Default)]
pub(super) struct Page {
    pub items: Vec<Item>,
}

impl Page {
    /// A text from `x` on.
    pub(super) fn left(&mut self, x: f32, y: f32, run: Run) {
        self.items.push(Item::Text { x, y, run });
    }

    /// A text that ends at `x`.
    pub(super) fn right(&mut self, x: f32, y: f32, run: Run) {
        let x = x - run.width;
        self.items.push(Item::Text { x, y, run });
    }

    /// A filled rectangle.
    pub(super) fn area(&mut self, (x, y): (f32, f32), (width, height): (f32, f32), colour: (u8, u8, u8)) {
        self.items.push(Item::Area {
            x,
            y,
            width,
            height,
            colour,
        });
    }
}

/// Writes pages as a PDF.
pub(super) fn write(pages: &[Page], faces: &Typefaces, bill: &BillDocument) -> Result<Vec<u8>, AppError> {
    let mut document = Document::new();
    document.set_metadata(
        Metadata::new()
            .title(format!("Bill {}", bill.number))
            .authors(vec![bill.operator.name.clone()])
            .language("en".to_owned()),
    );
    let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or_else(|| AppError::internal("no page size"))?;
    for content in pages {
        let mut page = document.start_page_with(settings.clone());
        let mut surface = page.surface();
        for item in &content.items {
            match item {
                Item::Text { x, y, run } => {
                    surface.set_fill(Some(fill(run.style.colour)));
                    let font = faces.of(run.style).font.clone();
                    let start = Point::from_xy(*x, *y);
                    surface.draw_glyphs(start, &run.glyphs, font, &run.text, run.style.size, false);
                }
                Item::Area {
                    x,
                    y,
                    width,
                    height,
                    colour,
                } => {
                    let Some(area) = Rect::from_xywh(*x, *y, *width, *height) else {
                        continue;
                    };
                    let mut path = PathBuilder::new();
                    path.push_rect(area);
                    if let Some(path) = path.finish() {
                        surface.set_fill(Some(fill(*colour)));
                        surface.draw_path(&path);
                    }
                }
            }
        }
        surface.finish();
        page.finish();
    }
    document
        .finish()
        .map_err(|error| AppError::internal(format!("the PDF can't be written: {error:?}")))
}

fn fill((red, green, blue): (u8, u8, u8)) -> Fill {
    Fill {
        paint: rgb::Color::new(red, green, blue).into(),
        ..Fill::default()
    }
}
