//! A sealed stream: AES-256-GCM in chunks, under a key that Argon2id makes of a passphrase.
//!
//! The file is a head (magic, salt, costs), then chunks: length and whether it is the last one, then the ciphertext
//! with its tag. A chunk's nonce is its number, and the head, the length and the end are authenticated with it: chunks
//! can't be changed, moved, repeated, cut off or added. The construction is age's STREAM; a file has a salt, and so a
//! key, of its own.

use std::io::{self, Read, Write};

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

const MAGIC: &[u8; 12] = b"bss backup 1";
const SALT_BYTES: usize = 16;
const HEAD_BYTES: usize = MAGIC.len() + SALT_BYTES + 8;
const FRAME_BYTES: usize = 5;
const CHUNK_BYTES: usize = 1 << 16;
/// What guessing one passphrase costs: RFC 9106's second recommendation.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
/// A head that asks for more is no head of ours: reading a file must not exhaust the machine.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const PASSES_MAX: u32 = 16;

type Head = [u8; HEAD_BYTES];

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn new_head() -> Head {
    let mut head = [0; HEAD_BYTES];
    let salt: [u8; SALT_BYTES] = rand::random();
    head[..MAGIC.len()].copy_from_slice(MAGIC);
    head[MAGIC.len()..MAGIC.len() + SALT_BYTES].copy_from_slice(&salt);
    head[HEAD_BYTES - 8..HEAD_BYTES - 4].copy_from_slice(&MEMORY_KIB.to_be_bytes());
    head[HEAD_BYTES - 4..].copy_from_slice(&PASSES.to_be_bytes());
    head
}

fn number_at(head: &Head, at: usize) -> u32 {
    u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]])
}

fn key_of(passphrase: &str, head: &Head) -> io::Result<LessSafeKey> {
    let salt = &head[MAGIC.len()..MAGIC.len() + SALT_BYTES];
    let (memory_kib, passes) = (number_at(head, HEAD_BYTES - 8), number_at(head, HEAD_BYTES - 4));
    if memory_kib > MEMORY_KIB_MAX || passes > PASSES_MAX {
        return Err(damaged("its head was altered"));
    }
    let costs = Params::new(memory_kib, passes, 1, Some(32)).map_err(|_| damaged("its head was altered"))?;
    let mut bytes = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, costs)
        .hash_password_into(passphrase.as_bytes(), salt, &mut bytes)
        .map_err(|error| io::Error::other(error.to_string()))?;
    let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| io::Error::other("no key"))?;
    Ok(LessSafeKey::new(key))
}

fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[NONCE_LEN - 8..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

fn frame(ciphertext_bytes: usize, last: bool) -> [u8; FRAME_BYTES] {
    let length = (ciphertext_bytes as u32).to_be_bytes();
    [length[0], length[1], length[2], length[3], u8::from(last)]
}

fn authenticated(head: &Head, frame: [u8; FRAME_BYTES]) -> Aad<[u8; HEAD_BYTES + FRAME_BYTES]> {
    let mut bytes = [0; HEAD_BYTES + FRAME_BYTES];
    bytes[..HEAD_BYTES].copy_from_slice(head);
    bytes[HEAD_BYTES..].copy_from_slice(&frame);
    Aad::from(bytes)
}

/// Seals what is written to it; [`finish`](Self::finish) writes the last chunk.
pub struct Sealer<W: Write> {
    out: W,
    head: Head,
    key: LessSafeKey,
    number: u64,
    chunk: Vec<u8>,
}

impl<W: Write> Sealer<W> {
    /// Begins a file.
    pub fn new(mut out: W, passphrase: &str) -> io::Result<Self> {
        let head = new_head();
        let key = key_of(passphrase, &head)?;
        out.write_all(&head)?;
        Ok(Self {
            out,
            head,
            key,
            number: 0,
            chunk: Vec::with_capacity(CHUNK_BYTES + AES_256_GCM.tag_len()),
        })
    }

    /// Writes what is left as the last chunk.
    pub fn finish(mut self) -> io::Result<W> {
        self.seal(true)?;
        Ok(self.out)
    }

    fn seal(&mut self, last: bool) -> io::Result<()> {
        let frame = frame(self.chunk.len() + AES_256_GCM.tag_len(), last);
        let aad = authenticated(&self.head, frame);
        self.key
            .seal_in_place_append_tag(nonce(self.number), aad, &mut self.chunk)
            .map_err(|_| io::Error::other("cannot seal"))?;
        self.out.write_all(&frame)?;
        self.out.write_all(&self.chunk)?;
        self.chunk.clear();
        self.number += 1;
        Ok(())
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk is written only when more comes: the last one is never empty but in an empty file.
        if self.chunk.len() == CHUNK_BYTES && !bytes.is_empty() {
            self.seal(false)?;
        }
        let taken = &bytes[..bytes.len().min(CHUNK_BYTES - self.chunk.len())];
        self.chunk.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens a sealed stream; an end without the last chunk is an error.
pub struct Opener<R: Read> {
    from: R,
    head: Head,
    key: LessSafeKey,
    number: u64,
    chunk: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: Read> Opener<R> {
    /// Begins reading a file.
    pub fn new(mut from: R, passphrase: &str) -> io::Result<Self> {
        let mut head = [0; HEAD_BYTES];
        from.read_exact(&mut head)
            .map_err(|error| cut_off(error, "it is no backup of bss"))?;
        if !head.starts_with(MAGIC) {
            return Err(damaged("it is no backup of bss"));
        }
        Ok(Self {
            from,
            key: key_of(passphrase, &head)?,
            head,
            number: 0,
            chunk: Vec::new(),
            given: 0,
            ended: false,
        })
    }

    fn next(&mut self) -> io::Result<()> {
        let mut frame = [0; FRAME_BYTES];
        self.from
            .read_exact(&mut frame)
            .map_err(|error| cut_off(error, "it is cut off"))?;
        let length = u32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]]) as usize;
        if length > CHUNK_BYTES + AES_256_GCM.tag_len() {
            return Err(self.altered());
        }
        let mut bytes = vec![0; length];
        self.from
            .read_exact(&mut bytes)
            .map_err(|error| cut_off(error, "it is cut off"))?;
        let aad = authenticated(&self.head, frame);
        let plain = self.key.open_in_place(nonce(self.number), aad, &mut bytes);
        let plain_bytes = plain.map(|plain| plain.len()).map_err(|_| self.altered())?;
        bytes.truncate(plain_bytes);
        (self.chunk, self.given, self.ended) = (bytes, 0, frame[4] == 1);
        self.number += 1;
        if self.ended && self.from.read(&mut [0])? > 0 {
            return Err(damaged("something was added behind its end"));
        }
        Ok(())
    }

    fn altered(&self) -> io::Error {
        if self.number == 0 {
            damaged("the passphrase is wrong, or the file was altered")
        } else {
            damaged("the file was altered")
        }
    }
}

/// An end that comes too early, in words; any other error as it is.
fn cut_off(error: io::Error, what: &str) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        damaged(what)
    } else {
        error
    }
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.chunk.len() && !self.ended {
            self.next()?;
        }
        let left = &self.chunk[self.given..];
        let count = left.len().min(into.len());
        into[..count].copy_from_slice(&left[..count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSPHRASE: &str = "a long passphrase";

    fn sealed(text: &[u8]) -> Vec<u8> {
        let mut sealer = Sealer::new(Vec::new(), PASSPHRASE).unwrap();
        sealer.write_all(text).unwrap();
        sealer.finish().unwrap()
    }

    fn opened(bytes: &[u8], passphrase: &str) -> Result<Vec<u8>, String> {
        let mut text = Vec::new();
        Opener::new(bytes, passphrase)
            .and_then(|mut opener| opener.read_to_end(&mut text))
            .map_err(|error| error.to_string())?;
        Ok(text)
    }

    fn text(length: usize) -> Vec<u8> {
        (0..length).map(|index| (index % 251) as u8).collect()
    }

    #[test]
    fn what_is_sealed_opens_as_it_was() {
        for length in [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES + 77] {
            let text = text(length);
            assert_eq!(
                opened(&sealed(&text), PASSPHRASE).unwrap(),
                text,
                "{length} bytes"
            );
        }
        let text = text(100);
        let bytes = sealed(&text);
        assert!(
            !bytes.windows(32).any(|window| window == &text[..32]),
            "it stands there in plain"
        );
        assert_ne!(bytes, sealed(&text), "a key is used twice");
    }

    #[test]
    fn what_was_altered_or_cut_off_is_refused_with_the_reason() {
        let text = text(2 * CHUNK_BYTES + 77);
        let bytes = sealed(&text);
        let second = HEAD_BYTES + FRAME_BYTES + CHUNK_BYTES + AES_256_GCM.tag_len();
        let flipped = |at: usize| {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            bytes
        };
        let swapped = {
            let chunk = second - HEAD_BYTES;
            let mut bytes = bytes.clone();
            let (first, rest) = bytes[HEAD_BYTES..].split_at_mut(chunk);
            first.swap_with_slice(&mut rest[..chunk]);
            bytes
        };
        let longer = [bytes.clone(), vec![0]].concat();
        let wrong = "the passphrase is wrong, or the file was altered";
        let cases: [(&str, &[u8], &str); 9] = [
            ("its magic", &flipped(0), "it is no backup of bss"),
            ("its salt", &flipped(MAGIC.len()), wrong),
            ("the costs", &flipped(HEAD_BYTES - 8), "its head was altered"),
            ("a byte of the first chunk", &flipped(second - 20), wrong),
            (
                "a byte of the second chunk",
                &flipped(second + 99),
                "the file was altered",
            ),
            (
                "the mark of the end",
                &flipped(second + 4),
                "the file was altered",
            ),
            ("two chunks, swapped", &swapped, wrong),
            ("cut off between chunks", &bytes[..second], "it is cut off"),
            ("something behind", &longer, "something was added behind its end"),
        ];
        for (case, bytes, reason) in cases {
            assert_eq!(opened(bytes, PASSPHRASE).unwrap_err(), reason, "{case}");
        }
        for length in [
            0,
            HEAD_BYTES - 1,
            HEAD_BYTES,
            HEAD_BYTES + 3,
            second + 3,
            bytes.len() - 1,
        ] {
            opened(&bytes[..length], PASSPHRASE).unwrap_err();
        }
        assert_eq!(opened(&bytes, "another passphrase").unwrap_err(), wrong);
    }
}
