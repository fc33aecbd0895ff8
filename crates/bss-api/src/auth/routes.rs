use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, on};
use http::Method;

use super::enforce::{Guard, protect};

/// Routes with a list of what they are, so that a test can hold them against the authorization matrix: a plain
/// [`Router`] doesn't tell what is in it.
pub struct Routes<S = ()> {
    router: Router<S>,
    list: Vec<(Method, String)>,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// None yet.
    pub fn new() -> Self {
        Self {
            router: Router::new(),
            list: Vec::new(),
        }
    }

    /// Adds a route; its path is a template as the matrix writes it (`/x/{id}`).
    ///
    /// # Panics
    /// At start, where a method and path stand twice or a method is none of HTTP's own.
    #[must_use]
    pub fn add<H, T>(mut self, method: Method, path: &str, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let filter =
            MethodFilter::try_from(method.clone()).unwrap_or_else(|_| panic!("{method} {path}: no method"));
        self.router = self.router.route(path, on(filter, handler));
        self.list.push((method, path.to_owned()));
        self
    }

    /// All routes of both.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.list.extend(other.list);
        self
    }

    /// Gives the handlers their state.
    pub fn with_state(self, state: S) -> Routes {
        Routes {
            router: self.router.with_state(state),
            list: self.list,
        }
    }

    /// Method and path of every route.
    pub fn list(&self) -> &[(Method, String)] {
        &self.list
    }
}

impl Routes {
    /// The router, every route behind the guard: there is no other way to get it.
    pub fn guarded(self, guard: Arc<Guard>) -> Router {
        protect(self.router, guard)
    }
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self::new()
    }
}
