//! A plain table of usage for what Asterisk doesn't know: messages, data volume, roaming.
//!
//! Comma-separated, with the header `id,service,calling,called,visited,started,quantity`:
//!
//! | column | holds |
//! |---|---|
//! | `id` | the source's own id of the record; empty where it has none. Two records with one id are one record, and where they differ the second is rejected as a conflict |
//! | `service` | `voice`, `sms` or `data` |
//! | `calling`, `called` | numbers as the source writes them; `called` is empty for data |
//! | `visited` | MCC and MNC of the visited network, as `26201`; empty at home |
//! | `started` | RFC 3339 with an offset, as `2026-11-03T10:00:05+01:00` |
//! | `quantity` | whole seconds, messages or bytes |

use super::asterisk::{number, whole_number};
use super::source::Mediated;
use super::{Fields, Metered, NumberPlan, RejectReason, ServiceKind, UsageSource};
use crate::time::Instant;

/// The header that a file begins with.
pub const HEADER: &str = "id,service,calling,called,visited,started,quantity";

pub(super) const ID: usize = 0;
const SERVICE: usize = 1;
const CALLING: usize = 2;
const CALLED: usize = 3;
const VISITED: usize = 4;
const STARTED: usize = 5;
const QUANTITY: usize = 6;
const COLUMNS: usize = 7;

/// Reads a line of the table.
pub fn mediate(source: &UsageSource, fields: &Fields) -> Result<Mediated, RejectReason> {
    let empty = fields.len() == 1 && fields.text(0).is_empty();
    if empty || fields.iter().eq(HEADER.split(',').map(str::as_bytes)) {
        return Ok(Mediated::NotCharged);
    }
    if fields.len() != COLUMNS {
        return Err(RejectReason::FieldCount {
            found: fields.len(),
            expected: "7",
        });
    }
    let service = ServiceKind::named(fields.text(SERVICE)).ok_or_else(|| RejectReason::Word {
        field: "service",
        value: fields.text(SERVICE).to_owned(),
        known: "voice, sms, data",
    })?;
    let called = if service == ServiceKind::Data {
        String::new()
    } else {
        number(source, fields, CALLED, "called")?
    };
    Ok(Mediated::Metered(Metered {
        service,
        calling: number(source, fields, CALLING, "calling")?,
        called,
        visited_network: visited(fields.text(VISITED))?,
        started: instant(fields.text(STARTED))?,
        quantity: whole_number("quantity", fields.text(QUANTITY))?,
    }))
}

/// Whole milliseconds: what is finer is cut off, as an id keeps no more.
fn instant(text: &str) -> Result<Instant, RejectReason> {
    text.parse()
        .ok()
        .and_then(|at: Instant| Instant::from_millisecond(at.as_millisecond()).ok())
        .ok_or_else(|| RejectReason::Time {
            field: "started",
            value: text.to_owned(),
        })
}

/// The record as a line of the table, for lists of rejects and for mending. Every source reads its numbers alike.
pub fn render(metered: &Metered) -> String {
    format!(
        ",{},{},{},{},{},{}",
        metered.service.name(),
        NumberPlan::write(&metered.calling),
        NumberPlan::write(&metered.called),
        metered.visited_network.as_deref().unwrap_or_default(),
        metered.started,
        metered.quantity
    )
}

fn visited(text: &str) -> Result<Option<String>, RejectReason> {
    match text.len() {
        0 => Ok(None),
        5 | 6 if text.bytes().all(|c| c.is_ascii_digit()) => Ok(Some(text.to_owned())),
        _ => Err(RejectReason::Word {
            field: "visited",
            value: text.to_owned(),
            known: "MCC and MNC, five or six digits",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Slot, TenantId, TypedId};
    use crate::time::Zone;
    use crate::usage::{Identity, SourceFormat};

    fn read(line: &str) -> (Result<Mediated, RejectReason>, Identity) {
        let source = UsageSource {
            name: "ggsn1".into(),
            format: SourceFormat::Generic,
            zone: Zone::utc(),
            numbers: NumberPlan::default(),
        };
        let tenant = TenantId::at(1, Slot::hash(b"t"), 1);
        let mut fields = Fields::default();
        fields.split(line.as_bytes()).unwrap();
        (
            source.mediate(&fields),
            source.identify(tenant, line.as_bytes(), Some(&fields)).0,
        )
    }

    #[test]
    fn messages_and_volume_come_in() {
        let (data, _) = read("s-1,data,48600100200,,26201,2026-11-03T10:00:05+01:00,1048576");
        let Ok(Mediated::Metered(data)) = data else {
            panic!("{data:?}")
        };
        assert_eq!(
            (data.quantity, data.visited_network.as_deref()),
            (1_048_576, Some("26201"))
        );
        assert_eq!(data.started.to_string(), "2026-11-03T09:00:05Z");
        assert_eq!(read(&render(&data)).0, Ok(Mediated::Metered(data)));
        assert_eq!(read(HEADER).0, Ok(Mediated::NotCharged));
        let cases = [
            ("s,fax,48600100200,4812,,2026-11-03T10:00:05Z,1", "word"),
            ("s,sms,48600100200,,,2026-11-03T10:00:05Z,1", "number"),
            ("s,sms,48600100200,4812,,2026-11-03 10:00:05,1", "time"),
            ("s,sms,48600100200,4812,PL,2026-11-03T10:00:05Z,1", "word"),
            ("s,sms,48600100200,4812,,2026-11-03T10:00:05Z", "fieldCount"),
        ];
        for (line, code) in cases {
            assert_eq!(read(line).0.unwrap_err().code(), code, "{line}");
        }
    }

    #[test]
    fn the_sources_own_id_is_the_identity() {
        let line = |id: &str, quantity: u32| {
            read(&format!(
                "{id},sms,48600100200,48700100200,,2026-11-03T10:00:05Z,{quantity}"
            ))
            .1
        };
        assert_eq!(line("a", 1), line("a", 2));
        assert_ne!(line("a", 1), line("b", 1));
        assert_ne!(line("", 1), line("", 2));
    }
}
