//! Up, down, and what is between them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use bss_platform::process::{ProcessId, working_in};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{Stack, get, said, until};

#[test]
fn up_is_ready_and_a_second_one_changes_nothing_and_down_leaves_no_process() {
    let stack = Stack::new("lifecycle");
    let first = stack.up();
    assert_eq!(first["started"], true);
    let ops = first["listeners"]["ops"].as_str().unwrap().to_owned();
    assert_eq!(get(&ops, "/health/ready").0, 200);
    let metrics = get(&ops, "/metrics").1;
    for name in [
        "bss_process_resident_memory_bytes",
        "bss_pool_connections{pool=\"app\",state=\"max\"}",
        "bss_disk_free_bytes",
    ] {
        assert!(metrics.contains(name), "{name} is missing in\n{metrics}");
    }

    let second = stack.up();
    assert_eq!(
        (&second["started"], &second["pid"]),
        (&Value::Bool(false), &first["pid"])
    );

    let ps: Value = serde_json::from_slice(&stack.bss(&["ps", "--json"]).stdout).unwrap();
    let rows = ps["processes"].as_array().unwrap();
    let bss = rows.iter().find(|row| row["name"] == "bss").unwrap();
    assert_eq!((&bss["state"], &bss["pid"]), (&"ready".into(), &first["pid"]));

    let (bss, postgres) = (stack.bss_process(), stack.postgres_process());
    let cluster = stack.data_dir().join("postgres/cluster").canonicalize().unwrap();
    assert!(stack.bss(&["down"]).status.success());
    assert!(!bss.is_alive() && !postgres.is_alive());
    assert!(working_in(&cluster).is_empty());
    assert_eq!(stack.bss(&["ps"]).status.code(), Some(1), "nothing runs");
    assert!(stack.bss(&["logs", "bss"]).status.success());

    // The data stays, and a warm start finds it.
    let again = stack.up();
    assert_ne!(again["pid"], first["pid"]);
}

#[test]
fn tokens_and_users_work_at_the_gateway_and_a_request_in_flight_survives_the_drain() {
    let stack = Stack::new("gateway");
    let up = stack.up();
    let gateway = up["listeners"]["gateway"].as_str().unwrap().to_owned();
    let (status, text) = get(&gateway, "/realms/bss/.well-known/openid-configuration");
    assert_eq!(status, 200, "{text}");
    let configuration: Value = serde_json::from_str(&text).unwrap();
    let issuer = configuration["issuer"].as_str().unwrap();
    assert_eq!(issuer, format!("http://{gateway}/realms/bss"));

    let token = stack.bss(&["token", "--as", "csr"]);
    let token = String::from_utf8(token.stdout).unwrap().trim().to_owned();
    assert_eq!(
        with_token(&gateway, "/tmf-api/nothing/v4/x", &token),
        404,
        "let in, and nothing there"
    );
    assert_eq!(
        with_token(&gateway, "/tmf-api/nothing/v4/x", &format!("{token}x")),
        401
    );
    assert_eq!(stack.bss(&["token", "--as", "king"]).status.code(), Some(64));

    let added = stack.bss(&["user", "add", "anna", "--role", "csr,billing"]);
    assert!(
        added.status.success() && added.stdout.len() > 10,
        "{}",
        said(&added)
    );
    assert_eq!(
        stack.bss(&["user", "add", "anna", "--role", "csr"]).status.code(),
        Some(1),
        "the name is taken"
    );
    let users: Value = serde_json::from_slice(&stack.bss(&["user", "list", "--json"]).stdout).unwrap();
    let anna = users["users"]
        .as_array()
        .unwrap()
        .iter()
        .find(|user| user["name"] == "anna")
        .unwrap();
    assert_eq!(anna["roles"], serde_json::json!(["billing", "csr"]));
    let sign_in = std::fs::metadata(stack.data_dir().join("secrets/sign-in")).unwrap();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&sign_in.permissions()) & 0o777,
        0o600
    );

    let (mut stream, bss) = (TcpStream::connect(&gateway).unwrap(), stack.bss_process());
    let body = "grant_type=client_credentials&client_id=nobody&client_secret=none";
    let head = format!(
        "POST /realms/bss/protocol/openid-connect/token HTTP/1.1\r\nHost: {gateway}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body.as_bytes()[..10]).unwrap();
    // Connections are taken in turn: an answer to a later one shows that the first is served.
    assert_eq!(get(&gateway, "/realms/bss/protocol/openid-connect/certs").0, 200);
    bss.signal(Signal::SIGTERM);
    until("no new connection is taken", || {
        TcpStream::connect(&gateway).is_err()
    });
    stream.write_all(&body.as_bytes()[10..]).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    until("bss has ended", || !bss.is_alive());
}

