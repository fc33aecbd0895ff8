//! Signing keys as use cases: load them opened, and let new ones follow old ones.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bss_domain::time::Instant;
use bss_store::identity::signing_key::SigningKeyRow;
use bss_store::identity::{self as store};

use super::rotation::{self, KeyRoles, KeyTimes};
use super::{Identity, IdentityError};

const ACTOR: &str = "issuer";

/// An opened signing key.
#[derive(Clone)]
pub struct SigningKey {
    pub kid: String,
    /// PKCS#8 as PEM: the signer takes it in no other form.
    pub private_pem: String,
    pub signs_from: Instant,
}

/// All opened keys with what each is good for.
#[derive(Clone)]
pub struct SigningKeys {
    pub keys: Vec<SigningKey>,
    pub roles: KeyRoles,
}

/// Whether a new key is made although none is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// Only when the newest has signed for so many seconds.
    WhenDue { every_s: i64 },
    /// Now; it signs once it is announced.
    Now,
}

impl Identity {
    /// The keys as they are, after a new one was added if it was due and spent ones were removed. Of several
    /// processes that find one due, one adds it.
    pub async fn signing_keys(&self, rotation: Rotation, now: Instant) -> Result<SigningKeys, IdentityError> {
        let rows = self.rows().await?;
        let rows = if is_settled(&rows, rotation, now) {
            rows
        } else {
            self.rotate(rotation, now).await?
        };
        let roles = rotation::roles(times(&rows), now);
        let keys = rows
            .into_iter()
            .filter(|row| roles.published.contains(&row.kid))
            .map(|row| self.opened(&row))
            .collect::<Result<_, _>>()?;
        Ok(SigningKeys { keys, roles })
    }

    async fn rows(&self) -> Result<Vec<SigningKeyRow>, IdentityError> {
        let work = store::begin(&self.store, ACTOR).await?;
        let rows = store::signing_key::list(&work).await?;
        work.rollback().await?;
        Ok(rows)
    }

    async fn rotate(&self, rotation: Rotation, now: Instant) -> Result<Vec<SigningKeyRow>, IdentityError> {
        // Made before the lock is taken: a pair costs up to a second of one core.
        let (kid, pkcs8) = tokio::task::spawn_blocking(new_pair)
            .await
            .map_err(|error| IdentityError::Crypto(format!("the key generator ended: {error}")))??;
        let work = store::begin(&self.store, ACTOR).await?;
        store::signing_key::lock(&work).await?;
        let rows = store::signing_key::list(&work).await?;
        if let Some(signs_from) = signs_from(&rows, rotation, now) {
            let sealed = self.sealer.seal(&kid, &pkcs8)?;
            store::signing_key::insert(
                &work,
                &SigningKeyRow {
                    kid,
                    sealed,
                    signs_from,
                },
            )
            .await?;
        }
        store::signing_key::delete(&work, &rotation::roles(times(&rows), now).spent).await?;
        let rows = store::signing_key::list(&work).await?;
        work.commit().await?;
        Ok(rows)
    }

    fn opened(&self, row: &SigningKeyRow) -> Result<SigningKey, IdentityError> {
        let pkcs8 = self.sealer.open(&row.kid, &row.sealed)?;
        Ok(SigningKey {
            kid: row.kid.clone(),
            private_pem: pem(&pkcs8),
            signs_from: row.signs_from,
        })
    }
}

/// Whether there is nothing to add and nothing to remove.
fn is_settled(rows: &[SigningKeyRow], rotation: Rotation, now: Instant) -> bool {
    signs_from(rows, rotation, now).is_none() && rotation::roles(times(rows), now).spent.is_empty()
}

/// From when a new key signs, if there is to be one.
fn signs_from(rows: &[SigningKeyRow], rotation: Rotation, now: Instant) -> Option<Instant> {
    let times = times(rows);
    match rotation {
        Rotation::WhenDue { every_s } => rotation::next_signs_from(&times, every_s, now),
        Rotation::Now => rotation::next_signs_from(&times, 0, now).or_else(|| {
            times
                .iter()
                .all(|key| key.signs_from <= now)
                .then(|| rotation::announced(now))
        }),
    }
}

fn times(rows: &[SigningKeyRow]) -> Vec<KeyTimes> {
    rows.iter()
        .map(|row| KeyTimes {
            kid: row.kid.clone(),
            signs_from: row.signs_from,
        })
        .collect()
}

/// A new pair: its id, and the private key as PKCS#8.
fn new_pair() -> Result<(String, Vec<u8>), IdentityError> {
    let failed = |_| IdentityError::Crypto("cannot make an RSA key".to_owned());
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(failed)?;
    Ok((super::secret::generate(), pkcs8.as_ref().to_vec()))
}

fn pem(pkcs8: &[u8]) -> String {
    let text = STANDARD.encode(pkcs8);
    // Base64 is ASCII: it can be cut anywhere.
    let lines: Vec<&str> = (0..text.len())
        .step_by(64)
        .map(|at| &text[at..text.len().min(at + 64)])
        .collect();
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        lines.join("\n")
    )
}
