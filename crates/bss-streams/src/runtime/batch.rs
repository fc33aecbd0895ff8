use bss_domain::ids::TenantId;
use bss_events::Record;
use bss_store::event_log::parked::{self, Cause, Parked, ParkedKey};
use bss_store::{Advance, Scope, Store, StoreError, UnitOfWork};

/// One tenant's records of one topic of a batch, those of a partition in order.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The tenant.
    pub tenant: TenantId,
    /// Its records.
    pub records: &'a [Record],
}

/// Records that become one transaction: of one topic and partition, or of several where the application joins them.
pub struct Batch<'a> {
    pub(super) store: &'a Store,
    /// One step for each topic and partition, at least one.
    pub(super) steps: Vec<Advance>,
    pub(super) live: Vec<Record>,
    pub(super) parked: Vec<(Record, Cause)>,
    /// The parked event that this batch processes late.
    pub(super) released: Option<(Parked, ParkedKey)>,
}

impl Batch<'_> {
    /// The partition: the only one of an application that doesn't join them.
    pub fn partition(&self) -> u16 {
        self.steps.first().map_or(0, |step| step.partition)
    }

    /// How many partitions of topics.
    pub fn places(&self) -> usize {
        self.steps.len()
    }

    /// The records, tenant by tenant and topic by topic.
    pub fn records(&self) -> &[Record] {
        &self.live
    }

    /// The records by tenant and topic.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        self.live
            .chunk_by(|one, next| (one.event.tenant, one.topic) == (next.event.tenant, next.topic))
            .map(|records| Part {
                tenant: records[0].event.tenant,
                records,
            })
    }

    /// Begins a unit of work of the batch's first tenant.
    pub async fn begin(&self) -> Result<UnitOfWork, StoreError> {
        let first = self
            .live
            .first()
            .or(self.parked.first().map(|(record, _)| record));
        let Some(first) = first else {
            return Err(StoreError::Configuration("a batch without records".to_owned()));
        };
        self.store
            .begin_work(Scope::new(first.event.tenant, self.group()))
            .await
    }

    /// Commits what the batch has caused together with its position, once: [`StoreError::Fenced`] where the lease was
    /// taken meanwhile. A unit of work that was not committed may be dropped and begun again.
    pub async fn commit(&self, mut work: UnitOfWork) -> Result<(), StoreError> {
        for (record, cause) in &self.parked {
            work.enter(record.event.tenant).await?;
            parked::park(&work, self.group(), record, cause).await?;
        }
        if let Some((event, key)) = &self.released {
            work.enter(event.record.event.tenant).await?;
            parked::remove(&work, event).await?;
            parked::pass_on(&work, self.group(), *key).await?;
        }
        work.commit_at(&self.steps).await
    }

    fn group(&self) -> &str {
        self.steps.first().map_or("", |step| &step.group)
    }
}
