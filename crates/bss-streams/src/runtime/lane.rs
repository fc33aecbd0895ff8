use std::collections::{BTreeMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bss_domain::ids::TenantId;
use bss_events::{EventLog, LogError, Record, Topic, admit};
use bss_store::event_log::parked::{self, ParkedKey};
use bss_store::{Advance, Scope, Store};
use futures::FutureExt;
use rand::RngExt;
use tracing::Instrument;
use uuid::Uuid;

use super::metrics::{GroupMetrics, count};
use super::split::{Split, Verdict, split};
use super::{Application, Batch, ProcessError};

/// After so many batches of a topic a lane lets others have its place.
const BATCHES_PER_TURN: usize = 8;
/// A span with more links than this tells nobody anything.
const LINKS_MAX: usize = 32;
/// The first pause after a failure; each further one is twice as long.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_MOST: Duration = Duration::from_secs(5);

/// What a lane works with.
#[derive(Clone)]
pub(super) struct Context {
    pub store: Store,
    pub log: Arc<dyn EventLog>,
    pub app: Arc<dyn Application>,
    pub metrics: Arc<GroupMetrics>,
}

/// Why a lane can't go on by itself.
#[derive(Debug)]
pub(super) enum LaneEnd {
    /// Another worker holds it, or the position was moved.
    Fenced,
    /// Records are missing or unreadable.
    Stuck(LogError),
    /// The application gave up.
    Fatal(String),
}

/// One topic of a lane.
#[derive(Debug)]
pub(super) struct Cursor {
    pub topic: Topic,
    pub position: i64,
    pub head: i64,
    pub tail: i64,
    pub held: HashSet<Uuid>,
    /// The most records of the next batch: halved when a batch fails for an unknown record, doubled when one goes.
    limit: usize,
    failures: BTreeMap<i64, u32>,
    verdicts: BTreeMap<i64, Verdict>,
}

impl Cursor {
    pub(super) fn new(topic: Topic, position: i64) -> Self {
        Self {
            topic,
            position,
            head: position,
            tail: 0,
            held: HashSet::new(),
            limit: usize::MAX,
            failures: BTreeMap::new(),
            verdicts: BTreeMap::new(),
        }
    }

    pub(super) fn verdicts(&self) -> &BTreeMap<i64, Verdict> {
        &self.verdicts
    }

    pub(super) fn lag(&self) -> i64 {
        (self.head - self.position).max(0)
    }

    /// Counts a failure of one record; whether it had all its attempts.
    fn blame(&mut self, position: i64, reason: String, attempts: u32) -> bool {
        let failures = self.failures.entry(position).or_insert(0);
        *failures += 1;
        let spent = *failures >= attempts;
        if spent {
            let verdict = Verdict {
                reason,
                attempts: *failures,
            };
            self.verdicts.insert(position, verdict);
        }
        spent
    }

    /// The batch is committed up to here.
    pub(super) fn moved(&mut self, to: i64, records: usize, most: usize) {
        self.position = to;
        self.failures = self.failures.split_off(&(to + 1));
        self.verdicts = self.verdicts.split_off(&(to + 1));
        self.limit = records.max(self.limit.min(most)).saturating_mul(2).min(most);
    }
}

/// A leased partition in all the topics of the group.
#[derive(Debug)]
pub(super) struct Lane {
    pub partition: u16,
    pub epoch: i64,
    pub cursors: Vec<Cursor>,
    /// Parked keys that somebody wants to be tried again.
    pub wanted: Vec<(TenantId, ParkedKey)>,
    not_before: Option<Instant>,
    failed_in_a_row: u32,
}

impl Lane {
    pub(super) fn new(partition: u16, epoch: i64, cursors: Vec<Cursor>) -> Self {
        Self {
            partition,
            epoch,
            cursors,
            wanted: Vec::new(),
            not_before: None,
            failed_in_a_row: 0,
        }
    }

    pub(super) fn lag(&self) -> i64 {
        self.cursors.iter().map(Cursor::lag).sum()
    }

    /// Whether there is something to do, and no pause.
    pub(super) fn is_ready(&self, now: Instant) -> bool {
        self.not_before.is_none_or(|at| at <= now) && (self.lag() > 0 || !self.wanted.is_empty())
    }

    /// Whether it may go together with others: nothing has failed, and nothing is asked of it but to go on.
    pub(super) fn is_easy(&self) -> bool {
        let easy = |cursor: &Cursor| cursor.failures.is_empty() && cursor.position >= cursor.tail;
        self.wanted.is_empty() && self.failed_in_a_row == 0 && self.cursors.iter().all(easy)
    }

    /// Pauses the longer, the more often it failed in a row.
    pub(super) fn pause(&mut self) {
        let doubled = PAUSE_FIRST.saturating_mul(1 << self.failed_in_a_row.min(10));
        let jitter = rand::rng().random_range(0.75..1.25);
        self.failed_in_a_row += 1;
        self.not_before = Some(Instant::now() + doubled.min(PAUSE_MOST).mul_f64(jitter));
    }

    /// Does nothing for a while.
    pub(super) fn rest(&mut self, time: Duration) {
        self.not_before = Some(Instant::now() + time);
    }

    /// One turn: parked keys that are wanted, then some batches of every topic.
    pub(super) async fn turn(&mut self, context: &Context) -> Result<(), LaneEnd> {
        self.not_before = None;
        for (tenant, key) in std::mem::take(&mut self.wanted) {
            self.release(context, tenant, key).await?;
        }
        for index in 0..self.cursors.len() {
            for _ in 0..BATCHES_PER_TURN {
                if self.not_before.is_some() || self.cursors[index].lag() == 0 {
                    break;
                }
                self.one_batch(context, index).await?;
            }
        }
        Ok(())
    }

    async fn one_batch(&mut self, context: &Context, index: usize) -> Result<(), LaneEnd> {
        let most = context.app.batch().max(1);
        let (partition, cursor) = (self.partition, &mut self.cursors[index]);
        let (topic, from) = (cursor.topic, cursor.position);
        if from < cursor.tail {
            return Err(LaneEnd::Stuck(LogError::Lost {
                topic,
                partition,
                expected: from + 1,
                found: cursor.tail + 1,
            }));
        }
        let read = context
            .log
            .read(topic, partition, from, cursor.limit.min(most))
            .await;
        let records = match read.and_then(|records| admit(from, records)) {
            Ok(records) => records,
            Err(LogError::Unavailable(error)) => {
                tracing::warn!(%error, "the event log can't be read; trying again");
                self.pause();
                return Ok(());
            }
            Err(error) => return Err(LaneEnd::Stuck(error)),
        };
        let Some(to) = records.last().map(|record| record.position) else {
            self.pause();
            return Ok(());
        };
        let number = records.len();
        let Split { live, parked } = split(records, &cursor.held, &cursor.verdicts);
        let alone = (live.len() == 1).then(|| live[0].position);
        let batch = Batch {
            store: &context.store,
            steps: vec![self.advance(context, topic, from, to)],
            live,
            parked,
            released: None,
        };
        let outcome = handle(context, &batch).await;
        let counts = context.metrics.topic(topic);
        match outcome {
            Ok(()) => {
                count(&counts.records, number);
                count(&counts.batches, 1);
                count(&counts.parked, batch.parked.len());
                let held = batch.parked.iter().map(|(record, _)| record.event.key);
                let cursor = &mut self.cursors[index];
                cursor.held.extend(held);
                cursor.moved(to, number, most);
                self.failed_in_a_row = 0;
                Ok(())
            }
            Err(error) => {
                count(&counts.retries, 1);
                self.failed(context, index, error, alone, number)
            }
        }
    }

    fn failed(
        &mut self,
        context: &Context,
        index: usize,
        error: ProcessError,
        alone: Option<i64>,
        number: usize,
    ) -> Result<(), LaneEnd> {
        let cursor = &mut self.cursors[index];
        let (topic, partition) = (cursor.topic, self.partition);
        let blamed = match error {
            ProcessError::Poison { position, reason } => Some((position, reason)),
            ProcessError::Broken(reason) if alone.is_some() => alone.map(|position| (position, reason)),
            ProcessError::Broken(reason) => {
                tracing::warn!(%topic, partition, records = number, reason, "a batch failed; trying smaller ones");
                cursor.limit = (number / 2).max(1);
                if number == 1 {
                    self.pause();
                }
                None
            }
            ProcessError::Transient(error) => {
                tracing::warn!(%topic, partition, %error, "a batch failed; trying again");
                self.pause();
                None
            }
            ProcessError::Fenced(_) => return Err(LaneEnd::Fenced),
            ProcessError::Fatal(reason) => return Err(LaneEnd::Fatal(reason)),
        };
        if let Some((position, reason)) = blamed {
            tracing::warn!(%topic, partition, position, reason, "an event failed");
            let attempts = context.app.attempts().max(1);
            if !self.cursors[index].blame(position, reason, attempts) {
                self.pause();
            }
        }
        Ok(())
    }

    /// Processes a key's parked events, the first of which somebody wants to be tried again, in order, until one fails.
    async fn release(&mut self, context: &Context, tenant: TenantId, key: ParkedKey) -> Result<(), LaneEnd> {
        let Some(index) = self.cursors.iter().position(|cursor| cursor.topic == key.topic) else {
            return Ok(());
        };
        loop {
            let at = self.cursors[index].position;
            let advance = self.advance(context, key.topic, at, at);
            match self.release_first(context, tenant, key, advance).await {
                Ok(Released::Next) => count(&context.metrics.topic(key.topic).released, 1),
                Ok(Released::Held) => return Ok(()),
                Ok(Released::All) => {
                    self.cursors[index].held.remove(&key.key);
                    return Ok(());
                }
                Err(ProcessError::Fenced(_)) => return Err(LaneEnd::Fenced),
                Err(ProcessError::Fatal(reason)) => return Err(LaneEnd::Fatal(reason)),
                // The wish stands in the database, and the next look finds it.
                Err(error) => {
                    tracing::warn!(topic = %key.topic, partition = self.partition, %error, "a parked event waits");
                    self.pause();
                    return Ok(());
                }
            }
        }
    }

    async fn release_first(
        &self,
        context: &Context,
        tenant: TenantId,
        key: ParkedKey,
        advance: Advance,
    ) -> Result<Released, ProcessError> {
        let (store, group) = (&context.store, context.app.group());
        let Some(first) = parked::first(store, group, key).await? else {
            let work = store.begin_work(Scope::new(tenant, group)).await?;
            parked::pass_on(&work, group, key).await?;
            work.commit_at(&[advance]).await?;
            return Ok(Released::All);
        };
        if !first.waiting && !first.retry {
            return Ok(Released::Held);
        }
        let batch = Batch {
            store,
            steps: vec![advance],
            live: vec![first.record.clone()],
            parked: Vec::new(),
            released: Some((first.clone(), key)),
        };
        let reason = match handle(context, &batch).await {
            Ok(()) => return Ok(Released::Next),
            Err(ProcessError::Poison { reason, .. } | ProcessError::Broken(reason)) => reason,
            Err(error) => return Err(error),
        };
        let work = store.begin_work(Scope::new(tenant, group)).await?;
        parked::fail(&work, &first, &reason).await?;
        work.commit_at(&batch.steps).await?;
        Ok(Released::Held)
    }

    pub(super) fn advance(&self, context: &Context, topic: Topic, from: i64, to: i64) -> Advance {
        Advance {
            group: context.app.group().to_owned(),
            topic,
            partition: self.partition,
            epoch: self.epoch,
            from,
            to,
        }
    }
}

/// What became of a key's first parked event.
enum Released {
    /// It is processed; the next one's turn.
    Next,
    /// It stays parked, and holds back its key.
    Held,
    /// There is none any more.
    All,
}

/// Gives a batch to the application, within a span that is linked to what caused its records. A panic is the
/// application's failure, not the worker's.
pub(super) async fn handle(context: &Context, batch: &Batch<'_>) -> Result<(), ProcessError> {
    let span = tracing::info_span!(
        parent: None,
        "batch",
        otel.kind = "consumer",
        group = context.app.group(),
        places = batch.places(),
        records = batch.records().len(),
    );
    link(&span, batch.records());
    let handled = AssertUnwindSafe(context.app.handle(batch).instrument(span))
        .catch_unwind()
        .await;
    handled.unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned());
        Err(ProcessError::Broken(format!(
            "panicked: {}",
            text.unwrap_or_default()
        )))
    })
}

fn link(span: &tracing::Span, records: &[Record]) {
    if span.is_disabled() {
        return;
    }
    let mut linked = HashSet::new();
    for parent in records.iter().filter_map(|record| record.event.traceparent) {
        if linked.len() < LINKS_MAX && linked.insert(parent) {
            parent.link(span);
        }
    }
}
