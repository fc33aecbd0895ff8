//! Random secrets and their digests.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A generated password's letters: none that is taken for another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// 256 random bits as 43 characters that are safe in a URL, a header and a shell.
pub fn generate() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// A password to be typed: four groups of five letters and digits, 100 random bits.
pub fn generate_password() -> String {
    let letters: Vec<char> = rand::random::<[u8; 20]>()
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
        .collect();
    letters
        .chunks(5)
        .map(|group| group.iter().collect::<String>())
        .collect::<Vec<_>>()
        .join("-")
}

/// What is stored of a generated secret: it has 256 random bits, so a plain hash can't be guessed back.
pub fn digest_of(secret: &str) -> Vec<u8> {
    digest(&SHA256, secret.as_bytes()).as_ref().to_vec()
}

/// Whether two digests or tokens are equal, in a time that doesn't tell where they differ.
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(left, right).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_new_each_time_and_safe_to_write_down() {
        let (secret, password) = (generate(), generate_password());
        assert_ne!(secret, generate());
        assert_ne!(password, generate_password());
        assert_eq!((secret.len(), password.len()), (43, 23));
        assert!(
            password
                .bytes()
                .all(|byte| byte == b'-' || LETTERS.contains(&byte)),
            "{password}"
        );
        assert!(super::super::password::check(&password).is_ok());
    }
}
