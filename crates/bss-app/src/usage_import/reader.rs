//! Reads a file's lines: split, identified and mediated, in batches, on a thread of its own.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};

use bss_domain::ids::TenantId;
use bss_domain::usage::source::Mediated;
use bss_domain::usage::{Fields, Identity, Ordinals, RecordHash, RejectReason, UsageSource};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

/// A longer line is rejected; what exceeds this isn't kept.
const LINE_BYTES_MAX: u64 = 16 * 1024;

/// Batches that are read ahead while one is being committed.
const AHEAD: usize = 1;

/// What is to be read.
pub struct Task {
    pub file: File,
    pub tenant: TenantId,
    pub source: UsageSource,
    /// Only so many bytes: a switch may be writing on.
    pub size_bytes: u64,
    /// Lines that are committed already; they only count for the ordinals of equal lines.
    pub skip_lines: u64,
    pub batch_lines: usize,
}

/// One line.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its number, from 1.
    pub number: u32,
    pub identity: Identity,
    pub content: RecordHash,
    pub outcome: Result<Mediated, RejectReason>,
    pub raw: Vec<u8>,
}

/// The SHA-256 and the length of a file, which is read from its beginning.
pub async fn digest(file: &File) -> io::Result<(Vec<u8>, u64)> {
    let mut file = file.try_clone()?;
    tokio::task::spawn_blocking(move || {
        file.rewind()?;
        let mut digest = Sha256::new();
        let mut buffer = vec![0; 256 * 1024];
        let mut size_bytes = 0;
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                return Ok((digest.finalize().to_vec(), size_bytes));
            }
            digest.update(&buffer[..read]);
            size_bytes += read as u64;
        }
    })
    .await
    .map_err(io::Error::other)?
}

/// Starts to read. The thread ends with the file, with an error, or when nobody receives any more.
pub fn read(task: Task) -> mpsc::Receiver<io::Result<Vec<Line>>> {
    let (send, receive) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = read_batches(&task, &send) {
            // Where nobody receives any more, nobody needs to know.
            let _ = send.blocking_send(Err(error));
        }
    });
    receive
}

fn read_batches(task: &Task, send: &mpsc::Sender<io::Result<Vec<Line>>>) -> io::Result<()> {
    let mut file = &task.file;
    file.rewind()?;
    let mut reader = BufReader::with_capacity(256 * 1024, file.take(task.size_bytes));
    let mut lines = LineReader {
        task,
        fields: Fields::default(),
        ordinals: Ordinals::default(),
        number: 0,
    };
    let mut batch = Vec::with_capacity(task.batch_lines);
    let mut raw = Vec::new();
    while let Some(is_whole) = next_line(&mut reader, &mut raw)? {
        if let Some(line) = lines.next(&raw, is_whole) {
            batch.push(line);
        }
        if batch.len() >= task.batch_lines {
            let full = std::mem::replace(&mut batch, Vec::with_capacity(task.batch_lines));
            if send.blocking_send(Ok(full)).is_err() {
                return Ok(());
            }
        }
    }
    if !batch.is_empty() {
        // Where nobody receives any more, nobody needs the rest.
        let _ = send.blocking_send(Ok(batch));
    }
    Ok(())
}

/// Reads a line without its end into `raw`; none at the end of the file, false where the line was too long and cut.
fn next_line(reader: &mut impl BufRead, raw: &mut Vec<u8>) -> io::Result<Option<bool>> {
    raw.clear();
    if reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', raw)? == 0 {
        return Ok(None);
    }
    if raw.last() == Some(&b'\n') {
        raw.pop();
        if raw.last() == Some(&b'\r') {
            raw.pop();
        }
        return Ok(Some(true));
    }
    if (raw.len() as u64) < LINE_BYTES_MAX {
        return Ok(Some(true));
    }
    reader.skip_until(b'\n')?;
    Ok(Some(false))
}

struct LineReader<'a> {
    task: &'a Task,
    fields: Fields,
    ordinals: Ordinals,
    number: u64,
}

impl LineReader<'_> {
    fn next(&mut self, raw: &[u8], is_whole: bool) -> Option<Line> {
        self.number += 1;
        let source = &self.task.source;
        let split = self.fields.split(raw);
        let fields = split.is_ok().then_some(&self.fields);
        let (mut identity, mut content) = source.identify(self.task.tenant, raw, fields);
        if !identity.own_id {
            identity.hash = self.ordinals.next(identity.hash);
            content = identity.hash;
        }
        if self.number <= self.task.skip_lines {
            return None;
        }
        let outcome = match split {
            _ if !is_whole => Err(RejectReason::TooLong {
                limit_bytes: LINE_BYTES_MAX,
            }),
            Ok(()) => source.mediate(&self.fields),
            Err(reason) => Err(reason),
        };
        Some(Line {
            number: u32::try_from(self.number).unwrap_or(u32::MAX),
            identity,
            content,
            outcome,
            raw: raw.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_they_do_on_every_system() {
        let long = "x".repeat(LINE_BYTES_MAX as usize + 10);
        let text = format!("a\r\nb\n\n{long}\nlast");
        let mut reader = BufReader::with_capacity(7, text.as_bytes());
        let mut raw = Vec::new();
        let mut lines = Vec::new();
        while let Some(is_whole) = next_line(&mut reader, &mut raw).unwrap() {
            lines.push((raw.len(), is_whole));
        }
        assert_eq!(
            lines,
            [
                (1, true),
                (1, true),
                (0, true),
                (LINE_BYTES_MAX as usize, false),
                (4, true)
            ]
        );
    }
}
