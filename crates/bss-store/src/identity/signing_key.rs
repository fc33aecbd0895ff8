//! Signing keys, their private part sealed.

use bss_domain::Instant;

use crate::{Session, StoreError, Timestamptz};

/// A stored key.
#[derive(Clone)]
pub struct SigningKeyRow {
    pub kid: String,
    /// The private key, sealed by a secret outside the database.
    pub sealed: Vec<u8>,
    /// It signs from here until a later key does.
    pub signs_from: Instant,
}

/// All keys.
pub async fn list(session: &Session) -> Result<Vec<SigningKeyRow>, StoreError> {
    let rows = session
        .query(
            "SELECT kid, sealed, signs_from FROM signing_key ORDER BY signs_from, kid",
            &[],
        )
        .await?;
    let read = |row: &tokio_postgres::Row| SigningKeyRow {
        kid: row.get("kid"),
        sealed: row.get("sealed"),
        signs_from: row.get::<_, Timestamptz>("signs_from").0,
    };
    Ok(rows.iter().map(read).collect())
}

/// Lets one transaction at a time decide about a new key.
pub async fn lock(session: &Session) -> Result<(), StoreError> {
    session
        .query(
            "SELECT pg_advisory_xact_lock(hashtextextended('bss signing_key', 0))",
            &[],
        )
        .await?;
    Ok(())
}

/// Adds a key.
pub async fn insert(session: &Session, key: &SigningKeyRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO signing_key (kid, sealed, signs_from) VALUES ($1, $2, $3)";
    session
        .execute(sql, &[&key.kid, &key.sealed, &Timestamptz(key.signs_from)])
        .await?;
    Ok(())
}

/// Removes keys that nothing valid was signed with.
pub async fn delete(session: &Session, kids: &[String]) -> Result<(), StoreError> {
    session
        .execute("DELETE FROM signing_key WHERE kid = ANY($1)", &[&kids])
        .await?;
    Ok(())
}
