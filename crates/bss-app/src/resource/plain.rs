use async_trait::async_trait;
use bss_domain::shape::{Shape, check_new, check_patched, text};
use bss_domain::{Instant, Refusal, Slot, ids};
use bss_events::Topic;
use bss_store::resource::{self, Comparison, Path, Query, Stored, Table};
use bss_store::{Session, StoreError, UnitOfWork};
use futures::future::BoxFuture;
use rand::RngExt;
use serde_json::{Value, json};
use uuid::Uuid;

use super::hold;
use super::{ResourceUseCases, check_references};
use crate::{App, AppError, RequestContext, idempotency};

/// A resource whose only rules are those of its shape, its references and one pure function.
pub struct Plain {
    /// TM Forum's name of the type.
    pub kind: &'static str,
    /// Where it is stored.
    pub table: &'static Table,
    /// Its typed attributes.
    pub shape: &'static Shape,
    /// Where its events go.
    pub topic: Topic,
    /// The attribute whose change is a change of state.
    pub state: Option<&'static str>,
    /// Which slot a new one gets.
    pub place: Place,
    /// The rule: refuses a new or changed document, or completes it.
    pub decide: fn(Option<&Value>, &mut Value) -> Result<(), Refusal>,
    /// What can't be decided without reading more.
    pub check: Option<Check>,
    /// The rule of removal, before it is asked what refers to it.
    pub may_delete: fn(&Value) -> Result<(), Refusal>,
    /// What may refer to it and then forbids its removal.
    pub referrers: &'static [Referrer],
}

/// A rule that reads: the session, the id and the document as it would be stored.
pub type Check = for<'a> fn(&'a Session, Uuid, &'a Value) -> BoxFuture<'a, Result<(), AppError>>;

/// An attribute by which rows of a table refer to something.
#[derive(Debug, Clone, Copy)]
pub struct Referrer {
    /// The table.
    pub table: &'static Table,
    /// The path of the id.
    pub attribute: &'static str,
}

/// Which slot a new resource gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It belongs to no customer: the slot is drawn.
    Shared,
    /// It is a customer.
    Customer,
    /// That of the customer whose id stands at this path.
    Of(&'static str),
}

#[async_trait]
impl ResourceUseCases for Plain {
    async fn create(&self, app: &App, context: &RequestContext, mut body: Value) -> Result<Stored, AppError> {
        let now = app.clock.now();
        let mut work = app.store.begin(context.scope()).await?;
        if let Some(answer) = idempotency::replay(&work, context).await? {
            work.rollback().await?;
            return Ok(answer);
        }
        check_new(self.shape, &body)?;
        let id = self.new_id(app, &body, now)?;
        body["id"] = id.to_string().into();
        (self.decide)(None, &mut body)?;
        self.check_stored(&work, id, &body).await?;
        let stored = resource::insert(&work, self.table, id, &body, now)
            .await
            .map_err(|error| self.named(error))?;
        self.emit(app, context, now, &mut work, &stored, Change::Create);
        idempotency::keep(&work, context, 201, &stored).await?;
        work.commit().await?;
        Ok(stored)
    }

    async fn patch(
        &self,
        app: &App,
        context: &RequestContext,
        id: Uuid,
        patch: Value,
        expected: Option<i64>,
    ) -> Result<Stored, AppError> {
        let now = app.clock.now();
        let mut work = app.store.begin(context.scope()).await?;
        let before = hold(&work, self.table, self.kind, id, expected).await?;
        let mut body = before.body.clone();
        json_patch::merge(&mut body, &patch);
        check_patched(self.shape, &before.body, &body)?;
        (self.decide)(Some(&before.body), &mut body)?;
        if body == before.body {
            work.rollback().await?;
            return Ok(before);
        }
        self.check_stored(&work, id, &body).await?;
        let stored = resource::update(&work, self.table, id, before.revision, &body, now)
            .await
            .map_err(|error| self.named(error))?;
        self.emit(app, context, now, &mut work, &stored, Change::Patch(&before.body));
        work.commit().await?;
        Ok(stored)
    }

