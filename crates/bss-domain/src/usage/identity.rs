//! What makes a record the same record: a hash of what its source wrote, never a sequence of ours.
//!
//! Switches repeat or omit unique ids, so the whole line counts; and two equal lines of one file are two calls, so
//! the ordinal among the file's equal lines counts too. The same lines in another file are the same calls.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::ids::{TenantId, UsageId};

const BITS: u64 = 0x3FFF_FFFF_FFFF_FFFF;

/// 62 bits of SHA-256 over a record's tenant, source, raw fields and ordinal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordHash(u64);

impl RecordHash {
    /// The hash of the first record with these raw fields. Lengths stand before contents, so that no two different
    /// lists of fields run together.
    pub fn of_fields<'a>(tenant: TenantId, source: &str, fields: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut digest = Sha256::new();
        let mut update = |field: &[u8]| {
            digest.update((field.len() as u64).to_be_bytes());
            digest.update(field);
        };
        update(Uuid::from(tenant).as_bytes());
        update(source.as_bytes());
        fields.into_iter().for_each(&mut update);
        Self::from_digest(&digest.finalize())
    }

    /// The hash of a record that its source names itself.
    pub fn of_own_id(tenant: TenantId, source: &str, id: &str) -> Self {
        Self::of_fields(tenant, source, [b"id".as_slice(), id.as_bytes()])
    }

    /// The hash of the `ordinal`-th equal record of a file, counted from 1; the first one is the hash itself.
    #[must_use]
    pub fn repeated(self, ordinal: u32) -> Self {
        if ordinal <= 1 {
            return self;
        }
        let mut digest = Sha256::new();
        digest.update(self.0.to_be_bytes());
        digest.update(ordinal.to_be_bytes());
        Self::from_digest(&digest.finalize())
    }

    /// The hash that a usage id carries.
    pub fn of_id(id: UsageId) -> Self {
        Self(Uuid::from(id).as_u64_pair().1 & BITS)
    }

    /// The hash from its 62 bits, as the database keeps them.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits & BITS)
    }

    /// Its 62 bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The bits as the database's `bigint`; never negative.
    pub const fn sql(self) -> i64 {
        self.0 as i64
    }

    fn from_digest(digest: &[u8]) -> Self {
        let first = digest
            .iter()
            .take(8)
            .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        Self(first & BITS)
    }
}

/// Counts the equal lines of one file while it is read from its beginning. Takes 8 bytes and some slack per line.
#[derive(Debug, Default)]
pub struct Ordinals {
    seen: HashSet<u64>,
    repeated: HashMap<u64, u32>,
}

impl Ordinals {
    /// The identity of the next line, given the hash of its fields.
    pub fn next(&mut self, fields: RecordHash) -> RecordHash {
        if self.seen.insert(fields.0) {
            return fields;
        }
        let ordinal = self.repeated.entry(fields.0).or_insert(1);
        *ordinal += 1;
        fields.repeated(*ordinal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Slot, TypedId};

    fn tenant(random: u64) -> TenantId {
        TenantId::at(1, Slot::hash(b"t"), random)
    }

    fn hash(source: &str, fields: &[&str]) -> RecordHash {
        RecordHash::of_fields(tenant(1), source, fields.iter().map(|field| field.as_bytes()))
    }

    #[test]
    fn fields_dont_run_together() {
        let all = [
            hash("a", &["b", "c"]),
            hash("ab", &["c"]),
            hash("a", &["bc"]),
            hash("a", &["", "bc"]),
            hash("a", &["b", "c", ""]),
            RecordHash::of_fields(tenant(2), "a", [b"b".as_slice(), b"c"]),
        ];
        let different: HashSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert_eq!(hash("a", &["b", "c"]), all[0]);
    }

    #[test]
    fn equal_lines_of_a_file_are_several_and_stay_the_same_in_the_next_reading() {
        let line = hash("msc1", &["1", "2"]);
        let read = || {
            let mut ordinals = Ordinals::default();
            [0; 4].map(|_| ordinals.next(line))
        };
        let first = read();
        assert_eq!(first.iter().collect::<HashSet<_>>().len(), 4);
        assert_eq!(first, read());
        assert_eq!(first[0], line);
    }

    #[test]
    fn the_hash_survives_the_database() {
        let hash = hash("msc1", &["x"]);
        assert!(hash.sql() >= 0);
        assert_eq!(RecordHash::from_bits(hash.sql() as u64), hash);
    }
}
