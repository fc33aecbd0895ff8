//! Passwords as Argon2id hashes (RFC 9106), in PHC's form.
//!
//! One hash costs a core for tens of milliseconds and 19 MiB, so hashes run on the blocking threads, only as many
//! at once as there are permits, and nobody waits for a permit for ever.

use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::IdentityError;

/// The shortest password that is taken, in characters.
pub const LENGTH_MIN: usize = 10;
/// The longest, in bytes: a bound on what a stranger can make us read.
pub const BYTES_MAX: usize = 256;
/// How long a sign-in waits for its turn.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// A hash that no password has: what is compared where a name is unknown, so that both take the same time.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes and verifies passwords, a bounded number at once.
#[derive(Debug, Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
}

impl Passwords {
    /// As many at once as half of the machine's cores, at least one: the other half goes on serving.
    pub fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            permits: Arc::new(Semaphore::new((cores / 2).max(1))),
        }
    }

    /// The hash of a new password.
    ///
    /// # Errors
    /// A password that is too short or too long; [`IdentityError::Busy`].
    pub async fn hash(&self, password: &str) -> Result<String, IdentityError> {
        check(password)?;
        let permit = self.permit().await?;
        let password = password.to_owned();
        let hashed = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            Argon2::default()
                .hash_password(password.as_bytes())
                .map(|hash| hash.to_string())
        });
        match hashed.await {
            Ok(Ok(hash)) => Ok(hash),
            Ok(Err(error)) => Err(IdentityError::Crypto(format!("cannot hash a password: {error}"))),
            Err(error) => Err(IdentityError::Crypto(format!(
                "the password hasher ended: {error}"
            ))),
        }
    }

    /// Whether the password is the hash's; with no hash, false after the same time.
    ///
    /// # Errors
    /// [`IdentityError::Busy`]; a stored hash that is none.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, IdentityError> {
        if password.len() > BYTES_MAX {
            return Ok(false);
        }
        let permit = self.permit().await?;
        let known = hash.is_some();
        let (password, hash) = (password.to_owned(), hash.unwrap_or(NOBODY).to_owned());
        let verified = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            Argon2::default().verify_password(password.as_bytes(), hash.as_str())
        });
        match verified.await {
            Ok(Ok(())) => Ok(known),
            Ok(Err(argon2::password_hash::Error::PasswordInvalid)) => Ok(false),
            Ok(Err(error)) => Err(IdentityError::Crypto(format!(
                "a stored password hash is unreadable: {error}"
            ))),
            Err(error) => Err(IdentityError::Crypto(format!(
                "the password hasher ended: {error}"
            ))),
        }
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, IdentityError> {
        match tokio::time::timeout(WAIT_MAX, self.permits.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(IdentityError::Busy),
        }
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether a password may be set.
///
/// # Errors
/// Says what is wrong with it, never the password.
pub fn check(password: &str) -> Result<(), IdentityError> {
    if password.chars().count() < LENGTH_MIN {
        return Err(IdentityError::invalid(
            "password",
            format!("has fewer than {LENGTH_MIN} characters"),
        ));
    }
    if password.len() > BYTES_MAX {
        return Err(IdentityError::invalid(
            "password",
            format!("has more than {BYTES_MAX} bytes"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_knows_its_password_alone() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse battery").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(
            passwords
                .verify("correct horse battery", Some(&hash))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .verify("correct horse batterz", Some(&hash))
                .await
                .unwrap()
        );
        assert!(!passwords.verify("correct horse battery", None).await.unwrap());
        assert_ne!(
            hash,
            passwords.hash("correct horse battery").await.unwrap(),
            "no salt"
        );
    }

    #[tokio::test]
    async fn only_usable_passwords_are_taken() {
        let passwords = Passwords::new();
        assert!(matches!(
            passwords.hash("too short").await,
            Err(IdentityError::Invalid {
                field: "password",
                ..
            })
        ));
        assert!(matches!(
            passwords.hash(&"x".repeat(257)).await,
            Err(IdentityError::Invalid { .. })
        ));
        assert!(!passwords.verify(&"x".repeat(100_000), None).await.unwrap());
        assert!(passwords.verify("whatever", Some("no hash")).await.is_err());
    }
}
