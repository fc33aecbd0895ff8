//! Resource (TMF639): numbers, SIM cards and ports in pools.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::document::{Node, Reference, extra_of};
use crate::ids::ResourceId;
use crate::state::states;
use crate::{Instant, Refusal};

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

/// A Resource of a pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// Its id, in a slot of its own: it belongs to no customer.
    pub id: ResourceId,
    /// Its pool.
    pub category: ResourceCategory,
    /// The number, the ICCID, the port's name.
    pub value: String,
    /// Where it stands.
    pub resource_status: ResourceStatus,
    /// `idle` or `active`: whether a service that works stands on it.
    pub usage_state: String,
    /// Until when it rests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantine_until: Option<Instant>,
    /// The service that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Reference>,
    /// What else was sent.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Resource {
    /// Reads the body of a POST: a new resource of a pool, free.
    pub fn read(body: &Value, id: ResourceId) -> Result<Self, Refusal> {
        let root = Node::root(body)?;
        for name in ["id", "resourceStatus", "usageState", "quarantineUntil", "service"] {
            if let Some(node) = root.get(name) {
                return Err(node.wrong("readOnly", "is read-only"));
            }
        }
        let category: ResourceCategory = root.require("category")?.parse()?;
        let node = root.require("value")?;
        let value = node.text()?.to_owned();
        if !category.accepts(&value) {
            return Err(node.wrong("wrongForm", &format!("has not the form of a {category}")));
        }
        Ok(Self {
            id,
            category,
            value,
            resource_status: ResourceStatus::Available,
            usage_state: "idle".to_owned(),
            quarantine_until: None,
            service: None,
            extra: extra_of(body, &["category", "value", "href", "@type"]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Slot, TypedId};

    #[test]
    fn a_value_has_its_categorys_form() {
        let id = ResourceId::at(1, Slot::new(1).unwrap(), 1);
        let cases = [
            ("msisdn", "48500100200", true),
            ("msisdn", "+48500100200", false),
            ("msisdn", "0500100200", false),
            ("simCard", "8948010000000000001", true),
            ("simCard", "12", false),
            ("fibrePort", "OLT-7/1/3", true),
        ];
        for (category, value, good) in cases {
            let body = serde_json::json!({"category": category, "value": value});
            assert_eq!(Resource::read(&body, id).is_ok(), good, "{category} {value}");
        }
        let refusal = Resource::read(&serde_json::json!({"category": "boat", "value": "x"}), id).unwrap_err();
        assert_eq!(
            (refusal.field.as_deref(), refusal.value.as_deref()),
            (Some("category"), Some("boat"))
        );
    }
}
