//! Identities on a real server: sign-in and lock-out, sessions, codes, rotation of tokens and of keys.

use std::sync::Arc;

use bss_app::Role;
use bss_app::identity::client::{Client, NewClient};
use bss_app::identity::grant::{CodeRequest, Grant, NoGrant};
use bss_app::identity::lifetimes::{CODE_S, SESSION_IDLE_S, SESSION_MAX_S, TOKEN_S};
use bss_app::identity::lockout::{FIRST_LOCK_S, FREE_FAILURES};
use bss_app::identity::rotation::{ANNOUNCE_S, LEEWAY_S};
use bss_app::identity::sign_in::SignedIn;
use bss_app::identity::signing_key::Rotation;
use bss_app::identity::user::UserChange;
use bss_app::identity::{Identity, IdentityError};
use bss_domain::time::Instant;
use bss_platform::testing::test_server;
use bss_store::{ClockMode, Store, StoreConfig, migrate};

const SECRET: &str = "a secret of the test, 32 characters or more";
const URL: &str = "http://localhost:8000";

fn at(second: i64) -> Instant {
    Instant::from_second(1_800_000_000 + second).unwrap()
}

struct Fixture {
    identity: Arc<Identity>,
    store: Store,
    url: String,
    password: String,
}

async fn fixture() -> Fixture {
    let url = test_server().await.database().await;
    migrate(&url, ClockMode::Real).await.unwrap();
    let store = Store::connect(&StoreConfig::new(&url)).await.unwrap();
    let identity = Arc::new(Identity::new(store.clone(), SECRET).unwrap());
    let made = identity.bootstrap(&[URL.to_owned()]).await.unwrap();
    assert_eq!(made.users.len(), Role::ALL.len());
    let password = made
        .users
        .iter()
        .find(|(name, _)| name == "csr")
        .unwrap()
        .1
        .clone();
    Fixture {
        identity,
        store,
        url,
        password,
    }
}

impl Fixture {
    async fn signed_in(&self, now: Instant) -> (SignedIn, String) {
        let user = self
            .identity
            .check_password("CSR ", &self.password, now)
            .await
            .unwrap()
            .expect("signed in");
        self.identity.open_session(&user, now).await.unwrap()
    }

    async fn console(&self) -> Client {
        self.identity
            .client("bss-console")
            .await
            .unwrap()
            .expect("the console")
    }

    async fn code(&self, signed_in: &SignedIn, now: Instant) -> String {
        let request = CodeRequest {
            client_id: "bss-console".to_owned(),
            redirect_uri: "cb".to_owned(),
            scope: "openid".to_owned(),
            nonce: Some("n".to_owned()),
            challenge: "right".to_owned(),
        };
        self.identity.issue_code(signed_in, request, now).await.unwrap()
    }

    async fn redeem(
        &self,
        code: &str,
        redirect_uri: &str,
        challenge: &str,
        now: Instant,
    ) -> Result<Grant, NoGrant> {
        let console = self.console().await;
        let challenge = challenge.to_owned();
        self.identity
            .redeem_code(&console, code, redirect_uri, |known| known == challenge, now)
            .await
            .unwrap()
    }

