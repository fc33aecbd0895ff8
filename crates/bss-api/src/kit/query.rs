use bss_app::resource::{Filter, ListRequest};
use bss_domain::Refusal;
use bss_store::resource::Comparison;

use super::ApiError;

/// The largest page.
pub const LIMIT_MAX: u32 = 1000;
const LIMIT_DEFAULT: u32 = 20;
const OFFSET_MAX: u32 = 1_000_000;

/// TMF630's suffixes of an attribute in a query.
const SUFFIXES: &[(&str, Comparison)] = &[
    (".eq", Comparison::Equal),
    (".ne", Comparison::NotEqual),
    (".gte", Comparison::GreaterOrEqual),
    (".gt", Comparison::Greater),
    (".lte", Comparison::LessOrEqual),
    (".lt", Comparison::Less),
];

/// The query of a list or of one resource (TMF630 Part 1): `attribute=a,b`, `attribute.gte=…`, `attribute>…`, `fields`,
/// `offset`, `limit`, `sort=name,-lastUpdate`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// What the store is asked.
    pub request: ListRequest,
    /// The attributes that are wanted; none: all of them.
    pub fields: Option<Vec<String>>,
}

impl ListQuery {
    /// Reads the pairs of a query.
    pub fn read(pairs: Vec<(String, String)>) -> Result<Self, ApiError> {
        let mut query = Self::default();
        query.request.limit = LIMIT_DEFAULT;
        for (name, value) in pairs {
            match name.as_str() {
                "fields" => query.fields = Some(value.split(',').map(str::to_owned).collect()),
                "offset" => query.request.offset = number("offset", &value, OFFSET_MAX)?,
                "limit" => query.request.limit = number("limit", &value, LIMIT_MAX)?,
                "sort" => query.request.sort = sort(&value),
                _ => query.filter(&name, &value),
            }
        }
        Ok(query)
    }

    /// Several conditions on one attribute by `=` are alternatives, as TMF630 has them.
    fn filter(&mut self, name: &str, value: &str) {
        let (attribute, comparison, value) = compared(name, value);
        let values = alternatives(value);
        let same = self
            .request
            .filters
            .iter_mut()
            .find(|filter| filter.attribute == attribute && filter.comparison == comparison);
        match same {
            Some(filter) if comparison == Comparison::Equal => filter.values.extend(values),
            _ => self.request.filters.push(Filter {
                attribute: attribute.to_owned(),
                comparison,
                values,
            }),
        }
    }
}

/// The alternatives of a value: a comma parts them, unless a backslash stands before it (`\,`; `\\` is a backslash). TMF630
/// leaves open how a value with a comma is asked for.
fn alternatives(value: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut characters = value.chars().peekable();
    while let Some(character) = characters.next() {
        if character == ',' {
            values.push(String::new());
            continue;
        }
        let escaped = (character == '\\')
            .then(|| characters.next_if(|next| matches!(next, ',' | '\\')))
            .flatten();
        if let Some(last) = values.last_mut() {
            last.push(escaped.unwrap_or(character));
        }
    }
    values
}

/// `a.gt=1`, `a>=1` (which comes as the name `a>`), `a>1` (which comes as a name alone).
fn compared<'q>(name: &'q str, value: &'q str) -> (&'q str, Comparison, &'q str) {
    if let Some(attribute) = name.strip_suffix('>') {
        return (attribute, Comparison::GreaterOrEqual, value);
    }
    if let Some(attribute) = name.strip_suffix('<') {
        return (attribute, Comparison::LessOrEqual, value);
    }
    if value.is_empty() {
        if let Some((attribute, value)) = name.split_once('>') {
            return (attribute, Comparison::Greater, value);
        }
        if let Some((attribute, value)) = name.split_once('<') {
            return (attribute, Comparison::Less, value);
        }
    }
    for (suffix, comparison) in SUFFIXES {
        if let Some(attribute) = name.strip_suffix(suffix) {
            return (attribute, *comparison, value);
        }
    }
    (name, Comparison::Equal, value)
}

fn sort(value: &str) -> Vec<(String, bool)> {
    value
        .split(',')
        .filter(|term| !term.is_empty())
        .map(|term| match term.strip_prefix('-') {
            Some(attribute) => (attribute.to_owned(), true),
            None => (term.trim_start_matches(['+', ' ']).to_owned(), false),
        })
        .collect()
}

fn number(name: &str, value: &str, max: u32) -> Result<u32, ApiError> {
    let number = value.parse().ok().filter(|number| *number <= max);
    number.ok_or_else(|| {
        let message = format!("{name} has to be a whole number from 0 to {max}");
        Refusal::invalid("wrongQuery", name, value, message).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<ListQuery, ApiError> {
        ListQuery::read(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn filters_are_read_in_every_form() {
        let query = read(&[
            ("state", "a,b"),
            ("state", "c"),
            ("lastUpdate.gte", "x"),
            ("lastUpdate.lt", "y"),
            ("n>5", ""),
            ("m>", "5"),
            ("k<", "1"),
            ("name", ""),
        ])
        .unwrap();
        let shown: Vec<String> = query
            .request
            .filters
            .iter()
            .map(|filter| {
                format!(
                    "{} {:?} {}",
                    filter.attribute,
                    filter.comparison,
                    filter.values.join("|")
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "state Equal a|b|c",
                "lastUpdate GreaterOrEqual x",
                "lastUpdate Less y",
                "n Greater 5",
                "m GreaterOrEqual 5",
                "k LessOrEqual 1",
                "name Equal "
            ]
        );
    }

    #[test]
    fn a_comma_behind_a_backslash_belongs_to_the_value() {
        for (value, wanted) in [
            (r"a,b", &["a", "b"] as &[&str]),
            (r"Mobile S\, monthly", &["Mobile S, monthly"]),
            (r"a\,b,c", &["a,b", "c"]),
            (r"C:\\,b", &[r"C:\", "b"]),
            (r"tail\", &[r"tail\"]),
            (r"C:\x", &[r"C:\x"]),
            ("", &[""]),
        ] {
            assert_eq!(alternatives(value), wanted, "{value}");
        }
    }

    #[test]
    fn paging_is_bounded() {
        let query = read(&[
            ("limit", "0"),
            ("offset", "40"),
            ("sort", "-name,+id"),
            ("fields", "name,state"),
        ])
        .unwrap();
        assert_eq!((query.request.limit, query.request.offset), (0, 40));
        assert_eq!(
            query.request.sort,
            [("name".to_owned(), true), ("id".to_owned(), false)]
        );
        assert_eq!(query.fields.unwrap(), ["name", "state"]);
        for wrong in [
            ("limit", "1001"),
            ("limit", "-1"),
            ("offset", "x"),
            ("offset", "1000001"),
        ] {
            assert!(read(&[wrong]).is_err(), "{wrong:?}");
        }
    }
}
