use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bss_events::{EventLog, Extent, Topic};
use bss_store::event_log::group::{self, Lease, Membership};
use bss_store::event_log::parked;
use bss_store::{Store, StoreError};
use rand::RngExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::joint::joint_batch;
use super::lane::{Context, Cursor, Lane, LaneEnd};
use super::metrics::count;
use super::{Application, StreamMetrics};

/// How a process takes part in its groups. All times are real.
#[derive(Debug, Clone)]
pub struct RuntimeConfig {
    /// After so long without a sign of life a worker's partitions are taken over.
    pub lease: Duration,
    /// How often leases are renewed and shared out.
    pub tend: Duration,
    /// How often the log is looked at while events come; appends of this process are heard of at once.
    pub poll: Duration,
    /// How often it is looked at when nothing comes.
    pub poll_idle: Duration,
    /// How many partitions of a group are worked on at once.
    pub concurrency: usize,
    /// How long a stop waits for batches under way; what isn't committed then is undone.
    pub drain: Duration,
}

impl Default for RuntimeConfig {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(5),
            tend: Duration::from_secs(1),
            poll: Duration::from_millis(10),
            poll_idle: Duration::from_millis(250),
            concurrency: 4,
            drain: Duration::from_secs(8),
        }
    }
}

/// Why an application stopped.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// It gave up.
    #[error("{group} gave up: {reason}")]
    Fatal {
        /// The group.
        group: String,
        /// Why.
        reason: String,
    },
    /// It could not start.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Extents are asked for no more often than this, however many appends are heard of.
const LOOK_GAP: Duration = Duration::from_millis(2);
/// And no more seldom while there is work, so that a lane with a long backlog doesn't hide the others' new events.
const LOOK_MOST: Duration = Duration::from_millis(50);
/// How long a lane rests whose records are missing or unreadable: only an operator can help.
const STUCK_REST: Duration = Duration::from_secs(5);

/// Runs applications over an event log.
#[derive(Clone)]
pub struct Runtime {
    store: Store,
    log: Arc<dyn EventLog>,
    config: RuntimeConfig,
    metrics: StreamMetrics,
}

impl Runtime {
    /// A runtime over the database's own log.
    pub fn new(store: Store, config: RuntimeConfig) -> Self {
        let log = Arc::new(store.log());
        Self::over(store, log, config)
    }

    /// A runtime over another log.
    pub fn over(store: Store, log: Arc<dyn EventLog>, config: RuntimeConfig) -> Self {
        Self {
            store,
            log,
            config,
            metrics: StreamMetrics::default(),
        }
    }

    /// The counts of all applications that run here.
    pub fn metrics(&self) -> &StreamMetrics {
        &self.metrics
    }

    /// Runs an application until it is told to stop or gives up. A stop waits for the batches under way and gives
    /// the leases back; dropped instead, the leases end by themselves.
    pub async fn run(&self, app: Arc<dyn Application>, stop: CancellationToken) -> Result<(), RuntimeError> {
        let membership = Membership {
            group: app.group().to_owned(),
            topics: app.topics().to_vec(),
            worker: format!("{}-{:016x}", std::process::id(), rand::rng().random::<u64>()),
            lease: self.config.lease,
        };
        let context = Context {
            store: self.store.clone(),
            log: Arc::clone(&self.log),
            metrics: self.metrics.group(&membership.group),
            app,
        };
        let mut worker = Worker {
            config: self.config.clone(),
            membership,
            context,
            epochs: HashMap::new(),
            idle: BTreeMap::new(),
            turns: JoinSet::new(),
            last_started: 0,
            positions: HashMap::new(),
            looked: None,
        };
        worker.run(&stop).await
    }
}

/// A lane after its turn.
type Turned = (Lane, Result<(), LaneEnd>);

/// The topic in which another group goes first, and how far that is, by partition.
type Leader = Option<(Topic, HashMap<u16, i64>)>;

