//! A stack of the real binary and the real PostgreSQL, in a folder with a blank in its name.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use bss_platform::process::ProcessId;
use serde_json::Value;

/// A data folder that is stopped and removed however the test ends.
pub struct Stack(pub PathBuf, pub &'static [(&'static str, &'static str)]);

impl Stack {
    pub fn new(name: &str) -> Self {
        Self::with(name, &[])
    }

    /// One whose new database gets a simulated business clock.
    pub fn simulated(name: &str) -> Self {
        Self::with(name, &[("BSS_SIMULATED_CLOCK", "true")])
    }

    /// One with these variables in its commands' environment.
    pub fn with(name: &str, variables: &'static [(&'static str, &'static str)]) -> Self {
        Self(folder(name), variables)
    }

    pub fn data_dir(&self) -> PathBuf {
        self.0.join("data")
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bss"));
        command
            .args(words)
            .env("BSS_DATA_DIR", self.data_dir())
            .env("BSS_MEMORY_MB", "128")
            .env("BSS_AUTO_PORTS", "true")
            // Elsewhere than the defaults: tests run side by side with a developer's stack.
            .env("BSS_PORT", "18000")
            .env("BSS_OPS_PORT", "19464")
            .env("BSS_POSTGRES_PORT", "15432")
            .envs(self.1.iter().copied())
            .current_dir(&self.0)
            .stdin(Stdio::null());
        command
    }

    pub fn bss(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    pub fn up(&self) -> Value {
        let output = self.bss(&["up", "--json"]);
        assert!(output.status.success(), "{}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The one value of a query, asked as the superuser.
    pub fn ask(&self, sql: &str) -> String {
        let mut psql = bss_platform::postgres_client(&self.data_dir(), "psql").unwrap();
        let words = [
            "--no-psqlrc",
            "--tuples-only",
            "--no-align",
            "--set=ON_ERROR_STOP=1",
        ];
        let psql = psql.as_std_mut().args(words);
        let piped = psql
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        child.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Where one of its parts listens.
    pub fn listener(&self, name: &str) -> String {
        bss_platform::read_state(&self.data_dir()).unwrap().listeners[name].clone()
    }

    /// An access token.
    pub fn token(&self, role: &str) -> String {
        let output = self.bss(&["token", "--as", role]);
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub fn bss_process(&self) -> ProcessId {
        bss_platform::read_state(&self.data_dir()).unwrap().process
    }

    pub fn postgres_process(&self) -> ProcessId {
        bss_platform::postgres_status(&self.data_dir()).unwrap().process
    }
}

/// A new folder with a blank in its name.
pub fn folder(name: &str) -> PathBuf {
    let random = bss_platform::secrets::generate();
    let dir = std::env::temp_dir().join(format!("bss {name} {}", &random[..12]));
    std::fs::create_dir(&dir).unwrap();
    std::fs::set_permissions(&dir, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    dir
}

impl Drop for Stack {
    fn drop(&mut self) {
        let output = self.bss(&["down", "--data"]);
        if !std::thread::panicking() {
            assert!(output.status.success(), "{}", said(&output));
        }
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn said(output: &Output) -> String {
    format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn get(address: &str, path: &str) -> (u16, String) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client
            .get(format!("http://{address}{path}"))
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    })
}
