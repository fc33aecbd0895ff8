//! What the event log can do, beside COPY of the same rows into a bare table. For a scratch database: it leaves
//! its events and tables behind.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use bss_domain::ids::{EventId, TenantId, TypedId, compose};
use bss_domain::{Instant as BusinessTime, Slot};
use bss_events::{CloudEvent, EventData, NewEvent, SpecVersion, Topic};
use futures::{StreamExt, TryStreamExt, stream};

use crate::{Scope, Store, StoreError};

/// The topic that is measured.
pub const TOPIC: Topic = Topic::Audit;
/// How many customers the events are of.
const CUSTOMERS: u64 = 1_000;
/// The length of an event's data.
const DATA_BYTES: usize = 200;

/// How many rows in what time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// Rows or events.
    pub rows: u64,
    /// Real time.
    pub elapsed: Duration,
}

impl Figure {
    /// Rows in a second.
    pub fn per_second(&self) -> f64 {
        self.rows as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }
}

/// One event of 200 bytes of data; those of one `batch` belong to one customer's slot, as usage files are sorted.
fn event(tenant: TenantId, batch: u64, number: u64) -> NewEvent {
    let customer = batch % CUSTOMERS;
    let slot = Slot::hash(&customer.to_be_bytes());
    // A transaction has one moment; the moments of all of them lie over a day.
    let second = 1_767_225_600 + i64::try_from(batch * 97 % 86_400).unwrap_or(0);
    let mut data = format!("{{\"number\":{number},\"fill\":\"");
    let length = DATA_BYTES.saturating_sub(2);
    // Nothing that repeats itself: the log compresses what it can.
    for word in (number * 16..).map(mixed) {
        if data.len() >= length {
            break;
        }
        // Writing into a string never fails.
        let _ = write!(data, "{word:016x}");
    }
    data.truncate(length);
    data.push_str("\"}");
    let event = CloudEvent {
        specversion: SpecVersion::V1,
        id: EventId::at(second * 1_000, slot, number),
        source: "/bss/bench".to_owned(),
        kind: "BenchEvent".to_owned(),
        subject: None,
        time: BusinessTime::from_second(second).unwrap_or(BusinessTime::UNIX_EPOCH),
        tenant,
        key: compose(1, slot, customer),
        traceparent: None,
        dataversion: 1,
        data: EventData::stored(&data).unwrap_or_else(|_| serde_json::Value::Null.into()),
    };
    NewEvent {
        topic: TOPIC,
        slot,
        event,
    }
}

/// Bits that look like chance (SplitMix64's finalizer).
fn mixed(number: u64) -> u64 {
    let bits = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Appends `batches` transactions of `batch` events each over some connections at once.
pub async fn append(
    store: &Store,
    tenant: TenantId,
    (batches, batch): (u64, u64),
    connections: usize,
) -> Result<Figure, StoreError> {
    let begun = Instant::now();
    stream::iter(0..batches)
        .map(|number| async move {
            let mut work = store.begin(Scope::new(tenant, "bench")).await?;
            for of_batch in 0..batch {
                work.emit(event(tenant, number, number * batch + of_batch));
            }
            work.commit().await
        })
        .buffer_unordered(connections.max(1))
        .try_collect::<()>()
        .await?;
    Ok(Figure {
        rows: batches * batch,
        elapsed: begun.elapsed(),
    })
}

/// Makes an empty table of an event's columns without key, index, policy or partition: the reference's.
pub const MAKE_BARE: &str = "\
    DROP TABLE IF EXISTS bench_bare; CREATE TABLE bench_bare AS
    SELECT topic, partition, position, recorded_on, tenant_id, id, key, kind, source, subject, time, traceparent,
           dataversion, data
    FROM log_event LIMIT 0";
/// The reference: one COPY of the same rows.
pub const COPY_BARE: &str = "COPY bench_bare FROM STDIN";

/// Writes the rows that [`append`] would make as COPY's text format.
pub fn write_rows(path: &Path, tenant: TenantId, rows: u64, batch: u64) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    for number in 0..rows {
        let new = event(tenant, number / batch.max(1), number);
        let of = &new.event;
        writeln!(
            out,
            "{}\t{}\t{}\t2026-01-01\t{}\t{}\t{}\t{}\t{}\t\\N\t{}\t\\N\t{}\t{}",
            TOPIC.sql(),
            new.slot.partition(bss_events::PARTITIONS),
            number,
            of.tenant,
            of.id,
            of.key,
            of.kind,
            of.source,
            of.time,
            of.dataversion,
            of.data.text(),
        )?;
    }
    out.flush()
}
