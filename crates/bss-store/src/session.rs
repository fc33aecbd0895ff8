use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};

use bss_domain::ids::TenantId;
use bss_events::{AppendSignal, NewEvent, Topic};
use deadpool_postgres::Object;
use futures::future::{Either, join3, ready};
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

/// One transaction of one tenant. Dropped without an end it takes its connection with it, so that no half-done
/// transaction ever comes back into the pool.
pub struct Session {
    connection: Option<Object>,
    scope: Scope,
    /// A statement failed: the server undoes the transaction whatever is asked of it, and COMMIT would say nothing.
    failed: AtomicBool,
}

impl Session {
    /// Begins a transaction: `mode` is what follows `BEGIN`.
    pub(crate) async fn begin(connection: Object, scope: Scope, mode: &str) -> Result<Self, StoreError> {
        let session = Self {
            connection: Some(connection),
            scope,
            failed: AtomicBool::new(false),
        };
        let setting = format!(
            "BEGIN {mode}; SELECT set_config('bss.tenant', '{}', true), set_config('bss.actor', '{}', true)",
            session.scope.tenant,
            session.scope.actor.replace('\'', "''")
        );
        session.client().batch_execute(&setting).await?;
        Ok(session)
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
        let outcome = self.client().query(&statement, params).await;
        self.noting(outcome)
    }

    /// Runs a query that yields one row at most.
    pub(crate) async fn query_opt(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, StoreError> {
        let statement = self.prepare(sql).await?;
        let outcome = self.client().query_opt(&statement, params).await;
        self.noting(outcome)
    }

    /// Runs a query that yields exactly one row.
    pub(crate) async fn query_one(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Row, StoreError> {
        let statement = self.prepare(sql).await?;
        let outcome = self.client().query_one(&statement, params).await;
        self.noting(outcome)
    }

    /// Runs a statement and tells how many rows it touched.
    pub(crate) async fn execute(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<u64, StoreError> {
        let statement = self.prepare(sql).await?;
        let outcome = self.client().execute(&statement, params).await;
        self.noting(outcome)
    }

    /// Ends a session that only read.
    pub async fn finish(mut self) -> Result<(), StoreError> {
        self.check_whole()?;
        self.end("COMMIT").await
    }

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

    async fn end(&mut self, how: &str) -> Result<(), StoreError> {
        let ended = self.client().batch_execute(how).await;
        if ended.is_ok() {
            self.connection.take();
        }
        Ok(ended?)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
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

const ADVANCE: &str = "SELECT bss_advance($1, $2, $3, $4, $5, $6)";

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
        self.session
            .query_one(
                "SELECT set_config('bss.tenant', $1, true)",
                &[&tenant.to_string()],
            )
            .await?;
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
        let outcome = self.session.client().batch_execute(&sql).await;
        self.session.noting(outcome)?;
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
        self.finish(None).await
    }

    /// Commits what a group's batch has caused together with the position it has reached, or nothing:
    /// [`StoreError::Fenced`] where the lease was taken or the position moved by somebody else.
    pub async fn commit_at(self, advance: &Advance) -> Result<(), StoreError> {
        self.finish(Some(advance)).await
    }

    /// Undoes everything and gives the connection back.
    pub async fn rollback(mut self) -> Result<(), StoreError> {
        self.session.end("ROLLBACK").await
    }

    /// Position, events and COMMIT go out in one trip. COMMIT says nothing of a statement that failed before it (the
    /// server has undone everything then), so each one's own answer counts.
    async fn finish(mut self, advance: Option<&Advance>) -> Result<(), StoreError> {
        self.session.check_whole()?;
        let append = event_log::Append::of(&self.session, &self.events).await?;
        let step = match advance {
            Some(advance) => Some((advance, self.session.prepare(ADVANCE).await?)),
            None => None,
        };
        let client = self.session.client();
        let advanced = match &step {
            Some((advance, statement)) => Either::Left(move_position(client, statement, advance)),
            None => Either::Right(ready(Ok(()))),
        };
        let appended = match &append {
            Some(append) => Either::Left(append.run(client)),
            None => Either::Right(ready(Ok(()))),
        };
        let (advanced, appended, committed) = join3(advanced, appended, client.batch_execute("COMMIT")).await;
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

async fn move_position(client: &Client, statement: &Statement, advance: &Advance) -> Result<(), StoreError> {
    let params: [&(dyn ToSql + Sync); 6] = [
        &advance.group,
        &advance.topic.sql(),
        &(advance.partition as i16),
        &advance.epoch,
        &advance.from,
        &advance.to,
    ];
    match client.query_one(statement, &params).await {
        Ok(_) => Ok(()),
        Err(error) if error.code().is_some_and(|code| code.code() == "BSS01") => {
            Err(StoreError::Fenced(format!(
                "{} {} partition {}",
                advance.group, advance.topic, advance.partition
            )))
        }
        Err(error) => Err(StoreError::naming_constraints(error)),
    }
}

impl Deref for UnitOfWork {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}