struct Worker {
    config: RuntimeConfig,
    membership: Membership,
    context: Context,
    /// The leases held, by partition.
    epochs: HashMap<u16, i64>,
    /// Lanes that nobody works on now.
    idle: BTreeMap<u16, Lane>,
    turns: JoinSet<Vec<Turned>>,
    last_started: u16,
    /// Where the lanes stood when they were last idle: for the lag.
    positions: HashMap<(Topic, u16), i64>,
    looked: Option<Instant>,
}

impl Worker {
    async fn run(&mut self, stop: &CancellationToken) -> Result<(), RuntimeError> {
        let mut tick = tokio::time::interval(self.config.tend);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut appends = self.context.log.appends();
        let mut wait = self.config.poll;
        let mut joined = false;
        let outcome = loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break Ok(()),
                _ = tick.tick() => joined = self.keep(joined).await,
                Some(done) = self.turns.join_next(), if !self.turns.is_empty() => {
                    if let Err(error) = self.settle(done) {
                        break Err(error);
                    }
                }
                () = appends.wait(wait) => {}
            }
            let stale = self
                .looked
                .is_none_or(|at| at.elapsed() > LOOK_MOST.max(self.context.app.pace()));
            if stale || !self.start_ready() {
                self.look().await;
                self.start_ready();
            }
            let busy = !self.turns.is_empty();
            wait = if busy {
                self.config.poll
            } else {
                (wait * 3 / 2).min(self.config.poll_idle)
            };
        };
        self.drain().await;
        outcome
    }

    /// Tends the leases. The database may be away, even at the start: then the next tick tries again.
    async fn keep(&mut self, joined: bool) -> bool {
        let kept = async {
            if !joined {
                group::join(&self.context.store, &self.membership).await?;
            }
            self.tend().await
        };
        if let Err(error) = kept.await {
            tracing::warn!(group = self.membership.group, %error, "leases can't be tended; trying again");
            return joined;
        }
        true
    }

    async fn tend(&mut self) -> Result<(), StoreError> {
        let tended = group::tend(&self.context.store, &self.membership).await?;
        let held: HashMap<u16, i64> = tended
            .leases
            .iter()
            .map(|lease| (lease.partition, lease.epoch))
            .collect();
        self.idle
            .retain(|partition, lane| held.get(partition) == Some(&lane.epoch));
        self.epochs
            .retain(|partition, epoch| held.get(partition) == Some(epoch));
        let given = self
            .give_up_excess(tended.leases.len().saturating_sub(tended.share))
            .await?;
        let new: Vec<Lease> = tended
            .leases
            .into_iter()
            .filter(|lease| !self.epochs.contains_key(&lease.partition) && !given.contains(&lease.partition))
            .collect();
        self.adopt(&new).await?;
        let gauge = &self.context.metrics.partitions;
        gauge.store(self.epochs.len() as u64, Ordering::Relaxed);
        for (tenant, key) in parked::wanted_keys(&self.context.store, &self.membership.group).await? {
            if let Some(lane) = self.idle.get_mut(&key.partition) {
                lane.cursors
                    .iter_mut()
                    .filter(|cursor| cursor.topic == key.topic)
                    .for_each(|cursor| {
                        cursor.held.insert(key.key);
                    });
                if !lane.wanted.contains(&(tenant, key)) {
                    lane.wanted.push((tenant, key));
                }
            }
        }
        Ok(())
    }

    /// Gives partitions that nobody works on now to workers that have less.
    async fn give_up_excess(&mut self, excess: usize) -> Result<Vec<u16>, StoreError> {
        let given: Vec<u16> = self.idle.keys().rev().take(excess).copied().collect();
        if given.is_empty() {
            return Ok(given);
        }
        for partition in &given {
            self.idle.remove(partition);
            self.epochs.remove(partition);
        }
        group::release(&self.context.store, &self.membership, &given).await?;
        Ok(given)
    }

    /// Takes up leases that are new, or whose lane was lost, where they stand in the database.
    async fn adopt(&mut self, leases: &[Lease]) -> Result<(), StoreError> {
        if leases.is_empty() {
            return Ok(());
        }
        let partitions: Vec<u16> = leases.iter().map(|lease| lease.partition).collect();
        let (store, group, topics) = (
            &self.context.store,
            &self.membership.group,
            &self.membership.topics,
        );
        let positions = group::positions(store, group, topics, &partitions).await?;
        let held = parked::held_keys(store, group, &partitions).await?;
        for lease in leases {
            let mut cursors = Vec::new();
            for place in positions
                .iter()
                .filter(|place| place.partition == lease.partition)
            {
                let mut cursor = Cursor::new(place.topic, place.position);
                let of_cursor = held
                    .iter()
                    .filter(|key| key.partition == lease.partition && key.topic == place.topic);
                cursor.held.extend(of_cursor.map(|key| key.key));
                cursors.push(cursor);
            }
            cursors.sort_by_key(|cursor| cursor.topic);
            self.epochs.insert(lease.partition, lease.epoch);
            self.idle
                .insert(lease.partition, Lane::new(lease.partition, lease.epoch, cursors));
        }
        self.looked = None;
        Ok(())
    }

    /// Starts turns of lanes that have something to do, round robin; whether every place is taken or some were
    /// started.
    fn start_ready(&mut self) -> bool {
        let places = self.config.concurrency.max(1);
        let mut started = false;
        while self.turns.len() < places {
            let lanes = self.next_lanes(places - self.turns.len());
            let Some(last) = lanes.last() else {
                return started;
            };
            self.last_started = last.partition;
            let context = self.context.clone();
            self.turns.spawn(turn(context, lanes));
            started = true;
        }
        true
    }

    /// The lanes of the next turn: one, or several that may go together and whose records are one batch. Who waits for
    /// others anyway takes all that are there; the rest spread over the places that are free.
    fn next_lanes(&mut self, free: usize) -> Vec<Lane> {
        let now = Instant::now();
        let ready = |(partition, lane): (&u16, &Lane)| lane.is_ready(now).then_some(*partition);
        let in_turn = self.idle.range(self.last_started + 1..);
        let ready: Vec<u16> = in_turn
            .chain(self.idle.range(..=self.last_started))
            .filter_map(ready)
            .collect();
        let app = &self.context.app;
        let most = match (app.joins_partitions(), app.pace().is_zero()) {
            (false, _) => 1,
            (true, true) => ready.len().div_ceil(free),
            (true, false) => ready.len(),
        };
        let mut room = i64::try_from(app.batch()).unwrap_or(i64::MAX);
        let mut lanes: Vec<Lane> = Vec::new();
        for partition in ready.into_iter().take(most) {
            let Some(lane) = self.idle.get(&partition) else {
                continue;
            };
            let fits = lane.is_easy() && lane.lag() <= room;
            if !lanes.is_empty() && !fits {
                break;
            }
            room -= lane.lag();
            let alone = !fits;
            lanes.extend(self.idle.remove(&partition));
            if alone {
                break;
            }
        }
        lanes
    }

    /// Looks how far the log has grown.
    async fn look(&mut self) {
        let gap = LOOK_GAP.max(self.context.app.pace());
        if let Some(early) = self.looked.and_then(|at| gap.checked_sub(at.elapsed())) {
            tokio::time::sleep(early).await;
        }
        self.looked = Some(Instant::now());
        let extents = match self.context.log.extents(&self.membership.topics).await {
            Ok(extents) => extents,
            Err(error) => {
                tracing::warn!(group = self.membership.group, %error, "the event log can't be looked at");
                return;
            }
        };
        let of: HashMap<(Topic, u16), Extent> = extents
            .into_iter()
            .map(|extent| ((extent.topic, extent.partition), extent))
            .collect();
        let Some(leader) = self.leader().await else { return };
        for lane in self.idle.values_mut() {
            for cursor in &mut lane.cursors {
                let place = (cursor.topic, lane.partition);
                if let Some(extent) = of.get(&place) {
                    let reached = match &leader {
                        Some((topic, reached)) if *topic == cursor.topic => {
                            reached.get(&lane.partition).copied().unwrap_or(0)
                        }
                        _ => extent.head,
                    };
                    (cursor.head, cursor.tail) = (extent.head.min(reached), extent.tail);
                }
                self.positions.insert(place, cursor.position);
            }
        }
        for topic in &self.membership.topics {
            let lag_of = |partition: &u16| {
                let place = (*topic, *partition);
                Some((of.get(&place)?.head - self.positions.get(&place)?).max(0))
            };
            let lag: i64 = self.epochs.keys().filter_map(lag_of).sum();
            let gauge = &self.context.metrics.topic(*topic).lag;
            gauge.store(lag, Ordering::Relaxed);
        }
    }

    /// How far the group is that this one follows; none where that can't be told now.
    async fn leader(&self) -> Option<Leader> {
        let Some(follows) = self.context.app.follows() else {
            return Some(None);
        };
        let partitions: Vec<u16> = self.epochs.keys().copied().collect();
        let topics = [follows.topic];
        match group::positions(&self.context.store, follows.group, &topics, &partitions).await {
            Ok(places) => {
                let reached = places.iter().map(|place| (place.partition, place.position));
                Some(Some((follows.topic, reached.collect())))
            }
            Err(error) => {
                tracing::warn!(group = self.membership.group, %error, "the group that goes first can't be looked at");
                None
            }
        }
    }

    fn settle(&mut self, done: Result<Vec<Turned>, tokio::task::JoinError>) -> Result<(), RuntimeError> {
        match done {
            Ok(turned) => turned.into_iter().try_for_each(|turned| self.take_back(turned)),
            Err(error) => {
                tracing::error!(group = self.membership.group, %error, "a turn broke off");
                // Its lanes are lost with it; all leases are taken up anew where they stand.
                self.epochs
                    .retain(|partition, _| self.idle.contains_key(partition));
                Ok(())
            }
        }
    }

    fn take_back(&mut self, (mut lane, outcome): Turned) -> Result<(), RuntimeError> {
        match outcome {
            Ok(()) => {}
            Err(LaneEnd::Fenced) => {
                tracing::warn!(
                    group = self.membership.group,
                    partition = lane.partition,
                    "lost the lease"
                );
                count(&self.context.metrics.fenced, 1);
                // Where the lease is still ours, the next tending takes it up where it stands.
                self.epochs.remove(&lane.partition);
                return Ok(());
            }
            Err(LaneEnd::Stuck(error)) => {
                tracing::error!(group = self.membership.group, %error, "a partition can't go on");
                lane.rest(STUCK_REST);
            }
            Err(LaneEnd::Fatal(reason)) => {
                return Err(RuntimeError::Fatal {
                    group: self.membership.group.clone(),
                    reason,
                });
            }
        }
        if self.epochs.get(&lane.partition) == Some(&lane.epoch) {
            self.idle.insert(lane.partition, lane);
        }
        Ok(())
    }

    async fn drain(&mut self) {
        let all = async { while self.turns.join_next().await.is_some() {} };
        if tokio::time::timeout(self.config.drain, all).await.is_err() {
            tracing::warn!(
                group = self.membership.group,
                turns = self.turns.len(),
                "undoing what isn't done"
            );
        }
        self.turns.shutdown().await;
        if let Err(error) = group::leave(&self.context.store, &self.membership).await {
            tracing::warn!(group = self.membership.group, %error, "leases can't be given back; they end by themselves");
        }
    }
}

/// A turn of one lane, or of several: together as long as that goes well, else one after another.
async fn turn(context: Context, mut lanes: Vec<Lane>) -> Vec<Turned> {
    if lanes.len() > 1 && joint_batch(&mut lanes, &context).await {
        return lanes.into_iter().map(|lane| (lane, Ok(()))).collect();
    }
    let mut turned = Vec::with_capacity(lanes.len());
    for mut lane in lanes {
        let outcome = lane.turn(&context).await;
        turned.push((lane, outcome));
    }
    turned
}
