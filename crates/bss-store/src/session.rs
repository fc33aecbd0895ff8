use std::ops::Deref;

use bss_domain::ids::TenantId;
use bss_events::NewEvent;
use deadpool_postgres::Object;
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
}

impl Session {
    /// Begins a transaction: `mode` is what follows `BEGIN`.
    pub(crate) async fn begin(connection: Object, scope: Scope, mode: &str) -> Result<Self, StoreError> {
        let session = Self {
            connection: Some(connection),
            scope,
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
        self.client()
            .query(&statement, params)
            .await
            .map_err(StoreError::naming_constraints)
    }

    /// Runs a query that yields one row at most.
    pub(crate) async fn query_opt(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, StoreError> {
        let statement = self.prepare(sql).await?;
        self.client()
            .query_opt(&statement, params)
            .await
            .map_err(StoreError::naming_constraints)
    }

    /// Runs a query that yields exactly one row.
    pub(crate) async fn query_one(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Row, StoreError> {
        let statement = self.prepare(sql).await?;
        self.client()
            .query_one(&statement, params)
            .await
            .map_err(StoreError::naming_constraints)
    }

    /// Runs a statement and tells how many rows it touched.
    pub(crate) async fn execute(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<u64, StoreError> {
        let statement = self.prepare(sql).await?;
        self.client()
            .execute(&statement, params)
            .await
            .map_err(StoreError::naming_constraints)
    }

    /// Ends a session that only read.
    pub async fn finish(mut self) -> Result<(), StoreError> {
        self.end("COMMIT").await
    }

    pub(crate) fn client(&self) -> &Client {
        // The connection is there until `end` takes it, and `end` is called by value alone.
        self.connection
            .as_ref()
            .expect("an open session has its connection")
    }

    async fn prepare(&self, sql: &str) -> Result<Statement, StoreError> {
        let connection = self
            .connection
            .as_ref()
            .expect("an open session has its connection"); // see `client`
        Ok(connection.prepare_cached(sql).await?)
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
    log: event_log::Appended,
}

impl UnitOfWork {
    pub(crate) fn new(session: Session, store: &Store) -> Self {
        Self {
            session,
            events: Vec::new(),
            log: store.appended(),
        }
    }

    /// Notes an event that the commit appends to the log.
    pub fn emit(&mut self, event: NewEvent) {
        self.events.push(event);
    }

    /// Appends the events as the last statement and commits.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        if !self.events.is_empty() {
            event_log::append(&self.session, &self.events).await?;
        }
        self.session.end("COMMIT").await?;
        if !self.events.is_empty() {
            self.log.notify();
        }
        Ok(())
    }

    /// Undoes everything and gives the connection back.
    pub async fn rollback(mut self) -> Result<(), StoreError> {
        self.session.end("ROLLBACK").await
    }
}

impl Deref for UnitOfWork {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}
