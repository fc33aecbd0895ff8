//! Guided usage as the log keeps it: by far the most frequent event, in a third of the bytes of its JSON.
//!
//! `u1`, then the fields in the order of [`pack`], with the unit separator between them: no JSON begins so, and the
//! digit is the form's version. Ids are 32 hex digits; the start is that of the id. What this form can't hold stays
//! JSON, as everything did that was written before there was it.

use uuid::Uuid;

use super::{Direction, FileLine, Metered, Owner, ServiceKind, Usage};
use crate::ids::{TypedId, UsageId, unix_ms_of};
use crate::time::Instant;

const MARK: &str = "u1\u{1f}";
const SEPARATOR: char = '\u{1f}';
const FIELDS: usize = 12;

/// The packed form; none where this usage has something that only JSON can say.
pub fn pack(usage: &Usage) -> Option<String> {
    let metered = &usage.metered;
    let visited = metered.visited_network.as_deref();
    let texts = [&metered.calling, &metered.called, &usage.source];
    let has_separator = |text: &str| text.contains(SEPARATOR);
    let odd = usage.reject.is_some()
        || visited.is_some_and(|text| text.is_empty() || has_separator(text))
        || texts.into_iter().any(|text| has_separator(text))
        || Instant::from_millisecond(unix_ms_of(usage.id.uuid())).ok() != Some(metered.started);
    if odd {
        return None;
    }
    let mut text = String::with_capacity(256);
    text.push_str(MARK);
    let owner = &usage.owner;
    for id in [
        usage.id.uuid(),
        owner.customer.uuid(),
        owner.product.uuid(),
        owner.account.uuid(),
    ] {
        text.push_str(id.simple().encode_lower(&mut Uuid::encode_buffer()));
        text.push(SEPARATOR);
    }
    if let Some(origin) = usage.origin {
        text.push_str(
            origin
                .file
                .uuid()
                .simple()
                .encode_lower(&mut Uuid::encode_buffer()),
        );
        text.push(SEPARATOR);
        push_number(&mut text, i64::from(origin.line));
    } else {
        text.push(SEPARATOR);
    }
    text.push(SEPARATOR);
    push_number(&mut text, metered.quantity);
    text.push(SEPARATOR);
    for number in [
        metered.service.sql(),
        usage.direction.sql(),
        i16::from(usage.own_id),
    ] {
        push_number(&mut text, i64::from(number));
    }
    for part in [
        &metered.calling,
        &metered.called,
        visited.unwrap_or_default(),
        &usage.source,
    ] {
        text.push(SEPARATOR);
        text.push_str(part);
    }
    Some(text)
}

fn push_number(text: &mut String, number: i64) {
    use std::fmt::Write;
    // Writing into a string never fails.
    let _ = write!(text, "{number}");
}

/// Whether the text is of this form.
pub fn is_packed(text: &str) -> bool {
    text.starts_with(MARK)
}

/// The id of packed usage.
pub fn id(text: &str) -> Option<UsageId> {
    let digits = text.strip_prefix(MARK)?.split(SEPARATOR).next()?;
    Uuid::try_parse(digits).ok().map(Into::into)
}

/// Reads the packed form; none where it isn't one.
pub fn unpack(text: &str) -> Option<Usage> {
    let mut fields = [""; FIELDS];
    let mut found = 0;
    for field in text.strip_prefix(MARK)?.split(SEPARATOR) {
        *fields.get_mut(found)? = field;
        found += 1;
    }
    let [
        id,
        customer,
        product,
        account,
        file,
        line,
        quantity,
        kinds,
        calling,
        called,
        visited,
        source,
    ] = fields;
    if found != FIELDS {
        return None;
    }
    let uuid = |digits: &str| Uuid::try_parse(digits).ok();
    let id = uuid(id)?;
    let [service, direction, own_id] = kinds.as_bytes() else {
        return None;
    };
    let digit = |byte: &u8| i16::from(byte.wrapping_sub(b'0'));
    let origin = if file.is_empty() {
        None
    } else {
        Some(FileLine {
            file: uuid(file)?.into(),
            line: line.parse().ok()?,
        })
    };
    Some(Usage {
        id: id.into(),
        source: source.to_owned(),
        direction: Direction::from_sql(digit(direction))?,
        metered: Metered {
            service: ServiceKind::from_sql(digit(service))?,
            calling: calling.to_owned(),
            called: called.to_owned(),
            visited_network: (!visited.is_empty()).then(|| visited.to_owned()),
            started: Instant::from_millisecond(unix_ms_of(id)).ok()?,
            quantity: quantity.parse().ok()?,
        },
        owner: Owner {
            customer: uuid(customer)?.into(),
            product: uuid(product)?.into(),
            account: uuid(account)?.into(),
        },
        origin,
        own_id: *own_id == b'1',
        reject: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{BillingAccountId, CustomerId, ProductId, Slot, UsageFileId};

    fn usage() -> Usage {
        let started: Instant = "2026-11-03T10:00:00.250Z".parse().unwrap();
        let customer = CustomerId::new(1, 7);
        let slot = customer.slot();
        Usage {
            id: UsageId::at(started.as_millisecond(), slot, 99),
            source: "msc1".into(),
            direction: Direction::Outgoing,
            metered: Metered {
                service: ServiceKind::Voice,
                calling: "48600100200".into(),
                called: "*100#".into(),
                visited_network: None,
                started,
                quantity: 61,
            },
            owner: Owner {
                customer,
                product: ProductId::at(2, slot, 1),
                account: BillingAccountId::at(2, slot, 2),
            },
            origin: None,
            own_id: false,
            reject: None,
        }
    }

    #[test]
    fn it_comes_back() {
        let origin = FileLine {
            file: UsageFileId::at(1, Slot::hash(b"x"), 5),
            line: u32::MAX,
        };
        let mut changed = usage();
        changed.origin = Some(origin);
        changed.direction = Direction::Incoming;
        changed.metered.service = ServiceKind::Data;
        changed.metered.called = String::new();
        changed.metered.visited_network = Some("26201".into());
        changed.metered.quantity = i64::MAX;
        changed.own_id = true;
        for usage in [usage(), changed] {
            let text = pack(&usage).unwrap();
            assert!(is_packed(&text) && serde_json::from_str::<serde_json::Value>(&text).is_err());
            assert_eq!(id(&text), Some(usage.id));
            assert_eq!(unpack(&text).as_ref(), Some(&usage), "{text:?}");
            // Cut anywhere, it is no usage, or another one, but never a panic.
            (0..text.len()).for_each(|end| drop(unpack(&text[..end])));
            assert_eq!(unpack(&format!("{text}\u{1f}")), None);
        }
    }

    #[test]
    fn what_it_cant_hold_stays_json() {
        let cases: [fn(&mut Usage); 5] = [
            |usage| usage.reject = Some(Uuid::nil()),
            |usage| usage.source = "a\u{1f}b".into(),
            |usage| usage.metered.called = "\u{1f}".into(),
            |usage| usage.metered.visited_network = Some(String::new()),
            |usage| usage.metered.started = "2026-11-03T10:00:00.2501Z".parse().unwrap(),
        ];
        for change in cases {
            let mut usage = usage();
            change(&mut usage);
            assert_eq!(pack(&usage), None);
        }
    }
}
