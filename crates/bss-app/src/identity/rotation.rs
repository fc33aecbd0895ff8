//! When a signing key is published, signs, and goes.
//!
//! A new key is published before it signs, so that a verifier which caches the key set knows it in time; an old
//! one stays published until the last token that it signed has expired.

use bss_domain::time::Instant;
use jiff::SignedDuration;

use super::lifetimes::TOKEN_S;

/// How long a new key is published before it signs.
pub const ANNOUNCE_S: i64 = 10 * 60;
/// What the clocks of two machines may differ by.
pub const LEEWAY_S: i64 = 60;

/// A key by its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyTimes {
    /// Its `kid`.
    pub kid: String,
    /// It signs from here until a later key does.
    pub signs_from: Instant,
}

/// What the keys are good for at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyRoles {
    /// The one that signs.
    pub signing: Option<String>,
    /// All that verifiers must know, the signing one among them.
    pub published: Vec<String>,
    /// Those that no valid token was signed with.
    pub spent: Vec<String>,
}

/// Sorts the keys by what they are good for at `now`.
pub fn roles(mut keys: Vec<KeyTimes>, now: Instant) -> KeyRoles {
    keys.sort_by(|left, right| (left.signs_from, &left.kid).cmp(&(right.signs_from, &right.kid)));
    let signing = keys.iter().rposition(|key| key.signs_from <= now);
    let mut roles = KeyRoles {
        signing: signing.map(|at| keys[at].kid.clone()),
        ..KeyRoles::default()
    };
    for (at, key) in keys.iter().enumerate() {
        let stopped_at = keys.get(at + 1).map(|next| next.signs_from);
        let spent = stopped_at.is_some_and(|stopped| {
            stopped
                .saturating_add(SignedDuration::from_secs(TOKEN_S + LEEWAY_S))
                .is_ok_and(|end| end <= now)
        });
        let list = if spent {
            &mut roles.spent
        } else {
            &mut roles.published
        };
        list.push(key.kid.clone());
    }
    roles
}

/// From when a new key signs, if one is due: at once where none signs, else after its announcement, once the
/// newest has signed for `every_s`.
pub fn next_signs_from(keys: &[KeyTimes], every_s: i64, now: Instant) -> Option<Instant> {
    let Some(newest) = keys.iter().map(|key| key.signs_from).max() else {
        return Some(now);
    };
    (now.as_second() - newest.as_second() >= every_s).then(|| announced(now))
}

/// The first moment at which a key that is published now may sign.
pub fn announced(now: Instant) -> Instant {
    now.saturating_add(SignedDuration::from_secs(ANNOUNCE_S))
        .unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Instant {
        Instant::from_second(1_800_000_000 + second).unwrap()
    }

    fn keys(times: &[(&str, i64)]) -> Vec<KeyTimes> {
        times
            .iter()
            .map(|(kid, second)| KeyTimes {
                kid: (*kid).to_owned(),
                signs_from: at(*second),
            })
            .collect()
    }

    #[test]
    fn keys_are_announced_sign_and_go() {
        let last = TOKEN_S + LEEWAY_S;
        for (times, now, signing, published, spent) in [
            (&[][..], 0, None, &[][..], &[][..]),
            (&[("a", 0)], 0, Some("a"), &["a"], &[]),
            (&[("a", 0)], 1_000_000, Some("a"), &["a"], &[]),
            (&[("b", 600), ("a", 0)], 599, Some("a"), &["a", "b"], &[]),
            (&[("b", 600), ("a", 0)], 600, Some("b"), &["a", "b"], &[]),
            (
                &[("a", 0), ("b", 600)],
                600 + last - 1,
                Some("b"),
                &["a", "b"],
                &[],
            ),
            (&[("a", 0), ("b", 600)], 600 + last, Some("b"), &["b"], &["a"]),
        ] {
            let owned = |kids: &[&str]| kids.iter().map(|kid| (*kid).to_owned()).collect::<Vec<_>>();
            let expected = KeyRoles {
                signing: signing.map(str::to_owned),
                published: owned(published),
                spent: owned(spent),
            };
            assert_eq!(roles(keys(times), at(now)), expected, "{times:?} at {now}");
        }
    }

    #[test]
    fn a_key_follows_when_the_newest_has_signed_long_enough() {
        for (times, now, expected) in [
            (&[][..], 5, Some(5)),
            (&[("a", 0)], 99, None),
            (&[("a", 0)], 100, Some(100 + ANNOUNCE_S)),
            // Announced already.
            (&[("a", 0), ("b", 100 + ANNOUNCE_S)], 200, None),
        ] {
            assert_eq!(
                next_signs_from(&keys(times), 100, at(now)),
                expected.map(at),
                "{times:?} at {now}"
            );
        }
    }
}
