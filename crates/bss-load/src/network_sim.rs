//! The demonstration's network: it activates services over HTTP, and can be told to be slow, to refuse, to be busy,
//! to answer twice and to hang, before or after it has done what was asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How the network behaves from now on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Behaviour {
    /// How long every answer takes, milliseconds.
    pub delay_ms: u64,
    /// What happens to activations.
    pub mode: Mode,
    /// What happens to deactivations.
    pub deactivation: Mode,
    /// To how many requests in a hundred the modes apply, chosen by their ids; 0 means all.
    pub percent: u8,
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// It is done.
    #[default]
    Normal,
    /// It is refused, with a reason.
    Refuse,
    /// Come back later.
    Busy,
    /// First "under way", then the same again with "done".
    Twice,
    /// No answer, and nothing was done.
    HangBefore,
    /// No answer, and it was done.
    HangAfter,
}

/// A request that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Taken {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// A request's body, as far as the simulator looks at it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    action: String,
    service_id: Uuid,
}

#[derive(Debug, Default)]
struct Inner {
    behaviour: Behaviour,
    requests: HashMap<Uuid, Taken>,
    working: HashMap<Uuid, bool>,
    carried_out: u64,
}

/// The simulated network.
#[derive(Debug, Clone, Default)]
pub struct NetworkSim(Arc<Mutex<Inner>>);

impl NetworkSim {
    /// Tells it how to behave.
    pub fn behave(&self, behaviour: Behaviour) {
        self.with(|inner| inner.behaviour = behaviour);
    }

    /// How many of the services that it has ever heard of work now.
    pub fn working(&self) -> usize {
        self.with(|inner| inner.working.values().filter(|works| **works).count())
    }

    /// How many requests it has carried out: one that was sent again counts once.
    pub fn carried_out(&self) -> u64 {
        self.with(|inner| inner.carried_out)
    }

    /// Its HTTP interface.
    pub fn router(self) -> Router {
        Router::new()
            .route("/activations/{id}", put(send).get(ask))
            .route("/behaviour", get(behaviour).put(behave))
            .with_state(self)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inner {
    fn mode_of(&self, id: Uuid, action: &str) -> Mode {
        let chosen = self.behaviour.percent == 0 || id.as_u128() % 100 < u128::from(self.behaviour.percent);
        match action {
            _ if !chosen => Mode::Normal,
            "deactivate" => self.behaviour.deactivation,
            _ => self.behaviour.mode,
        }
    }

    /// Carries a request out, once however often it comes.
    fn carry_out(&mut self, id: Uuid, request: &Request) -> Taken {
        let done = Taken {
            state: "done",
            reason: None,
        };
        if self.requests.get(&id) != Some(&done) {
            self.working
                .insert(request.service_id, request.action == "activate");
            self.carried_out += 1;
            self.requests.insert(id, done.clone());
        }
        done
    }
}

async fn send(
    State(sim): State<NetworkSim>,
    Path(id): Path<Uuid>,
    Json(request): Json<Request>,
) -> Result<Json<Taken>, StatusCode> {
    let (delay, mode, known) = sim.with(|inner| {
        (
            inner.behaviour.delay_ms,
            inner.mode_of(id, &request.action),
            inner.requests.get(&id).cloned(),
        )
    });
    if delay > 0 {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    if let Some(known) = known.filter(|known| known.state != "underWay") {
        return Ok(Json(known));
    }
    match mode {
        Mode::Normal => Ok(Json(sim.with(|inner| inner.carry_out(id, &request)))),
        Mode::Busy => Err(StatusCode::SERVICE_UNAVAILABLE),
        Mode::Refuse => {
            let refused = Taken {
                state: "refused",
                reason: Some("the network refused, as it was told to"),
            };
            sim.with(|inner| inner.requests.insert(id, refused.clone()));
            Ok(Json(refused))
        }
        Mode::Twice => {
            let under_way = Taken {
                state: "underWay",
                reason: None,
            };
            sim.with(|inner| {
                inner.carry_out(id, &request);
                inner.requests.insert(id, under_way.clone());
            });
            Ok(Json(under_way))
        }
        Mode::HangBefore => std::future::pending().await,
        Mode::HangAfter => {
            sim.with(|inner| inner.carry_out(id, &request));
            std::future::pending().await
        }
    }
}

async fn ask(State(sim): State<NetworkSim>, Path(id): Path<Uuid>) -> Result<Json<Taken>, StatusCode> {
    sim.with(|inner| {
        let taken = inner.requests.get_mut(&id)?;
        if taken.state == "underWay" {
            taken.state = "done";
        }
        Some(taken.clone())
    })
    .map(Json)
    .ok_or(StatusCode::NOT_FOUND)
}

async fn behaviour(State(sim): State<NetworkSim>) -> Json<Behaviour> {
    Json(sim.with(|inner| inner.behaviour))
}

async fn behave(State(sim): State<NetworkSim>, Json(behaviour): Json<Behaviour>) -> Json<Behaviour> {
    sim.behave(behaviour);
    Json(behaviour)
}
