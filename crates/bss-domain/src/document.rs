//! Reads a TM Forum document into types and names the attribute that is wrong.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Refusal;

/// A place in a document with its path.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> Node<'a> {
    /// The whole document, which has to be an object.
    pub fn root(value: &'a Value) -> Result<Self, Refusal> {
        let node = Self {
            value,
            path: String::new(),
        };
        if value.is_object() {
            return Ok(node);
        }
        Err(Refusal::invalid(
            "notAnObject",
            "",
            value,
            "the body has to be a JSON object",
        ))
    }

    /// The path: `productOrderItem[0].productOffering`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The JSON there.
    pub fn json(&self) -> &'a Value {
        self.value
    }

    /// The path of an attribute of this object.
    pub fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    /// An attribute; null counts as absent.
    pub fn get(&self, name: &str) -> Option<Self> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        Some(Self {
            value,
            path: self.path_of(name),
        })
    }

    /// An attribute that has to be there.
    pub fn require(&self, name: &str) -> Result<Self, Refusal> {
        self.get(name).ok_or_else(|| Refusal::missing(self.path_of(name)))
    }

    /// The text here.
    pub fn text(&self) -> Result<&'a str, Refusal> {
        self.value
            .as_str()
            .ok_or_else(|| self.wrong("notAText", "has to be a text"))
    }

    /// The whole number here.
    pub fn integer(&self) -> Result<i64, Refusal> {
        self.value
            .as_i64()
            .ok_or_else(|| self.wrong("notAWholeNumber", "has to be a whole number"))
    }

    /// The truth value here.
    pub fn boolean(&self) -> Result<bool, Refusal> {
        self.value
            .as_bool()
            .ok_or_else(|| self.wrong("notABoolean", "has to be true or false"))
    }

    /// The elements of the list here.
    pub fn items(&self) -> Result<Vec<Self>, Refusal> {
        let list = self
            .value
            .as_array()
            .ok_or_else(|| self.wrong("notAList", "has to be a list"))?;
        Ok(list
            .iter()
            .enumerate()
            .map(|(index, value)| Self {
                value,
                path: format!("{}[{index}]", self.path),
            })
            .collect())
    }

    /// The text here, read as a type.
    pub fn parse<T: FromStr>(&self) -> Result<T, Refusal>
    where
        T::Err: std::fmt::Display,
    {
        self.text()?.parse().map_err(|error: T::Err| {
            Refusal::invalid(
                "unknownValue",
                &self.path,
                self.shown(),
                format!("{}: {error}", self.path),
            )
        })
    }

    /// An attribute's text, where it is there.
    pub fn optional_text(&self, name: &str) -> Result<Option<String>, Refusal> {
        self.get(name)
            .map(|node| node.text().map(str::to_owned))
            .transpose()
    }

    /// An attribute read as a type, where it is there.
    pub fn optional<T: FromStr>(&self, name: &str) -> Result<Option<T>, Refusal>
    where
        T::Err: std::fmt::Display,
    {
        self.get(name).map(|node| node.parse()).transpose()
    }

    /// The elements of an attribute's list; none where it is absent.
    pub fn list(&self, name: &str) -> Result<Vec<Self>, Refusal> {
        self.get(name).map_or_else(|| Ok(Vec::new()), |node| node.items())
    }

    /// What is wrong here.
    pub fn wrong(&self, code: &'static str, what: &str) -> Refusal {
        Refusal::invalid(code, &self.path, self.shown(), format!("{} {what}", self.path))
    }

    fn shown(&self) -> String {
        self.value
            .as_str()
            .map_or_else(|| self.value.to_string(), str::to_owned)
    }
}

/// The object's attributes but the named ones: what is kept and returned as sent.
pub fn extra_of(value: &Value, typed: &[&str]) -> Map<String, Value> {
    let Some(object) = value.as_object() else {
        return Map::new();
    };
    object
        .iter()
        .filter(|(name, _)| !typed.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// TM Forum's reference: an id, and what else was sent with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The id of what it refers to.
    pub id: String,
    /// The rest: `name`, `@referredType`, `role`, …
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Reference {
    /// A reference to an id of a type.
    pub fn to(id: impl ToString, referred_type: &str) -> Self {
        let extra = [("@referredType".to_owned(), Value::from(referred_type))]
            .into_iter()
            .collect();
        Self {
            id: id.to_string(),
            extra,
        }
    }

    /// Reads a reference: its id has to be there.
    pub fn read(node: &Node<'_>) -> Result<Self, Refusal> {
        let id = node.require("id")?.text()?.to_owned();
        Ok(Self {
            id,
            extra: extra_of(node.json(), &["id", "href"]),
        })
    }

    /// The text of one of its other attributes.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.extra.get(name).and_then(Value::as_str)
    }

    /// The reference with a role.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(name.to_owned(), value.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_attribute_is_named_with_its_path_and_value() {
        let document = serde_json::json!({"item": [{"quantity": "two"}], "none": null});
        let root = Node::root(&document).unwrap();
        let item = &root.require("item").unwrap().items().unwrap()[0];
        let refusal = item.require("quantity").unwrap().integer().unwrap_err();
        assert_eq!(
            (refusal.field.as_deref(), refusal.value.as_deref()),
            (Some("item[0].quantity"), Some("two"))
        );
        assert_eq!(root.require("none").unwrap_err().field.as_deref(), Some("none"));
        assert_eq!(item.require("id").unwrap_err().message, "item[0].id is missing");
        assert!(Node::root(&Value::Null).is_err());
    }
}
