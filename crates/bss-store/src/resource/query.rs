use bss_domain::{Instant, Slot};
use serde_json::Number;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::path::quoted;
use super::project::Parameter;
use super::{Column, Kind, Path, Table};
use crate::Timestamptz;

/// Up to so many matches are counted; beyond, a total says "at least".
pub const TOTAL_BOUND: u64 = 10_000;

/// Filters and values of one query: a caller's query stays small.
const FILTERS_MAX: usize = 20;
const VALUES_MAX: usize = 200;

/// How an attribute is compared (TMF630 Part 1, filtering).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Is one of the values.
    Equal,
    /// Is none of the values, or is missing.
    NotEqual,
    /// `.gt`
    Greater,
    /// `.gte`
    GreaterOrEqual,
    /// `.lt`
    Less,
    /// `.lte`
    LessOrEqual,
}

impl Comparison {
    const fn operator(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }
}

/// A mistake of the caller in a filter or a sort order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} of {attribute} {problem}")]
pub struct QueryError {
    /// The attribute.
    pub attribute: String,
    /// The value as given.
    pub value: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// Which resources of a table, in which order. Every mistake of the caller comes up while it is built.
pub struct Query {
    pub(super) table: &'static Table,
    pub(super) conditions: Vec<String>,
    pub(super) parameters: Vec<(Parameter, Type)>,
    pub(super) order: Vec<(&'static str, bool)>,
    pub(super) offset: i64,
    pub(super) limit: i64,
    filters: usize,
}

impl Query {
    /// Everything, by id (and so by creation), at most 20.
    pub fn new(table: &'static Table) -> Self {
        Self {
            table,
            conditions: Vec::new(),
            parameters: Vec::new(),
            order: Vec::new(),
            offset: 0,
            limit: 20,
            filters: 0,
        }
    }

    /// Only where the attribute compares so to the values (`=` to any of them, `<>` to all, the others to each).
    /// Attributes with a typed column use it; all others are looked up in the document.
    pub fn filter<V: AsRef<str>>(
        mut self,
        attribute: &str,
        comparison: Comparison,
        values: &[V],
    ) -> Result<Self, QueryError> {
        let wrong = |value: &str, problem| QueryError {
            attribute: attribute.to_owned(),
            value: value.to_owned(),
            problem,
        };
        self.filters += 1;
        if self.filters > FILTERS_MAX || values.len() > VALUES_MAX {
            return Err(wrong("", "stands in a query with too many filters or values"));
        }
        let values: Vec<&str> = values.iter().map(AsRef::as_ref).collect();
        if let Some(bad) = values.iter().find(|value| value.contains('\0')) {
            return Err(wrong(bad, "has a character that can't be stored"));
        }
        if attribute == "id" {
            self.compare_id(comparison, &values)?;
            return Ok(self);
        }
        let updated = (attribute == "lastUpdate").then_some(LAST_UPDATE);
        let column = self.table.column_of(attribute).copied().or(updated);
        match column.map(|column| (column, typed(column.kind, &values))) {
            Some((column, Ok((array, kind)))) => {
                let place = self.parameter(array, kind);
                self.conditions.push(compared(column.column, comparison, &place));
            }
            // An id that is no UUID names nothing of ours, but may name something external.
            Some((column, Err(_))) if column.kind == Kind::Uuid => {
                self.compare_document(attribute, comparison, &values)?;
            }
            Some((_, Err((value, problem)))) => return Err(wrong(&value, problem)),
            None => self.compare_document(attribute, comparison, &values)?,
        }
        Ok(self)
    }

    /// Only what lies in a slot: what belongs to one customer.
    #[must_use]
    pub fn in_slot(mut self, slot: Slot) -> Self {
        if self.table.sharded {
            let place = self.parameter(Box::new(slot.sql()), Type::INT2);
            self.conditions.push(format!("slot = {place}"));
        }
        self
    }

    /// Only what comes behind this id in the order of ids, for walking a long list without an offset.
    #[must_use]
    pub fn after(mut self, id: Uuid) -> Self {
        let place = self.parameter(Box::new(id), Type::UUID);
        self.conditions.push(format!("id > {place}"));
        self
    }

    /// Sorts by an attribute that has a column (and `id`, `lastUpdate`); the id breaks ties.
    pub fn sort(mut self, attribute: &str, descending: bool) -> Result<Self, QueryError> {
        let column = match attribute {
            "id" => "id",
            "lastUpdate" => "updated_at",
            other => {
                self.table
                    .column_of(other)
                    .ok_or_else(|| QueryError {
                        attribute: "sort".to_owned(),
                        value: other.to_owned(),
                        problem: "is no attribute that the list can be sorted by",
                    })?
                    .column
            }
        };
        self.order.push((column, descending));
        Ok(self)
    }

