//! Callbacks are told of what happened, at least once, however often they fail at first.

mod support;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Moment};

use axum::routing::post;
use axum::{Json, Router};
use bss_app::{Role, notification};
use bss_store::event_log::browse;
use bss_streams::notifications::Notifications;
use bss_streams::runtime::{Runtime, RuntimeConfig};
use http::StatusCode;
use serde_json::{Value, json};
use support::api::{Api, BASE, PARTY, api};
use support::shop::id;
use tokio_util::sync::CancellationToken;

/// Somebody who wants to be told, and who refuses the first calls.
struct Listener {
    url: String,
    heard: Arc<Mutex<Vec<Value>>>,
    calls: Arc<Mutex<usize>>,
}

async fn listener(refusals: usize) -> Listener {
    let (heard, calls) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
    let (inner, counted) = (heard.clone(), calls.clone());
    let hear = move |Json(body): Json<Value>| async move {
        let mut calls = counted.lock().unwrap();
        *calls += 1;
        if *calls <= refusals {
            return StatusCode::INTERNAL_SERVER_ERROR;
        }
        inner.lock().unwrap().push(body);
        StatusCode::NO_CONTENT
    };
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/in", socket.local_addr().unwrap());
    let router = Router::new().route("/in", post(hear));
    tokio::spawn(async move { axum::serve(socket, router).await.unwrap() });
    Listener { url, heard, calls }
}

impl Listener {
    fn heard(&self) -> Vec<Value> {
        self.heard.lock().unwrap().clone()
    }
}

/// Runs the stream until it has read all that is there.
async fn read_on(api: &Api) {
    let store = api.app.store.clone();
    let config = RuntimeConfig {
        tend: Duration::from_millis(100),
        ..RuntimeConfig::default()
    };
    let (runtime, stop) = (Runtime::new(store.clone(), config), CancellationToken::new());
    let token = stop.clone();
    let run = tokio::spawn(async move { runtime.run(Arc::new(Notifications), token).await });
    let deadline = Moment::now() + Duration::from_secs(30);
    loop {
        let session = store.read(api.system().scope()).await.unwrap();
        let groups = browse::groups(&session).await.unwrap();
        session.finish().unwrap();
        let mut own = groups
            .iter()
            .filter(|place| place.group == "notifications")
            .peekable();
        if own.peek().is_some() && own.all(|place| place.lag() == 0) {
            break;
        }
        assert!(Moment::now() < deadline, "it never caught up");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    run.await.unwrap().unwrap();
}

/// Lets the worker work until so much was heard.
async fn tell(api: &Api, listener: &Listener, wanted: usize) {
    let client = notification::client().unwrap();
    let deadline = Moment::now() + Duration::from_secs(30);
    while listener.heard().len() < wanted {
        assert!(Moment::now() < deadline, "{:?}", listener.heard());
        if notification::tell_due(&api.app, &client).await.unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_fails_is_called_again_until_it_has_heard() {
    let api = api(false).await;
    let (admin, csr) = (api.actor(Role::Admin), api.actor(Role::Csr));
    let listener = listener(2).await;
    let hub = format!("{PARTY}/hub");
    let wanted = json!({ "callback": listener.url, "query": "eventType=IndividualCreateEvent" });
    let made = admin.post(&hub, wanted.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!(made.body["query"], wanted["query"]);
    let one = format!("{hub}/{}", id(&made.body));
    assert_eq!(made.header("location"), format!("{BASE}{one}"));
    assert_eq!(
        admin.post(&hub, wanted).await.error(),
        (409, "taken", Some("callback"))
    );

    let ann = csr
        .made(&format!("{PARTY}/individual"), json!({ "givenName": "Ann" }))
        .await;
    let acme = json!({ "tradingName": "Acme" });
    csr.made(&format!("{PARTY}/organization"), acme).await;
    read_on(&api).await;
    tell(&api, &listener, 1).await;
    let heard = listener.heard();
    assert_eq!(
        *listener.calls.lock().unwrap(),
        3,
        "two refusals, then one that was heard"
    );
    assert_eq!(heard.len(), 1, "the organization wasn't asked for");
    assert_eq!(heard[0]["eventType"], "IndividualCreateEvent");
    let individual = &heard[0]["event"]["individual"];
    assert_eq!(
        (&individual["id"], &individual["href"]),
        (&ann["id"], &ann["href"])
    );
    assert!(
        !heard[0].to_string().contains("Ann"),
        "no names leave by a callback: {heard:?}"
    );

    // Nothing is told twice once it was heard, and nothing at all to whoever is gone.
    csr.made(&format!("{PARTY}/individual"), json!({ "givenName": "Bob" }))
        .await;
    read_on(&api).await;
    assert_eq!(admin.delete(&one).await.status, StatusCode::NO_CONTENT);
    assert_eq!(admin.delete(&one).await.status, StatusCode::NOT_FOUND);
    let client = notification::client().unwrap();
    assert_eq!(notification::tell_due(&api.app, &client).await.unwrap(), 0);
    assert_eq!(listener.heard().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_is_told_nothing() {
    let api = api(false).await;
    let other = api.other_tenant().await;
    let stranger = api.actor_of(Role::Admin, other, None);
    let listener = listener(0).await;
    let hub = format!("{PARTY}/hub");
    let made = stranger.made(&hub, json!({ "callback": listener.url })).await;
    let one = format!("{hub}/{}", id(&made));
    assert_eq!(
        api.actor(Role::Admin).delete(&one).await.status,
        StatusCode::NOT_FOUND
    );
    let csr = api.actor(Role::Csr);
    csr.made(&format!("{PARTY}/individual"), json!({ "givenName": "Ann" }))
        .await;
    read_on(&api).await;
    let client = notification::client().unwrap();
    assert_eq!(notification::tell_due(&api.app, &client).await.unwrap(), 0);
}
