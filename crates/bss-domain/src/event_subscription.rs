//! Who is told of which events (TM Forum's hub, TMF630 Part 1), and when a callback that failed is called again.

use serde_json::{Value, json};

use crate::ids::EventSubscriptionId;
use crate::shape::text;
use crate::{Instant, Refusal};

/// What an event's type ends with behind the type of the resource.
const ENDINGS: &[&str] = &[
    "CreateEvent",
    "StateChangeEvent",
    "AttributeValueChangeEvent",
    "DeleteEvent",
];

/// The longest address of a callback.
const CALLBACK_LENGTH_MAX: usize = 2_000;

/// Calls of one notification before it is left to people.
pub const ATTEMPTS_MAX: u32 = 100;

/// The longest wait between two calls, milliseconds: a quarter of an hour, so that all attempts take about a day.
const BACKOFF_MAX_MS: u64 = 900_000;

/// A callback that wants to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSubscription {
    /// Its id.
    pub id: EventSubscriptionId,
    /// The address of the API that it was registered at.
    pub api: String,
    /// The types of that API's resources.
    pub kinds: Vec<String>,
    /// Of which types of events it wants to be told; none: of all of them.
    pub event_types: Vec<String>,
    /// What it asked for, as it was sent.
    pub query: Option<String>,
    /// Where it is called.
    pub callback: String,
}

impl EventSubscription {
    /// Reads the body of a registration at an API with resources of these types.
    pub fn read(body: &Value, id: EventSubscriptionId, api: &str, kinds: &[&str]) -> Result<Self, Refusal> {
        let callback = text(body, "callback").ok_or_else(|| Refusal::missing("callback"))?;
        if !is_callback(callback) {
            let message =
                "callback has to be an address that begins with http:// or https://, without a user's name";
            return Err(Refusal::invalid("wrongCallback", "callback", callback, message));
        }
        let query = text(body, "query").filter(|query| !query.is_empty());
        Ok(Self {
            id,
            api: api.to_owned(),
            kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
            event_types: query.map_or(Ok(Vec::new()), |query| event_types(query, kinds))?,
            query: query.map(str::to_owned),
            callback: callback.to_owned(),
        })
    }

    /// The type of the resource, where this is an event that the callback is told of.
    pub fn kind_of<'k>(&'k self, event_type: &str) -> Option<&'k str> {
        let wanted = self.event_types.is_empty() || self.event_types.iter().any(|one| one == event_type);
        let mut kinds = self.kinds.iter().filter(|kind| is_event_of(kind, event_type));
        kinds.next().filter(|_| wanted).map(String::as_str)
    }

    /// What the callback is told: TM Forum's event with the resource's id, address and what the log says of it. Whoever
    /// wants more reads the resource, with a token of its own.
    pub fn notification(&self, event: &EventFacts<'_>, kind: &str) -> Value {
        let name = attribute_name(kind);
        let mut resource = match event.data {
            Value::Object(facts) => Value::Object(facts.clone()),
            _ => json!({}),
        };
        resource["id"] = event.subject.into();
        resource["href"] = format!("{}/{name}/{}", self.api, event.subject).into();
        resource["@type"] = kind.into();
        json!({
            "eventId": event.id,
            "eventTime": event.time,
            "eventType": event.event_type,
            "event": { name: resource },
        })
    }

    /// The subscription as a caller reads it.
    pub fn document(&self) -> Value {
        let mut document = json!({ "id": self.id, "callback": self.callback });
        if let Some(query) = &self.query {
            document["query"] = query.as_str().into();
        }
        document
    }
}

/// What happened, as the log has it.
#[derive(Debug, Clone, Copy)]
pub struct EventFacts<'e> {
    /// The event's id: the same however often it is told.
    pub id: &'e str,
    /// Its type.
    pub event_type: &'e str,
    /// When it happened.
    pub time: Instant,
    /// The id of the resource.
    pub subject: &'e str,
    /// What the log says of it.
    pub data: &'e Value,
}

/// How long the next call waits after this many, milliseconds; none: it is left to people.
pub fn next_wait_ms(attempts: u32) -> Option<u64> {
    let doubled = 1_000_u64.saturating_mul(1 << attempts.saturating_sub(1).min(20));
    (attempts < ATTEMPTS_MAX).then_some(doubled.min(BACKOFF_MAX_MS))
}

/// TM Forum's name of a resource within an event: `productOrder`.
fn attribute_name(kind: &str) -> String {
    let mut letters = kind.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}

