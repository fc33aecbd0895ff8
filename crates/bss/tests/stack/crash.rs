//! `kill -9` of `bss`, of PostgreSQL and of both, at random moments of a demonstration under load.

use std::process::{Child, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::load::{check_at_rest, demo};
use crate::support::{Stack, said, until};

/// Who is killed, in turn.
#[derive(Debug, Clone, Copy)]
enum Victim {
    Bss,
    Postgres,
    Both,
}

const VICTIMS: [Victim; 6] = [
    Victim::Bss,
    Victim::Postgres,
    Victim::Both,
    Victim::Postgres,
    Victim::Both,
    Victim::Bss,
];
/// The moments' seed: the same one gives the same pauses.
const SEED: u64 = 20_261_125;
const INDIVIDUALS: &str = "/tmf-api/party/v4/individual";

/// The next number of a seeded row (splitmix64).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// What runs until it is told to stop, and what it leaves.
#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    /// The ids of what was acknowledged with 201.
    acknowledged: Mutex<Vec<String>>,
    /// Demonstrations that came to their end.
    demonstrations: Mutex<Vec<Output>>,
}

/// Writes one thing after another through the public API, whatever becomes of the answers.
fn write(stack: &Stack, shared: &Shared) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap();
    let mut token = stack.token("csr");
    while !shared.stop.load(Ordering::SeqCst) {
        let state = bss_platform::read_state(&stack.data_dir());
        let Some(gateway) = state.and_then(|state| state.listeners.get("gateway").cloned()) else {
            std::thread::yield_now();
            continue;
        };
        let answer = runtime.block_on(async {
            let call = client.post(format!("http://{gateway}{INDIVIDUALS}"));
            let body = json!({"givenName": "Ada", "familyName": "Probe"});
            let answer = call.bearer_auth(&token).json(&body).send().await.ok()?;
            Some((answer.status().as_u16(), answer.json::<Value>().await.ok()))
        });
        match answer {
            Some((201, Some(made))) => {
                let id = made["id"].as_str().unwrap().to_owned();
                shared.acknowledged.lock().unwrap().push(id);
            }
            // The issuer is named by its port, which may have moved; a token is made by a stack that runs.
            Some((401, _)) => {
                let output = stack.bss(&["token", "--as", "csr"]);
                let text = String::from_utf8(output.stdout).unwrap();
                text.trim().clone_into(&mut token);
            }
            // What was cut off within its body tells no id, and was no acknowledgement.
            Some((_, None)) | None => {}
            Some((status, body)) => assert!(status >= 500, "{status} {body:?}"),
        }
    }
}

/// Demonstrates again and again; a run that is cut off is followed by one that goes on.
fn demonstrate(stack: &Stack, shared: &Shared) {
    let mut number = 0;
    while !shared.stop.load(Ordering::SeqCst) {
        number += 1;
        let output = demo(stack, &stack.0.join(format!("run {number}")));
        shared.demonstrations.lock().unwrap().push(output);
        // Runs that fail at once while nothing answers must not fill the disk with folders.
        until("the stack answers", || {
            shared.stop.load(Ordering::SeqCst) || bss_platform::read_state(&stack.data_dir()).is_some()
        });
    }
}

fn kill(stack: &Stack, victim: Victim) {
    let (bss, postgres) = (stack.bss_process(), stack.postgres_process());
    if matches!(victim, Victim::Bss | Victim::Both) {
        assert!(bss.signal(Signal::SIGKILL));
        until("bss is gone", || !bss.is_alive());
    }
    if matches!(victim, Victim::Postgres | Victim::Both) {
        // A bss that lives starts it again by itself.
        assert!(postgres.signal(Signal::SIGKILL));
        until("PostgreSQL is gone", || !postgres.is_alive());
    }
}

/// Two at once, as an impatient operator and a supervisor would: one stack, both report it.
fn up_twice_at_once(stack: &Stack) {
    let spawn = || {
        let mut command = stack.command(&["up", "--json"]);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let report = |child: Child| -> Value {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let (one, other) = (spawn(), spawn());
    let (one, other) = (report(one), report(other));
    assert_eq!(one["pid"], other["pid"]);
    assert!(
        !(one["started"] == true && other["started"] == true),
        "two stacks"
    );
}

/// How many of what was acknowledged stands in the database.
fn found(stack: &Stack, ids: &[String]) -> String {
    let list = ids.join(",");
    stack.ask(&format!(
        "SELECT count(*) FROM individual WHERE id = ANY ('{{{list}}}'::uuid[])"
    ))
}

#[test]
fn nothing_acknowledged_is_lost_however_bss_and_postgres_are_killed() {
    let stack = Stack::simulated("crashes");
    stack.up();
    let shared = Shared::default();
    std::thread::scope(|scope| {
        let loads = [
            scope.spawn(|| write(&stack, &shared)),
            scope.spawn(|| demonstrate(&stack, &shared)),
        ];
        // Whatever fails here, the loads must end, or the scope would wait for them for ever.
        let rounds = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| kill_in_turn(&stack, &shared)));
        shared.stop.store(true, Ordering::SeqCst);
        for load in loads {
            load.join().unwrap();
        }
        if let Err(failed) = rounds {
            std::panic::resume_unwind(failed);
        }
    });
    let demonstrations = shared.demonstrations.into_inner().unwrap();
    let cut_off = demonstrations
        .iter()
        .filter(|output| !output.status.success())
        .count();
    assert!(cut_off > 0, "no crash met a demonstration under way");
    // What was cut off so often is brought to its end, and every figure holds.
    let output = demo(&stack, &stack.0.join("last run"));
    assert!(output.status.success(), "{}", said(&output));
    check_at_rest(&stack);
    let acknowledged = shared.acknowledged.into_inner().unwrap();
    assert!(
        acknowledged.len() > VICTIMS.len(),
        "only {} writes",
        acknowledged.len()
    );
    assert_eq!(found(&stack, &acknowledged), acknowledged.len().to_string());
}

fn kill_in_turn(stack: &Stack, shared: &Shared) {
    let mut state = SEED;
    for (round, victim) in VICTIMS.into_iter().enumerate() {
        let before = shared.acknowledged.lock().unwrap().len();
        std::thread::sleep(Duration::from_millis(300 + next(&mut state) % 5000));
        // A moment within what is being written.
        until("something was acknowledged in this round", || {
            shared.acknowledged.lock().unwrap().len() > before
        });
        kill(stack, victim);
        let acknowledged: Vec<String> = shared.acknowledged.lock().unwrap().clone();
        up_twice_at_once(stack);
        let (found, all) = (found(stack, &acknowledged), acknowledged.len().to_string());
        assert_eq!(found, all, "round {round} of seed {SEED}: {victim:?} killed");
    }
}
