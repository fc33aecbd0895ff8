use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};

use bss_domain::ids::TenantId;
use bss_events::{AppendSignal, NewEvent, Topic};
use deadpool_postgres::Object;
use futures::FutureExt;
use futures::future::{Either, join, join4, ready};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use crate::event_log;
use crate::{Store, StoreError};

/// Whose rows a session sees and in whose name it writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The tenant.
    pub tenant: TenantId,
    /// The subject of the token, or the name of the stream or command: stored with every write.
    pub actor: String,
}

impl Scope {
    /// A scope.
    pub fn new(tenant: TenantId, actor: impl Into<String>) -> Self {
        Self {
            tenant,
            actor: actor.into(),
        }
    }
}

/// One transaction of one tenant. It begins with its first statement, in one trip with it. Dropped without an end it
/// takes its connection with it, so that no half-done transaction ever comes back into the pool.
pub struct Session {
    connection: Option<Object>,
    scope: Scope,
    begin: &'static str,
    begun: AtomicBool,
    /// A statement failed: the server undoes the transaction whatever is asked of it, and COMMIT would say nothing.
    failed: AtomicBool,
}

impl Session {
    /// A transaction to come, which `begin` begins.
    pub(crate) fn new(connection: Object, scope: Scope, begin: &'static str) -> Self {
        Self {
            connection: Some(connection),
            scope,
            begin,
            begun: AtomicBool::new(false),
            failed: AtomicBool::new(false),
        }
    }

    /// The tenant.
    pub fn tenant(&self) -> TenantId {
        self.scope.tenant
    }

    /// In whose name it writes.
    pub fn actor(&self) -> &str {
        &self.scope.actor
    }

    /// Runs a query with a cached prepared statement.
    pub(crate) async fn query(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let statement = self.prepare(sql).await?;
        self.send(self.client().query(&statement, params)).await
    }

    /// Runs a query that yields one row at most.
    pub(crate) async fn query_opt(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, StoreError> {
        let statement = self.prepare(sql).await?;
        self.send(self.client().query_opt(&statement, params)).await
    }

    /// Runs a query that yields exactly one row.
    pub(crate) async fn query_one(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Row, StoreError> {
        let statement = self.prepare(sql).await?;
        self.send(self.client().query_one(&statement, params)).await
    }

    /// Runs a statement and tells how many rows it touched.
    pub(crate) async fn execute(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<u64, StoreError> {
        let statement = self.prepare(sql).await?;
        self.send(self.client().execute(&statement, params)).await
    }

    /// Sends a statement, behind what begins the transaction where it is the first one: both go out in one trip.
    pub(crate) async fn send<T>(
        &self,
        statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        let (begun, outcome) = join(self.opening().await?, statement).await;
        begun?;
        self.noting(outcome)
    }

    /// What begins the transaction, or nothing where it has begun. The future has to be polled before the statement's
    /// own, and at once: messages go out in that order.
    async fn opening(&self) -> Result<impl Future<Output = Result<(), StoreError>>, StoreError> {
        const SET_SCOPE: &str =
            "SELECT set_config('bss.tenant', $1, true), set_config('bss.actor', $2, true)";
        if self.begun.load(Ordering::Relaxed) {
            return Ok(Either::Left(ready(Ok(()))));
        }
        let set_scope = self.prepare(SET_SCOPE).await?;
        // Nothing is awaited between here and the first poll, so of two statements at once the first begins.
        if self.begun.swap(true, Ordering::Relaxed) {
            return Ok(Either::Left(ready(Ok(()))));
        }
        let client = self.client();
        let tenant = self.scope.tenant.to_string();
        Ok(Either::Right(async move {
            let params: [&(dyn ToSql + Sync); 2] = [&tenant, &self.scope.actor];
            let (begun, set) = join(
                client.batch_execute(self.begin),
                client.query_one(&set_scope, &params),
            )
            .await;
            self.noting(begun.and(set).map(drop))
        }))
    }

    /// Ends a session that only read. Nobody waits for the end: whoever has the connection next is behind it.
    pub fn finish(mut self) -> Result<(), StoreError> {
        self.check_whole()?;
        if self.begun.load(Ordering::Relaxed) {
            let _ = self.client().batch_execute("COMMIT").now_or_never();
        }
        self.connection.take();
        Ok(())
    }

    /// The connection, for what [`Session::send`] sends.
    pub(crate) fn client(&self) -> &Client {
        // The connection is there until `end` takes it, and `end` is called by value alone.
        self.connection
            .as_ref()
            .expect("an open session has its connection")
    }

    pub(crate) async fn prepare(&self, sql: &str) -> Result<Statement, StoreError> {
        let connection = self
            .connection
            .as_ref()
            .expect("an open session has its connection"); // see `client`
        let prepared = connection.prepare_cached(sql).await;
        self.noting(prepared)
    }

    fn noting<T>(&self, outcome: Result<T, tokio_postgres::Error>) -> Result<T, StoreError> {
        outcome.map_err(|error| {
            self.failed.store(true, Ordering::Relaxed);
            StoreError::naming_constraints(error)
        })
    }

    /// A transaction with a failed statement can only be undone.
    fn check_whole(&self) -> Result<(), StoreError> {
        if self.failed.load(Ordering::Relaxed) {
            return Err(StoreError::Undone);
        }
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && self.begun.load(Ordering::Relaxed)
        {
            // Taken out of the pool, it is closed: the server rolls back.
            drop(Object::take(connection));
        }
    }
}

/// A session that writes: its state and its events are committed together or not at all.
pub struct UnitOfWork {
    session: Session,
    events: Vec<NewEvent>,
    signal: AppendSignal,
    savepoints: u32,
}

/// A point within a unit of work that it can go back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Savepoint {
    number: u32,
    events: usize,
}

/// A step of a consumer group in one partition, made in the name of a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    /// The group.
    pub group: String,
    /// The topic.
    pub topic: Topic,
    /// The partition.
    pub partition: u16,
    /// The lease's epoch.
    pub epoch: i64,
    /// The position that was read from.
    pub from: i64,
    /// The last position that was consumed; equal to `from` where a parked event was processed.
    pub to: i64,
}

const ADVANCE: &str = "\
    SELECT bss_advance($1, step.topic, step.partition, step.epoch, step.behind, step.ahead) \
    FROM unnest($2::smallint[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[]) \
         AS step (topic, partition, epoch, behind, ahead)";

impl UnitOfWork {
    pub(crate) fn new(session: Session, store: &Store) -> Self {
        Self {
            session,
            events: Vec::new(),
            signal: store.appended(),
            savepoints: 0,
        }
    }