    /// Leaves out the first ones.
    #[must_use]
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = i64::from(offset);
        self
    }

    /// At most so many.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = i64::from(limit);
        self
    }

    fn parameter(&mut self, value: Parameter, kind: Type) -> String {
        self.parameters.push((value, kind));
        format!("${}", self.parameters.len())
    }

    /// What is no UUID is no id of ours and equals none. An id leads to its slot, so the primary key is used.
    fn compare_id(&mut self, comparison: Comparison, values: &[&str]) -> Result<(), QueryError> {
        let ids: Vec<Uuid> = values.iter().filter_map(|value| value.parse().ok()).collect();
        let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        if !equality && ids.len() < values.len() {
            return Err(QueryError {
                attribute: "id".to_owned(),
                value: values.join(","),
                problem: "is no UUID",
            });
        }
        if comparison == Comparison::Equal && self.table.sharded {
            let slots: Vec<i16> = ids.iter().map(|id| Slot::of(*id).sql()).collect();
            let place = self.parameter(Box::new(slots), Type::INT2_ARRAY);
            self.conditions.push(format!("slot = ANY({place})"));
        }
        let place = self.parameter(Box::new(ids), Type::UUID_ARRAY);
        self.conditions.push(compared("id", comparison, &place));
        Ok(())
    }

    fn compare_document(
        &mut self,
        attribute: &str,
        comparison: Comparison,
        values: &[&str],
    ) -> Result<(), QueryError> {
        let path = Path::parse(attribute).map_err(|_| QueryError {
            attribute: attribute.to_owned(),
            value: values.join(","),
            problem: "can't be compared: that is no path of an attribute, as relatedParty.id is one",
        })?;
        let (operator, join) = match comparison {
            Comparison::Equal | Comparison::NotEqual => ("==", " || "),
            other => (other.operator(), " && "),
        };
        let tests: Vec<String> = values.iter().map(|value| test(operator, value)).collect();
        let text = format!("{} ? ({})", path.to_jsonpath(), tests.join(join));
        let place = self.parameter(Box::new(text), Type::TEXT);
        let not = if comparison == Comparison::NotEqual {
            "NOT "
        } else {
            ""
        };
        self.conditions
            .push(format!("{not}body @? {place}::text::jsonpath"));
        Ok(())
    }
}

const LAST_UPDATE: Column = Column::new("lastUpdate", "updated_at", Kind::Instant);

fn compared(column: &str, comparison: Comparison, place: &str) -> String {
    match comparison {
        Comparison::Equal => format!("{column} = ANY({place})"),
        Comparison::NotEqual => format!("({column} IS NULL OR {column} <> ALL({place}))"),
        other => format!("{column} {} ALL({place})", other.operator()),
    }
}

/// One comparison of SQL/JSON: a value in a query has no type, so it is tried as each that it may be.
fn test(operator: &str, value: &str) -> String {
    let as_text = format!("@ {operator} {}", quoted(value));
    let plain = serde_json::from_str::<Number>(value).is_ok() || matches!(value, "true" | "false");
    if plain {
        format!("({as_text} || @ {operator} {value})")
    } else {
        as_text
    }
}

type Typed = Result<(Parameter, Type), (String, &'static str)>;

/// The values as an array of the column's type.
fn typed(kind: Kind, values: &[&str]) -> Typed {
    fn all<T>(
        values: &[&str],
        problem: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, (String, &'static str)> {
        values
            .iter()
            .map(|value| parse(value).ok_or_else(|| ((*value).to_owned(), problem)))
            .collect()
    }
    Ok(match kind {
        Kind::Text => {
            let texts: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
            (Box::new(texts), Type::TEXT_ARRAY)
        }
        Kind::Uuid => (
            Box::new(all(values, "is no UUID", |text| text.parse::<Uuid>().ok())?),
            Type::UUID_ARRAY,
        ),
        Kind::Instant => (
            Box::new(all(
                values,
                "is no instant, as 2026-01-31T12:00:00Z is one",
                |text| text.parse::<Instant>().ok().map(Timestamptz),
            )?),
            Type::TIMESTAMPTZ_ARRAY,
        ),
        Kind::Integer => (
            Box::new(all(values, "is no integer", |text| text.parse::<i64>().ok())?),
            Type::INT8_ARRAY,
        ),
        Kind::Boolean => (
            Box::new(all(values, "is neither true nor false", |text| {
                text.parse::<bool>().ok()
            })?),
            Type::BOOL_ARRAY,
        ),
    })
}
