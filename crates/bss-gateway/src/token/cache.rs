//! A bounded memory of verified tokens.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, PoisonError};

/// SHA-256 of a token: a dump of the memory then holds no tokens.
pub type Digest = [u8; 32];

/// A digest is random already: its first bytes are its hash.
#[derive(Default)]
struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*first);
        }
    }
}

type Generation<V> = HashMap<Digest, V, BuildHasherDefault<DigestHasher>>;

/// Two generations: entries go into the young one; when that is full it becomes the old one, and what was old and
/// not used meanwhile is forgotten. It holds at most `entries_max`, and evicting costs nothing.
struct Shard<V> {
    young: Generation<V>,
    old: Generation<V>,
}

const SHARDS: usize = 16;

pub struct Cache<V> {
    shards: [Mutex<Shard<V>>; SHARDS],
    generation_max: usize,
}

impl<V: Clone> Cache<V> {
    pub fn new(entries_max: usize) -> Self {
        let shard = || {
            Mutex::new(Shard {
                young: Generation::default(),
                old: Generation::default(),
            })
        };
        Self {
            shards: std::array::from_fn(|_| shard()),
            generation_max: (entries_max / SHARDS / 2).max(1),
        }
    }

    fn shard(&self, digest: &Digest) -> &Mutex<Shard<V>> {
        &self.shards[usize::from(digest[31]) % SHARDS]
    }

    pub fn get(&self, digest: &Digest) -> Option<V> {
        // A panic while the lock is held leaves a map that is whole.
        let mut shard = self.shard(digest).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = shard.young.get(digest) {
            return Some(found.clone());
        }
        let found = shard.old.remove(digest)?;
        shard.put(*digest, found.clone(), self.generation_max);
        Some(found)
    }

    pub fn put(&self, digest: Digest, value: V) {
        let mut shard = self.shard(&digest).lock().unwrap_or_else(PoisonError::into_inner);
        shard.put(digest, value, self.generation_max);
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        let length = |shard: &Mutex<Shard<V>>| {
            let shard = shard.lock().unwrap();
            shard.young.len() + shard.old.len()
        };
        self.shards.iter().map(length).sum()
    }
}

impl<V> Shard<V> {
    fn put(&mut self, digest: Digest, value: V, generation_max: usize) {
        if self.young.len() >= generation_max && !self.young.contains_key(&digest) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(digest, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(n: u32) -> Digest {
        let mut digest = [0; 32];
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &n.to_le_bytes());
        digest.copy_from_slice(hash.as_ref());
        digest
    }

    #[test]
    fn it_never_holds_more_than_allowed_and_keeps_what_is_used() {
        let cache = Cache::new(1024);
        cache.put(digest(0), 0);
        for n in 1..20_000 {
            cache.put(digest(n), n);
            assert_eq!(cache.get(&digest(0)), Some(0), "after {n}");
        }
        assert!(cache.len() <= 1024, "{} entries", cache.len());
        assert_eq!(cache.get(&digest(1)), None);
        assert_eq!(cache.get(&digest(19_999)), Some(19_999));
    }
}