fn with_token(address: &str, path: &str, token: &str) -> u16 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let call = client.get(format!("http://{address}{path}")).bearer_auth(token);
        call.send().await.unwrap().status().as_u16()
    })
}

#[test]
fn the_apis_run_on_their_own_beside_a_gateway_that_signs_in() {
    let stack = Stack::new("role api");
    stack.up();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let serve = |public_urls: &str| {
        let mut command = stack.command(&["serve", "--role", "api"]);
        command
            .env("BSS_PUBLIC_URLS", public_urls)
            .env("BSS_API_PORT", port.to_string())
            .env("BSS_AUTO_PORTS", "false")
            .env("BSS_OPS_PORT", "0")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    };
    assert_eq!(serve("").status().unwrap().code(), Some(64), "whose tokens?");

    let mut child = serve(&format!("http://{}", stack.listener("gateway")))
        .spawn()
        .unwrap();
    let address = format!("127.0.0.1:{port}");
    until("the APIs listen", || TcpStream::connect(&address).is_ok());
    let customers = "/tmf-api/customerManagement/v4/customer";
    assert_eq!(get(&address, customers).0, 401);
    assert_eq!(with_token(&address, customers, &stack.token("csr")), 200);
    assert_eq!(
        get(&address, "/realms/bss/protocol/openid-connect/certs").0,
        404,
        "sign-in is the gateway's"
    );
    let process = ProcessId::of(i32::try_from(child.id()).unwrap()).unwrap();
    process.signal(Signal::SIGTERM);
    assert!(child.wait().unwrap().success());
    assert_eq!(stack.up()["started"], false, "the stack beside it goes on");
}

