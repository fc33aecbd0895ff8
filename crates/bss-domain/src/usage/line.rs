//! One line of a comma-separated file, split into its raw fields.
//!
//! Every physical line is a record, so that an unclosed quote spoils one line and not the rest of the file. Fields
//! are bytes: switches write callers' names in whatever encoding the network brings.

use super::RejectReason;

/// The fields of a line; kept and used again for the next one, so that splitting allocates nothing.
#[derive(Debug, Default)]
pub struct Fields {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Fields {
    /// Splits a line without its line end. A field in quotes may hold commas and doubled quotes.
    pub fn split(&mut self, line: &[u8]) -> Result<(), RejectReason> {
        self.text.clear();
        self.ends.clear();
        let mut rest = Some(line);
        while let Some(bytes) = rest {
            let quoted = bytes.first() == Some(&b'"');
            rest = if quoted {
                self.quoted(&bytes[1..])?
            } else {
                self.plain(bytes)
            };
            self.ends.push(self.text.len());
        }
        Ok(())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The raw bytes of a field, from 0.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        Some(&self.text[start..end])
    }

    /// The field as text without blanks around it; empty where it isn't there or isn't UTF-8.
    pub fn text(&self, index: usize) -> &str {
        self.get(index)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default()
            .trim()
    }

    /// All fields.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    fn plain<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let end = bytes.iter().position(|c| *c == b',');
        self.text.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
        end.map(|end| &bytes[end + 1..])
    }

    fn quoted<'a>(&mut self, mut bytes: &'a [u8]) -> Result<Option<&'a [u8]>, RejectReason> {
        let broken = RejectReason::Quotes {
            field: self.ends.len() + 1,
        };
        loop {
            let Some(quote) = bytes.iter().position(|c| *c == b'"') else {
                return Err(broken);
            };
            self.text.extend_from_slice(&bytes[..quote]);
            bytes = &bytes[quote + 1..];
            match bytes.first() {
                None => return Ok(None),
                Some(b',') => return Ok(Some(&bytes[1..])),
                Some(b'"') => {
                    self.text.push(b'"');
                    bytes = &bytes[1..];
                }
                Some(_) => return Err(broken),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(line: &str) -> Result<Vec<String>, RejectReason> {
        let mut fields = Fields::default();
        fields.split(line.as_bytes())?;
        Ok(fields
            .iter()
            .map(|field| String::from_utf8_lossy(field).into_owned())
            .collect())
    }

    #[test]
    fn lines_split() {
        let cases: [(&str, &[&str]); 7] = [
            ("a,b", &["a", "b"]),
            ("", &[""]),
            (",", &["", ""]),
            (r#""","x""#, &["", "x"]),
            (r#""""Anna, B."" <5>",7"#, &[r#""Anna, B." <5>"#, "7"]),
            (r#"1,"a""b""#, &["1", "a\"b"]),
            (r#"a"b,c"#, &["a\"b", "c"]),
        ];
        for (line, fields) in cases {
            assert_eq!(split(line).unwrap(), fields, "{line}");
        }
        assert_eq!(split(r#"a,"b"#), Err(RejectReason::Quotes { field: 2 }));
        assert_eq!(split(r#""a"b,c"#), Err(RejectReason::Quotes { field: 1 }));
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(fields in proptest::collection::vec("[a-z\", ]{0,8}", 1..6)) {
            let line = fields
                .iter()
                .map(|field| format!("\"{}\"", field.replace('"', "\"\"")))
                .collect::<Vec<_>>()
                .join(",");
            prop_assert_eq!(split(&line).unwrap(), fields);
        }
    }
}
