//! The document's typeface: texts as glyphs with their widths, so that what is measured is what is drawn.

use krilla::text::{Font, GlyphId, KrillaGlyph};
use rustybuzz::ttf_parser::Tag;
use rustybuzz::{Direction, Face, Feature, UnicodeBuffer};

use crate::AppError;

const REGULAR: &[u8] = include_bytes!("../../fonts/LiberationSans-Regular.ttf");
const BOLD: &[u8] = include_bytes!("../../fonts/LiberationSans-Bold.ttf");

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Style {
    /// In points.
    pub size: f32,
    pub bold: bool,
    pub colour: (u8, u8, u8),
}

impl Style {
    pub(super) const fn new(size: f32, colour: (u8, u8, u8)) -> Self {
        Self {
            size,
            bold: false,
            colour,
        }
    }

    pub(super) const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }
}

/// One weight.
pub(super) struct Typeface {
    shaper: Face<'static>,
    pub font: Font,
}

impl Typeface {
    fn load(data: &'static [u8]) -> Result<Self, AppError> {
        Ok(Self {
            shaper: Face::from_slice(data, 0).ok_or_else(|| AppError::internal("the font can't be read"))?,
            font: Font::new(data.into(), 0)
                .ok_or_else(|| AppError::internal("the font can't be embedded"))?,
        })
    }
}

/// Both weights.
pub(super) struct Typefaces {
    regular: Typeface,
    bold: Typeface,
}

/// A text on one line, ready to be drawn.
pub(super) struct Run {
    pub text: String,
    pub style: Style,
    pub glyphs: Vec<KrillaGlyph>,
    /// In points.
    pub width: f32,
}

impl Typefaces {
    pub(super) fn load() -> Result<Self, AppError> {
        Ok(Self {
            regular: Typeface::load(REGULAR)?,
            bold: Typeface::load(BOLD)?,
        })
    }

    pub(super) fn of(&self, style: Style) -> &Typeface {
        if style.bold { &self.bold } else { &self.regular }
    }

    /// Sets a text on one line.
    pub(super) fn run(&self, text: impl Into<String>, style: Style) -> Run {
        // A control character has no glyph and no place in a document.
        let text: String = text.into().chars().filter(|c| !c.is_control()).collect();
        let glyphs = shape(&self.of(style).shaper, &text);
        let width = glyphs.iter().map(|glyph| glyph.x_advance * style.size).sum();
        Run {
            text,
            style,
            glyphs,
            width,
        }
    }

    /// Sets a text on as many lines as it needs in a width; a word that is wider than that is broken.
    pub(super) fn lines(&self, text: &str, style: Style, width: f32) -> Vec<Run> {
        let mut lines = Vec::new();
        let mut line = String::new();
        let fits = |text: &str| self.run(text, style).width <= width;
        for word in text.split_whitespace() {
            let longer = if line.is_empty() {
                word.to_owned()
            } else {
                format!("{line} {word}")
            };
            if fits(&longer) {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for c in word.chars() {
                line.push(c);
                if line.chars().count() > 1 && !fits(&line) {
                    line.pop();
                    lines.push(std::mem::replace(&mut line, c.to_string()));
                }
            }
        }
        if !line.is_empty() {
            lines.push(line);
        }
        lines.into_iter().map(|line| self.run(line, style)).collect()
    }
}

/// Glyphs with advances in units of the size. Digits aren't kerned, so that amounts stand in columns.
fn shape(face: &Face<'static>, text: &str) -> Vec<KrillaGlyph> {
    let mut buffer = UnicodeBuffer::new();
    buffer.push_str(text);
    buffer.guess_segment_properties();
    buffer.set_direction(Direction::LeftToRight);
    let kerned = text.chars().any(char::is_alphabetic);
    let kerning = Feature::new(Tag::from_bytes(b"kern"), u32::from(kerned), ..);
    let shaped = rustybuzz::shape(face, &[kerning], buffer);
    let per_em = face.units_per_em() as f32;
    let infos = shaped.glyph_infos();
    infos
        .iter()
        .zip(shaped.glyph_positions())
        .enumerate()
        .map(|(index, (info, position))| {
            let start = info.cluster as usize;
            let end = infos[index..]
                .iter()
                .map(|later| later.cluster as usize)
                .find(|cluster| *cluster != start)
                .unwrap_or(text.len());
            KrillaGlyph::new(
                GlyphId::new(info.glyph_id),
                position.x_advance as f32 / per_em,
                position.x_offset as f32 / per_em,
                position.y_offset as f32 / per_em,
                position.y_advance as f32 / per_em,
                start..end,
                None,
            )
        })
        .collect()
}
