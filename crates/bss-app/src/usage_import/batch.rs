//! One batch of a file's lines: guided, appended or rejected, and the file's progress with them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use bss_domain::ids::{TypedId, UsageFileId};
use bss_domain::usage::source::Mediated;
use bss_domain::usage::{
    FileLine, Identity, Metered, Owner, RecordHash, RejectReason, Usage, UsageSource, UsageState, subject,
};
use bss_domain::{Instant, Interval, Slot};
use bss_events::{EventData, NewEvent, Topic};
use bss_store::usage_file::{self, FileLines};
use bss_store::usage_reject::{self, UsageReject};
use bss_store::{Session, StoreError, UnitOfWork, usage_key, usage_owner, usage_record};

use super::UsageImport;
use super::reader::Line;
use crate::{App, AppError, RequestContext};

/// How often a batch is tried while the database can't commit it.
const ATTEMPTS: u32 = 6;

/// The pause before the second attempt; it doubles.
const PAUSE: Duration = Duration::from_millis(50);

/// The kind of the events that bring usage to charging.
pub const KIND: &str = "UsageCreateEvent";

/// The intake of one file.
pub struct Intake<'a> {
    pub app: &'a App,
    pub context: &'a RequestContext,
    pub rules: &'a UsageImport,
    pub source: &'a UsageSource,
    pub file: UsageFileId,
}

impl Intake<'_> {
    /// Commits lines, unless somebody else did meanwhile.
    pub async fn commit(&self, lines: Vec<Line>) -> Result<(), AppError> {
        ensure_days(self.app, self.context, self.rules, &lines).await?;
        let mut pause = PAUSE;
        for _ in 1..ATTEMPTS {
            match self.try_commit(&lines).await {
                Err(error) if error.is_transient() => {
                    tracing::warn!(%error, "a batch of usage is tried again");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                outcome => return Ok(outcome?),
            }
        }
        Ok(self.try_commit(&lines).await?)
    }

    async fn try_commit(&self, lines: &[Line]) -> Result<(), StoreError> {
        let mut work = self.app.store.begin(self.context.scope()).await?;
        let file = usage_file::lock(&work, self.file)
            .await?
            .ok_or_else(|| StoreError::Changed {
                what: format!("usage file {}", self.file),
            })?;
        let done = file.lines.done;
        let first = lines.partition_point(|line| i64::from(line.number) <= done);
        let lines = &lines[first..];
        match lines.first() {
            None => return work.rollback().await,
            // Whoever committed lines beyond ours had read them from the same content.
            Some(line) if i64::from(line.number) != done + 1 => {
                return Err(StoreError::Corrupt {
                    what: format!("progress of usage file {}", self.file),
                    detail: format!("line {} comes after {done}", line.number),
                });
            }
            Some(_) => {}
        }
        let counts = self.take(&mut work, lines).await?;
        usage_file::advance(&work, self.file, counts).await?;
        work.commit().await
    }

    async fn take(&self, work: &mut UnitOfWork, lines: &[Line]) -> Result<FileLines, StoreError> {
        let now = self.app.clock.now();
        let guide = Guide::load(work, self.source, self.rules, now, lines).await?;
        let mut counts = FileLines {
            done: lines.len() as i64,
            ..FileLines::default()
        };
        let mut rejects = Vec::new();
        for line in lines {
            let outcome = match &line.outcome {
                Ok(Mediated::NotCharged) => {
                    counts.not_charged += 1;
                    continue;
                }
                _ if guide.rejected.contains(&(line.identity.hash, line.content)) => {
                    counts.duplicates += 1;
                    continue;
                }
                Ok(Mediated::Metered(metered)) => {
                    guide.guide(metered, line.identity, Some(self.origin(line)))
                }
                Err(reason) => Err(reason.clone()),
            };
            match outcome {
                Ok(usage) => {
                    counts.accepted += 1;
                    work.emit(usage_event(self.app, self.context, now, &usage)?);
                }
                Err(reason) => rejects.push(self.reject(line, &reason, now)),
            }
        }
        let written = usage_reject::insert(work, &rejects).await?.len() as i64;
        counts.rejected += written;
        counts.duplicates += rejects.len() as i64 - written;
        Ok(counts)
    }

    fn origin(&self, line: &Line) -> FileLine {
        FileLine {
            file: self.file,
            line: line.number,
        }
    }

    fn reject(&self, line: &Line, reason: &RejectReason, now: Instant) -> UsageReject {
        UsageReject {
            id: self.app.ids.new_shared_id::<bss_domain::ids::UsageId>(now).uuid(),
            source: self.source.name.clone(),
            format: self.source.format,
            origin: Some(self.origin(line)),
            identity: line.identity,
            content: line.content,
            raw: line.raw.clone(),
            mended: None,
            code: reason.code().to_owned(),
            reason: reason.to_string(),
            state: UsageState::Rejected,
            usage_id: None,
            created_at: now,
        }
    }
}

