//! `bss logs`: the last lines of the logs, and with `-f` those that follow.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use crate::cli::LogsOptions;
use crate::config::Config;
use crate::failure::Failure;

/// How often a followed file is looked at.
const POLL: Duration = Duration::from_millis(200);
const NAMES: [&str; 2] = ["bss", "postgres"];

struct Followed {
    label: String,
    path: PathBuf,
    reader: Option<BufReader<File>>,
    inode: u64,
}

/// Prints the last lines of each log, each line with its log's name where there are several.
pub async fn run(config: &Config, options: &LogsOptions) -> Result<(), Failure> {
    let names: Vec<&str> = match options.name.as_deref() {
        None => NAMES.to_vec(),
        Some(name) if NAMES.contains(&name) => vec![name],
        Some(other) => {
            return Err(Failure::Usage(vec![format!(
                "there is no log `{other}`: {}",
                NAMES.join(" or ")
            )]));
        }
    };
    let mut followed: Vec<Followed> = names
        .iter()
        .map(|name| Followed {
            label: if names.len() > 1 {
                format!("{name:<9}")
            } else {
                String::new()
            },
            path: config.data_dir.join("logs").join(format!("{name}.log")),
            reader: None,
            inode: 0,
        })
        .collect();
    if !options.follow && followed.iter().all(|log| !log.path.exists()) {
        return Err(Failure::refused(format!(
            "there are no logs in {}",
            config.data_dir.join("logs").display()
        )));
    }
    for log in &mut followed {
        if !log.begin(options.lines) {
            return Ok(());
        }
    }
    if !options.follow {
        return Ok(());
    }
    loop {
        for log in &mut followed {
            if !log.go_on() {
                return Ok(());
            }
        }
        tokio::time::sleep(POLL).await;
    }
}

impl Followed {
    /// Prints the last lines; false once nobody reads.
    fn begin(&mut self, count: usize) -> bool {
        self.open();
        let mut last = VecDeque::with_capacity(count.min(10_000));
        while let Some(line) = self.line() {
            if last.len() == count {
                last.pop_front();
            }
            last.push_back(line);
        }
        last.iter().all(|line| self.print(line))
    }

    /// Prints what was written since; a file that was rotated is read to its end, then the new one.
    fn go_on(&mut self) -> bool {
        loop {
            while let Some(line) = self.line() {
                if !self.print(&line) {
                    return false;
                }
            }
            let now = self.path.metadata().map_or(0, |found| found.ino());
            if now == 0 || now == self.inode {
                return true;
            }
            self.open();
        }
    }

    fn open(&mut self) {
        self.reader = File::open(&self.path).ok().map(BufReader::new);
        self.inode = self.path.metadata().map_or(0, |found| found.ino());
    }

    fn line(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        let read = self.reader.as_mut()?.read_until(b'\n', &mut line).ok()?;
        (read > 0).then_some(line)
    }

    fn print(&self, line: &[u8]) -> bool {
        let mut out = std::io::stdout().lock();
        let written = out
            .write_all(self.label.as_bytes())
            .and_then(|()| out.write_all(line))
            .and_then(|()| out.flush());
        written.is_ok()
    }
}
