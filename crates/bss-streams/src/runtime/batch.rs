use bss_domain::ids::TenantId;
use bss_events::{Record, Topic};
use bss_store::event_log::parked::{self, Cause, Parked, ParkedKey};
use bss_store::{Advance, Scope, Store, StoreError, UnitOfWork};

/// One tenant's records of a batch, in order.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The tenant.
    pub tenant: TenantId,
    /// Its records.
    pub records: &'a [Record],
}

/// Records of one topic and partition that become one transaction.
pub struct Batch<'a> {
    pub(super) store: &'a Store,
    pub(super) advance: Advance,
    pub(super) live: Vec<Record>,
    pub(super) parked: Vec<(Record, Cause)>,
    /// The parked event that this batch processes late.
    pub(super) released: Option<(Parked, ParkedKey)>,
}

impl Batch<'_> {
    /// The topic.
    pub fn topic(&self) -> Topic {
        self.advance.topic
    }

    /// The partition.
    pub fn partition(&self) -> u16 {
        self.advance.partition
    }

    /// The records, tenant by tenant.
    pub fn records(&self) -> &[Record] {
        &self.live
    }

    /// The records by tenant.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        self.live
            .chunk_by(|one, next| one.event.tenant == next.event.tenant)
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
            .begin_work(Scope::new(first.event.tenant, self.advance.group.clone()))
            .await
    }

    /// Commits what the batch has caused together with its position, once: [`StoreError::Fenced`] where the lease was
    /// taken meanwhile. A unit of work that was not committed may be dropped and begun again.
    pub async fn commit(&self, mut work: UnitOfWork) -> Result<(), StoreError> {
        for (record, cause) in &self.parked {
            work.enter(record.event.tenant).await?;
            parked::park(&work, &self.advance.group, record, cause).await?;
        }
        if let Some((event, key)) = &self.released {
            work.enter(event.record.event.tenant).await?;
            parked::remove(&work, event).await?;
            parked::pass_on(&work, &self.advance.group, *key).await?;
        }
        work.commit_at(&self.advance).await
    }
}
