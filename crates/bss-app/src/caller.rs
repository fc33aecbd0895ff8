use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use bss_domain::ids::{CustomerId, TenantId};
use bss_events::TraceParent;
use bss_store::Scope;

/// What a caller may be (`docs/API.md` has the matrix).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Everything within the tenant.
    Admin,
    /// Customer service.
    Csr,
    /// The catalog.
    ProductManager,
    /// Bills, payments, ledger.
    Billing,
    /// Usage intake and activation.
    Network,
    /// Platform, events, clock.
    Operations,
    /// Self-care: own data only.
    Customer,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 7] = [
        Self::Admin,
        Self::Csr,
        Self::ProductManager,
        Self::Billing,
        Self::Network,
        Self::Operations,
        Self::Customer,
    ];

    /// Its name in tokens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Csr => "csr",
            Self::ProductManager => "product-manager",
            Self::Billing => "billing",
            Self::Network => "network",
            Self::Operations => "operations",
            Self::Customer => "customer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No role has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role: admin, csr, product-manager, billing, network, operations, customer")]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(name: &str) -> Result<Self, UnknownRole> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == name)
            .ok_or_else(|| UnknownRole(name.to_owned()))
    }
}

/// Who calls, as a verified token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The tenant whose rows are seen.
    pub tenant: TenantId,
    /// The token's subject.
    pub subject: String,
    /// Its roles.
    pub roles: BTreeSet<Role>,
    /// The customer that a `customer` may see.
    pub customer: Option<CustomerId>,
}

impl Caller {
    /// A stream or a command of ours, within a tenant.
    pub fn system(tenant: TenantId, name: &str) -> Self {
        Self {
            tenant,
            subject: name.to_owned(),
            roles: [Role::Admin].into(),
            customer: None,
        }
    }

    /// The store's scope of this caller.
    pub fn scope(&self) -> Scope {
        Scope::new(self.tenant, self.subject.clone())
    }

    /// Whether only the caller's own data may be seen.
    pub fn is_confined(&self) -> bool {
        self.roles.iter().all(|role| *role == Role::Customer)
    }
}

/// A key by which a call may be sent again, with what it was sent with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The header's value.
    pub key: String,
    /// The method and the path's template.
    pub route: String,
    /// SHA-256 of the body.
    pub request_hash: Vec<u8>,
}

/// What a use case knows of its call.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// Who calls.
    pub caller: Caller,
    /// The key of a call that may be repeated.
    pub idempotency: Option<IdempotencyKey>,
    /// The trace that the call belongs to.
    pub traceparent: Option<TraceParent>,
    /// What support calls it by.
    pub correlation_id: String,
}

impl RequestContext {
    /// The context of a stream or a command of ours.
    pub fn system(tenant: TenantId, name: &str) -> Self {
        Self {
            caller: Caller::system(tenant, name),
            idempotency: None,
            traceparent: TraceParent::current(),
            correlation_id: String::new(),
        }
    }

    /// The store's scope of this call.
    pub fn scope(&self) -> Scope {
        self.caller.scope()
    }

    /// The tenant.
    pub fn tenant(&self) -> TenantId {
        self.caller.tenant
    }
}
