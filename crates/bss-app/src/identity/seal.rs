//! Seals private keys before they go into the database: AES-256-GCM under a key derived from a secret file.
//!
//! Who has the database alone, or a backup of it, can't sign tokens.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};

use super::error::IdentityError;

const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
/// Bound to the purpose, so that the same secret file may serve another one.
const PURPOSE: &[u8] = b"bss issuer signing keys v1";

struct Bytes32;

impl KeyType for Bytes32 {
    fn len(&self) -> usize {
        32
    }
}

/// Seals and opens bytes, each bound to a label that must be the same for both.
pub struct Sealer {
    key: RandomizedNonceKey,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

impl Sealer {
    /// From the text of the secret file: at least 32 characters, generated, not chosen.
    ///
    /// # Errors
    /// A secret that is too short.
    pub fn new(secret: &str) -> Result<Self, IdentityError> {
        if secret.len() < 32 {
            return Err(IdentityError::invalid(
                "issuer secret",
                "has fewer than 32 characters".to_owned(),
            ));
        }
        let derived = Salt::new(HKDF_SHA256, b"").extract(secret.as_bytes());
        let mut bytes = [0_u8; 32];
        derived
            .expand(&[PURPOSE], Bytes32)
            .and_then(|output| output.fill(&mut bytes))
            .and_then(|()| RandomizedNonceKey::new(&AES_256_GCM, &bytes))
            .map(|key| Self { key })
            .map_err(|_| IdentityError::Crypto("cannot derive the sealing key".to_owned()))
    }

    /// Nonce, ciphertext, tag.
    pub fn seal(&self, label: &str, plain: &[u8]) -> Result<Vec<u8>, IdentityError> {
        let mut text = plain.to_vec();
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(label.as_bytes()), &mut text)
            .map_err(|_| IdentityError::Crypto("cannot seal a signing key".to_owned()))?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut text);
        Ok(sealed)
    }

    /// What was sealed under this label.
    ///
    /// # Errors
    /// [`IdentityError::WrongSecret`] where the bytes were sealed with another secret or changed since.
    pub fn open(&self, label: &str, sealed: &[u8]) -> Result<Vec<u8>, IdentityError> {
        let wrong = || IdentityError::WrongSecret {
            kid: label.to_owned(),
        };
        if sealed.len() < NONCE_BYTES + TAG_BYTES {
            return Err(wrong());
        }
        let (nonce, text) = sealed.split_at(NONCE_BYTES);
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| wrong())?;
        let mut text = text.to_vec();
        let plain = self
            .key
            .open_in_place(nonce, Aad::from(label.as_bytes()), &mut text)
            .map_err(|_| wrong())?;
        Ok(plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn only_the_same_secret_and_label_open() {
        let sealer = Sealer::new(SECRET).unwrap();
        let sealed = sealer.seal("kid-1", b"private").unwrap();
        assert!(!sealed.windows(7).any(|window| window == b"private"));
        assert_ne!(
            sealed,
            sealer.seal("kid-1", b"private").unwrap(),
            "one nonce twice"
        );
        assert_eq!(sealer.open("kid-1", &sealed).unwrap(), b"private");
        assert_eq!(
            Sealer::new(SECRET).unwrap().open("kid-1", &sealed).unwrap(),
            b"private"
        );

        let other = Sealer::new("another secret of 32 characters!").unwrap();
        let mut changed = sealed.clone();
        changed[NONCE_BYTES] ^= 1;
        for (opened, why) in [
            (other.open("kid-1", &sealed), "another secret"),
            (sealer.open("kid-2", &sealed), "another label"),
            (sealer.open("kid-1", &changed), "a changed byte"),
            (sealer.open("kid-1", &sealed[..20]), "cut off"),
        ] {
            assert!(matches!(opened, Err(IdentityError::WrongSecret { .. })), "{why}");
        }
        assert!(Sealer::new("short").is_err());
    }
}