/// Makes the days' partitions before the first record of a day comes in.
async fn ensure_days(
    app: &App,
    context: &RequestContext,
    rules: &UsageImport,
    lines: &[Line],
) -> Result<(), AppError> {
    let held = held(rules, app.clock.now());
    let days: BTreeSet<_> = lines
        .iter()
        .filter_map(|line| match &line.outcome {
            Ok(Mediated::Metered(metered)) if held.contains(metered.started) => {
                Some(usage_record::day_of(metered.started))
            }
            _ => None,
        })
        .collect();
    if days.is_empty() {
        return Ok(());
    }
    let work = app.store.begin(context.scope()).await?;
    usage_record::ensure_days(&work, &days).await?;
    Ok(work.commit().await?)
}

/// The starts that are taken: up to now, and not before the days that are held.
pub fn held(rules: &UsageImport, now: Instant) -> Interval {
    let days_s = i64::from(rules.held_days) * 86_400;
    let from = Instant::from_second(now.as_second() - days_s).unwrap_or(Instant::MIN);
    Interval {
        from,
        to: Instant::MAX,
    }
}

/// What guides records to their owners: looked up once for a batch.
pub struct Guide<'a> {
    source: &'a str,
    now: Instant,
    held: Interval,
    owners: HashMap<(&'a str, Instant), Owner>,
    first_slots: HashMap<RecordHash, Slot>,
    /// Records that were rejected before.
    pub rejected: HashSet<(RecordHash, RecordHash)>,
}

impl<'a> Guide<'a> {
    async fn load(
        session: &Session,
        source: &'a UsageSource,
        rules: &UsageImport,
        now: Instant,
        lines: &'a [Line],
    ) -> Result<Self, StoreError> {
        let mut identities = Vec::with_capacity(lines.len());
        let mut records = Vec::with_capacity(lines.len());
        for line in lines {
            identities.push((line.identity.hash, line.content));
            if let Ok(Mediated::Metered(metered)) = &line.outcome {
                records.push(metered);
            }
        }
        let hashes: Vec<RecordHash> = identities.iter().map(|(hash, _)| *hash).collect();
        Ok(Self {
            source: &source.name,
            now,
            held: held(rules, now),
            owners: owners(session, &records).await?,
            first_slots: usage_key::slots(session, &source.name, &hashes).await?,
            rejected: usage_reject::known(session, &source.name, &identities).await?,
        })
    }

    /// The guide of one record, whatever was rejected before.
    pub async fn of_one(
        session: &Session,
        source: &'a str,
        rules: &UsageImport,
        now: Instant,
        (metered, hash): (&'a Metered, RecordHash),
    ) -> Result<Self, StoreError> {
        Ok(Self {
            source,
            now,
            held: held(rules, now),
            owners: owners(session, &[metered]).await?,
            first_slots: usage_key::slots(session, source, &[hash]).await?,
            rejected: HashSet::new(),
        })
    }

    /// Guides a record to its owner, in the slot of its first answer.
    pub fn guide(
        &self,
        metered: &Metered,
        identity: Identity,
        origin: Option<FileLine>,
    ) -> Result<Usage, RejectReason> {
        metered.check_start(self.now, self.held)?;
        let owner = |number: &str| self.owners.get(&(number, metered.started)).copied();
        let subject =
            subject(owner(&metered.calling), owner(&metered.called)).ok_or(RejectReason::UnknownNumber)?;
        let first = self.first_slots.get(&identity.hash);
        let slot = first.copied().unwrap_or_else(|| subject.1.customer.slot());
        Ok(Usage::guide(
            self.source,
            metered.clone(),
            identity,
            slot,
            subject,
            origin,
        ))
    }
}

/// The owners of the records' calling numbers, and of the called ones where nobody had the calling one.
async fn owners<'a>(
    session: &Session,
    records: &[&'a Metered],
) -> Result<HashMap<(&'a str, Instant), Owner>, StoreError> {
    let mut owners = HashMap::with_capacity(records.len());
    let calling: Vec<_> = records
        .iter()
        .map(|record| (record.calling.as_str(), record.started))
        .collect();
    add_owners(session, &calling, &mut owners).await?;
    let called: Vec<_> = records
        .iter()
        .filter(|record| !owners.contains_key(&(record.calling.as_str(), record.started)))
        .map(|record| (record.called.as_str(), record.started))
        .collect();
    add_owners(session, &called, &mut owners).await?;
    Ok(owners)
}

async fn add_owners<'a>(
    session: &Session,
    questions: &[(&'a str, Instant)],
    owners: &mut HashMap<(&'a str, Instant), Owner>,
) -> Result<(), StoreError> {
    let answers = usage_owner::at(session, questions).await?;
    owners.extend(
        questions
            .iter()
            .zip(answers)
            .filter_map(|(question, answer)| Some((*question, answer?))),
    );
    Ok(())
}

/// The event that brings a record to charging.
pub fn usage_event(
    app: &App,
    context: &RequestContext,
    now: Instant,
    usage: &Usage,
) -> Result<NewEvent, StoreError> {
    let data = EventData::usage(usage).map_err(|error| StoreError::Corrupt {
        what: format!("usage {}", usage.id),
        detail: error.to_string(),
    })?;
    let mut event = app.event(
        context,
        now,
        (Topic::Usage, KIND),
        (usage.owner.customer.uuid(), usage.id.uuid()),
        data,
    );
    // A record whose number changed hands stays in the partition of its id, where its duplicates go too.
    event.slot = usage.id.slot();
    Ok(event)
}
