//! A disk that is nearly full: a small file system of memory, which only root may mount.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use bss_platform::free_bytes;
use serde_json::{Value, json};

use crate::load::{Load, check_at_rest, import, usage};
use crate::support::{Stack, folder, get, said, until};

const MIB: u64 = 1024 * 1024;
const RESERVE_MIB: u64 = 96;
const VARIABLES: &[(&str, &str)] = &[("BSS_SIMULATED_CLOCK", "true"), ("BSS_DISK_RESERVE_MB", "96")];
/// What is left above the reserve for the load to fill.
const ABOVE_MIB: u64 = 24;
const INDIVIDUALS: &str = "/tmf-api/party/v4/individual";

/// A mounted file system of memory; unmounted however the test ends.
struct Memory(PathBuf);

impl Memory {
    /// None where this user may not mount one.
    fn mount(place: &Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=900m,mode=755", "none"])
            .arg(place);
        let output = mount.output().ok()?;
        output.status.success().then(|| Self(place.to_path_buf()))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
        let _ = std::fs::remove_dir(&self.0);
    }
}

/// Fills the file system until so much is free.
fn fill(place: &Path, free: u64) {
    let mut file = File::create(place.join("filler")).unwrap();
    let zeros = vec![0; 1 << 16];
    while free_bytes(place).unwrap() > free {
        file.write_all(&zeros).unwrap();
    }
}

/// Asks to write something: status, `Retry-After`, body.
fn post(stack: &Stack, token: &str) -> (u16, Option<String>, Value) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let address = format!("http://{}{INDIVIDUALS}", stack.listener("gateway"));
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let body = json!({"givenName": "Ada", "familyName": "Probe"});
        let answer = client
            .post(address)
            .bearer_auth(token)
            .json(&body)
            .send()
            .await
            .unwrap();
        let after = answer.headers().get("retry-after");
        let after = after.map(|text| text.to_str().unwrap().to_owned());
        (answer.status().as_u16(), after, answer.json().await.unwrap())
    })
}

#[test]
fn a_disk_nearly_full_refuses_writes_until_there_is_room_and_postgres_never_stops() {
    let place = folder("small disk");
    let Some(_memory) = Memory::mount(&place) else {
        eprintln!("left out: a small file system can't be mounted, which takes root");
        std::fs::remove_dir(&place).unwrap();
        return;
    };
    let stack = Stack(place.clone(), VARIABLES);
    stack.up();
    let load = Load::new(&stack);
    let postgres = stack.postgres_process();
    let count = |text: &str| text.split(' ').next().unwrap().parse::<u64>().unwrap();
    let mut expected = count(&usage(&stack));
    let files: Vec<_> = (0..40).map(|seed| load.file(&stack, seed)).collect();
    fill(&place, (RESERVE_MIB + ABOVE_MIB) * MIB);

    // The load itself reaches the reserve, and is told so.
    let refused = files.iter().position(|file| {
        let output = import(&stack, file);
        if output.status.success() {
            expected += file.charged;
            return false;
        }
        assert!(
            said(&output).contains("the disk's reserve is reached"),
            "{}",
            said(&output)
        );
        true
    });
    let refused = refused.expect("40 files did not reach the reserve");
    let token = stack.token("csr");
    until("writes are refused", || post(&stack, &token).0 == 503);
    let (status, retry_after, body) = post(&stack, &token);
    assert_eq!((status, &body["code"]), (503, &json!("diskReserve")));
    assert!(retry_after.is_some_and(|seconds| seconds.parse::<u64>().unwrap() > 0));
    let ops = stack.listener("ops");
    assert_eq!(get(&ops, "/health/ready").0, 200, "reading goes on");
    assert!(get(&ops, "/metrics").1.contains("bss_writes_refused 1"));
    let free = free_bytes(&place).unwrap();
    assert!(
        free > RESERVE_MIB * MIB / 2,
        "{free} bytes are free: the reserve is used up"
    );

    // Room again: everything goes on by itself, and nothing was lost.
    std::fs::remove_file(place.join("filler")).unwrap();
    until("writes are taken again", || post(&stack, &token).0 == 201);
    let output = import(&stack, &files[refused]);
    assert!(output.status.success(), "{}", said(&output));
    expected += files[refused].charged;
    check_at_rest(&stack);
    assert_eq!(count(&usage(&stack)), expected);
    assert_eq!(
        stack.postgres_process(),
        postgres,
        "PostgreSQL stopped on the way"
    );
}
