//! The issuer at the level of the protocol, as a standard client and a browser speak it.

mod support;

use bss_app::Role;
use bss_app::identity::client::NewClient;
use bss_app::identity::user::UserChange;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use support::{Answer, Browser, World, payload, world};

/// Verifies a token with the published keys, as a client library does.
async fn verified(world: &World, token: &str, audience: &str) -> Value {
    let configuration = Browser::new()
        .get(&format!(
            "{}/realms/bss/.well-known/openid-configuration",
            world.url
        ))
        .await
        .json();
    let set: JwkSet = serde_json::from_value(
        Browser::new()
            .get(configuration["jwks_uri"].as_str().unwrap())
            .await
            .json(),
    )
    .unwrap();
    let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[audience]);
    validation.set_issuer(&[configuration["issuer"].as_str().unwrap()]);
    let key = DecodingKey::from_jwk(set.find(&kid).unwrap()).unwrap();
    jsonwebtoken::decode::<Value>(token, &key, &validation)
        .unwrap()
        .claims
}

async fn userinfo(world: &World, token: &str) -> Answer {
    let client = reqwest::Client::new();
    Browser::new()
        .send(client.get(world.at("userinfo")).bearer_auth(token))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_finds_everything_by_discovery() {
    let world = world().await;
    let found = Browser::new()
        .get(&format!(
            "{}/realms/bss/.well-known/openid-configuration",
            world.url
        ))
        .await;
    let configuration = found.json();
    assert_eq!(configuration["issuer"], format!("{}/realms/bss", world.url));
    for name in [
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
        "end_session_endpoint",
    ] {
        let address = configuration[name].as_str().unwrap();
        assert!(address.starts_with(&world.at("")), "{name}");
        assert_ne!(Browser::new().get(address).await.status, 404, "{name}");
    }
    let keys = Browser::new().get(&world.at("certs")).await.json();
    let key = keys["keys"][0].as_object().unwrap();
    let names: Vec<&str> = key.keys().map(String::as_str).collect();
    for name in ["kty", "kid", "alg", "use", "n", "e"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert_eq!(
        (key["kty"].as_str(), key["alg"].as_str(), key["use"].as_str()),
        (Some("RSA"), Some("RS256"), Some("sig"))
    );
    for secret in ["d", "p", "q", "dp", "dq", "qi"] {
        assert!(!names.contains(&secret), "a part of the private key is published");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_signs_in_calls_refreshes_and_signs_out() {
    let world = world().await;
    let mut browser = Browser::new();
    let page = browser.get(&world.auth(&[])).await;
    assert_eq!(page.status, 200);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'self'") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert!(!page.body.contains("<script") && !page.body.contains(" style="));
    // With `no-referrer` a browser would send `Origin: null` with the form, and be refused.
    assert_eq!(page.headers["referrer-policy"], "same-origin");

    let wrong = browser.submit(&world, &page, "csr", "not the password").await;
    assert_eq!(wrong.status, 400);
    assert!(
        wrong.body.contains("role=\"alert\"") && wrong.body.contains("value=\"csr\""),
        "{}",
        wrong.body
    );
    let unknown = browser.submit(&world, &page, "nobody", "not the password").await;
    assert_eq!(
        unknown.body.replace("nobody", "csr"),
        wrong.body,
        "a name's existence shows"
    );

    let right = browser
        .submit(&world, &wrong, "csr", &world.passwords["csr"])
        .await;
    assert_eq!(right.status, 303);
    let redirect = right.redirect();
    assert!(
        right
            .location()
            .starts_with(&format!("{}/auth/callback?", world.url))
    );
    assert_eq!(
        (redirect["state"].as_str(), &redirect["iss"]),
        ("the state", &format!("{}/realms/bss", world.url))
    );
    let tokens = world.tokens(&redirect["code"]).await;
    assert_eq!(
        (&tokens["token_type"], &tokens["expires_in"], &tokens["scope"]),
        (&json!("Bearer"), &json!(600), &json!("openid profile"))
    );

    let id = verified(&world, tokens["id_token"].as_str().unwrap(), "bss-console").await;
    assert_eq!(
        (&id["nonce"], &id["preferred_username"], &id["typ"]),
        (&json!("the nonce"), &json!("csr"), &json!("ID"))
    );
    let token = tokens["access_token"].as_str().unwrap();
    let access = verified(&world, token, "bss-api").await;
    assert_eq!(access["realm_access"]["roles"], json!(["csr"]));
    assert_eq!((&access["sub"], &access["sid"]), (&id["sub"], &id["sid"]));
    assert_eq!(
        (&access["azp"], &access["typ"]),
        (&json!("bss-console"), &json!("Bearer"))
    );
    assert_eq!(access["tenant"], world.tenant.to_string());
    assert_eq!(
        access["exp"].as_i64().unwrap() - access["iat"].as_i64().unwrap(),
        600
    );

    let info = userinfo(&world, token).await;
    assert_eq!(
        (info.status, &info.json()["sub"], &info.json()["name"]),
        (200, &id["sub"], &json!("Customer service"))
    );

    // The session answers the next request without a form, and without being asked.
    for prompt in ["", "none"] {
        assert!(
            browser
                .get(&world.auth(&[("prompt", prompt)]))
                .await
                .redirect()
                .contains_key("code"),
            "{prompt}"
        );
    }
    for again in [("prompt", "login"), ("max_age", "0")] {
        let page = browser.get(&world.auth(&[again])).await;
        // A sign-in within the same second is not older than 0 seconds.
        assert!(page.status == 200 || again.0 == "max_age", "{again:?}");
    }

    let refresh = tokens["refresh_token"].as_str().unwrap();
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "bss-console"),
        ("refresh_token", refresh),
    ];
    let next = world.token(&form).await;
    assert_eq!(next.status, 200, "{}", next.body);
    let renewed = verified(&world, next.json()["id_token"].as_str().unwrap(), "bss-console").await;
    assert_eq!(
        (&renewed["sub"], &renewed["auth_time"], renewed.get("nonce")),
        (&id["sub"], &id["auth_time"], None)
    );
    let reused = world.token(&form).await;
    assert_eq!(
        (reused.status, &reused.json()["error"]),
        (400, &json!("invalid_grant"))
    );

    let hint = tokens["id_token"].as_str().unwrap();
    let after = format!("{}/", world.url);
    let logout = [
        ("id_token_hint", hint),
        ("post_logout_redirect_uri", after.as_str()),
        ("state", "bye"),
    ];
    let url = reqwest::Url::parse_with_params(&world.at("logout"), logout).unwrap();
    let out = browser.get(url.as_str()).await;
    assert_eq!((out.status, out.location()), (303, format!("{after}?state=bye")));
    let silent = browser.get(&world.auth(&[("prompt", "none")])).await.redirect();
    assert_eq!(
        (silent["error"].as_str(), silent["state"].as_str()),
        ("login_required", "the state")
    );
    assert_eq!(userinfo(&world, token).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_to_an_address_that_nobody_registered() {
    let world = world().await;
    let callback = format!("{}/auth/callback", world.url);
    for (name, value) in [
        ("client_id", ""),
        ("client_id", "nobody"),
        ("redirect_uri", ""),
        ("redirect_uri", "https://evil.example/auth/callback"),
        ("redirect_uri", &format!("{callback}/")),
        ("redirect_uri", &format!("{callback}?x=1")),
        ("redirect_uri", &callback.to_uppercase()),
    ] {
        let answer = Browser::new().get(&world.auth(&[(name, value)])).await;
        assert_eq!(
            (answer.status, answer.location().as_str()),
            (400, ""),
            "{name}={value}"
        );
        assert!(!answer.body.contains("evil"), "{}", answer.body);
    }
    let twice = format!("{}&client_id=bss-console", world.auth(&[]));
    assert_eq!(Browser::new().get(&twice).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_told_its_mistakes_at_its_own_address() {
    let world = world().await;
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("prompt", "none", "login_required"),
        ("request", "x", "request_not_supported"),
    ] {
        let answer = Browser::new().get(&world.auth(&[(name, value)])).await;
        assert_eq!(answer.status, 303, "{name}={value}");
        let redirect = answer.redirect();
        assert_eq!(
            (redirect["error"].as_str(), redirect["state"].as_str()),
            (error, "the state"),
            "{name}={value}"
        );
        assert!(!redirect.contains_key("code"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_is_taken_from_our_own_page_alone() {
    let world = world().await;
    let password = &world.passwords["csr"];
    let mut browser = Browser::new();
    let page = browser.get(&world.auth(&[])).await;
    let refused = async |mut thief: Browser, page: &Answer| {
        let answer = thief.submit(&world, page, "csr", password).await;
        assert_eq!(
            (answer.status, answer.location().as_str()),
            (403, ""),
            "{}",
            answer.body
        );
        assert!(!thief.cookies.contains_key("bss-session"));
    };
    // Without the cookie, with that of another form, and from another site's page.
    refused(Browser::new(), &page).await;
    let mut other = Browser::new();
    other.get(&world.auth(&[])).await;
    refused(other, &page).await;
    let mut elsewhere = Browser::new();
    elsewhere.cookies = browser.cookies.clone();
    elsewhere
        .headers
        .push(("origin", "https://evil.example".to_owned()));
    refused(elsewhere, &page).await;
    browser.headers.push(("origin", world.url.clone()));
    assert_eq!(browser.submit(&world, &page, "csr", password).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_endpoint_answers_errors_as_the_standard_says() {
    let world = world().await;
    let code = world.code(&mut Browser::new(), "billing").await;
    let callback = format!("{}/auth/callback", world.url);
    let good = [
        ("grant_type", "authorization_code"),
        ("client_id", "bss-console"),
        ("code", code.as_str()),
        ("redirect_uri", callback.as_str()),
        ("code_verifier", support::VERIFIER),
    ];
    for (name, value, status, error) in [
        ("grant_type", "", 400, "invalid_request"),
        ("grant_type", "password", 400, "unsupported_grant_type"),
        ("grant_type", "client_credentials", 400, "unauthorized_client"),
        ("client_id", "nobody", 401, "invalid_client"),
        (
            "client_secret",
            "a secret for a public client",
            401,
            "invalid_client",
        ),
        ("code", "another", 400, "invalid_grant"),
        ("code_verifier", "", 400, "invalid_request"),
        (
            "code_verifier",
            "another verifier, which is long enough for one",
            400,
            "invalid_grant",
        ),
        ("redirect_uri", "https://evil.example", 400, "invalid_grant"),
    ] {
        let mut form: Vec<(&str, &str)> = good.iter().copied().filter(|(n, _)| *n != name).collect();
        form.push((name, value));
        let answer = world.token(&form).await;
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (status, Some(error)),
            "{name}={value}"
        );
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers.contains_key("www-authenticate"), status == 401);
    }
    let json = reqwest::Client::new()
        .post(world.at("token"))
        .json(&json!({ "grant_type": "refresh_token" }));
    assert_eq!(Browser::new().send(json).await.json()["error"], "invalid_request");
    assert_eq!(
        world.token(&good).await.status,
        200,
        "a refused attempt spent the code"
    );
    assert_eq!(world.token(&good).await.json()["error"], "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_gets_tokens_by_basic_and_by_body() {
    let world = world().await;
    let new = NewClient {
        client_id: "switch:1".replace(':', "-"),
        tenant: Some(world.tenant),
        roles: vec![Role::Network],
        ..NewClient::default()
    };
    let (client, secret) = world.identity.add_client(new, "test").await.unwrap();
    let secret = secret.unwrap();
    let grant = ("grant_type", "client_credentials");
    let basic = reqwest::Client::new()
        .post(world.at("token"))
        .basic_auth(&client.client_id, Some(&secret))
        .form(&[grant]);
    let body = world
        .token(&[
            grant,
            ("client_id", &client.client_id),
            ("client_secret", &secret),
        ])
        .await;
    for answer in [Browser::new().send(basic).await, body] {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let tokens = answer.json();
        assert!(tokens.get("refresh_token").is_none() && tokens.get("id_token").is_none());
        let claims = verified(&world, tokens["access_token"].as_str().unwrap(), "bss-api").await;
        assert_eq!(claims["preferred_username"], "service-account-switch-1");
        assert_eq!(
            (&claims["realm_access"]["roles"], &claims["tenant"]),
            (&json!(["network"]), &json!(world.tenant.to_string()))
        );
    }
    let wrong = reqwest::Client::new()
        .post(world.at("token"))
        .basic_auth(&client.client_id, Some("x"))
        .form(&[grant]);
    let wrong = Browser::new().send(wrong).await;
    assert_eq!(
        (wrong.status, &wrong.json()["error"]),
        (401, &json!("invalid_client"))
    );
    assert!(
        wrong.headers["www-authenticate"]
            .to_str()
            .unwrap()
            .starts_with("Basic")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_signed_out_by_a_link_alone() {
    let world = world().await;
    let mut browser = Browser::new();
    let tokens = world.tokens(&world.code(&mut browser, "csr").await).await;
    let signed_in = async |browser: &mut Browser| {
        browser
            .get(&world.auth(&[("prompt", "none")]))
            .await
            .redirect()
            .contains_key("code")
    };

    let evil = format!(
        "{}?client_id=bss-console&post_logout_redirect_uri=https://evil.example/",
        world.at("logout")
    );
    let answer = browser.get(&evil).await;
    assert_eq!((answer.status, answer.location().as_str()), (400, ""));
    assert!(signed_in(&mut browser).await);

    let question = browser.get(&world.at("logout")).await;
    assert_eq!(question.status, 200);
    assert!(question.body.contains("Do you want to sign out?") && signed_in(&mut browser).await);
    let forged = browser.post(&world.at("logout"), &[("csrf", "forged")]).await;
    assert!(forged.body.contains("Do you want to sign out?") && signed_in(&mut browser).await);
    let csrf = question.between("name=\"csrf\" value=\"", "\"");
    let done = browser.post(&world.at("logout"), &[("csrf", &csrf)]).await;
    assert!(
        done.status == 200 && done.body.contains("You are signed out"),
        "{}",
        done.body
    );
    assert!(!signed_in(&mut browser).await);
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "bss-console"),
        ("refresh_token", refresh),
    ];
    assert_eq!(world.token(&form).await.json()["error"], "invalid_grant");

    // An access token is no hint, and neither is one that somebody else signed.
    let tokens = world.tokens(&world.code(&mut browser, "csr").await).await;
    let forged = format!("{}x", tokens["id_token"].as_str().unwrap());
    for hint in [tokens["access_token"].as_str().unwrap(), &forged] {
        let answer = browser
            .get(&format!("{}?id_token_hint={hint}", world.at("logout")))
            .await;
        assert!(
            answer.body.contains("Do you want to sign out?"),
            "{}",
            answer.body
        );
    }
    assert!(signed_in(&mut browser).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_follow_each_other_while_tokens_stay_good() {
    let world = world().await;
    let tokens = world.tokens(&world.code(&mut Browser::new(), "csr").await).await;
    let mut watched = world.issuer.keys();
    watched.mark_unchanged();
    world.issuer.upkeep().await.unwrap();
    assert!(!watched.has_changed().unwrap(), "nothing was due");
    world.issuer.rotate_keys().await.unwrap();
    assert!(watched.has_changed().unwrap());
    assert_eq!(watched.borrow_and_update().keys.len(), 2);
    assert_eq!(
        Browser::new().get(&world.at("certs")).await.json()["keys"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let old = tokens["access_token"].as_str().unwrap();
    assert_eq!(userinfo(&world, old).await.status, 200);
    // Announced, the new key doesn't sign yet.
    let new = world.tokens(&world.code(&mut Browser::new(), "csr").await).await;
    let kid = |token: &Value| jsonwebtoken::decode_header(token.as_str().unwrap()).unwrap().kid;
    assert_eq!(kid(&new["access_token"]), kid(&tokens["access_token"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_living_sessions_access_token_tells_who_it_is() {
    let world = world().await;
    let tokens = world.tokens(&world.code(&mut Browser::new(), "csr").await).await;
    let (access, id) = (
        tokens["access_token"].as_str().unwrap(),
        tokens["id_token"].as_str().unwrap(),
    );
    assert_eq!(userinfo(&world, access).await.status, 200);
    let service = world
        .issuer
        .mint_service_token(world.tenant, Role::Admin, None)
        .unwrap();
    assert_eq!(payload(&service)["realm_access"]["roles"], json!(["admin"]));
    // The payload of one token under the signature of another.
    let parts: Vec<&str> = access.split('.').collect();
    let forged = format!("{}.{}.{}", parts[0], service.split('.').nth(1).unwrap(), parts[2]);
    for (token, why) in [
        (id, "an ID token"),
        (&service, "no session"),
        (&forged, "forged"),
        ("x", "nothing"),
    ] {
        let answer = userinfo(&world, token).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]),
            (401, &json!("invalid_token")),
            "{why}"
        );
        assert!(
            answer.headers["www-authenticate"]
                .to_str()
                .unwrap()
                .starts_with("Bearer")
        );
    }
    world
        .identity
        .change_user("csr", UserChange::Disable, "test")
        .await
        .unwrap();
    assert_eq!(userinfo(&world, access).await.status, 401);
}
