use std::fmt::Write as _;

use serde_json::Value;

/// Steps of the longest path: a caller's path stays small.
const STEPS_MAX: usize = 10;

/// The path of an attribute in a document: `relatedParty[role=customer].id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    name: String,
    /// Only elements with this attribute and value.
    only: Option<(String, String)>,
}

/// What is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no path of an attribute, as relatedParty.id is one")]
pub struct PathError(pub String);

impl Path {
    /// Reads a path.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let wrong = || PathError(text.to_owned());
        if text.contains('\0') {
            return Err(wrong());
        }
        let mut steps = Vec::new();
        let mut rest = text;
        loop {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, behind) = rest.split_at(end);
            let (only, behind) = match behind.strip_prefix('[') {
                None => (None, behind),
                Some(inside) => {
                    let (condition, behind) = inside.split_once(']').ok_or_else(wrong)?;
                    let (key, value) = condition.split_once('=').ok_or_else(wrong)?;
                    (Some((key.to_owned(), value.to_owned())), behind)
                }
            };
            if name.is_empty() || steps.len() == STEPS_MAX {
                return Err(wrong());
            }
            steps.push(Step {
                name: name.to_owned(),
                only,
            });
            if behind.is_empty() {
                return Ok(Self(steps));
            }
            rest = behind.strip_prefix('.').ok_or_else(wrong)?;
        }
    }

    /// What stands there: the first match, `null` and nothing being the same.
    pub fn find<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        find(document, &self.0).filter(|value| !value.is_null())
    }

    /// The path in SQL/JSON's language; its lax mode looks into arrays by itself.
    pub(super) fn to_jsonpath(&self) -> String {
        let mut text = "$".to_owned();
        for step in &self.0 {
            let _ = write!(text, ".{}", quoted(&step.name));
            if let Some((key, value)) = &step.only {
                let _ = write!(text, "[*] ? (@.{} == {})", quoted(key), quoted(value));
            }
        }
        text
    }
}

/// A string as JSON and SQL/JSON write it.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn find<'v>(value: &'v Value, steps: &[Step]) -> Option<&'v Value> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(value);
    };
    let inner = match value {
        Value::Array(elements) => return elements.iter().find_map(|element| find(element, steps)),
        other => other.get(&step.name)?,
    };
    let Some((key, wanted)) = &step.only else {
        return find(inner, rest);
    };
    let holds = |element: &&Value| element.get(key).and_then(Value::as_str) == Some(wanted);
    match inner {
        Value::Array(elements) => elements
            .iter()
            .filter(holds)
            .find_map(|element| find(element, rest)),
        single => Some(single).filter(holds).and_then(|element| find(element, rest)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_finds_the_first_match() {
        let document = json!({
            "state": "active",
            "account": { "id": "a" },
            "relatedParty": [{ "role": "seller", "id": "s" }, { "role": "customer", "id": "c" }],
            "items": [{ "x": null }, { "x": 7 }],
        });
        for (path, wanted) in [
            ("state", Some(json!("active"))),
            ("account.id", Some(json!("a"))),
            ("relatedParty.id", Some(json!("s"))),
            ("relatedParty[role=customer].id", Some(json!("c"))),
            ("account[id=a].id", Some(json!("a"))),
            ("account[id=b].id", None),
            ("items.y", None),
            ("state.id", None),
        ] {
            assert_eq!(
                Path::parse(path).unwrap().find(&document).cloned(),
                wanted,
                "{path}"
            );
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        let deep = ["a"; 11].join(".");
        for wrong in ["", ".", "a.", "a[b].c", "a[b=c", "a[b=c]d", "a\0", &deep] {
            assert!(Path::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn nothing_breaks_out_of_a_jsonpath() {
        let path = Path::parse("a\"b[c\\=\"d].e").unwrap();
        assert_eq!(path.to_jsonpath(), r#"$."a\"b"[*] ? (@."c\\" == "\"d")."e""#);
    }
}
