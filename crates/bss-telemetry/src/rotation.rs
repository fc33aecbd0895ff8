//! A log file that is put aside when it has grown.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

/// A file of at most `max_bytes`; when it is full it becomes `NAME.1`, that one `NAME.2`, and so on, and what
/// would stand beyond `kept` is removed.
#[derive(Debug, Clone)]
pub struct RotatingFile {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    max_bytes: u64,
    kept: u32,
    file: File,
    written_bytes: u64,
}

impl RotatingFile {
    /// Default size of one file.
    pub const MAX_BYTES: u64 = 16 * 1024 * 1024;
    /// Default number of files put aside.
    pub const KEPT: u32 = 4;

    /// Opens the file and goes on at its end; readable by its owner alone.
    pub fn open(path: &Path, max_bytes: u64, kept: u32) -> io::Result<Self> {
        let file = open(path)?;
        let written_bytes = file.metadata()?.len();
        let inner = Inner {
            path: path.to_path_buf(),
            max_bytes,
            kept,
            file,
            written_bytes,
        };
        Ok(Self {
            inner: Arc::new(Mutex::new(inner)),
        })
    }
}

impl Inner {
    fn rotate(&mut self) -> io::Result<()> {
        for number in (1..self.kept).rev() {
            // A number that isn't there yet is no error.
            let _ = std::fs::rename(aside(&self.path, number), aside(&self.path, number + 1));
        }
        std::fs::rename(&self.path, aside(&self.path, 1))?;
        self.file = open(&self.path)?;
        self.written_bytes = 0;
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

fn aside(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

impl Write for RotatingFile {
    /// One call is one line: a line never stands in two files.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.written_bytes > 0 && inner.written_bytes + line.len() as u64 > inner.max_bytes {
            inner.rotate()?;
        }
        inner.file.write_all(line)?;
        inner.written_bytes += line.len() as u64;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .file
            .flush()
    }
}

impl<'a> MakeWriter<'a> for RotatingFile {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_files_are_put_aside_and_the_oldest_goes() {
        let dir = std::env::temp_dir().join(format!("bss-rotation-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("bss.log");
        let mut file = RotatingFile::open(&path, 10, 2).unwrap();
        for line in ["one 45\n", "two 45\n", "three\n", "four\n"] {
            file.write_all(line.as_bytes()).unwrap();
        }
        let text = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(text(&path), "four\n");
        assert_eq!(text(&aside(&path, 1)), "three\n");
        assert_eq!(text(&aside(&path, 2)), "two 45\n");
        assert!(!aside(&path, 3).exists());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
