//! Resource (TMF639): numbers, SIM cards and ports in pools.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Refusal;
use crate::document::Node;
use crate::shape::{Attribute, Kind, Shape};
use crate::state::states;

/// How long a released number or card rests before it is sold again, days (ITU-T E.164 leaves it to the operator).
pub const QUARANTINE_DAYS: i64 = 90;

states! {
    /// Where a pooled resource stands, by TMF639's ResourceStatusType.
    ResourceStatus of "Resource" {
        /// Free in its pool.
        Available = "available" => [Reserved];
        /// Held for a service that isn't active yet, or by one that is.
        Reserved = "reserved" => [Available, Suspended];
        /// In quarantine after its last use.
        Suspended = "suspended" => [Available];
    }
}

/// What a pool holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ResourceCategory {
    /// A telephone number, E.164 digits.
    Msisdn,
    /// A SIM card, by its ICCID (ITU-T E.118).
    SimCard,
    /// A port of the fibre network.
    FibrePort,
}

impl ResourceCategory {
    /// Its name in documents and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Msisdn => "msisdn",
            Self::SimCard => "simCard",
            Self::FibrePort => "fibrePort",
        }
    }

    /// Whether the value has the form that the category asks for.
    fn accepts(self, value: &str) -> bool {
        let digits = value.bytes().all(|byte| byte.is_ascii_digit());
        match self {
            Self::Msisdn => digits && (5..=15).contains(&value.len()) && !value.starts_with('0'),
            Self::SimCard => digits && (18..=22).contains(&value.len()),
            Self::FibrePort => !value.is_empty() && value.len() <= 64,
        }
    }
}

impl fmt::Display for ResourceCategory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ResourceCategory {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Msisdn, Self::SimCard, Self::FibrePort]
            .into_iter()
            .find(|category| category.name() == text)
            .ok_or_else(|| format!("{text:?} is no pool: msisdn, simCard, fibrePort"))
    }
}

/// Its typed attributes: the pool alone writes where a resource stands.
pub const SHAPE: &Shape = &[
    Attribute::required(
        "category",
        Kind::Word(&["msisdn", "simCard", "fibrePort"]),
        "its pool",
    ),
    Attribute::required("value", Kind::Text, "the number, the ICCID, the port's name"),
    Attribute::optional("name", Kind::Text, "what people call it"),
    Attribute::optional("description", Kind::Text, "what there is to say"),
    Attribute::read_only(
        "resourceStatus",
        Kind::Text,
        "available, reserved, or suspended: in quarantine",
    ),
    Attribute::read_only("usageState", Kind::Text, "idle or active"),
    Attribute::read_only("quarantineUntil", Kind::Instant, "until when it rests"),
    Attribute::read_only("service", Kind::Reference("Service"), "the service that holds it"),
];

/// A new resource is free and has its category's form; afterwards category and value never change.
pub fn decide(before: Option<&Value>, after: &mut Value) -> Result<(), Refusal> {
    if let Some(before) = before {
        for name in ["category", "value"] {
            if before.get(name) != after.get(name) {
                return Err(Node::root(after)?
                    .require(name)?
                    .wrong("readOnly", "never changes"));
            }
        }
        return Ok(());
    }
    let root = Node::root(after)?;
    let category: ResourceCategory = root.require("category")?.parse()?;
    let value = root.require("value")?;
    if !category.accepts(value.text()?) {
        return Err(value.wrong("wrongForm", &format!("has not the form of a {category}")));
    }
    after["resourceStatus"] = ResourceStatus::Available.name().into();
    after["usageState"] = "idle".into();
    Ok(())
}

/// Only what is free can be removed from its pool.
pub fn may_delete(document: &Value) -> Result<(), Refusal> {
    let status: ResourceStatus = Node::root(document)?.require("resourceStatus")?.parse()?;
    if status == ResourceStatus::Available {
        return Ok(());
    }
    Err(Refusal::conflict(
        "inUse",
        format!("the resource is {status}: only an available one can be removed"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_its_categorys_form() {
        let cases = [
            ("msisdn", "48500100200", true),
            ("msisdn", "+48500100200", false),
            ("msisdn", "0500100200", false),
            ("simCard", "8948010000000000001", true),
            ("simCard", "12", false),
            ("fibrePort", "OLT-7/1/3", true),
        ];
        for (category, value, good) in cases {
            let mut body = serde_json::json!({"category": category, "value": value});
            assert_eq!(decide(None, &mut body).is_ok(), good, "{category} {value}");
            assert_eq!(body["resourceStatus"] == "available", good);
        }
        let refusal = decide(None, &mut serde_json::json!({"category": "boat", "value": "x"})).unwrap_err();
        assert_eq!(
            (refusal.field.as_deref(), refusal.value.as_deref()),
            (Some("category"), Some("boat"))
        );
    }

    #[test]
    fn a_number_stays_what_it_is_and_in_its_pool_while_it_is_held() {
        let before =
            serde_json::json!({"category": "msisdn", "value": "48500100200", "resourceStatus": "reserved"});
        let mut after = before.clone();
        after["value"] = "48500100201".into();
        assert_eq!(
            decide(Some(&before), &mut after).unwrap_err().field.as_deref(),
            Some("value")
        );
        assert!(may_delete(&before).is_err());
    }
}
