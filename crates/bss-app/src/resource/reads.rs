use async_trait::async_trait;
use bss_domain::Refusal;
use bss_store::Session;
use bss_store::resource::{self, Comparison, Page, Query, QueryError, Stored, Table};
use futures::future::BoxFuture;
use uuid::Uuid;

use crate::{App, AppError, RequestContext};

/// A condition of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The attribute's path.
    pub attribute: String,
    /// How it is compared.
    pub comparison: Comparison,
    /// To what.
    pub values: Vec<String>,
}

/// What of a list is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListRequest {
    /// All of them have to hold.
    pub filters: Vec<Filter>,
    /// Attributes to sort by, and whether descending.
    pub sort: Vec<(String, bool)>,
    /// How many are left out at the start.
    pub offset: u32,
    /// How many at most.
    pub limit: u32,
}

/// How a resource is read.
#[async_trait]
pub trait Reads: Send + Sync {
    /// One resource.
    async fn get(&self, session: &Session, id: Uuid) -> Result<Option<Stored>, AppError>;

    /// A page of them.
    async fn list(&self, session: &Session, request: &ListRequest) -> Result<Page, AppError>;

    /// One resource for a caller who asks for nothing else.
    async fn look_up(
        &self,
        app: &App,
        context: &RequestContext,
        id: Uuid,
    ) -> Result<Option<Stored>, AppError> {
        let session = app.store.read(context.scope()).await?;
        let found = self.get(&session, id).await?;
        session.finish()?;
        Ok(found)
    }

    /// Whether a document changes only together with its revision. Where a part of it is computed from other rows it
    /// doesn't, and nobody may keep an old answer because of it.
    fn revision_tells_all(&self) -> bool {
        true
    }
}

/// Resources that are stored as documents.
pub struct Documents(pub &'static Table);

#[async_trait]
impl Reads for Documents {
    async fn get(&self, session: &Session, id: Uuid) -> Result<Option<Stored>, AppError> {
        Ok(resource::get(session, self.0, id).await?)
    }

    async fn look_up(
        &self,
        app: &App,
        context: &RequestContext,
        id: Uuid,
    ) -> Result<Option<Stored>, AppError> {
        Ok(resource::lookup(&app.store, context.caller.tenant, self.0, id).await?)
    }

    async fn list(&self, session: &Session, request: &ListRequest) -> Result<Page, AppError> {
        let query = query_of(self.0, request)?;
        Ok(resource::list(session, &query).await?)
    }
}

/// Documents of which a part is computed from other rows when they are read.
pub struct Computed {
    /// Where they are stored.
    pub documents: Documents,
    /// The attributes that are computed: no list can be asked for them.
    pub attributes: &'static [&'static str],
    /// Writes what is computed into the documents of a page.
    pub fill: Fill,
}

/// Computes parts of the documents of a page and writes them into them.
pub type Fill = for<'a> fn(&'a Session, &'a mut [Stored]) -> BoxFuture<'a, Result<(), AppError>>;

#[async_trait]
impl Reads for Computed {
    async fn get(&self, session: &Session, id: Uuid) -> Result<Option<Stored>, AppError> {
        let mut found = Vec::from_iter(self.documents.get(session, id).await?);
        (self.fill)(session, &mut found).await?;
        Ok(found.pop())
    }

    async fn list(&self, session: &Session, request: &ListRequest) -> Result<Page, AppError> {
        let asked = request.filters.iter().map(|filter| &filter.attribute);
        let asked = asked.chain(request.sort.iter().map(|(attribute, _)| attribute));
        for attribute in asked {
            let name = attribute.split(['.', '[']).next().unwrap_or_default();
            if self.attributes.contains(&name) {
                let message = format!("{name} is computed when it is read: a list can't be asked for it");
                return Err(Refusal::invalid("wrongQuery", attribute, "", message).into());
            }
        }
        let mut page = self.documents.list(session, request).await?;
        (self.fill)(session, &mut page.rows).await?;
        Ok(page)
    }

    fn revision_tells_all(&self) -> bool {
        false
    }
}

/// A customer's things by the name that TM Forum's clients ask for them by.
const RELATED_PARTY: &str = "relatedParty.id";
const CUSTOMER: &str = "relatedParty[role=customer].id";

/// What belongs to a customer as well, by the paths at which others of its things refer to it: whatever refers to it
/// lies in its slot.
const NEIGHBOURS: &[&str] = &[
    CUSTOMER,
    "payer.id",
    "billingAccount.id",
    "account.id",
    "bill.id",
    "product.id",
    "payment.id",
];

/// The store's query; a mistake in it is the caller's.
pub fn query_of(table: &'static Table, request: &ListRequest) -> Result<Query, AppError> {
    let mut query = Query::new(table).offset(request.offset).limit(request.limit);
    for filter in &request.filters {
        // Where the customer has a column, the related party that is asked for is the customer.
        let by_customer = filter.attribute == RELATED_PARTY && table.column_of(CUSTOMER).is_some();
        let attribute = if by_customer { CUSTOMER } else { &filter.attribute };
        if NEIGHBOURS.contains(&attribute)
            && table.column_of(attribute).is_some()
            && filter.comparison == Comparison::Equal
            && let [only] = &filter.values[..]
            && let Ok(neighbour) = only.parse::<Uuid>()
            && bss_domain::ids::is_ours(neighbour)
        {
            query = query.in_slot(bss_domain::Slot::of(neighbour));
        }
        query = query
            .filter(attribute, filter.comparison, &filter.values)
            .map_err(refused)?;
    }
    for (attribute, descending) in &request.sort {
        query = query.sort(attribute, *descending).map_err(refused)?;
    }
    Ok(query)
}

fn refused(error: QueryError) -> AppError {
    let message = error.to_string();
    Refusal::invalid("wrongQuery", error.attribute, error.value, message).into()
}