    async fn refresh(&self, token: &str, now: Instant) -> Result<Grant, NoGrant> {
        self.identity
            .refresh(&self.console().await, token, now)
            .await
            .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_makes_its_users_once() {
    let f = fixture().await;
    let again = f
        .identity
        .bootstrap(&["https://bss.example".to_owned()])
        .await
        .unwrap();
    assert!(again.users.is_empty());
    assert_eq!(
        f.console().await.redirect_uris,
        ["https://bss.example/auth/callback"]
    );
    let users = f.identity.users(again.tenant, "test").await.unwrap();
    let names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "admin",
            "billing",
            "csr",
            "customer",
            "network",
            "operations",
            "product-manager"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_are_counted_even_at_the_same_moment() {
    let f = fixture().await;
    let free = usize::from(FREE_FAILURES) + 1;
    let guesses = (0..3 * free).map(|_| {
        let identity = f.identity.clone();
        tokio::spawn(async move {
            identity
                .check_password("csr", "a wrong password", at(0))
                .await
                .unwrap()
        })
    });
    for guess in guesses.collect::<Vec<_>>() {
        assert!(guess.await.unwrap().is_none());
    }
    let right = async |second| {
        f.identity
            .check_password("csr", &f.password, at(second))
            .await
            .unwrap()
            .is_some()
    };
    assert!(
        !right(FIRST_LOCK_S - 1).await,
        "the right password counts during a lock"
    );
    assert!(
        right(FIRST_LOCK_S).await,
        "more attempts than the free ones were looked at"
    );
    // Forgiven: all free failures are there again.
    for _ in 0..FREE_FAILURES {
        assert!(
            f.identity
                .check_password("csr", "a wrong password", at(100))
                .await
                .unwrap()
                .is_none()
        );
    }
    assert!(right(100).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_locks_unlocks_and_sets_passwords() {
    let f = fixture().await;
    let may = async |password: &str, second| {
        f.identity
            .check_password("csr", password, at(second))
            .await
            .unwrap()
            .is_some()
    };
    for _ in 0..=FREE_FAILURES {
        assert!(!may("a wrong password", 0).await);
    }
    assert!(!may(&f.password, 0).await);
    f.identity
        .change_user("csr", UserChange::Unlock, "test")
        .await
        .unwrap();
    assert!(may(&f.password, 0).await);

    let (signed_in, secret) = f.signed_in(at(0)).await;
    f.identity
        .change_user("csr", UserChange::Disable, "test")
        .await
        .unwrap();
    assert!(!may(&f.password, 1).await);
    assert_eq!(f.identity.session_by_secret(&secret, at(1)).await.unwrap(), None);
    f.identity
        .change_user("csr", UserChange::Enable, "test")
        .await
        .unwrap();
    assert!(may(&f.password, 1).await);
    assert_eq!(
        f.identity
            .session(signed_in.user.tenant, signed_in.session, at(1))
            .await
            .unwrap(),
        None,
        "ended for good"
    );

    f.identity
        .set_password("csr", "another password", "test")
        .await
        .unwrap();
    assert!(!may(&f.password, 2).await);
    assert!(may("another password", 2).await);
    let unknown = f
        .identity
        .set_password("nobody", "another password", "test")
        .await;
    assert!(matches!(
        unknown,
        Err(IdentityError::Unknown { what: "user", .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_one_person_over_all_tenants() {
    let f = fixture().await;
    let other = f.identity.ensure_tenant("other", "test").await.unwrap();
    assert_eq!(f.identity.ensure_tenant("other", "test").await.unwrap(), other);
    let new = bss_app::identity::user::NewUser {
        tenant: other,
        name: "CSR".to_owned(),
        display_name: "Somebody else".to_owned(),
        roles: vec![Role::Csr],
        party: None,
    };
    let taken = f.identity.add_user(new.clone(), "a fine password", "test").await;
    assert!(
        matches!(taken, Err(IdentityError::Taken { what: "user", .. })),
        "{taken:?}"
    );
    let mut good = new.clone();
    good.name = "csr@other".to_owned();
    let user = f
        .identity
        .add_user(good, "a fine password", "test")
        .await
        .unwrap();
    let found = f
        .identity
        .check_password("csr@other", "a fine password", at(0))
        .await
        .unwrap();
    assert_eq!(found, Some(user));
    let mut bad = new;
    bad.name = "two words".to_owned();
    assert!(matches!(
        f.identity.add_user(bad, "a fine password", "test").await,
        Err(IdentityError::Invalid { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_by_rest_by_age_and_by_its_user() {
    let f = fixture().await;
    let (signed_in, secret) = f.signed_in(at(0)).await;
    let alive = async |second| {
        f.identity
            .session_by_secret(&secret, at(second))
            .await
            .unwrap()
            .is_some()
    };
    let mut second = 0;
    while second + SESSION_IDLE_S - 1 < SESSION_MAX_S {
        second += SESSION_IDLE_S - 1;
        assert!(alive(second).await, "{second}");
    }
    assert!(!alive(SESSION_MAX_S).await, "used to its end");
    assert_eq!(
        f.identity.session_by_secret("another", at(1)).await.unwrap(),
        None
    );

    let (resting, secret) = f.signed_in(at(0)).await;
    assert_ne!(resting.session, signed_in.session);
    let find = async |second| {
        f.identity
            .session_by_secret(&secret, at(second))
            .await
            .unwrap()
            .is_some()
    };
    assert!(!find(SESSION_IDLE_S).await);

    let (ended, secret) = f.signed_in(at(0)).await;
    f.identity
        .end_session(ended.user.tenant, ended.session)
        .await
        .unwrap();
    assert_eq!(f.identity.session_by_secret(&secret, at(0)).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_once_for_its_client_address_and_proof() {
    let f = fixture().await;
    let (signed_in, _) = f.signed_in(at(0)).await;
    let code = f.code(&signed_in, at(0)).await;
    for (code, uri, proof, second, why) in [
        ("another", "cb", "right", 0, NoGrant::Unknown),
        (code.as_str(), "other", "right", 0, NoGrant::Mismatch),
        (code.as_str(), "cb", "wrong", 0, NoGrant::Proof),
        (code.as_str(), "cb", "right", CODE_S, NoGrant::Expired),
    ] {
        assert_eq!(f.redeem(code, uri, proof, at(second)).await.map(|_| ()), Err(why));
    }
    let new = NewClient {
        client_id: "other".to_owned(),
        ..NewClient::default()
    };
    let (other, _) = f.identity.add_client(new, "test").await.unwrap();
    let stolen = f
        .identity
        .redeem_code(&other, &code, "cb", |_| true, at(0))
        .await
        .unwrap();
    assert_eq!(stolen.map(|_| ()), Err(NoGrant::Mismatch));

    let grant = f.redeem(&code, "cb", "right", at(0)).await.unwrap();
    assert_eq!(
        (grant.scope.as_str(), grant.nonce.as_deref()),
        ("openid", Some("n"))
    );
    assert_eq!(grant.signed_in, signed_in);
    // A second time: what came from it ends.
    assert_eq!(
        f.redeem(&code, "cb", "right", at(1)).await.map(|_| ()),
        Err(NoGrant::Reused)
    );
    assert_eq!(
        f.refresh(&grant.refresh_token, at(1)).await.map(|_| ()),
        Err(NoGrant::Revoked)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_comes_twice_revokes_its_family() {
    let f = fixture().await;
    let (signed_in, _) = f.signed_in(at(0)).await;
    let first = f
        .redeem(&f.code(&signed_in, at(0)).await, "cb", "right", at(0))
        .await
        .unwrap();
    let second = f.refresh(&first.refresh_token, at(10)).await.unwrap();
    let third = f.refresh(&second.refresh_token, at(20)).await.unwrap();
    assert_eq!(third.nonce, None);
    // Another sign-in of the same session is another family.
    let other = f
        .redeem(&f.code(&signed_in, at(0)).await, "cb", "right", at(0))
        .await
        .unwrap();
    assert_eq!(
        f.refresh(&first.refresh_token, at(30)).await.map(|_| ()),
        Err(NoGrant::Reused)
    );
    assert_eq!(
        f.refresh(&third.refresh_token, at(30)).await.map(|_| ()),
        Err(NoGrant::Revoked)
    );
    assert!(f.refresh(&other.refresh_token, at(30)).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_refreshes_at_the_same_moment_none_leaves_a_good_token() {
    let f = Arc::new(fixture().await);
    let (signed_in, _) = f.signed_in(at(0)).await;
    for round in 0..10 {
        let first = f
            .redeem(&f.code(&signed_in, at(0)).await, "cb", "right", at(0))
            .await
            .unwrap();
        let calls = (0..4).map(|_| {
            let (f, token) = (f.clone(), first.refresh_token.clone());
            tokio::spawn(async move { f.refresh(&token, at(1)).await })
        });
        let mut good = Vec::new();
        for call in calls.collect::<Vec<_>>() {
            good.extend(call.await.unwrap());
        }
        assert_eq!(good.len(), 1, "round {round}");
        assert_eq!(
            f.refresh(&good[0].refresh_token, at(2)).await.map(|_| ()),
            Err(NoGrant::Revoked)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_end_with_their_session_and_by_rest() {
    let f = fixture().await;
    let (signed_in, _) = f.signed_in(at(0)).await;
    let rested = f
        .redeem(&f.code(&signed_in, at(0)).await, "cb", "right", at(0))
        .await
        .unwrap();
    assert_eq!(rested.refresh_expires_in_s, SESSION_IDLE_S);
    assert_eq!(
        f.refresh(&rested.refresh_token, at(SESSION_IDLE_S))
            .await
            .map(|_| ()),
        Err(NoGrant::Expired)
    );
    let grant = f
        .redeem(&f.code(&signed_in, at(0)).await, "cb", "right", at(0))
        .await
        .unwrap();
    f.identity
        .end_session(signed_in.user.tenant, signed_in.session)
        .await
        .unwrap();
    assert_eq!(
        f.refresh(&grant.refresh_token, at(1)).await.map(|_| ()),
        Err(NoGrant::Unknown)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_proves_itself_by_its_secret() {
    let f = fixture().await;
    let tenant = f.identity.tenant("default", "test").await.unwrap();
    let new = NewClient {
        client_id: "switch".to_owned(),
        tenant: Some(tenant),
        roles: vec![Role::Network],
        ..NewClient::default()
    };
    let (client, secret) = f.identity.add_client(new.clone(), "test").await.unwrap();
    let secret = secret.unwrap();
    for (client_id, shown, expected) in [
        ("switch", Some(secret.as_str()), Some(client.clone())),
        ("switch", Some("wrong"), None),
        ("switch", None, None),
        ("nobody", Some(secret.as_str()), None),
        ("bss-console", Some(secret.as_str()), None),
    ] {
        assert_eq!(
            f.identity.authenticate_client(client_id, shown).await.unwrap(),
            expected,
            "{client_id} {shown:?}"
        );
    }
    assert!(
        f.identity
            .authenticate_client("bss-console", None)
            .await
            .unwrap()
            .is_some()
    );
    assert!(matches!(
        f.identity.add_client(new.clone(), "test").await,
        Err(IdentityError::Taken { .. })
    ));
    let public = NewClient {
        client_id: "p".to_owned(),
        public: true,
        ..new
    };
    assert!(matches!(
        f.identity.add_client(public, "test").await,
        Err(IdentityError::Invalid { field: "roles", .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_follow_each_other_and_are_sealed() {
    let f = fixture().await;
    let when_due = Rotation::WhenDue { every_s: 1000 };
    let both = tokio::join!(
        f.identity.signing_keys(when_due, at(0)),
        f.identity.signing_keys(when_due, at(0))
    );
    let (first, same) = (both.0.unwrap(), both.1.unwrap());
    assert_eq!(first.roles, same.roles, "two processes made a key each");
    let old = first.roles.signing.clone().unwrap();
    assert_eq!(first.keys.len(), 1);
    assert!(
        first.keys[0]
            .private_pem
            .starts_with("-----BEGIN PRIVATE KEY-----\n")
    );

    let announced = f.identity.signing_keys(when_due, at(1000)).await.unwrap();
    assert_eq!(
        (announced.roles.signing.as_ref(), announced.keys.len()),
        (Some(&old), 2)
    );
    let signs = f
        .identity
        .signing_keys(when_due, at(1000 + ANNOUNCE_S))
        .await
        .unwrap();
    assert_ne!(signs.roles.signing.as_ref(), Some(&old));
    assert!(
        signs.roles.published.contains(&old),
        "tokens of the old key are still good"
    );
    let gone = f
        .identity
        .signing_keys(when_due, at(1000 + ANNOUNCE_S + TOKEN_S + LEEWAY_S))
        .await
        .unwrap();
    assert_eq!((gone.keys.len(), gone.roles.signing), (1, signs.roles.signing));

    let wrong = Identity::new(f.store.clone(), "another secret of at least 32 characters").unwrap();
    assert!(matches!(
        wrong.signing_keys(when_due, at(1000)).await,
        Err(IdentityError::WrongSecret { .. })
    ));
    // On demand, without its time having come.
    let forced = f.identity.signing_keys(Rotation::Now, at(2900)).await.unwrap();
    assert_eq!(forced.keys.len(), 2);
}

/// What other roles and other tenants' sessions see of identities: nothing.
#[tokio::test(flavor = "multi_thread")]
async fn identities_are_closed_to_everything_but_the_issuer() {
    let f = fixture().await;
    let tenant = f.identity.tenant("default", "test").await.unwrap();
    f.identity.signing_keys(Rotation::Now, at(0)).await.unwrap();
    let (client, connection) = tokio_postgres::connect(&f.url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    // The owner may not act as the roles, but it can look at what they were given.
    for table in [
        "app_user",
        "issuer_client",
        "signing_key",
        "user_session",
        "authorization_code",
        "token_family",
        "refresh_token",
    ] {
        let row = client
            .query_one(
                "SELECT relrowsecurity AND relforcerowsecurity, has_table_privilege('bss_worker', oid, 'SELECT'), \
                 has_table_privilege('bss_app', oid, 'SELECT') FROM pg_class WHERE relname = $1",
                &[&table],
            )
            .await
            .unwrap();
        let state: (bool, bool, bool) = (row.get(0), row.get(1), row.get(2));
        assert_eq!(state, (true, false, true), "{table}");
        // Forced: without a setting even the owner sees no row.
        let count: i64 = client
            .query_one(&format!("SELECT count(*) FROM {table}"), &[])
            .await
            .unwrap()
            .get(0);
        assert_eq!(count, 0, "{table}");
    }
    let scope = bss_store::Scope::new(tenant, "test");
    let session = f.store.read(scope).await.unwrap();
    let own = bss_store::identity::user::list(&session, tenant).await.unwrap();
    assert_eq!(own.len(), 7, "a tenant's own users");
    assert!(
        bss_store::identity::signing_key::list(&session)
            .await
            .unwrap()
            .is_empty()
    );
    session.finish().unwrap();
    let stranger = f.identity.ensure_tenant("stranger", "test").await.unwrap();
    let session = f
        .store
        .read(bss_store::Scope::new(stranger, "test"))
        .await
        .unwrap();
    assert!(
        bss_store::identity::user::list(&session, tenant)
            .await
            .unwrap()
            .is_empty()
    );
}
