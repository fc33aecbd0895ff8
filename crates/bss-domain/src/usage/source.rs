//! Sources of usage: a switch with its file format, its clock's zone and its way of writing numbers.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Fields, Identity, Metered, NumberPlan, RecordHash, RejectReason, asterisk, generic};
use crate::ids::TenantId;
use crate::time::Zone;

/// The format of a source's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SourceFormat {
    /// Asterisk's `Master.csv`: calls only.
    Asterisk,
    /// A table with a header: calls, messages and data volume ([`generic`]).
    Generic,
}

impl SourceFormat {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::Asterisk, Self::Generic];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asterisk => "asterisk",
            Self::Generic => "generic",
        }
    }
}

/// No format has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no format {0:?}: {known}", known = SourceFormat::ALL.map(SourceFormat::name).join(" or "))]
pub struct UnknownFormat(pub String);

impl FromStr for SourceFormat {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let named = Self::ALL.into_iter().find(|format| format.name() == name);
        named.ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// A source of usage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsageSource {
    /// Its name: part of every record's identity, so it never changes.
    pub name: String,
    /// Its files' format.
    pub format: SourceFormat,
    /// The zone that its local times are in.
    pub zone: Zone,
    /// How it writes numbers.
    #[serde(default)]
    pub numbers: NumberPlan,
}

/// What a line of a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mediated {
    /// A record to guide and to rate.
    Metered(Metered),
    /// Nothing that is charged: an unanswered call, a header, an empty line. It is counted with its file.
    NotCharged,
}

impl UsageSource {
    /// The identity of a line's first occurrence in its file, and the hash of all its fields. Lines that can't be
    /// split are taken whole.
    pub fn identify(&self, tenant: TenantId, line: &[u8], fields: Option<&Fields>) -> (Identity, RecordHash) {
        let Some(fields) = fields else {
            let hash = RecordHash::of_fields(tenant, &self.name, [line]);
            return (Identity { hash, own_id: false }, hash);
        };
        let content = RecordHash::of_fields(tenant, &self.name, fields.iter());
        if self.format == SourceFormat::Generic && !fields.text(generic::ID).is_empty() {
            let hash = RecordHash::of_own_id(tenant, &self.name, fields.text(generic::ID));
            return (Identity { hash, own_id: true }, content);
        }
        let hash = content;
        (Identity { hash, own_id: false }, content)
    }

    /// Reads the fields of one line.
    pub fn mediate(&self, fields: &Fields) -> Result<Mediated, RejectReason> {
        match self.format {
            SourceFormat::Asterisk => asterisk::mediate(self, fields),
            SourceFormat::Generic => generic::mediate(self, fields),
        }
    }
}