#[test]
fn two_ups_at_once_are_one_stack() {
    let stack = Stack::new("race");
    let spawn = || {
        stack
            .command(&["up", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let finish = |child: Child| {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let (one, other) = (spawn(), spawn());
    let (one, other) = (finish(one), finish(other));
    assert_eq!(one["pid"], other["pid"]);
    assert_eq!(one["listeners"], other["listeners"]);
    assert_ne!(one["started"], other["started"], "one starts it, one finds it");
}

#[test]
fn a_killed_bss_and_a_killed_postgres_come_back() {
    let stack = Stack::new("killed");
    let first = stack.up();
    let bss = stack.bss_process();

    // PostgreSQL alone: the running bss starts it again by itself.
    let postgres = stack.postgres_process();
    postgres.signal(Signal::SIGKILL);
    until("PostgreSQL is gone", || !postgres.is_alive());
    // An up at once, before bss has noticed, is done when PostgreSQL answers again.
    let second = stack.up();
    assert_eq!(stack.ask("SELECT 1"), "1");
    assert_eq!(
        (&second["pid"], &second["started"]),
        (&first["pid"], &Value::Bool(false))
    );

    // bss alone: the next up finds PostgreSQL and starts bss.
    let postgres = stack.postgres_process();
    bss.signal(Signal::SIGKILL);
    until("bss is gone", || !bss.is_alive());
    let third = stack.up();
    assert_eq!(third["started"], true);
    assert_eq!(stack.postgres_process(), postgres, "adopted");

    // Both.
    let (bss, postgres) = (stack.bss_process(), stack.postgres_process());
    bss.signal(Signal::SIGKILL);
    postgres.signal(Signal::SIGKILL);
    until("both are gone", || !bss.is_alive() && !postgres.is_alive());
    assert_eq!(stack.up()["started"], true);
}

#[test]
fn an_up_that_is_killed_leaves_a_start_that_the_next_one_waits_for() {
    let stack = Stack::new("orphan");
    let mut first = stack
        .command(&["up"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("bss has written itself down", || {
        bss_platform::read_state(&stack.data_dir()).is_some()
    });
    let started = stack.bss_process();
    first.kill().unwrap();
    first.wait().unwrap();
    let second = stack.up();
    assert_eq!(
        second["pid"].as_i64(),
        Some(i64::from(started.pid)),
        "a second bss on the same folder"
    );
}

#[test]
fn a_taken_port_is_named_with_its_holder() {
    let stack = Stack::new("port");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = stack
        .command(&["up"])
        .env("BSS_AUTO_PORTS", "false")
        .env("BSS_OPS_PORT", &port)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = said(&output);
    assert!(
        text.contains(&port)
            && text.contains(&format!("process {}", std::process::id()))
            && text.contains("[port-in-use]"),
        "{text}"
    );
    assert!(bss_platform::read_state(&stack.data_dir()).is_none());
    let output = stack
        .command(&["up", "--json"])
        .env("BSS_OPS_PORT", &port)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn every_mistake_of_the_configuration_is_listed_with_exit_64() {
    let stack = Stack::new("mistakes");
    std::fs::write(stack.0.join("bss.toml"), "prot = 1\nlog_format = 'loud'\n").unwrap();
    let output = stack
        .command(&["up", "--memory-mb", "much"])
        .env("BSS_OPS_PORT", "none")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64));
    let text = said(&output);
    for named in ["prot", "log_format", "--memory-mb", "BSS_OPS_PORT"] {
        assert!(text.contains(named), "{named} is missing in\n{text}");
    }
    let shown = stack
        .command(&["config", "--json"])
        .env("BSS_OPS_PORT", "none")
        .output()
        .unwrap();
    assert_eq!(
        shown.status.code(),
        Some(64),
        "config shows what is in force and fails"
    );
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert!(
        shown["settings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|setting| setting["name"] == "data_dir")
    );
    assert_eq!(stack.bss(&["up", "--no-such-flag"]).status.code(), Some(64));
    std::fs::remove_file(stack.0.join("bss.toml")).unwrap();
}

#[test]
fn a_foreground_stack_ends_whole_with_its_signal() {
    let stack = Stack::new("foreground");
    let mut child = stack
        .command(&["up", "--foreground"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("it is ready", || {
        bss_platform::read_state(&stack.data_dir())
            .and_then(|state| state.listeners.get("ops").cloned())
            .is_some_and(|ops| get(&ops, "/health/ready").0 == 200)
    });
    let postgres = stack.postgres_process();
    ProcessId::of(i32::try_from(child.id()).unwrap())
        .unwrap()
        .signal(Signal::SIGTERM);
    let began = Instant::now();
    assert!(child.wait().unwrap().success());
    assert!(
        began.elapsed() < Duration::from_secs(12),
        "took {:?}",
        began.elapsed()
    );
    assert!(!postgres.is_alive());
    assert!(!Path::new(&stack.data_dir().join("state/bss.json")).exists());
}

#[test]
fn doctor_and_version_answer_without_a_stack() {
    let stack = Stack::new("doctor");
    let version = stack.bss(&["version"]);
    assert_eq!(
        String::from_utf8(version.stdout).unwrap().trim(),
        format!("bss {}", env!("CARGO_PKG_VERSION"))
    );
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let output = stack
        .command(&["doctor", "--json"])
        .env("BSS_AUTO_PORTS", "false")
        .env("BSS_PORT", port.to_string())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let held = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["severity"] == "failure")
        .unwrap();
    assert!(
        held["message"]
            .as_str()
            .unwrap()
            .contains(&std::process::id().to_string()),
        "{held}"
    );
    assert!(held["mend"].is_string());
}