fn is_event_of(kind: &str, event_type: &str) -> bool {
    event_type
        .strip_prefix(kind)
        .is_some_and(|ending| ENDINGS.contains(&ending))
}

fn is_callback(address: &str) -> bool {
    let rest = address
        .strip_prefix("https://")
        .or_else(|| address.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty() && !host.contains('@')
    }) && address.len() <= CALLBACK_LENGTH_MAX
        && address.chars().all(|letter| letter.is_ascii_graphic())
}

/// `eventType=ProductOrderCreateEvent,ProductOrderStateChangeEvent`: nothing else is asked for.
fn event_types(query: &str, kinds: &[&str]) -> Result<Vec<String>, Refusal> {
    let wrong = |message: String| Refusal::invalid("wrongQuery", "query", query, message);
    let mut types = Vec::new();
    for pair in query.trim_start_matches('?').split('&') {
        let (name, values) = pair.split_once('=').unwrap_or((pair, ""));
        if name != "eventType" {
            return Err(wrong(format!("query asks for eventType alone, not for {name:?}")));
        }
        for value in values.split(',') {
            if !kinds.iter().any(|kind| is_event_of(kind, value)) {
                return Err(wrong(format!("this API has no event {value:?}")));
            }
            types.push(value.to_owned());
        }
    }
    Ok(types)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Slot, TypedId};

    const KINDS: &[&str] = &["ProductOrder", "CancelProductOrder"];

    fn read(body: &Value) -> Result<EventSubscription, Refusal> {
        let id = EventSubscriptionId::at(1, Slot::new(0).unwrap(), 1);
        EventSubscription::read(body, id, "https://bss.test/api/v4", KINDS)
    }

    #[test]
    fn a_callback_is_told_of_what_it_asked_for() {
        let all = read(&json!({ "callback": "https://x.test/in" })).unwrap();
        let some = json!({ "callback": "https://x.test/in", "query": "eventType=ProductOrderCreateEvent" });
        let some = read(&some).unwrap();
        for (event_type, of_all, of_some) in [
            (
                "ProductOrderCreateEvent",
                Some("ProductOrder"),
                Some("ProductOrder"),
            ),
            ("ProductOrderStateChangeEvent", Some("ProductOrder"), None),
            ("CancelProductOrderCreateEvent", Some("CancelProductOrder"), None),
            ("ProductStateChangeEvent", None, None),
            ("ProductOrderItemCreateEvent", None, None),
        ] {
            assert_eq!(all.kind_of(event_type), of_all, "{event_type}");
            assert_eq!(some.kind_of(event_type), of_some, "{event_type}");
        }
    }

    #[test]
    fn a_notification_names_the_resource_and_where_it_is() {
        let subscription = read(&json!({ "callback": "https://x.test/in" })).unwrap();
        let data = json!({ "state": "cancelled" });
        let event = EventFacts {
            id: "e1",
            event_type: "ProductOrderStateChangeEvent",
            time: Instant::UNIX_EPOCH,
            subject: "o1",
            data: &data,
        };
        assert_eq!(
            subscription.notification(&event, "ProductOrder"),
            json!({
                "eventId": "e1", "eventTime": "1970-01-01T00:00:00Z", "eventType": "ProductOrderStateChangeEvent",
                "event": { "productOrder": {
                    "state": "cancelled", "id": "o1", "href": "https://bss.test/api/v4/productOrder/o1",
                    "@type": "ProductOrder",
                } },
            })
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let ours = "https://x.test/in";
        for (body, field) in [
            (json!({}), "callback"),
            (json!({ "callback": "ftp://x" }), "callback"),
            (json!({ "callback": "https://" }), "callback"),
            (json!({ "callback": "https://me:secret@x.test" }), "callback"),
            (json!({ "callback": "https://x.test/a b" }), "callback"),
            (json!({ "callback": ours, "query": "state=done" }), "query"),
            (
                json!({ "callback": ours, "query": "eventType=ProductCreateEvent" }),
                "query",
            ),
        ] {
            assert_eq!(read(&body).unwrap_err().field.as_deref(), Some(field), "{body}");
        }
    }

    #[test]
    fn waits_double_up_to_a_bound_and_end() {
        let waits = [1, 2, 10, 11, 99].map(|attempts| next_wait_ms(attempts).unwrap());
        assert_eq!(waits, [1_000, 2_000, 512_000, 900_000, 900_000]);
        assert_eq!(next_wait_ms(ATTEMPTS_MAX), None);
    }
}
