//! Tokens: which are right, where keys come from, what the application learns.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::routing::get;
use base64::Engine;
use bss_gateway::HttpKeys;
use jsonwebtoken::jwk::{AlgorithmParameters, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{
    CUSTOMER, FIRST_KEY, Issuer, Key, Running, SECOND_KEY, Setup, claims, now_s, refusal, sign,
};

async fn status_of(gateway: &Running, token: &str) -> u16 {
    gateway
        .anonymous(CUSTOMER)
        .bearer_auth(token)
        .send()
        .await
        .unwrap()
        .status()
        .as_u16()
}

#[tokio::test]
async fn a_right_token_is_let_in_with_its_claims() {
    let gateway = Setup::new().start().await;
    let seen: Value = gateway.get(CUSTOMER).send().await.unwrap().json().await.unwrap();
    let claims = &seen["claims"];
    assert_eq!(claims["subject"], "user-1");
    assert_eq!(claims["tenant"], "default");
    assert_eq!(claims["roles"], json!(["csr", "billing", "admin"]));
    assert_eq!(claims["partyId"], "party-9");
    assert_eq!(claims["clientId"], "console");
    assert_eq!(claims["expiresAt"], claims["raw"]["exp"]);
    assert_eq!(seen["tenant"], "default");
}

/// Name, token, and why it is refused.
fn wrong_tokens(gateway: &Running) -> Vec<(&'static str, String, &'static str)> {
    let set = |name: &'static str, value: Value| gateway.token_with(move |claims| claims[name] = value);
    let right = claims(&gateway.issuer);
    let stranger = Key::generate("first");
    let without_kid = encode(&Header::new(Algorithm::RS256), &right, &FIRST_KEY.signing).unwrap();
    let elsewhere = json!("http://evil.example/realms/bss");
    let claims_missing = "a required claim is missing or of the wrong type";
    vec![
        (
            "expired",
            set("exp", json!(now_s() - 60)),
            "the token has expired",
        ),
        (
            "early",
            set("nbf", json!(now_s() + 60)),
            "the token isn't valid yet",
        ),
        (
            "audience",
            set("aud", json!("other")),
            "the token is for another audience",
        ),
        ("issuer", set("iss", elsewhere), "the token is of another issuer"),
        ("no subject", set("sub", json!("")), claims_missing),
        ("ID token", set("typ", json!("ID")), "this is no access token"),
        (
            "refresh token",
            set("typ", json!("Refresh")),
            "this is no access token",
        ),
        (
            "unknown key",
            sign(&SECOND_KEY, &right),
            "the token's key isn't one of the issuer's",
        ),
        (
            "foreign key, known id",
            sign(&stranger, &right),
            "the signature is wrong",
        ),
        ("no key id", without_kid, "the token names no key (kid)"),
        ("nonsense", "nonsense".to_owned(), "the token is malformed"),
    ]
}

#[tokio::test]
async fn wrong_tokens_are_refused_and_told_why() {
    let gateway = Setup::new().start().await;
    for (name, token, why) in wrong_tokens(&gateway) {
        let response = gateway
            .anonymous(CUSTOMER)
            .bearer_auth(token)
            .send()
            .await
            .unwrap();
        let challenge = response.headers()["www-authenticate"]
            .to_str()
            .unwrap()
            .to_owned();
        let expected = format!("Bearer realm=\"bss\", error=\"invalid_token\", error_description=\"{why}\"");
        assert_eq!(challenge, expected, "{name}");
        assert_eq!(refusal(response, 401).await, "badToken", "{name}");
    }
    // One character of the claims changed.
    let mut tampered = gateway.token();
    let middle = tampered.find('.').unwrap() + 5;
    let other = if &tampered[middle..=middle] == "A" {
        "B"
    } else {
        "A"
    };
    tampered.replace_range(middle..=middle, other);
    assert_eq!(status_of(&gateway, &tampered).await, 401);
    assert_eq!(status_of(&gateway, &gateway.token()).await, 200);
}

/// The classic confusions: no signature at all, and the public key used as a shared secret.
#[tokio::test]
async fn the_algorithm_is_ours_to_name() {
    let gateway = Setup::new().start().await;
    let base64 = &base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let body = base64.encode(claims(&gateway.issuer).to_string());
    for algorithm in ["none", "None", "NONE"] {
        let head = base64.encode(json!({ "alg": algorithm, "typ": "JWT", "kid": "first" }).to_string());
        assert_eq!(
            status_of(&gateway, &format!("{head}.{body}.")).await,
            401,
            "{algorithm}"
        );
    }
    let AlgorithmParameters::RSA(public) = &FIRST_KEY.public.algorithm else {
        panic!("an RSA key");
    };
    let secrets = [public.n.as_bytes().to_vec(), base64.decode(&public.n).unwrap()];
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("first".to_owned());
    for secret in secrets {
        let token = encode(
            &header,
            &claims(&gateway.issuer),
            &EncodingKey::from_secret(&secret),
        )
        .unwrap();
        assert_eq!(status_of(&gateway, &token).await, 401);
    }
    let mut other = Header::new(Algorithm::RS512);
    other.kid = Some("first".to_owned());
    let token = encode(&other, &claims(&gateway.issuer), &FIRST_KEY.signing).unwrap();
    assert_eq!(status_of(&gateway, &token).await, 401, "RS512");
}

#[tokio::test]
async fn only_declared_paths_need_no_token() {
    let gateway = Setup::new().start().await;
    for public in ["/", "/health"] {
        assert_eq!(
            gateway.anonymous(public).send().await.unwrap().status(),
            200,
            "{public}"
        );
    }
    // The header is the issuer's business there: a client's password, not a token.
    let client = gateway
        .client
        .post(gateway.url("/realms/bss/token"))
        .basic_auth("client", Some("secret"));
    assert_eq!(client.send().await.unwrap().status(), 200);
    for protected in [CUSTOMER, "/bss-api/v1/live", "/unheard-of"] {
        let response = gateway.anonymous(protected).send().await.unwrap();
        assert_eq!(
            response.headers()["www-authenticate"],
            "Bearer realm=\"bss\"",
            "{protected}"
        );
        assert_eq!(refusal(response, 401).await, "noToken", "{protected}");
    }
}

#[tokio::test]
async fn a_token_is_verified_once_until_the_keys_change() {
    let issuer = Issuer::new();
    let mut setup = Setup::with(|config| config.tokens.keys_refresh_min_ms = 0);
    setup.issuer = issuer.clone();
    let gateway = setup.start().await;
    let (old, new) = (gateway.token(), sign(&SECOND_KEY, &claims(&gateway.issuer)));
    for _ in 0..5 {
        assert_eq!(status_of(&gateway, &old).await, 200);
    }
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 1, "the keys are kept");

    // The issuer withdraws the first key and signs with the second: the remembered token is judged anew.
    *issuer.published.lock().unwrap() = vec![SECOND_KEY.public.clone()];
    assert_eq!(status_of(&gateway, &new).await, 200);
    assert_eq!(status_of(&gateway, &old).await, 401);
}