    /// Notes an event that the commit appends to the log.
    pub fn emit(&mut self, event: NewEvent) {
        self.events.push(event);
    }

    /// The events noted so far.
    pub fn noted(&self) -> &[NewEvent] {
        &self.events
    }

    /// Goes on with another tenant's rows in the same transaction: a batch of the log may hold several tenants'
    /// events.
    pub async fn enter(&mut self, tenant: TenantId) -> Result<(), StoreError> {
        if tenant == self.session.scope.tenant {
            return Ok(());
        }
        if self.session.begun.load(Ordering::Relaxed) {
            let set = "SELECT set_config('bss.tenant', $1, true)";
            self.session.query_one(set, &[&tenant.to_string()]).await?;
        }
        self.session.scope.tenant = tenant;
        Ok(())
    }

    /// Marks a point to go back to, where a statement that follows may fail.
    pub async fn savepoint(&mut self) -> Result<Savepoint, StoreError> {
        self.savepoints += 1;
        let point = Savepoint {
            number: self.savepoints,
            events: self.events.len(),
        };
        let sql = format!("SAVEPOINT s{}", point.number);
        self.session
            .send(self.session.client().batch_execute(&sql))
            .await?;
        Ok(point)
    }

    /// Undoes what was written and emitted since the savepoint; it may be used again.
    pub async fn rollback_to(&mut self, point: Savepoint) -> Result<(), StoreError> {
        let sql = format!("ROLLBACK TO SAVEPOINT s{}", point.number);
        self.session.client().batch_execute(&sql).await?;
        self.session.failed.store(false, Ordering::Relaxed);
        self.events.truncate(point.events);
        Ok(())
    }

    /// Appends the events as the last statement and commits. A transaction in which a statement failed is not
    /// committed, even where the caller went on.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.finish(&[]).await
    }

    /// Commits what a group's batch has caused together with the positions it has reached, or nothing:
    /// [`StoreError::Fenced`] where a lease was taken or a position moved by somebody else.
    pub async fn commit_at(self, steps: &[Advance]) -> Result<(), StoreError> {
        self.finish(steps).await
    }

    /// Undoes everything and gives the connection back.
    pub async fn rollback(mut self) -> Result<(), StoreError> {
        if self.session.begun.load(Ordering::Relaxed) {
            self.session.client().batch_execute("ROLLBACK").await?;
        }
        self.session.connection.take();
        Ok(())
    }

    /// Position, events and COMMIT go out in one trip. COMMIT says nothing of a statement that failed before it (the
    /// server has undone everything then), so each one's own answer counts.
    async fn finish(mut self, steps: &[Advance]) -> Result<(), StoreError> {
        self.session.check_whole()?;
        let append = event_log::Append::of(&self.session, &self.events).await?;
        let advance = match steps {
            [] => None,
            _ => Some(self.session.prepare(ADVANCE).await?),
        };
        if advance.is_none() && append.is_none() && !self.session.begun.load(Ordering::Relaxed) {
            self.session.connection.take();
            return Ok(());
        }
        let opening = self.session.opening().await?;
        let client = self.session.client();
        let advanced = match &advance {
            Some(statement) => Either::Left(move_positions(client, statement, steps)),
            None => Either::Right(ready(Ok(()))),
        };
        let appended = match &append {
            Some(append) => Either::Left(append.run(client)),
            None => Either::Right(ready(Ok(()))),
        };
        let commit = client.batch_execute("COMMIT");
        let (begun, advanced, appended, committed) = join4(opening, advanced, appended, commit).await;
        begun?;
        advanced?;
        appended?;
        committed.map_err(StoreError::naming_constraints)?;
        self.session.connection.take();
        if append.is_some() {
            self.signal.notify();
        }
        Ok(())
    }
}

async fn move_positions(client: &Client, statement: &Statement, steps: &[Advance]) -> Result<(), StoreError> {
    let topics: Vec<i16> = steps.iter().map(|step| step.topic.sql()).collect();
    let partitions: Vec<i16> = steps.iter().map(|step| step.partition as i16).collect();
    let epochs: Vec<i64> = steps.iter().map(|step| step.epoch).collect();
    let behind: Vec<i64> = steps.iter().map(|step| step.from).collect();
    let ahead: Vec<i64> = steps.iter().map(|step| step.to).collect();
    let group = steps.first().map_or("", |step| &step.group);
    let params: [&(dyn ToSql + Sync); 6] = [&group, &topics, &partitions, &epochs, &behind, &ahead];
    match client.execute(statement, &params).await {
        Ok(_) => Ok(()),
        Err(error) if error.code().is_some_and(|code| code.code() == "BSS01") => Err(StoreError::Fenced(
            format!("{group} {topics:?} partitions {partitions:?}"),
        )),
        Err(error) => Err(StoreError::naming_constraints(error)),
    }
}

impl Deref for UnitOfWork {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}
