use bss_domain::usage::{Usage, packed};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// The facts of an event, as the text that the log keeps: JSON, or usage in its packed form. Whoever needs them reads
/// them into a type of its own; outside they are JSON whatever the log keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventData(String);

impl EventData {
    /// From the log's text; an error says why it is none of a known form.
    pub fn stored(text: &str) -> Result<Self, String> {
        if !packed::is_packed(text) {
            serde_json::from_str::<IgnoredAny>(text).map_err(|error| error.to_string())?;
        }
        Ok(Self(text.to_owned()))
    }

    /// Of usage.
    pub fn usage(usage: &Usage) -> Result<Self, serde_json::Error> {
        packed::pack(usage)
            .map_or_else(|| serde_json::to_string(usage), Ok)
            .map(Self)
    }

    /// The log's text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Reads them as usage.
    pub fn read_usage(&self) -> Result<Usage, String> {
        if packed::is_packed(&self.0) {
            return packed::unpack(&self.0).ok_or_else(|| "the packed usage is damaged".to_owned());
        }
        serde_json::from_str(&self.0).map_err(|error| error.to_string())
    }

    /// The id of packed usage, which is what its event is about.
    pub fn packed_id(&self) -> Option<String> {
        packed::id(&self.0).map(|id| id.to_string())
    }

    /// Reads them into a type of the reader's.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        if packed::is_packed(&self.0) {
            return serde_json::from_value(self.value());
        }
        serde_json::from_str(&self.0)
    }

    /// The facts as JSON; null where packed usage is damaged.
    pub fn value(&self) -> Value {
        if packed::is_packed(&self.0) {
            let usage = packed::unpack(&self.0);
            return usage
                .and_then(|usage| serde_json::to_value(usage).ok())
                .unwrap_or_default();
        }
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

impl From<Value> for EventData {
    fn from(value: Value) -> Self {
        Self(value.to_string())
    }
}

impl Serialize for EventData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for EventData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USAGE: &str = r#"{"id":"019a4928-c5fa-8001-8000-000000000063","source":"msc1","direction":"outgoing","metered":{"service":"voice","calling":"48600100200","called":"48700100200","started":"2025-11-03T10:00:00.25Z","quantity":61},"owner":{"customer":"019a0000-0000-8001-8000-000000000001","product":"019a0000-0000-8001-8000-000000000002","account":"019a0000-0000-8001-8000-000000000003"},"origin":{"file":"019a0000-0000-8001-8000-000000000004","line":3}}"#;

    #[test]
    fn usage_is_the_same_in_either_form_and_outside_always_json() {
        let json = EventData::stored(USAGE).unwrap();
        let usage = json.read_usage().unwrap();
        let packed = EventData::usage(&usage).unwrap();
        assert!(packed.text().len() * 2 < json.text().len(), "{packed:?}");
        assert_eq!(EventData::stored(packed.text()).unwrap(), packed);
        assert_eq!(packed.read_usage().unwrap(), usage);
        assert_eq!(packed.read::<Usage>().unwrap(), usage);
        assert_eq!(packed.value(), serde_json::from_str::<Value>(USAGE).unwrap());
        assert_eq!(serde_json::to_value(&packed).unwrap(), packed.value());
        assert_eq!(packed.packed_id(), Some(usage.id.to_string()));
        assert_eq!(json.packed_id(), None);
    }

    #[test]
    fn what_is_damaged_is_said_to_be() {
        assert!(EventData::stored("{\"a\":").is_err());
        let packed = EventData::usage(&serde_json::from_str(USAGE).unwrap()).unwrap();
        let cut = EventData::stored(&packed.text()[..packed.text().len() - 30]).unwrap();
        assert!(cut.read_usage().is_err());
        assert_eq!(cut.value(), Value::Null);
    }
}