#[tokio::test]
async fn unknown_keys_ask_the_issuer_only_now_and_then() {
    let issuer = Issuer::new();
    let mut setup = Setup::with(|config| config.tokens.keys_refresh_min_ms = 3_600_000);
    setup.issuer = issuer.clone();
    let gateway = setup.start().await;
    let unknown = sign(&SECOND_KEY, &claims(&gateway.issuer));
    for _ in 0..20 {
        assert_eq!(status_of(&gateway, &unknown).await, 401);
    }
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn with_the_issuer_away_known_keys_go_on() {
    let issuer = Issuer::new();
    let mut setup = Setup::with(|config| config.tokens.keys_refresh_min_ms = 0);
    setup.issuer = issuer.clone();
    let gateway = setup.start().await;
    issuer.away.store(true, Ordering::SeqCst);
    let response = gateway.get(CUSTOMER).send().await.unwrap();
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(refusal(response, 503).await, "issuerAway", "nothing is known yet");

    issuer.away.store(false, Ordering::SeqCst);
    assert_eq!(status_of(&gateway, &gateway.token()).await, 200);
    issuer.away.store(true, Ordering::SeqCst);
    let fresh = gateway.token_with(|claims| claims["sub"] = json!("user-2"));
    assert_eq!(status_of(&gateway, &fresh).await, 200);
    let unknown = sign(&SECOND_KEY, &claims(&gateway.issuer));
    assert_eq!(status_of(&gateway, &unknown).await, 401);
}

#[tokio::test]
async fn keys_of_an_external_issuer_come_by_http() {
    let published = JwkSet {
        keys: vec![FIRST_KEY.public.clone()],
    };
    let router = axum::Router::new().route("/certs", get(move || async move { Json(published) }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    let mut setup =
        Setup::with(|config| config.tokens.issuer = Some("https://idp.example/realms/op".to_owned()));
    setup.issuer = Arc::new(HttpKeys::new(format!("http://{address}/certs")).unwrap());
    let gateway = setup.start().await;
    assert_eq!(status_of(&gateway, &gateway.token()).await, 200);

    server.abort();
    let _ = server.await;
    let fresh = gateway.token_with(|claims| claims["sub"] = json!("user-2"));
    assert_eq!(status_of(&gateway, &fresh).await, 200, "the issuer is away");
}

#[tokio::test]
async fn a_token_without_a_tenant_acts_in_none() {
    let without = |gateway: &Running| gateway.token_with(|claims| claims["tenant"] = Value::Null);
    let gateway = Setup::new().start().await;
    let response = gateway
        .anonymous(CUSTOMER)
        .bearer_auth(without(&gateway))
        .send()
        .await
        .unwrap();
    assert_eq!(refusal(response, 403).await, "noTenant");

    let setup = Setup::with(|config| config.tokens.default_tenant = Some("only".to_owned()));
    let gateway = setup.start().await;
    let response = gateway
        .anonymous(CUSTOMER)
        .bearer_auth(without(&gateway))
        .send()
        .await
        .unwrap();
    assert_eq!(response.json::<Value>().await.unwrap()["tenant"], "only");
    let named: Value = gateway.get(CUSTOMER).send().await.unwrap().json().await.unwrap();
    assert_eq!(named["tenant"], "default");
}
