//! What became of a batch's records: rated, rejected, or dropped as duplicates, counted by file.

use std::borrow::Cow;
use std::collections::HashMap;

use bss_domain::ids::{TenantId, UsageFileId, UsageId, compose};
use bss_domain::usage::{Metered, RecordHash, RejectReason, SourceFormat, Usage, UsageState, generic};
use bss_domain::{Instant, TypedId};
use bss_store::usage_file::{self, ChargedLines};
use bss_store::usage_record::{NewRecords, Rating, UsageRecord};
use bss_store::usage_reject::{self, Reopened, UsageReject};
use bss_store::{Session, StoreError};

/// What became of the records so far.
pub struct Outcome<'u> {
    tenant: TenantId,
    now: Instant,
    seen: HashMap<UsageId, Cow<'u, Metered>>,
    rows: NewRecords<'u>,
    rejects: Vec<UsageReject>,
    reopened: Vec<Reopened>,
    counts: HashMap<UsageFileId, ChargedLines>,
}

impl<'u> Outcome<'u> {
    /// Nothing yet, where these records are there already.
    pub fn new(tenant: TenantId, now: Instant, present: Vec<UsageRecord>) -> Self {
        Self {
            tenant,
            now,
            seen: present
                .into_iter()
                .map(|record| (record.id, Cow::Owned(record.metered)))
                .collect(),
            rows: NewRecords::default(),
            rejects: Vec::new(),
            reopened: Vec::new(),
            counts: HashMap::new(),
        }
    }

    /// Whether the record is new. One that is there already is a duplicate, and a conflict where it says something
    /// else.
    pub fn admits(&mut self, usage: &'u Usage) -> bool {
        let Some(known) = self.seen.get(&usage.id) else {
            self.seen.insert(usage.id, Cow::Borrowed(&usage.metered));
            return true;
        };
        if let Some(field) = known.difference(&usage.metered) {
            let field = field.to_owned();
            self.rejected(usage, &RejectReason::Conflict { field });
        } else {
            self.count(usage, |count| count.duplicates += 1);
        }
        false
    }

    /// The record has its price.
    pub fn rated(&mut self, usage: &'u Usage, rating: Rating, position: i64) {
        self.rows.push(usage, rating, position);
        self.count(usage, |count| count.rated += 1);
    }

    /// The record can't be charged. A mended reject that is refused again goes back to its own row.
    pub fn rejected(&mut self, usage: &Usage, reason: &RejectReason) {
        self.count(usage, |count| count.rejected += 1);
        if let Some(reject) = usage.reject {
            self.reopened.push(Reopened {
                reject,
                code: reason.code().to_owned(),
                reason: reason.to_string(),
            });
            return;
        }
        let raw = generic::render(&usage.metered).into_bytes();
        let identity = usage.identity();
        let content = if identity.own_id {
            RecordHash::of_fields(self.tenant, &usage.source, [raw.as_slice()])
        } else {
            identity.hash
        };
        self.rejects.push(UsageReject {
            id: compose(self.now.as_millisecond(), usage.id.slot(), content.bits()),
            source: usage.source.clone(),
            format: SourceFormat::Generic,
            origin: usage.origin,
            identity,
            content,
            raw,
            mended: None,
            code: reason.code().to_owned(),
            reason: reason.to_string(),
            state: UsageState::Rejected,
            usage_id: Some(usage.id),
            created_at: self.now,
        });
    }

    /// The records to insert.
    pub fn rows(&self) -> &NewRecords<'u> {
        &self.rows
    }

    /// Writes rejects and counts.
    pub async fn save(mut self, session: &Session, partition: u16) -> Result<(), StoreError> {
        self.save_rejects(session).await?;
        let mut counts: Vec<(UsageFileId, ChargedLines)> = self.counts.into_iter().collect();
        counts.sort_unstable_by_key(|(file, _)| *file);
        usage_file::count_charged(session, partition, &counts).await
    }

    /// A record that was rejected already is a duplicate.
    async fn save_rejects(&mut self, session: &Session) -> Result<(), StoreError> {
        usage_reject::reopen(session, &self.reopened, self.now).await?;
        let written = usage_reject::insert(session, &self.rejects).await?;
        for reject in self.rejects.iter().filter(|reject| !written.contains(&reject.id)) {
            if let Some(origin) = reject.origin {
                let count = self.counts.entry(origin.file).or_default();
                count.rejected -= 1;
                count.duplicates += 1;
            }
        }
        Ok(())
    }

    fn count(&mut self, usage: &Usage, count: impl FnOnce(&mut ChargedLines)) {
        if let Some(origin) = usage.origin {
            count(self.counts.entry(origin.file).or_default());
        }
    }
}