    async fn delete(
        &self,
        app: &App,
        context: &RequestContext,
        id: Uuid,
        expected: Option<i64>,
    ) -> Result<(), AppError> {
        let now = app.clock.now();
        let mut work = app.store.begin(context.scope()).await?;
        let stored = hold(&work, self.table, self.kind, id, expected).await?;
        (self.may_delete)(&stored.body)?;
        for referrer in self.referrers {
            let query = Query::new(referrer.table)
                .filter(referrer.attribute, Comparison::Equal, &[id.to_string()])
                .map_err(|error| AppError::internal(error.to_string()))?;
            if resource::exists(&work, &query).await? {
                return Err(self.referred(referrer.table.name));
            }
        }
        resource::delete(&work, self.table, id)
            .await
            .map_err(|error| self.named(error))?;
        self.emit(app, context, now, &mut work, &stored, Change::Delete);
        work.commit().await?;
        Ok(())
    }
}

/// What an event tells.
enum Change<'a> {
    Create,
    /// From this document.
    Patch(&'a Value),
    Delete,
}

impl Plain {
    fn new_id(&self, app: &App, body: &Value, now: Instant) -> Result<Uuid, AppError> {
        let slot = match self.place {
            Place::Customer => return Ok(app.ids.new_customer(now).into()),
            Place::Shared => Slot::hash(&rand::rng().random::<u64>().to_be_bytes()),
            Place::Of(path) => Slot::of(customer_at(path, body)?),
        };
        Ok(ids::compose(now.as_millisecond(), slot, rand::rng().random()))
    }

    async fn check_stored(&self, work: &Session, id: Uuid, body: &Value) -> Result<(), AppError> {
        check_references(work, self.shape, body).await?;
        match self.check {
            Some(check) => check(work, id, body).await,
            None => Ok(()),
        }
    }

    fn referred(&self, by: &str) -> AppError {
        let message = format!("this {} can't be removed: a {by} refers to it", self.kind);
        Refusal::conflict("referred", message).into()
    }

    /// Violated constraints are the caller's error: a taken key or a reference.
    fn named(&self, error: StoreError) -> AppError {
        match error {
            StoreError::Taken { constraint } => {
                let message = format!("this {} exists already ({constraint})", self.kind);
                Refusal::conflict("taken", message).into()
            }
            StoreError::Reference { constraint } => self.referred(&constraint),
            other => other.into(),
        }
    }

    /// TM Forum's notification, with ids and the names of attributes only: values may be personal.
    fn emit(
        &self,
        app: &App,
        context: &RequestContext,
        now: Instant,
        work: &mut UnitOfWork,
        stored: &Stored,
        change: Change<'_>,
    ) {
        let key = match self.place {
            Place::Of(path) => customer_at(path, &stored.body).unwrap_or(stored.id),
            _ => stored.id,
        };
        let mut data = json!({ "id": stored.id, "type": self.kind, "revision": stored.revision });
        let state = self
            .state
            .and_then(|name| Some((name, text(&stored.body, name)?)));
        if let Some((name, state)) = state {
            data[name] = state.into();
        }
        let mut send = |suffix: &str, data: Value| {
            let kind = format!("{}{suffix}", self.kind);
            work.emit(app.event(context, now, (self.topic, &kind), (key, stored.id), data));
        };
        match change {
            Change::Create => send("CreateEvent", data),
            Change::Delete => send("DeleteEvent", data),
            Change::Patch(before) => {
                let changed = changed_attributes(before, &stored.body);
                let (state_changed, others): (Vec<_>, Vec<_>) =
                    changed.into_iter().partition(|name| Some(*name) == self.state);
                if !state_changed.is_empty() {
                    send("StateChangeEvent", data.clone());
                }
                if !others.is_empty() {
                    data["attribute"] = others.into();
                    send("AttributeValueChangeEvent", data);
                }
            }
        }
    }
}

fn customer_at(path: &str, body: &Value) -> Result<Uuid, AppError> {
    let found = Path::parse(path)
        .map_err(|error| AppError::internal(error.to_string()))?
        .find(body)
        .and_then(Value::as_str);
    let id = found.ok_or_else(|| Refusal::missing(path))?;
    let ours = id.parse().ok().filter(|id| ids::is_ours(*id));
    ours.ok_or_else(|| {
        let message = format!("{path}: there is no customer {id}");
        Refusal::invalid("unknownReference", path, id, message).into()
    })
}

/// The names of the attributes in which two documents differ.
pub(crate) fn changed_attributes<'v>(before: &'v Value, after: &'v Value) -> Vec<&'v str> {
    let (Some(old), Some(new)) = (before.as_object(), after.as_object()) else {
        return Vec::new();
    };
    let gone = old.keys().filter(|name| !new.contains_key(*name));
    let changed = new
        .iter()
        .filter(|(name, value)| old.get(*name) != Some(value))
        .map(|(name, _)| name);
    gone.chain(changed).map(String::as_str).collect()
}
