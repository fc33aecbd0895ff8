//! The longest prefix of a number: a trie over digits in one flat array.

/// Numbers by prefix; a look-up costs one array access a digit and allocates nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrefixIndex {
    nodes: Vec<Digit>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Digit {
    /// The node of each next digit; 0 where there is none, since the root follows nothing.
    next: [u32; 10],
    value: Option<u16>,
}

const EMPTY: Digit = Digit {
    next: [0; 10],
    value: None,
};

impl Default for PrefixIndex {
    fn default() -> Self {
        Self { nodes: vec![EMPTY] }
    }
}

impl PrefixIndex {
    /// Adds a prefix of digits; the empty one is every number's. What it stood for before comes back, and so does
    /// the prefix where it holds something else than digits.
    pub fn insert(&mut self, prefix: &str, value: u16) -> Result<(), PrefixTaken> {
        let mut at = 0;
        for byte in prefix.bytes() {
            if !byte.is_ascii_digit() {
                return Err(PrefixTaken::NoDigits);
            }
            let digit = usize::from(byte - b'0');
            if self.nodes[at].next[digit] == 0 {
                self.nodes[at].next[digit] = self.nodes.len() as u32;
                self.nodes.push(EMPTY);
            }
            at = self.nodes[at].next[digit] as usize;
        }
        if self.nodes[at].value.is_some_and(|other| other != value) {
            return Err(PrefixTaken::ByAnother);
        }
        self.nodes[at].value = Some(value);
        Ok(())
    }

    /// What the longest prefix of the number stands for. A leading `+` is passed over; the first character that is no
    /// digit ends the number.
    pub fn longest(&self, number: &str) -> Option<u16> {
        let mut node = &self.nodes[0];
        let mut found = node.value;
        for byte in number.strip_prefix('+').unwrap_or(number).bytes() {
            if !byte.is_ascii_digit() {
                break;
            }
            let next = node.next[usize::from(byte - b'0')];
            if next == 0 {
                break;
            }
            node = &self.nodes[next as usize];
            found = node.value.or(found);
        }
        found
    }
}

/// Why a prefix wasn't added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrefixTaken {
    /// It has something else than digits.
    NoDigits,
    /// It stands for something else already.
    ByAnother,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_wins() {
        let mut index = PrefixIndex::default();
        for (prefix, value) in [("48", 1), ("4860", 2), ("", 0), ("4860123", 3)] {
            index.insert(prefix, value).unwrap();
        }
        let cases = [
            ("48221234567", 1),
            ("+48601999999", 2),
            ("48601239999", 3),
            ("49", 0),
            ("", 0),
            ("48x60", 1),
            ("internet", 0),
        ];
        for (number, zone) in cases {
            assert_eq!(index.longest(number), Some(zone), "{number}");
        }
        assert_eq!(index.insert("48", 9), Err(PrefixTaken::ByAnother));
        assert_eq!(index.insert("4a", 9), Err(PrefixTaken::NoDigits));
        assert_eq!(PrefixIndex::default().longest("48"), None);
    }
}
