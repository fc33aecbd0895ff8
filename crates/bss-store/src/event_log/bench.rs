//! What the event log can do here, beside COPY of the same rows into a bare table. For a scratch database: it leaves
//! its events and tables behind.

use std::time::{Duration, Instant};

use bss_domain::ids::{EventId, TenantId, TypedId, compose};
use bss_domain::{Instant as BusinessTime, Slot};
use bss_events::{CloudEvent, NewEvent, SpecVersion, Topic};
use bytes::Bytes;
use futures::{SinkExt, StreamExt, TryStreamExt, stream};
use tokio_postgres::NoTls;

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
    let second = 1_767_225_600 + i64::try_from(number % 86_400).unwrap_or(0);
    let mut data = format!("{{\"number\":{number},\"fill\":\"");
    let fill = DATA_BYTES.saturating_sub(data.len() + 2);
    data.extend(std::iter::repeat_n('x', fill));
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
        data: serde_json::from_str(&data).unwrap_or_default(),
    };
    NewEvent {
        topic: TOPIC,
        slot,
        event,
    }
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

/// The reference: one COPY of the same rows into a table without key, index, policy or partition, as the owner.
pub async fn copy(owner_url: &str, tenant: TenantId, rows: u64, batch: u64) -> Result<Figure, StoreError> {
    let lines: Vec<Bytes> = (0..rows)
        .map(|number| {
            let new = event(tenant, number / batch.max(1), number);
            let of = &new.event;
            Bytes::from(format!(
                "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t\\N\t{}\t\\N\t{}\t{}\n",
                TOPIC.sql(),
                new.slot.partition(bss_events::PARTITIONS),
                number,
                "2026-01-01",
                of.tenant,
                of.id,
                of.key,
                of.kind,
                of.source,
                of.time,
                of.dataversion,
                of.data,
            ))
        })
        .collect();
    let (client, connection) = tokio_postgres::connect(owner_url, NoTls).await?;
    let driver = tokio::spawn(connection);
    client
        .batch_execute(
            "DROP TABLE IF EXISTS bench_bare; CREATE TABLE bench_bare AS SELECT * FROM log_event LIMIT 0",
        )
        .await?;
    let begun = Instant::now();
    let sink = client.copy_in::<_, Bytes>("COPY bench_bare FROM STDIN").await?;
    let mut sink = std::pin::pin!(sink);
    for line in lines {
        sink.feed(line).await?;
    }
    let rows = sink.finish().await?;
    let elapsed = begun.elapsed();
    client.batch_execute("DROP TABLE bench_bare").await?;
    drop(client);
    // The connection ended with its client.
    let _ = driver.await;
    Ok(Figure { rows, elapsed })
}
